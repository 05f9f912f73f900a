"""What the DGA model sees of a label: its n-grams, its make-up, and the words it falls into.

Everything works on all labels at once, as arrays over their concatenated characters.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ORDERS = (1, 2, 3, 4)
"""Lengths of the n-grams, in characters."""

BUCKETS = 2**17
"""How many weights n-grams share."""

_EDGE, _OTHER = 0, 38
_SYMBOLS = 39
# Up to three characters have a bucket of their own; longer ones share those that are left.
_OWN = _SYMBOLS + _SYMBOLS**2 + _SYMBOLS**3

SHORTEST_WORD, LONGEST_WORD = 3, 12
"""Lengths of the words looked for."""

LONG_WORD = 4
"""Length from which a word is no accident."""

# Log probability of a character that is part of no word; words of the dictionary average -3 a
# character, so a character outside is dear but not forbidden.
STRAY = -11.5

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Fibonacci hashing
_SLOT_BITS = 18


def _symbols() -> npt.NDArray[np.uint8]:
    table = np.full(256, _OTHER, np.uint8)
    for number, character in enumerate(string.ascii_lowercase + string.digits + "-", start=1):
        table[ord(character)] = number
        table[ord(character.upper())] = number
    return table


_TABLE = _symbols()


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels as one row of symbols, each with an edge before and behind it.

    Attributes:
        symbols: the characters' numbers.
        starts: where each label's front edge is.
        lengths: characters of each label.
        owner: the label that each symbol belongs to.
    """

    symbols: npt.NDArray[np.uint8]
    starts: Integers
    lengths: Integers
    owner: Integers

    @classmethod
    def of(cls, labels: Sequence[str]) -> Labels:
        """Encode labels; what is neither letter, digit nor hyphen is one symbol."""
        octets = [label.encode("utf-8", "replace") for label in labels]
        lengths = np.fromiter(map(len, octets), np.int64, len(octets))
        starts = np.cumsum(lengths + 2) - lengths - 2
        joined = b"".join(b"\0" + each + b"\0" for each in octets)
        symbols = _TABLE[np.frombuffer(joined, np.uint8)]
        symbols[starts] = _EDGE
        symbols[starts + lengths + 1] = _EDGE
        owner = np.repeat(np.arange(len(octets)), lengths + 2)
        return cls(symbols, starts, lengths, owner)

    def sums(self, values: npt.NDArray[np.generic]) -> Floats:
        """A value of every symbol added up by label."""
        if not self.starts.size:
            return np.zeros(0)
        return np.asarray(np.add.reduceat(values, self.starts), float)


def ngram_buckets(labels: Labels, order: int) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """The bucket of the n-gram that begins at each symbol, and whether it lies within its label."""
    size = labels.symbols.size
    code = np.zeros(size, np.int64)
    within = np.zeros(size, np.bool_)
    count = max(size - order + 1, 0)
    for shift in range(order):
        code[:count] = code[:count] * _SYMBOLS + labels.symbols[shift : shift + count]
    within[:count] = labels.owner[:count] == labels.owner[order - 1 :][:count]
    if order <= 3:  # noqa: PLR2004 - see _OWN
        return code + sum(_SYMBOLS**n for n in range(1, order)), within
    mixed = (code.astype(np.uint64) * _MULTIPLIER) >> np.uint64(32)
    return _OWN + (mixed % np.uint64(BUCKETS - _OWN)).astype(np.int64), within


def make_up(labels: Labels) -> Floats:
    """What each label is made of.

    Per label: logarithm of the length; shares of digits, of vowels, of changes between letters and
    digits, of distinct characters; hyphens; longest runs of consonants, of vowels, of digits.
    """
    symbols = labels.symbols
    edge = symbols == _EDGE
    digit = (symbols > 26) & (symbols < 37)  # noqa: PLR2004
    letter = (symbols > 0) & (symbols <= 26)  # noqa: PLR2004
    vowel = np.isin(symbols, [1, 5, 9, 15, 21, 25])
    size = np.maximum(labels.lengths, 1)
    change = np.zeros(symbols.size)
    change[1:] = (digit[1:] & letter[:-1]) | (letter[1:] & digit[:-1])
    consonant = letter & ~vowel
    pairs = np.unique(labels.owner * 64 + symbols)
    distinct = np.bincount(pairs[pairs % 64 != _EDGE] // 64, minlength=size.size)
    return np.column_stack(
        [
            np.log(size),
            labels.sums(digit) / size,
            labels.sums(vowel) / size,
            labels.sums(change) / size,
            distinct / size,
            labels.sums(symbols == 37),  # noqa: PLR2004
            _longest_run(consonant & ~edge, labels),
            _longest_run(vowel & ~edge, labels),
            _longest_run(digit & ~edge, labels),
        ]
    )


def _longest_run(flags: npt.NDArray[np.bool_], labels: Labels) -> Floats:
    position = np.arange(flags.size)
    # Edges are never flagged, so no run goes over one.
    last = np.maximum.accumulate(np.where(flags, -1, position))
    run = np.where(flags, position - last, 0)
    return np.asarray(np.maximum.reduceat(run, labels.starts), float)


@dataclass(frozen=True, slots=True)
class Words:
    """A dictionary that labels are taken apart with.

    Attributes:
        keys: the hash of the word in each slot.
        values: its log probability.
        plainness: logarithm of how much commoner it is in a language than in names of sites.
    """

    keys: npt.NDArray[np.uint64]
    values: npt.NDArray[np.float32]
    plainness: npt.NDArray[np.float32]

    @classmethod
    def of(
        cls, words: Sequence[str], log_probabilities: npt.ArrayLike, plainness: npt.ArrayLike
    ) -> Words:
        """Place words, most probable first, in slots; of two that meet, the first stays."""
        keys = np.zeros(2**_SLOT_BITS, np.uint64)
        values = np.full(2**_SLOT_BITS, -np.inf, np.float32)
        plain = np.zeros(2**_SLOT_BITS, np.float32)
        encoded = Labels.of(words)
        hashes = np.zeros(len(words), np.uint64)
        for position in range(LONGEST_WORD):
            inside = encoded.lengths > position
            symbol = encoded.symbols[encoded.starts[inside] + 1 + position]
            hashes[inside] = _extended(hashes[inside], symbol)
        slots = _slot(hashes)
        order = np.arange(len(words))[::-1]
        keys[slots[order]] = hashes[order]
        values[slots[order]] = np.asarray(log_probabilities, np.float32)[order]
        plain[slots[order]] = np.asarray(plainness, np.float32)[order]
        return cls(keys, values, plain)


def _extended(
    hashes: npt.NDArray[np.uint64], symbols: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint64]:
    return (hashes * np.uint64(_SYMBOLS) + symbols.astype(np.uint64)) * np.uint64(3)


def _slot(hashes: npt.NDArray[np.uint64]) -> Integers:
    return ((hashes * _MULTIPLIER) >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)


def word_features(labels: Labels, words: Words) -> Floats:
    """The most probable division of each label into words, as :func:`divide` finds it.

    Per label: log probability a character; share of characters in words, and in words of four
    letters or more; number of words; longest word; plainness in all, and of the least plain word.
    """
    count = labels.starts.size
    result = np.zeros((count, 7))
    order = np.argsort(-labels.lengths, kind="stable")
    lengths, fronts = labels.lengths[order], labels.starts[order] + 1
    longest = int(lengths[0]) if count else 0
    # best[:, i]: the division of the first i characters.
    best = np.zeros((longest + 1, count), np.float32)
    inside = np.zeros((longest + 1, count), np.int16)
    inside_long = np.zeros((longest + 1, count), np.int16)
    number = np.zeros((longest + 1, count), np.int16)
    longest_word = np.zeros((longest + 1, count), np.int16)
    plainness = np.zeros((longest + 1, count), np.float32)
    least = np.zeros((longest + 1, count), np.float32)
    weights, slots = _word_weights(labels, words)
    for end in range(1, longest + 1):
        n = int(np.searchsorted(-lengths, -end, side="right"))
        value = best[end - 1, :n] + np.float32(STRAY)
        length = np.zeros(n, np.int64)
        at = fronts[:n] + end - 1
        for size in range(SHORTEST_WORD, min(LONGEST_WORD, end) + 1):
            found = weights[size - SHORTEST_WORD][at - size + 1]
            other = best[end - size, :n] + found
            better = other > value
            value = np.where(better, other, value)
            length[better] = size
        best[end, :n] = value
        column = np.arange(n)
        before = end - np.maximum(length, 1)
        inside[end, :n] = inside[before, column] + length
        inside_long[end, :n] = inside_long[before, column] + np.where(
            length >= LONG_WORD, length, 0
        )
        number[end, :n] = number[before, column] + (length > 0)
        longest_word[end, :n] = np.maximum(longest_word[before, column], length)
        slot = slots[np.maximum(length - SHORTEST_WORD, 0), at - np.maximum(length, 1) + 1]
        own = np.where(length > 0, words.plainness[slot], np.float32(0))
        plainness[end, :n] = plainness[before, column] + own
        least[end, :n] = np.minimum(least[before, column], own)
    column = np.arange(count)
    sizes = np.maximum(lengths, 1)
    result[order] = np.column_stack(
        [
            best[lengths, column] / sizes,
            inside[lengths, column] / sizes,
            inside_long[lengths, column] / sizes,
            number[lengths, column],
            longest_word[lengths, column],
            plainness[lengths, column],
            least[lengths, column],
        ]
    )
    return result


def _word_weights(
    labels: Labels, words: Words
) -> tuple[list[npt.NDArray[np.float32]], npt.NDArray[np.int32]]:
    """For each word length, log probability and slot of the word that begins at each symbol."""
    size = labels.symbols.size
    hashes = np.zeros(size, np.uint64)
    weights = []
    every_slot = np.zeros((LONGEST_WORD - SHORTEST_WORD + 1, size), np.int32)
    for length in range(1, LONGEST_WORD + 1):
        count = max(size - length + 1, 0)
        hashes = _extended(hashes[:count], labels.symbols[length - 1 :][:count])
        if length >= SHORTEST_WORD:
            slots = _slot(hashes)
            weight = np.full(size, -np.inf, np.float32)
            weight[:count] = np.where(words.keys[slots] == hashes, words.values[slots], -np.inf)
            weights.append(weight)
            every_slot[length - SHORTEST_WORD, :count] = slots
    return weights, every_slot


def divide(label: str, vocabulary: Mapping[str, float]) -> list[str]:
    """The most probable division of one label into words; characters in no word stand alone."""
    best, length = [0.0], [0]
    for end in range(1, len(label) + 1):
        value, size = best[end - 1] + STRAY, 1
        for other in range(SHORTEST_WORD, min(LONGEST_WORD, end) + 1):
            found = vocabulary.get(label[end - other : end])
            if found is not None and best[end - other] + found > value:
                value, size = best[end - other] + found, other
        best.append(value)
        length.append(size)
    words, end = [], len(label)
    while end:
        words.append(label[end - length[end] : end])
        end -= length[end]
    return words[::-1]
