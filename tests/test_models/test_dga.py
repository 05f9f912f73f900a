"""The DGA model that ships: what it makes of names, and that its numbers are what they say."""

from __future__ import annotations

import math
import string
import time
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.models.dga import (
    RAREST_SHARE,
    VIEWS,
    DgaModel,
    model_card,
    shipped_model,
    word_reuse,
)

ORDINARY = ["google", "stackoverflow", "nytimes", "wikipedia", "cloudservices", "weather", "mybank"]
RANDOM = ["xkqjwzvbnmtr", "qwhzkdjfgpxv", "a9f3c07be41d22", "kq3v9x0z7h2p", "zxcvqpwhgkdj"]


@pytest.fixture(scope="module")
def model() -> DgaModel:
    return shipped_model()


def test_random_names_are_told_from_ordinary_ones(model: DgaModel) -> None:
    assert max(model.log_likelihood_ratio(ORDINARY)) < 0
    assert min(model.log_likelihood_ratio(RANDOM)) > 2


def test_the_ratio_never_falls_with_the_score(model: DgaModel) -> None:
    assert (np.diff(model.scores) > 0).all()
    assert (np.diff(model.ratios) >= 0).all()
    assert np.isfinite(model.ratios).all()


def test_punycode_says_nothing(model: DgaModel) -> None:
    assert model.log_likelihood_ratio(["xn--bcher-kva", "xn--80ak6aa92e"]).tolist() == [0.0, 0.0]


def test_no_labels(model: DgaModel) -> None:
    assert model.log_likelihood_ratio([]).tolist() == []


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=300), max_size=5))
def test_any_text_has_a_ratio_of_its_own(texts: list[str]) -> None:
    model = shipped_model()
    together = model.log_likelihood_ratio(texts)
    assert np.isfinite(together).all()
    alone = [float(model.log_likelihood_ratio([text])[0]) for text in texts]
    np.testing.assert_allclose(together, alone, atol=0.05)


def test_many_labels_are_scored_in_portions(model: DgaModel) -> None:
    rng = np.random.default_rng(1)
    letters = rng.choice(list(string.ascii_lowercase), (20_000, 12))
    labels = ["".join(row) for row in letters]
    begin = time.process_time()
    ratios = model.log_likelihood_ratio(labels)
    # A tenth of what is measured on an idle machine.
    assert len(labels) / (time.process_time() - begin) > 10_000
    assert ratios.mean() > 2
    assert ratios[8190:8195] == pytest.approx(model.log_likelihood_ratio(labels[8190:8195]))


def test_words(model: DgaModel) -> None:
    assert model.words_in("watertrouble") == ["water", "trouble"]
    assert model.words_in("xqzwk") == []


def test_words_that_come_back() -> None:
    shares = {"water": 0.01, "shop": 0.2}
    once = [["water", "trouble"], ["shop"], ["shop"]]
    assert word_reuse(once[:2], shares) == (0, [])
    total, words = word_reuse(once, shares)
    expected = 3 * 0.2
    assert total == pytest.approx(2 * math.log(2 / expected) - (2 - expected))
    assert words == ["shop"]


def test_a_word_counts_once_a_label_and_no_more_than_the_most() -> None:
    assert word_reuse([["water", "water"], ["sun"]], {})[0] == 0
    total, words = word_reuse([["water"]] * 9 + [["sun"]] * 2, {}, most=5.0)
    assert (total, words) == (10.0, ["sun", "water"])
    assert word_reuse([["sun"]] * 2, {"sun": RAREST_SHARE / 9}) == word_reuse([["sun"]] * 2, {})


def test_thresholds_grow_with_the_names(model: DgaModel) -> None:
    for view in range(len(VIEWS)):
        sums = [model.honest_sum(view, names) for names in (5, 20, 100, 1000, 5000)]
        spread = [threshold - expected for expected, threshold in sums]
        assert spread == sorted(spread)
        assert min(spread) > 0
    assert model.honest_sum(1, 1600)[1] == pytest.approx(2 * model.honest_sum(1, 800)[1])


def test_the_card_says_how_well_it_does() -> None:
    mean = model_card()["mean over families left out"]
    assert mean["auc"] > 0.96
    assert mean["found at 1.0%"] > 0.74
    assert mean["found at 0.1%"] > 0.5
    assert mean["hosts found with 20 names"] > 0.94


def test_its_size() -> None:
    folder = resources.files("analyzer.models")
    assert len(folder.joinpath("dga.npz").read_bytes()) <= 300_000
