"""Train the DGA model: `python -m analyzer.models.training.dga --benign FILE ... --out DIR`."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from analyzer.models.dga import (
    HIGHEST,
    LOWEST,
    VIEWS,
    WORD_STEPS,
    DgaModel,
    word_reuse,
)
from analyzer.models.dga_text import Floats, Words
from analyzer.models.model_file import Arrays, save_model
from analyzer.models.training.dga_fit import Unseen, calibration, fit
from analyzer.models.training.dga_hosts import HOST_NAMES, honest_hosts
from analyzer.models.training.dga_material import (
    HELD_OUT,
    Material,
    Named,
    is_held_out,
    material,
    read_families,
    read_names,
)
from analyzer.models.training.dga_words import Dictionary, dictionary, language_words

FALSE_POSITIVES = (0.01, 0.001)
"""Shares of honest names at which figures are given."""

_WORDS = 16_000
_HOSTS = 500


def word_arrays(known: Dictionary) -> Arrays:
    """The dictionary as it is kept, in alphabetic order."""
    order = sorted(range(len(known.words)), key=known.words.__getitem__)

    def steps(values: Sequence[float]) -> npt.NDArray[np.int8]:
        return np.round(np.array([values[i] for i in order]) * WORD_STEPS).astype(np.int8)

    text = "\n".join(known.words[i] for i in order)
    return {
        "words": np.frombuffer(text.encode("ascii"), np.uint8),
        "word_log": steps(known.log_probabilities),
        "word_plain": steps(known.plainness),
        "word_share": steps([float(np.log(share)) for share in known.shares]),
    }


def family_figures(trained: Material, unseen: Unseen) -> dict[str, dict[str, float]]:
    """Of each real family, how well it is told from held-out names by models that never saw it."""
    figures = {}
    families, folds = np.array(trained.family), np.array(trained.fold)
    for family in sorted(set(trained.family) - {""}):
        own = families == family
        honest = unseen.held_out[int(folds[own][0])]
        figures[family] = separation(honest, unseen.scores[own])
    return figures


def add_host_figures(
    figures: dict[str, dict[str, float]], trained: Material, unseen: Unseen, model: DgaModel
) -> None:
    """Add the share of hosts found that ask for so many names of a family, none of which exist."""
    families = np.array(trained.family)
    ratios = np.interp(unseen.scores, model.scores, model.ratios)
    for family, found in figures.items():
        own = np.flatnonzero(families == family)
        words = [model.words_in(trained.labels[i]) for i in own]
        found.update(hosts_found(np.random.default_rng(0), ratios[own], words, model))


def hosts_found(
    rng: np.random.Generator, ratios: Floats, words: Sequence[Sequence[str]], model: DgaModel
) -> dict[str, float]:
    """The share of simulated hosts above the threshold, by how many of the names they ask for.

    Args:
        rng: draws the hosts.
        ratios: log-likelihood ratios of the names of one family.
        words: the words of each.
        model: the thresholds.
    """
    clipped = np.clip(ratios, LOWEST, HIGHEST)
    figures = {}
    for names in (20, 50):
        _, threshold = model.honest_sum(VIEWS.index("refused"), names)
        sums = []
        for _ in range(_HOSTS):
            picked = rng.permutation(ratios.size)[:names]
            reuse, _ = word_reuse([words[i] for i in picked], model.word_shares)
            sums.append(clipped[picked].sum() + reuse)
        share = float((np.array(sums) > threshold).mean())
        figures[f"hosts found with {names} names"] = round(share, 4)
    return figures


def separation(honest: Floats, generated: Floats) -> dict[str, float]:
    """The area under the ROC curve, and the share found at each false positive rate."""
    kinds = np.concatenate([np.zeros(honest.size), np.ones(generated.size)])
    figures = {"auc": float(roc_auc_score(kinds, np.concatenate([honest, generated])))}
    for share in FALSE_POSITIVES:
        threshold = np.quantile(honest, 1 - share)
        figures[f"found at {share:.1%}"] = float((generated > threshold).mean())
    return {name: round(value, 4) for name, value in figures.items()}


def train(
    honest: Sequence[Named],
    long_tail: frozenset[str],
    families: dict[str, list[str]],
    ranked: Sequence[str],
    seed: int = 1,
) -> tuple[Arrays, dict[str, Any]]:
    """The model's arrays and the figures for its card.

    Args:
        honest: honest names.
        long_tail: the labels among them that are of the long tail.
        families: labels of real families.
        ranked: words of a language, the commonest first.
        seed: draws pseudo-families, samples and hosts.
    """
    words = language_words(ranked)
    kept = {each.label: each.label in long_tail for each in honest if not is_held_out(each.label)}
    held_out = [each for each in honest if is_held_out(each.label)]
    known = dictionary(words, sorted(kept), _WORDS)
    arrays = word_arrays(known)
    trained = material(kept, families, words, np.random.default_rng(seed))
    fitted, unseen = fit(
        trained,
        [each.label for each in held_out],
        Words.of(known.words, known.log_probabilities, known.plainness),
        seed,
    )
    arrays |= fitted
    real = np.array([family != "" for family in trained.family])
    judged = np.array(trained.generated) & (real if real.any() else ~real)
    tail = np.array([label in long_tail for label in trained.labels]) & ~np.array(trained.generated)
    average = np.mean(unseen.held_out, axis=0)
    arrays |= calibration(
        np.concatenate([average, unseen.scores[tail]]),
        unseen.scores[judged],
        np.array(trained.weight)[judged],
    )
    arrays |= {"host_names": np.array(HOST_NAMES, float), "host_sums": np.zeros((2, 2, 1))}
    model = DgaModel.from_arrays(arrays)
    domains = {each.label: each.domain for each in honest}
    labels = [each.label for each in held_out]
    labels += [label for label, is_tail in zip(trained.labels, tail, strict=True) if is_tail]
    scores = np.concatenate([average, unseen.scores[tail]])
    arrays["host_sums"] = honest_hosts(
        np.random.default_rng(seed),
        np.interp(scores, arrays["scores"], arrays["ratios"]),
        [domains[label] for label in labels],
        [model.words_in(label) for label in labels],
        dict(model.word_shares),
    )
    figures = family_figures(trained, unseen)
    add_host_figures(figures, trained, unseen, DgaModel.from_arrays(arrays))
    card = {
        "honest names": {
            "trained on": len(kept),
            "held out": len(held_out),
            "long tail": len(long_tail),
        },
        "families left out": figures,
        "mean over families left out": {
            name: round(float(np.mean([each[name] for each in figures.values()])), 4)
            for name in next(iter(figures.values()), {})
        },
        "generated names": int(np.sum(trained.generated)),
        "held out": f"labels whose CRC-32 is a multiple of {HELD_OUT}",
        "seed": seed,
    }
    return arrays, card


def main(arguments: Sequence[str] | None = None) -> None:
    """Read names, train, and write ``dga.npz`` and ``dga.json``."""
    parser = argparse.ArgumentParser(description="Train the DGA model.")
    parser.add_argument("--benign", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument(
        "--long-tail", type=Path, nargs="+", default=[], metavar="FILE",
        help="benign names of the long tail, which the calibration rests on",
    )  # fmt: skip
    parser.add_argument("--words", type=Path, required=True, help="words, the commonest first")
    parser.add_argument("--families", type=Path, help="CSV with the columns domain and family")
    parser.add_argument("--date", required=True, help="the date to write into the card")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    given = parser.parse_args(arguments)
    honest = read_names([*given.benign, *given.long_tail])
    arrays, card = train(
        honest,
        frozenset(each.label for each in read_names(given.long_tail)),
        read_families(given.families) if given.families else {},
        given.words.read_text("utf-8").split(),
    )
    files = [*given.benign, *given.long_tail, given.words, *filter(None, [given.families])]
    card |= {
        "date": given.date,
        "data": {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)
        },
    }
    save_model(given.out, "dga", arrays, card)


if __name__ == "__main__":
    main()
