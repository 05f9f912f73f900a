"""Pseudo-families: labels as domain generation algorithms make them, from no real family's code.

Real algorithms differ in their seeds and constants, and each new family brings its own; what they
share is a handful of ways to turn numbers into text (Plohmann et al., "A Comprehensive Measurement
Study of Domain Generating Malware", USENIX Security 2016: arithmetic, hash, word list and
permutation based ones). Each way stands here with many lengths, alphabets and separators, so that a
model learns the ways and not the families.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Callable, Iterator, Sequence

import numpy as np

Maker = Callable[[np.random.Generator], str]
"""Makes one label."""

_LETTERS = string.ascii_lowercase
_DIGITS = string.digits
_HEX = _DIGITS + "abcdef"
_BASE32 = _LETTERS + "234567"
_BASE36 = _LETTERS + _DIGITS
_LONG = 8
_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxz"


def pseudo_families(
    rng: np.random.Generator, words: Sequence[str], common: Sequence[str]
) -> dict[str, Maker]:
    """The makers of all pseudo-families, by name.

    Args:
        rng: draws what is constant within a family: alphabets, word lists, prefixes.
        words: words of a language, for word lists and for letters that follow each other.
        common: short words of running text.
    """
    makers = dict(_random_texts(rng))
    makers |= dict(_syllables(rng))
    makers |= dict(_chains(words))
    makers |= dict(_word_lists(rng, words, common))
    makers |= dict(_permutations(rng, words))
    return makers


def text(alphabet: str, low: int, high: int, weights: Sequence[float] | None = None) -> Maker:
    """Letters drawn independently, from `low` to `high` of them."""
    letters = list(alphabet)
    return lambda rng: "".join(
        rng.choice(letters, int(rng.integers(low, high + 1)), p=weights).tolist()
    )


def _joined(*makers: Maker, by: str = "") -> Maker:
    return lambda rng: by.join(maker(rng) for maker in makers)


def _random_texts(rng: np.random.Generator) -> Iterator[tuple[str, Maker]]:
    for low, high in (
        (5, 7), (6, 9), (7, 7), (6, 12), (8, 8), (8, 14), (10, 10), (12, 12), (12, 15), (14, 14),
        (16, 16), (9, 18), (17, 21), (8, 25), (20, 32),
    ):  # fmt: skip
        yield f"letters {low} to {high}", text(_LETTERS, low, high)
    for low, high in ((8, 8), (10, 16), (16, 16), (32, 32)):
        yield f"hexadecimal {low} to {high}", text(_HEX, low, high)
    for low, high in ((7, 12), (12, 12), (16, 16), (10, 20), (20, 32)):
        yield f"base 36 {low} to {high}", text(_BASE36, low, high)
    yield "base 32", text(_BASE32, 12, 24)
    for number, size in enumerate((8, 11, 13, 16, 20)):
        alphabet = "".join(rng.permutation(list(_LETTERS))[:size].tolist())
        yield f"{size} letters of the alphabet", text(alphabet, 8 + 2 * number, 16)
    yield "a to p", text(_LETTERS[:16], 12, 18)
    yield "letters unevenly", text(_LETTERS, 8, 16, rng.dirichlet(np.full(26, 1.5)).tolist())
    yield "every second letter", text(_LETTERS[::2], 12, 18)
    yield "letter and hexadecimal", _joined(text(_LETTERS, 1, 1), text(_HEX, 30, 34))
    prefix = "".join(rng.choice(list(_LETTERS), 2).tolist())
    yield "prefix and hexadecimal", lambda rng: prefix + text(_HEX, 8, 14)(rng)
    yield "letters and number", _joined(text(_LETTERS, 6, 12), text(_DIGITS, 1, 3))
    yield "number and letters", _joined(text(_DIGITS, 1, 2), text(_LETTERS, 7, 12))
    group = _joined(text(_LETTERS, 1, 3), text("123456", 2, 2))
    yield (
        "groups of letters and numbers",
        lambda rng: "".join(group(rng) for _ in range(rng.integers(4, 10))),
    )
    yield "base 64", lambda rng: _base64(str(rng.integers(10**7, 10**10)))
    yield "base 64 of a hash", lambda rng: _base64(rng.bytes(12))


def _base64(data: str | bytes) -> str:
    octets = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(octets).decode().lower().strip("=_-").replace("_", "x")


def _syllables(rng: np.random.Generator) -> Iterator[tuple[str, Maker]]:
    vowels, consonants = text(_VOWELS, 1, 1), text(_CONSONANTS, 1, 1)
    with_y = text(_VOWELS + "y", 1, 1)
    few = text("".join(rng.permutation(list(_CONSONANTS))[:12].tolist()), 1, 1)
    for name, parts, low, high in (
        ("consonant vowel", (consonants, vowels), 3, 5),
        ("consonant vowel with y", (few, with_y), 2, 5),
        ("vowel consonant", (vowels, consonants), 3, 6),
        ("consonant vowel consonant", (consonants, vowels, consonants), 2, 4),
        ("consonant vowel vowel", (few, vowels, vowels), 2, 4),
    ):
        yield name, _repeated(_joined(*parts), low, high)
    yield "consonant vowel and one more", _joined(_repeated(_joined(few, with_y), 2, 4), few)
    either = (_joined(consonants, vowels), _joined(vowels, consonants), consonants, vowels)
    yield (
        "mixed syllables",
        lambda rng: "".join(
            either[i](rng) for i in rng.choice(4, int(rng.integers(4, 8)), p=(0.5, 0.3, 0.1, 0.1))
        ),
    )
    yield (
        "syllables and number",
        _joined(_repeated(_joined(consonants, vowels), 2, 4), text(_DIGITS, 1, 3)),
    )


def _repeated(maker: Maker, low: int, high: int) -> Maker:
    return lambda rng: "".join(maker(rng) for _ in range(rng.integers(low, high + 1)))


def _chains(words: Sequence[str]) -> Iterator[tuple[str, Maker]]:
    """Letters that follow each other as they do in a language: pronounceable nonsense."""
    for order in (1, 2):
        following: dict[str, list[str]] = {}
        for word in words:
            padded = "^" * order + word
            for i, letter in enumerate(word):
                following.setdefault(padded[i : i + order], []).append(letter)
        for low, high in ((6, 9), (9, 14)) if order == 1 else ((7, 12),):
            yield f"chain of order {order}, {low} to {high}", _chain(following, order, low, high)


def _chain(following: dict[str, list[str]], order: int, low: int, high: int) -> Maker:
    def make(rng: np.random.Generator) -> str:
        length = int(rng.integers(low, high + 1))
        label = "^" * order
        while len(label) < length + order:
            letters = following.get(label[-order:]) or list(_LETTERS)
            label += letters[int(rng.integers(len(letters)))]
        return label[order:]

    return make


def _word_lists(
    rng: np.random.Generator, words: Sequence[str], common: Sequence[str]
) -> Iterator[tuple[str, Maker]]:
    def some(count: int, low: int, high: int) -> Maker:
        # Authors take their lists from the head of a frequency list, a school book or a novel.
        head = int(rng.choice([max(2 * count, 1500), max(4 * count, 6000), len(words)]))
        fitting = [word for word in words[:head] if low <= len(word) <= high]
        chosen = rng.permutation(fitting)[:count].tolist()
        return lambda rng: str(chosen[int(rng.integers(len(chosen)))])

    for size in (150, 300, 400, 700, 1000, 2000, 4000):
        yield f"pairs of {size} words", _joined(some(size, 3, 9), some(size, 3, 9))
    for size in (300, 1500):
        yield f"pairs of {size} long words", _joined(some(size, 5, 12), some(size, 5, 12))
    for size in (300, 800):
        yield f"hyphenated pairs of {size}", _joined(some(size, 3, 10), some(size, 3, 10), by="-")
    yield "hyphenated triples", _joined(*(some(800, 3, 8) for _ in range(3)), by="-")
    yield "triples", _joined(*(some(600, 3, 7) for _ in range(3)))
    yield "pairs and number", _joined(some(600, 3, 8), some(600, 3, 8), text(_DIGITS, 1, 4))
    yield "word and letters", _joined(some(2000, 4, 9), text(_LETTERS, 3, 6))
    yield "letters and word", _joined(text(_LETTERS, 2, 5), some(2000, 4, 9))
    pieces = some(3000, 4, 10)
    yield (
        "cut words",
        lambda rng: "".join(
            pieces(rng)[: int(rng.integers(3, 7))] for _ in range(rng.integers(2, 5))
        ),
    )
    short = some(4000, 2, 10)
    for name, share, low, high in (
        ("running text", 0.5, 12, 20),
        ("long running text", 0.6, 18, 28),
        ("much of running text", 0.3, 14, 26),
    ):
        yield name, _running(short, common, share, (low, high))


def _running(word: Maker, common: Sequence[str], share: float, lengths: tuple[int, int]) -> Maker:
    def make(rng: np.random.Generator) -> str:
        least, label = int(rng.integers(*lengths)), ""
        while len(label) < least:
            if rng.random() < share:
                label += common[int(rng.integers(len(common)))]
            else:
                label += word(rng)
        return label

    return make


def _permutations(rng: np.random.Generator, words: Sequence[str]) -> Iterator[tuple[str, Maker]]:
    """Variations of one fixed text."""
    long = [word for word in words if len(word) >= _LONG]
    bases = ["".join(rng.choice(long, 2).tolist())[:22] for _ in range(40)]

    def shuffled(rng: np.random.Generator) -> str:
        return "".join(rng.permutation(list(bases[int(rng.integers(40))][:14])).tolist())

    yield "shuffled words", shuffled
    yield (
        "words with another beginning",
        lambda rng: text(_LETTERS, 4, 4)(rng) + bases[int(rng.integers(40))][4:],
    )
