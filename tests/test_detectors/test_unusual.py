"""Scores of tail probabilities, and what evidence says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.baseline.baseline import Baseline
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.unusual import chance_evidence, held_back, of_several, score_of_chance
from analyzer.findings import Severity
from tests.test_baseline import FIRST, days

ASKED = 1e-4
CHANCES = st.floats(0, 1)


def comparison(*, held_aside: bool) -> Comparison:
    baseline = Baseline().joined({"days": days(FIRST, FIRST + 1, FIRST + 2)})
    return Comparison({}, baseline, held_aside=held_aside)


@pytest.mark.parametrize(
    ("chance", "score"),
    [
        (1.0, 0.5),
        (1e-2, 0.5),
        (1e-3, 0.6),
        (1e-4, 0.7),
        (1e-5, 0.75),
        (1e-6, 0.8),
        (1e-9, 0.9),
        (1e-12, 0.95),
        (1e-24, 0.99),
        (1e-300, 0.99),
        (0.0, 0.99),
    ],
)
def test_scores(chance: float, score: float) -> None:
    assert score_of_chance(chance, ASKED) == pytest.approx(score)


def test_what_was_asked_for_is_where_low_begins() -> None:
    for asked in (1e-2, 1e-4, 1e-7):
        assert Severity.of(score_of_chance(asked, asked)) is Severity.LOW
        assert Severity.of(score_of_chance(asked * 1.1, asked)) is Severity.NONE


@given(CHANCES, CHANCES, st.floats(1e-9, 0.5))
def test_less_likely_never_scores_less(one: float, other: float, asked: float) -> None:
    rarer, commoner = sorted((one, other))
    low, high = score_of_chance(commoner, asked), score_of_chance(rarer, asked)
    assert 0.0 <= low <= high <= 1.0
    assert math.isfinite(high)


def test_records_judged_by_themselves_are_medium_at_most() -> None:
    aside = comparison(held_aside=True)
    assert held_back(0.99, aside) == Severity.MEDIUM.highest
    assert Severity.of(held_back(0.99, aside)) is Severity.MEDIUM
    assert held_back(0.75, aside) == 0.75
    assert held_back(0.99, comparison(held_aside=False)) == 0.99


def test_one_or_two_days_say_little() -> None:
    two = Comparison({}, Baseline().joined({"days": days(FIRST, FIRST + 1)}), held_aside=False)
    assert held_back(0.99, two) == Severity.LOW.highest
    assert held_back(0.6, two) == 0.6


def test_evidence() -> None:
    chance, judged = chance_evidence(3.21e-7, ASKED, comparison(held_aside=False))
    assert str(chance) == "tail probability 3e-07 (threshold 0.0001)"
    assert str(judged) == "judged by 3 days"
    assert str(chance_evidence(0.5, ASKED, comparison(held_aside=True))[1]) == (
        "judged by 3 other days of the same records"
    )


def test_the_least_of_several_is_likelier() -> None:
    assert of_several(0.05, 2) == pytest.approx(1 - 0.95**2)
    assert of_several([0.0, 0.5, 1.0], 3).tolist() == pytest.approx([0.0, 0.875, 1.0])
    # A small chance times so many, without a loss of digits.
    assert of_several(1e-20, 100) == pytest.approx(1e-18)
    assert of_several(1e-3, np.array([1, 10])).tolist() == pytest.approx([1e-3, 0.00995512])


def test_what_is_certain_stays_so() -> None:
    assert float(of_several(1.0, 1)) == 1.0
