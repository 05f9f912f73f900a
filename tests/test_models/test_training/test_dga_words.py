"""The dictionary: which words are kept, how probable and how plain they are."""

from __future__ import annotations

import pytest

from analyzer.models.training.dga_words import dictionary, language_words

RANKED = ["the", "water", "trouble", "shop", "mountain", "husband", "zymurgy"]


def test_language_words_are_lower_case_letters() -> None:
    assert language_words(["the", "The", "don't", "café", "3d", "sun"]) == ["the", "sun"]


def test_words_common_in_names_are_probable_and_not_plain() -> None:
    labels = [f"{a}shop" for a in ("my", "the", "best", "top", "red")] * 4 + ["mountainwater"]
    known = dictionary(RANKED, labels, 5)
    assert len(known.words) == 5
    assert known.words[0] in {"shop", "the"}
    assert known.log_probabilities == sorted(known.log_probabilities, reverse=True)
    plain = dict(zip(known.words, known.plainness, strict=True))
    shares = dict(zip(known.words, known.shares, strict=True))
    assert plain["shop"] < plain["water"]
    assert shares["shop"] == pytest.approx(1.0)


def test_pieces_that_many_names_share_become_words() -> None:
    labels = [f"{a}{b}qwik" for a in "abcdefgh" for b in "abcdefgh"]
    known = dictionary(RANKED, labels, 20)
    assert "qwik" in known.words


def test_the_same_each_time() -> None:
    labels = ["watershop", "mountainshop", "thehusband"] * 3
    assert dictionary(RANKED, labels, 6) == dictionary(RANKED, labels, 6)
