"""Scores as probabilities, and probabilities as one score."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analyzer.baseline.calibration import (
    REPORTED,
    UNIFORM,
    Scale,
    equivalent,
    halfway,
    reference,
    scale_for,
)

WEIGHTS = (0.6, 0.4)


def surprises(seed: int, size: int = 20_000) -> np.ndarray:
    return -np.log10(np.random.default_rng(seed).uniform(size=size))


def test_common_values_have_their_share() -> None:
    held = reference(np.arange(1000.0))
    assert held.surprise(np.array([500.0]))[0] == pytest.approx(-math.log10(501 / 1001))


def test_rare_values_have_a_tail_that_holds_beyond_the_largest() -> None:
    held = reference(surprises(1), least_scale=UNIFORM)
    assert held.surprise(np.array([3.0, 5.0])) == pytest.approx([3.0, 5.0], abs=0.35)


def test_a_small_sample_has_a_tail_of_twenty() -> None:
    held = reference(np.arange(100.0))
    assert held.tail.support == 21
    assert held.surprise(np.array([1e9]))[0] == 300.0


def test_too_few_scores() -> None:
    with pytest.raises(ValueError, match="needs 40 scores, there are 39"):
        reference(np.arange(39.0))


def test_parts_that_agree_by_chance_alone_have_a_thinner_tail() -> None:
    assert halfway(1.0) == UNIFORM
    assert halfway(0.5) == pytest.approx(0.75 * UNIFORM)


def test_the_score_of_a_part() -> None:
    scale = Scale(WEIGHTS, 4.0)
    assert scale.score(np.array([0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 99.0])) == pytest.approx(
        [0.0, 0.35, 0.7, 0.9, 0.95 + 0.05 / 3, 1.0, 1.0]
    )
    assert scale.combined(np.array([4.0]), np.array([4.0])) == pytest.approx([0.7])
    assert scale.loudness(np.array([-1.0, 0.0, 3.0])) == pytest.approx([0.7, 0.7, 1.0])


@pytest.mark.parametrize(
    ("weights", "least"),
    [((0.6, 0.4), 0.5), ((1.0, 0.0), 0.7), ((0.3, 0.7), 0.0), ((0.0, 1.0), 0.0)],
)
def test_no_model_makes_up_for_less(weights: tuple[float, float], least: float) -> None:
    scale = Scale(weights, 4.0)
    assert scale.score(np.array([scale.least])) == pytest.approx([least])


def test_the_bound_at_which_a_row_would_be_reported() -> None:
    one, other = np.array([3.0, 9.0, 9.0, 0.0]), np.array([3.0, 3.0, 0.0, 9.0])
    bounds = equivalent(one, other, WEIGHTS)
    assert bounds[0] == pytest.approx(3.0)
    assert bounds[2] < bounds[1] < 9.0
    assert bounds[3] < 1e-3
    for place in range(2):
        scale = Scale(WEIGHTS, float(bounds[place]))
        assert scale.combined(one[[place]], other[[place]])[0] == pytest.approx(REPORTED, abs=1e-6)


@pytest.mark.parametrize("rate", [1e-1, 1e-2, 1e-3])
@pytest.mark.parametrize("alike", [True, False])
def test_the_share_reported_is_the_share_asked_for(rate: float, *, alike: bool) -> None:
    one = surprises(2)
    other = one if alike else surprises(3)
    scale, _ = scale_for(one, other, weights=WEIGHTS, rate=rate)
    fresh = surprises(4, 200_000)
    beside = fresh if alike else surprises(5, 200_000)
    reported = (scale.combined(fresh, beside) >= REPORTED).mean()
    # Where parts agree by chance alone, which none do, less is reported.
    assert rate / (2 if alike else 5) <= reported <= rate * 2


def test_a_few_rows_are_what_they_are_among_many() -> None:
    rng = np.random.default_rng(5)
    statistical, model = rng.exponential(2.0, (2, 400))
    statistical[:3] = (0.0, 1e-9, 300.0)
    many = equivalent(statistical, model, (0.6, 0.4))
    few = [equivalent(statistical[i : i + 1], model[i : i + 1], (0.6, 0.4)) for i in range(400)]
    assert np.array_equal(np.concatenate(few), many)
