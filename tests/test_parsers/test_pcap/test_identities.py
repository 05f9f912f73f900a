"""Identities as texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.identities import identity_texts

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def texts(pairs: list[tuple[int, int]]) -> list[str]:
    highs, lows = zip(*pairs, strict=True)
    found = identity_texts(np.array(highs, np.uint32), np.array(lows, np.uint64))
    return [text.decode() for text in found.tolist()]


def test_zero_and_the_largest() -> None:
    assert texts([(0, 0), ((1 << 32) - 1, (1 << 64) - 1)]) == [
        "C" + "0" * 17,
        "CLygHa16AHYF4gfFC3",
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 64) - 1)),
        min_size=1,
        max_size=20,
    )
)
def test_digits_are_those_of_the_numbers(pairs: list[tuple[int, int]]) -> None:
    for (high, low), text in zip(pairs, texts(pairs), strict=True):
        assert len(text) == 18
        numbers = []
        for digits in (text[1:12], text[12:]):
            number = 0
            for digit in digits:
                number = 62 * number + DIGITS.index(digit)
            numbers.append(number)
        assert numbers == [low, high]


def test_none() -> None:
    assert identity_texts(np.empty(0, np.uint32), np.empty(0, np.uint64)).size == 0
