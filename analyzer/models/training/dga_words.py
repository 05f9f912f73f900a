"""The dictionary of the DGA model: words of a language, and pieces that honest names are made of.

Each word has two frequencies: in the language, by Zipf's law from its place in a frequency list,
and in honest names, counted in their most probable divisions. What is common in the one and rare in
the other tells word lists from names that people choose, who say what a site is about.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analyzer.models.dga_text import LONGEST_WORD, SHORTEST_WORD, divide

# Words of the language that are looked at, and how many labels a piece that is no word of it must
# stand in to be taken for one.
_HEAD = 40_000
_COMMON_PIECE = 40
_LEAST_PIECES = 5
_ROUNDS = 3
# Zipf's law as Mandelbrot corrected it: 1 / (rank + offset).
_OFFSET = 10
# What is added to a frequency in the language and in names before they are compared, so that words
# never seen in names are not infinitely plain.
_LANGUAGE_PRIOR, _NAMES_PRIOR = 2e-6, 2e-5


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Words, most probable first.

    Attributes:
        words: the words.
        log_probabilities: of each, in a mixture of the language and of names.
        plainness: logarithm of how much commoner each is in the language than in names.
        shares: share of honest labels that hold each.
    """

    words: list[str]
    log_probabilities: list[float]
    plainness: list[float]
    shares: list[float]


def language_words(ranked: Iterable[str]) -> list[str]:
    """The words of a frequency list that can stand in a dictionary, in its order."""
    return [word for word in ranked if word.isascii() and word.isalpha() and word == word.lower()]


def dictionary(ranked: Sequence[str], labels: Sequence[str], size: int) -> Dictionary:
    """The `size` most probable words, learned by dividing labels again and again.

    Args:
        ranked: words of a language, the commonest first.
        labels: honest labels.
        size: how many words to keep.
    """
    fitting = [word for word in ranked[:_HEAD] if SHORTEST_WORD <= len(word) <= LONGEST_WORD]
    zipf = {word: 1 / (rank + _OFFSET) for rank, word in enumerate(fitting)}
    total = sum(zipf.values())
    language = {word: share / total for word, share in zipf.items()}
    parts = [part for label in labels for part in re.split(r"[^a-z]+", label) if len(part) > 2]  # noqa: PLR2004
    logs = {word: math.log(share) for word, share in language.items()}
    for piece, count in _pieces(parts).items():
        logs.setdefault(piece, math.log(count / (3 * len(parts))))
    counts: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        counts = Counter(
            word for part in parts for word in set(divide(part, logs)) if len(word) >= SHORTEST_WORD
        )
        logs = _mixed(language, counts)
    kept = sorted(logs, key=lambda word: (-logs[word], word))[:size]
    met = counts.total()
    return Dictionary(
        kept,
        [logs[word] for word in kept],
        [
            math.log(
                (language.get(word, 0.0) + _LANGUAGE_PRIOR) / (counts[word] / met + _NAMES_PRIOR)
            )
            for word in kept
        ],
        [(counts[word] + 1) / len(labels) for word in kept],
    )


def _pieces(parts: Sequence[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update({part[i : i + n] for n in range(4, 9) for i in range(len(part) - n + 1)})
    return {piece: count for piece, count in counts.items() if count >= _COMMON_PIECE}


def _mixed(language: Mapping[str, float], counts: Counter[str]) -> dict[str, float]:
    met = counts.total()
    words = [*language, *(w for w in counts if w not in language and counts[w] >= _LEAST_PIECES)]
    return {word: math.log((language.get(word, 0.0) + counts[word] / met) / 2) for word in words}
