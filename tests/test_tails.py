"""Tails: their shape, their robustness, and what happens where they have nothing to rest on."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.tails import BASE, Tail, fit_tail

PRIOR = Tail(threshold=3.0, share=0.1, scale=2.0, support=0)
FINITE = st.floats(-1e6, 1e6)


def test_probability_of() -> None:
    tail = Tail(threshold=2.0, share=0.02, scale=0.5, support=100)
    values = tail.probability([1.0, 2.0, 2.0 + 0.5 * math.log(2), 4.5])
    assert values.tolist() == pytest.approx([1.0, 1.0, 0.01, 0.02 * math.exp(-5)])


def test_the_furthest_is_never_zero_nor_an_error() -> None:
    tail = Tail(threshold=0.0, share=0.02, scale=0.001, support=100)
    assert 0 < float(tail.probability(1e300)) < 1e-300
    assert float(tail.probability(math.inf)) == float(tail.probability(1e300))


@given(FINITE, FINITE, st.floats(1e-3, 1e3), FINITE)
def test_probability_never_rises(one: float, other: float, scale: float, threshold: float) -> None:
    low, high = sorted((one, other))
    tail = Tail(threshold=threshold, share=0.02, scale=scale, support=50)
    less, more = tail.probability([low, high]).tolist()
    assert 0 < more <= less <= 1


def test_an_exponential_sample_is_recovered() -> None:
    sample = np.random.default_rng(1).exponential(3.0, 200_000)
    tail = fit_tail(sample, prior=PRIOR, least_scale=0.1)
    assert tail.threshold == pytest.approx(-3.0 * math.log(1 - BASE), rel=0.02)
    assert tail.scale == pytest.approx(3.0, rel=0.05)
    assert tail.share == pytest.approx(1 - BASE, rel=1e-3)
    assert tail.support == 4000
    for value in (15.0, 20.0, 25.0):
        assert float(tail.probability(value)) == pytest.approx(math.exp(-value / 3), rel=0.2)


def test_the_scale_is_the_median_excess() -> None:
    sample = np.concatenate([np.zeros(980 * 5), np.linspace(1, 99, 99)])
    tail = fit_tail(sample, prior=PRIOR, least_scale=0.1)
    assert tail.support == 99
    assert tail.threshold == pytest.approx(0.0, abs=1.0)
    assert tail.scale == pytest.approx((50 - tail.threshold) / math.log(2))


def test_too_few_excesses_take_the_prior() -> None:
    assert fit_tail(np.zeros(10_000), prior=PRIOR, least_scale=0.1) == PRIOR
    assert fit_tail(np.arange(100), prior=PRIOR, least_scale=0.1) == PRIOR
    assert fit_tail([7.0], prior=PRIOR, least_scale=0.1) == PRIOR
    assert fit_tail(np.arange(10_000), prior=PRIOR, least_scale=0.1) != PRIOR


def test_a_sample_without_spread_has_the_least_scale() -> None:
    sample = np.concatenate([np.zeros(9_850), np.full(150, 1e-9)])
    tail = fit_tail(sample, prior=PRIOR, least_scale=0.5)
    assert (tail.scale, tail.support) == (0.5, 150)


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="a tail needs a sample"):
        fit_tail([], prior=PRIOR, least_scale=0.1)


def drawn(rng: np.random.Generator, kind: str) -> npt.NDArray[np.float64]:
    sample = rng.exponential(1.0, 20_000) if kind == "exponential" else rng.gamma(2.0, 1.0, 20_000)
    return np.asarray(sample, float)


KINDS = st.sampled_from(["exponential", "gamma"])
SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=50)
@given(SEEDS, st.floats(20.0, 1e9), KINDS)
def test_gigantic_values_hardly_change_the_tail(seed: int, size: float, kind: str) -> None:
    """One in 1,000 changes the probability of a 1 in 1,000 value by less than a factor 2."""
    clean = drawn(np.random.default_rng(seed), kind)
    spoilt = np.concatenate([clean, np.full(clean.size // 1000, size)])
    before = fit_tail(clean, prior=PRIOR, least_scale=0.1)
    after = fit_tail(spoilt, prior=PRIOR, least_scale=0.1)
    value = before.threshold + before.scale * math.log(before.share / 1e-3)
    ratio = float(after.probability(value)) / float(before.probability(value))
    assert 0.5 < ratio < 2


@settings(deadline=None, max_examples=50)
@given(SEEDS, st.floats(100.0, 1e9), KINDS, st.floats(0.001, 0.009))
def test_gigantic_values_do_not_mask_each_other(
    seed: int, size: float, kind: str, share: float
) -> None:
    """As long as they are fewer than half of what lies above the base quantile, 1% of all."""
    clean = drawn(np.random.default_rng(seed), kind)
    spoilt = np.concatenate([clean, np.full(round(clean.size * share), size)])
    tail = fit_tail(spoilt, prior=PRIOR, least_scale=0.1)
    assert float(tail.probability(size)) < 1e-6


@settings(deadline=None, max_examples=50)
@given(st.lists(FINITE, min_size=1, max_size=400), st.randoms(use_true_random=False))
def test_the_order_of_the_sample_does_not_matter(sample: list[float], shuffler: Random) -> None:
    shuffled = list(sample)
    shuffler.shuffle(shuffled)
    assert fit_tail(shuffled, prior=PRIOR, least_scale=0.1) == fit_tail(
        sample, prior=PRIOR, least_scale=0.1
    )
