"""Labels as the DGA model sees them, beside plain implementations of the same."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.models.dga_text import (
    BUCKETS,
    LONGEST_WORD,
    ORDERS,
    Labels,
    Words,
    divide,
    make_up,
    ngram_buckets,
    word_features,
)

VOCABULARY = {"water": -6.0, "trouble": -8.0, "the": -3.0, "ate": -7.0, "wat": -12.0, "net": -5.0}
PLAINNESS = {"water": 1.0, "trouble": 2.0, "the": 0.5, "ate": -1.0, "wat": 0.0, "net": -3.0}
WORDS = Words.of(list(VOCABULARY), list(VOCABULARY.values()), list(PLAINNESS.values()))

labels = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters=".\0"), max_size=70), max_size=12
)
wordy = st.lists(
    st.lists(st.sampled_from([*VOCABULARY, "a", "q", "tt", "3", "-"]), max_size=9).map("".join),
    min_size=1,
    max_size=9,
)


@given(labels)
def test_ngrams_stay_within_their_labels(texts: list[str]) -> None:
    encoded = Labels.of(texts)
    for order in ORDERS:
        buckets, within = ngram_buckets(encoded, order)
        assert ((buckets >= 0) & (buckets < BUCKETS))[within].all()
        assert within.sum() == sum(max(len(text.encode()) + 2 - order + 1, 0) for text in texts)


def test_ngrams_up_to_three_characters_have_their_own_bucket() -> None:
    texts = ["".join(pair) for pair in itertools.product("abz09-", repeat=3)]
    encoded = Labels.of(texts)
    buckets, _ = ngram_buckets(encoded, 3)
    whole = buckets[encoded.starts + 1]
    assert len(set(whole.tolist())) == len(texts)


def test_case_does_not_matter_and_other_characters_are_one() -> None:
    one, two = Labels.of(["AbC", "a_c"]), Labels.of(["abc", "a~c"])
    assert one.symbols.tolist() == two.symbols.tolist()


def test_no_labels() -> None:
    encoded = Labels.of([])
    assert make_up(encoded).shape == (0, 9)
    assert word_features(encoded, WORDS).shape == (0, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab12", [math.log(4), 0.5, 0.25, 0.25, 1.0, 0, 1, 1, 2]),
        ("strengths", [math.log(9), 0, 1 / 9, 0, 7 / 9, 0, 5, 1, 0]),
        ("a-a", [math.log(3), 0, 2 / 3, 0, 2 / 3, 1, 0, 1, 0]),
        ("", [0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_make_up(text: str, expected: list[float]) -> None:
    for texts in ([text], ["zzz", text, "123"]):
        row = make_up(Labels.of(texts))[texts.index(text)]
        assert row.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "division"),
    [
        ("watertrouble", ["water", "trouble"]),
        ("waterx", ["water", "x"]),
        ("thewater", ["the", "water"]),
        ("q3", ["q", "3"]),
        ("", []),
    ],
)
def test_division(text: str, division: list[str]) -> None:
    assert divide(text, VOCABULARY) == division


@given(wordy)
def test_words_are_those_of_the_plain_division(texts: list[str]) -> None:
    found = word_features(Labels.of(texts), WORDS)
    for text, row in zip(texts, found.tolist(), strict=True):
        words = [word for word in divide(text, VOCABULARY) if word in VOCABULARY]
        strays = len(text) - sum(map(len, words))
        size = max(len(text), 1)
        value = sum(VOCABULARY[word] for word in words) - 11.5 * strays
        plain = [PLAINNESS[word] for word in words]
        assert row == pytest.approx(
            [
                value / size,
                sum(map(len, words)) / size,
                sum(len(word) for word in words if len(word) >= 4) / size,
                len(words),
                max(map(len, words), default=0),
                sum(plain),
                min([0.0, *plain]),
            ],
            abs=1e-4,
        )


def test_longer_words_than_the_longest_are_not_looked_for() -> None:
    words = Words.of(["a" * LONGEST_WORD], [-3.0], [0.0])
    row = word_features(Labels.of(["a" * (LONGEST_WORD + 1)]), words)[0]
    assert row[1] == pytest.approx(LONGEST_WORD / (LONGEST_WORD + 1))


def test_the_more_probable_of_two_words_in_one_slot_stays() -> None:
    words = Words.of(["water", "water"], [-3.0, -9.0], [1.0, 2.0])
    row = word_features(Labels.of(["water"]), words)[0]
    assert row[0] == pytest.approx(-3.0 / 5)
    assert np.isfinite(words.values).sum() == 1
