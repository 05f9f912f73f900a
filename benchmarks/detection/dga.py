"""How well algorithmic names and the hosts that ask for them are told from honest ones.

`python -m benchmarks.detection.dga [--families CSV] [--benign FILE ...]`; the CSV has the columns
``domain`` and ``family``, a benign file one name a line. Families that the shipped model was
trained on are judged by its card, whose figures are of models that had not seen the family; others
by the model itself. Without a CSV, a few algorithms stand in that are written here and nowhere
else. Benign names that may have been trained on (see `is_held_out`) are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.models.dga import DgaModel, model_card, shipped_model
from analyzer.models.dga_text import Floats
from analyzer.models.training.dga import FALSE_POSITIVES, hosts_found, separation
from analyzer.models.training.dga_material import is_held_out, read_families, read_names
from benchmarks.detection.figures import Figure, table
from tests.traffic import names as traffic_names

# Figures to reach, of families that were not trained on.
_AUC, _FOUND = 0.965, {0.01: 0.78, 0.001: 0.55}
_RANDOM_HOSTS, _WORD_HOSTS = 0.96, 0.90
_SPEED = 100_000
_PER_FAMILY = 1000

_WORDY = ("gozi", "matsnu", "nymaim", "pizd", "rovnix", "suppobox", "word")


def entropy(labels: Sequence[str]) -> Floats:
    """Shannon's entropy of each label's characters: the rule that fires above 3.5."""
    return np.array(
        [
            -sum(n / len(label) * math.log2(n / len(label)) for n in Counter(label).values())
            for label in labels
        ]
    )


def _linear(seed: int) -> Callable[[], int]:
    """The linear congruential generator of ANSI C's example rand()."""
    state = seed

    def draw() -> int:
        nonlocal state
        state = (state * 1103515245 + 12345) % 2**31
        return state >> 16

    return draw


def own_families(seed: int, count: int) -> dict[str, list[str]]:
    """Algorithms that the model was not trained on, by name."""
    draw = _linear(seed)
    words = [
        f"{a}{b}"
        for a in ("sto", "mar", "ve", "lan", "cor", "pre", "tan", "gri")
        for b in ("ne", "ket", "get", "tern", "ner", "sent", "gle", "ffin", "ping", "dish")
    ]
    digest = (hashlib.md5(f"{seed}-{i}".encode()).hexdigest() for i in range(count))  # noqa: S324
    return {
        "letters by remainder": [
            "".join(chr(97 + draw() % 26) for _ in range(8 + draw() % 8)) for _ in range(count)
        ],
        "letters of a hash": [
            "".join(chr(97 + int(text[i : i + 2], 16) % 25) for i in range(0, 26, 2))
            for text in digest
        ],
        "hash in base 36": [
            np.base_repr(int(hashlib.sha1(f"{i}{seed}".encode()).hexdigest()[:18], 16), 36).lower()  # noqa: S324
            for i in range(count)
        ],
        "word pairs": [words[draw() % 80] + words[draw() % 80] for _ in range(count)],
    }


def measure(seeds: int, families: Path | None = None, benign: Sequence[Path] = ()) -> list[Figure]:
    """The figures, each beside what the entropy rule reaches on the same names."""
    model, card = shipped_model(), model_card()
    if benign:
        honest = [each.label for each in read_names(benign) if is_held_out(each.label)]
    else:
        rng = np.random.default_rng(seeds)
        sites = [name.partition(".")[0] for name in traffic_names.site_domains(rng, 4000)]
        honest = [label for label in sites if is_held_out(label)]
    known: dict[str, Any] = {}
    if families:
        labels = read_families(families)
        if hashlib.sha256(families.read_bytes()).hexdigest() in card["data"].values():
            known = card["families left out"]
    else:
        made = [own_families(seed, _PER_FAMILY // seeds) for seed in range(1, seeds + 1)]
        labels = {name: [each for one in made for each in one[name]] for name in made[0]}
    scores, plain = model.score(honest), entropy(honest)
    reached, peer = {}, {}
    for family, every in labels.items():
        some = every[:_PER_FAMILY]
        reached[family] = known.get(family) or _figures(scores, some, model)
        peer[family] = separation(plain, entropy(some)) | {
            "entropy over 3.5": float((entropy(some) > 3.5).mean())  # noqa: PLR2004
        }

    def mean(figures: dict[str, Any], name: str, among: Sequence[str]) -> float:
        return float(np.mean([figures[family][name] for family in among])) if among else math.nan

    every_family = list(labels)
    wordy = [family for family in labels if family.startswith(_WORDY)]
    letters = [family for family in labels if family not in wordy]
    found = [
        Figure(
            "area under the ROC curve, mean over families",
            _AUC,
            mean(reached, "auc", every_family),
            peers={"entropy": mean(peer, "auc", every_family)},
        ),
    ]
    for share in FALSE_POSITIVES:
        key = f"found at {share:.1%}"
        peers = {
            "entropy, at a threshold of its own": mean(peer, key, every_family),
            "entropy over 3.5": mean(peer, "entropy over 3.5", every_family),
            "its false positives": float((plain > 3.5).mean()),  # noqa: PLR2004
        }
        name = f"names found at {share:.1%} false positives"
        found.append(Figure(name, _FOUND[share], mean(reached, key, every_family), peers=peers))
    for names in (20, 50):
        key = f"hosts found with {names} names"
        goals = (_RANDOM_HOSTS, _WORD_HOSTS) if names == 20 else (None, 1.0)  # noqa: PLR2004
        for kind, among, goal in (("random", letters, goals[0]), ("word list", wordy, goals[1])):
            if among:
                found.append(Figure(f"{key}, {kind} families", goal, mean(reached, key, among)))
    found.append(_speed(model, honest))
    return found


def _figures(honest: Floats, labels: Sequence[str], model: DgaModel) -> dict[str, float]:
    words = [model.words_in(label) for label in labels]
    ratios = model.log_likelihood_ratio(labels)
    found = hosts_found(np.random.default_rng(0), ratios, words, model)
    return separation(honest, model.score(labels)) | found


def _speed(model: DgaModel, labels: Sequence[str]) -> Figure:
    many = (list(labels) * (50_000 // max(len(labels), 1) + 1))[:50_000]
    begin = time.process_time()
    model.score(many)
    return Figure("names a second of one core", _SPEED, len(many) / (time.process_time() - begin))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=Path)
    parser.add_argument("--benign", type=Path, nargs="+", default=[])
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    print(table(measure(given.seeds, given.families, given.benign)))


if __name__ == "__main__":
    main()
