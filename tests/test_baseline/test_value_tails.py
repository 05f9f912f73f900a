"""Tails of histograms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.bins import UNKNOWN_BIN, bin_of
from analyzer.baseline.value_tails import chance_of, histogram_tail


def histogram(values: list[float] | np.ndarray[tuple[int], np.dtype[np.float64]]) -> pd.DataFrame:
    bins, counts = np.unique(bin_of(values, "duration"), return_counts=True)
    return pd.DataFrame({"bin": bins, "connections": counts.astype(float)})


def test_a_power_law_is_recovered() -> None:
    rng = np.random.default_rng(5)
    tail = histogram_tail(histogram(rng.pareto(1.5, 200_000)), "duration")
    assert tail is not None
    # P(X > x) = (1 + x)^-1.5
    for value in (50.0, 1000.0, 100_000.0):
        exact = (1 + value) ** -1.5
        assert 0.4 < float(chance_of(tail, value)) / exact < 2.5


def test_small_values_are_no_news() -> None:
    rng = np.random.default_rng(5)
    tail = histogram_tail(histogram(rng.exponential(3.0, 5000)), "duration")
    assert chance_of(tail, [0.0, 3.0, 9.0]).tolist() == [1.0, 1.0, 1.0]


def test_what_always_lasts_the_same_has_a_tail() -> None:
    tail = histogram_tail(histogram([1.0] * 5000), "duration")
    assert tail is not None
    assert tail.support == 0
    assert float(chance_of(tail, 1.0)) == 1.0
    assert float(chance_of(tail, 1000.0)) == pytest.approx(1 / 5001 * 2 / 1001, rel=0.2)


def test_a_few_connections_have_none() -> None:
    assert histogram_tail(histogram([1.0] * 500), "duration") is None
    assert histogram_tail(histogram([]), "duration") is None
    assert chance_of(None, [5.0, 1e9]).tolist() == [1.0, 1.0]


def test_what_is_not_known_does_not_count() -> None:
    known = histogram([1.0] * 1200)
    unknown = pd.DataFrame({"bin": [UNKNOWN_BIN], "connections": [9e6]})
    both = pd.concat([known, unknown], ignore_index=True)
    assert histogram_tail(both, "duration") == histogram_tail(known, "duration")


def test_rows_of_one_bin_add_up() -> None:
    rng = np.random.default_rng(5)
    whole = histogram(rng.exponential(3.0, 5000))
    halves = pd.concat([whole.assign(connections=whole.connections / 2)] * 2)
    assert histogram_tail(halves, "duration") == histogram_tail(whole, "duration")
