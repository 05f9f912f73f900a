"""Distances of distributions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from analyzer.baseline.divergence import DRIFTED, MOVED, distance, mix_distances

WEIGHTS = st.lists(st.floats(0, 1e9), min_size=5, max_size=5)


def mix(*rows: tuple[str, int, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["source", "day", "kind", "weight"])


def test_the_same_and_nothing_in_common() -> None:
    assert distance([1, 2, 3], [2, 4, 6]) == pytest.approx(0.0, abs=1e-7)
    assert distance([1, 0], [0, 5]) == pytest.approx(1.0)


def test_by_hand() -> None:
    # Of (1, 0) and (1/2, 1/2): 1/2 log2(4/3) + 1/4 log2(2/3) + 1/4 log2(2).
    expected = math.log2(4 / 3) / 2 + math.log2(2 / 3) / 4 + 0.25
    assert distance([3, 0], [1, 1]) == pytest.approx(math.sqrt(expected))


def test_nothing_has_no_distance() -> None:
    assert math.isnan(distance([0, 0], [1, 1]))
    assert math.isnan(distance([1, 1], [0, 0]))
    assert math.isnan(distance([], []))


@given(WEIGHTS, WEIGHTS)
def test_it_is_that_of_scipy(one: list[float], other: list[float]) -> None:
    found = distance(one, other)
    if sum(one) and sum(other):
        assert found == pytest.approx(float(jensenshannon(one, other, 2)), abs=1e-6)
        assert found == pytest.approx(distance(other, one), abs=1e-9)
        assert 0 <= found <= 1
    else:
        assert math.isnan(found)


def test_thresholds_are_those_of_the_population_stability_index() -> None:
    """For small differences the index is eight times the divergence."""
    generator = np.random.default_rng(3)
    p = generator.dirichlet(np.full(20, 50.0))
    q = p * (1 + generator.normal(0, 0.02, 20))
    q /= q.sum()
    index = float(((p - q) * np.log(p / q)).sum())
    assert index == pytest.approx(8 * math.log(2) * distance(p, q) ** 2, rel=0.01)
    assert (round(MOVED, 3), round(DRIFTED, 3)) == (0.134, 0.212)


def test_mixes_of_days_beside_others() -> None:
    usual = mix(("a", 1, "x", 3.0), ("a", 2, "x", 1.0), ("a", 2, "y", 2.0), ("b", 1, "x", 1.0))
    days = mix(("a", 9, "x", 5.0), ("a", 8, "z", 1.0), ("c", 9, "x", 1.0))
    found = mix_distances(days, usual, apart=True)
    assert found[["source", "day"]].to_numpy().tolist() == [["a", 8], ["a", 9]]
    assert found.value.tolist() == pytest.approx([1.0, distance([1, 0], [4, 2])])


def test_days_of_the_usual_are_compared_with_all_others() -> None:
    usual = mix(("a", 1, "x", 3.0), ("a", 2, "x", 1.0), ("a", 2, "y", 2.0), ("b", 1, "x", 1.0))
    found = mix_distances(usual, usual, apart=False)
    # b has no other day to be compared with.
    assert found[["source", "day"]].to_numpy().tolist() == [["a", 1], ["a", 2]]
    assert found.value.tolist() == pytest.approx(
        [distance([1, 0], [1, 2]), distance([1, 2], [1, 0])]
    )
