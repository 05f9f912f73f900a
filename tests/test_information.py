"""Information in names, against a plain implementation."""

from __future__ import annotations

import math
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.information import information

BASE32 = string.ascii_lowercase + "234567"

labels = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="."), max_size=20)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)


def plainly(texts: list[str]) -> list[float]:
    """The same for one group, written plainly."""
    octets = b"".join({label.encode(): None for text in texts for label in text.split(".")})
    counts = Counter(octets)
    bits = sum(n / len(octets) * math.log2(len(octets) / n) for n in counts.values())
    if octets:
        bits += (len(counts) - 1) / (2 * math.log(2) * len(octets))
        bits = min(bits, math.log2(len(counts)))
    seen: set[str] = set()
    every = {label for text in texts for label in text.split(".")}
    carried = []
    for text in texts:
        worth = 0.0
        for label in text.split("."):
            new = len(label.encode()) * bits
            worth += min(new, math.log2(len(every))) if label in seen else new
            seen.add(label)
        carried.append(worth / 8)
    return carried


@given(st.lists(names, max_size=30), st.lists(names, max_size=30))
def test_information_is_that_of_a_plain_implementation(one: list[str], two: list[str]) -> None:
    found = information([*one, *two], np.repeat([0, 1], [len(one), len(two)]))
    np.testing.assert_allclose(found, [*plainly(one), *plainly(two)], rtol=1e-9, atol=1e-9)


@given(st.lists(st.tuples(names, st.integers(0, 2)), max_size=30))
def test_groups_may_be_mixed(rows: list[tuple[str, int]]) -> None:
    found = information([text for text, _ in rows], np.array([k for _, k in rows], np.int64))
    for group in range(3):
        own = [text for text, k in rows if k == group]
        mine = [worth for worth, (_, k) in zip(found, rows, strict=True) if k == group]
        np.testing.assert_allclose(mine, plainly(own), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("", 0.0),
        ("...", 0.0),
        ("aaaa", 0.0),
        ("ab", 0.25),
        ("a.b", 0.25),
        ("abab.baba", 1.0),
        ("abab.abab", 0.5),  # the second one is the only label there is
        (BASE32, 20.0),
        (string.ascii_letters + string.digits + "-_", 48.0),
    ],
)
def test_information_of(text: str, carried: float) -> None:
    assert information([text], np.array([0])).tolist() == pytest.approx([carried])


def test_short_names_carry_what_their_alphabet_allows() -> None:
    rng = np.random.default_rng(1)
    short = ["".join(rng.choice(list(BASE32), 13)) for _ in range(250)]
    assert information(short, np.zeros(250, np.int64)).sum() == pytest.approx(
        250 * 13 * 5 / 8, rel=0.005
    )


def test_a_fixed_label_carries_less_than_a_byte_more() -> None:
    alone = information([f"label{k}" for k in range(64)], np.zeros(64, np.int64)).sum()
    beside = information([f"label{k}.fixed" for k in range(64)], np.zeros(64, np.int64)).sum()
    assert beside - alone < 64


def test_words_out_of_a_list_carry_the_choice() -> None:
    rng = np.random.default_rng(2)
    words = ["".join(rng.choice(list(BASE32), 8)) for _ in range(256)]
    texts = [*words, *(words[k] for k in rng.integers(0, 256, 1000))]
    assert information(texts, np.zeros(1256, np.int64))[256:].tolist() == pytest.approx(
        [1.0] * 1000
    )


def test_more_octets_than_one_portion() -> None:
    rng = np.random.default_rng(3)
    texts = ["".join(row) for row in rng.choice(list(BASE32), (3000, 500))]
    assert information(texts, np.zeros(3000, np.int64)).sum() == pytest.approx(
        3000 * 500 * 5 / 8, rel=1e-4
    )


def test_no_text_and_octets_that_are_no_text() -> None:
    assert information([], np.zeros(0, np.int64)).tolist() == []
    assert information(["\udc80\udc80"], np.array([0])).tolist() == [0.0]
    assert information(["\udc80\udcff"], np.array([0])).tolist() == [0.25]
