"""What the DGA model is trained on: honest names, pseudo-families and, if given, real families."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from publicsuffixlist import PublicSuffixList

from analyzer.models.dga_text import LONGEST_WORD, SHORTEST_WORD
from analyzer.models.training.dga_families import pseudo_families

HELD_OUT = 5
"""One name in so many is never trained on, whatever file it is in."""

FOLDS = 5
"""Parts that are left out in turn."""

_PER_FAMILY = 1500
_PER_REAL_FAMILY = 800
# Where in a frequency list the words of word lists are, and how long those of running text are.
_PLAIN = slice(100, 25_000)
_COMMON, _COMMON_LENGTHS = 150, range(2, 7)
# The long tail is what hosts are judged by; a top list is not.
_LONG_TAIL_WEIGHT = 0.4


@dataclass(frozen=True, slots=True)
class Named:
    """A name as the model sees it.

    Attributes:
        label: the label under the public suffix.
        domain: the top-level domain.
    """

    label: str
    domain: str


_SUFFIXES = PublicSuffixList()


def named(name: str) -> Named | None:
    """The label under a name's public suffix; None if there is none, or it is Punycode."""
    registered = _SUFFIXES.privatesuffix(name.strip().lower().rstrip("."))
    if not registered or registered.startswith("xn--"):
        return None
    return Named(registered.partition(".")[0], registered.rpartition(".")[2])


def is_held_out(label: str) -> bool:
    """Whether a label is left out of training, so that it can be tested with."""
    return zlib.crc32(label.encode("utf-8")) % HELD_OUT == 0


def read_names(files: Iterable[Path]) -> list[Named]:
    """The different labels of the names in files, one a line, in alphabetic order."""
    found: dict[str, Named] = {}
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            name = named(line) if line.strip() and not line.startswith("#") else None
            if name:
                found.setdefault(name.label, name)
    return [found[label] for label in sorted(found)]


def read_families(file: Path, honest: str = "legit") -> dict[str, list[str]]:
    """Labels by family, from a CSV file with the columns ``domain`` and ``family`` (gz or not)."""
    octets = file.read_bytes()
    text = (gzip.decompress(octets) if file.suffix == ".gz" else octets).decode("utf-8")
    families: dict[str, set[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        name = named(row["domain"])
        if name and row["family"] != honest:
            families.setdefault(row["family"], set()).add(name.label)
    return {family: sorted(labels) for family, labels in sorted(families.items())}


def group(family: str) -> str:
    """What a family is a version of: versions are left out together."""
    return re.sub(r"_(v?\d+|gpl|rfc\d+)$", "", family)


@dataclass(slots=True)
class Material:
    """Labels to train on.

    Attributes:
        labels: the labels.
        generated: whether each comes from an algorithm.
        weight: of each; both kinds weigh the same together, and so does every family.
        fold: in which each is left out.
        family: the family of each, empty for honest ones and pseudo-families.
    """

    labels: list[str] = field(default_factory=list)
    generated: list[bool] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    fold: list[int] = field(default_factory=list)
    family: list[str] = field(default_factory=list)

    def add(self, labels: Sequence[str], folds: Sequence[int], weight: float, family: str) -> None:
        """Add labels of one kind; the family is "" for honest ones, "*" for pseudo-families."""
        self.labels += labels
        self.generated += [family != ""] * len(labels)
        self.weight += [weight / len(labels)] * len(labels)
        self.fold += folds
        self.family += [family.strip("*")] * len(labels)


def material(
    honest: Mapping[str, bool],
    families: Mapping[str, list[str]],
    words: Sequence[str],
    rng: np.random.Generator,
) -> Material:
    """Honest labels, pseudo-families and real families, each family in one fold as a whole.

    Args:
        honest: honest labels, and whether each is of the long tail.
        families: labels of real families.
        words: words of a language, the commonest first.
        rng: draws the families.
    """
    result = Material()
    for tail, weight in ((True, _LONG_TAIL_WEIGHT), (False, 1 - _LONG_TAIL_WEIGHT)):
        labels = sorted(label for label, is_tail in honest.items() if is_tail is tail)
        folds = [zlib.crc32(b"fold" + each.encode()) % FOLDS for each in labels]
        if labels:
            result.add(labels, folds, weight, "")
    fitting = range(SHORTEST_WORD, LONGEST_WORD + 1)
    makers = pseudo_families(
        rng,
        [word for word in words[_PLAIN] if len(word) in fitting],
        [word for word in words[:_COMMON] if len(word) in _COMMON_LENGTHS],
    )
    count = len(makers) + len(families)
    for number, make in enumerate(makers.values()):
        labels = sorted({make(rng) for _ in range(_PER_FAMILY)})
        result.add(labels, [number % FOLDS] * len(labels), 1 / count, "*")
    groups = sorted({group(family) for family in families})
    folds_of = dict(zip(rng.permutation(groups).tolist(), range(len(groups)), strict=True))
    for family, every in families.items():
        labels = sorted(rng.permutation(every)[:_PER_REAL_FAMILY].tolist())
        result.add(labels, [folds_of[group(family)] % FOLDS] * len(labels), 1 / count, family)
    return result
