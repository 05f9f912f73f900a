"""Centre, spread and quantiles, of values and of histograms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.baseline.bins import UNKNOWN_BIN, bin_of
from analyzer.baseline.distribution import of_bins, of_values, quantiles_of


def test_values() -> None:
    found = of_values([0.0, 1.0, 3.0, 7.0, 1e9])
    assert found is not None
    assert (found.samples, found.centre) == (5.0, 3.0)
    # Logarithms of 1 and the value lie 2, 1, 0 and 1 octaves off; the last does not matter.
    assert found.spread == pytest.approx(2**1.4826)
    assert found.quantiles == {"5": 0.0, "25": 1.0, "50": 3.0, "75": 7.0, "95": 1e9, "99": 1e9}


def test_a_constant_has_no_spread() -> None:
    found = of_values([5.0] * 9)
    assert found is not None
    assert found.spread == 1.0
    assert set(found.quantiles.values()) == {5.0}


def test_nothing_has_no_distribution() -> None:
    assert of_values([]) is None
    assert of_bins([], [], "bytes_out") is None
    assert of_bins([UNKNOWN_BIN], [7.0], "bytes_out") is None
    assert of_bins([3], [0.0], "bytes_out") is None


def test_scale_matters_to_spread_alone() -> None:
    seconds = [0.001, 0.003, 0.007]
    fine, blunt = of_values(seconds, 1000.0), of_values(seconds)
    assert fine is not None
    assert blunt is not None
    assert fine.centre == blunt.centre == 0.003
    assert fine.spread == pytest.approx(2**1.4826)
    assert blunt.spread < 1.01


def test_bins() -> None:
    # Of a hundred connections 60 of 63 B, 39 of 1023 B, one of 1 MB; seven were not logged.
    bins = bin_of([63.0, 1023.0, 2**20 - 1.0], "bytes_out")
    found = of_bins([*bins, UNKNOWN_BIN], [60.0, 39.0, 1.0, 7.0], "bytes_out")
    assert found is not None
    assert found.samples == 100.0
    assert found.centre == pytest.approx(63.0)
    assert found.spread == 1.0
    values = {name: round(value) for name, value in found.quantiles.items()}
    assert values == {"5": 63, "25": 63, "50": 63, "75": 1023, "95": 1023, "99": 1023}


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_quantiles_are_those_of_numpy(values: list[float], share: float) -> None:
    found = quantiles_of(np.array(values), np.ones(len(values)), share)
    expected = float(np.quantile(values, share - 1e-9, method="inverted_cdf"))
    assert found == expected or math.isclose(share * len(values) % 1, 0, abs_tol=1e-6)


@given(st.lists(st.floats(0, 1e15), min_size=1, max_size=40))
def test_quantiles_rise_and_spreads_are_factors(values: list[float]) -> None:
    found = of_values(values)
    assert found is not None
    ordered = list(found.quantiles.values())
    assert ordered == sorted(ordered)
    assert found.quantiles["50"] == found.centre
    assert found.spread >= 1
    assert min(values) <= found.centre <= max(values)
