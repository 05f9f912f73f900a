"""Tails of many histograms: their own, drawn to wider groups, and beyond what was seen."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.baseline.bins import UNKNOWN_BIN
from analyzer.baseline.histograms import (
    SIZE,
    Histograms,
    histograms,
    lower_tails,
    own_tails,
    shrunk_tails,
    weighted_counts,
)

NONE = np.array([-1], dtype=np.int64)


def held(*rows: tuple[int, int, int, float], keys: int = 1) -> Histograms:
    """Rows are key, day, bin, connections."""
    frame = pd.DataFrame(rows, columns=["key", "day", "bin", "connections"])
    return histograms(frame.key.to_numpy(np.int64), frame, keys)


def test_bins_are_added_up_over_days_and_unknown_ones_left_out() -> None:
    found = held(
        (0, 1, 5, 2), (0, 2, 5, 3), (1, 1, 7, 1), (0, 1, UNKNOWN_BIN, 9), (-1, 1, 3, 9), keys=3
    )
    assert found.counts[0, 5] == 5
    assert found.sizes.tolist() == [5, 1, 0]


def test_the_second_largest_day_counts() -> None:
    found = held((0, 1, 9, 1), (0, 2, 6, 1), (0, 3, 30, 1), (1, 1, 30, 4), keys=2)
    assert found.second.tolist() == [9, -1]


def test_quantiles_and_what_lies_between() -> None:
    found = held((0, 1, 4, 90), (0, 1, 8, 10), keys=2)
    assert found.quantile(0.5).tolist() == [4, 4, 4]
    assert found.quantile(0.99).tolist() == [8, 8, 8]
    assert found.between(0, 0.05, 0.95) == (4, 8)
    assert found.between(1, 0.05, 0.5) == (4, 4)
    assert held(keys=1).between(0, 0.0, 1.0) == (0, 0)


def test_a_constant_has_a_tail_of_its_own_beyond() -> None:
    tails = own_tails(held((0, 1, 30, 99)))[0]
    assert tails[30] == 1.0
    assert tails[31] == pytest.approx(0.01)
    assert tails[41] == pytest.approx(0.01 * math.exp(-10))


def test_the_tail_goes_on_by_the_median_excess() -> None:
    # 2% above bin 20; half of those at 22, the others at 24: the median excess is 2 bins.
    tails = own_tails(held((0, 1, 20, 1960), (0, 1, 22, 20), (0, 1, 24, 20)))[0]
    assert tails[21] == pytest.approx(0.02)
    assert tails[60] == pytest.approx(0.02 * math.exp(-39 * math.log(2) / 2))


def test_what_came_on_two_days_is_no_tail() -> None:
    once = own_tails(held((0, 1, 20, 4000), (0, 1, 60, 4)))[0]
    twice = own_tails(held((0, 1, 20, 4000), (0, 1, 60, 2), (0, 2, 60, 2)))[0]
    assert once[60] < 1e-8
    assert twice[60] == pytest.approx(4 / 4004)


def test_nothing_is_claimed_without_samples_or_values() -> None:
    tails = own_tails(held((0, 1, 5, 100), keys=2))
    assert (tails[1] == 1.0).all()
    assert tails[0, UNKNOWN_BIN] == 1.0


def test_a_regular_host_is_drawn_to_its_role_by_one_event() -> None:
    found = held((0, 1, 30, 500), (1, 1, 30, 250), (1, 1, 40, 250), keys=2)
    tails = shrunk_tails(found, np.array([0, 0]))
    wider = (own_tails(found)[0, 40] + 0.5) / 2
    assert tails[0, 40] == pytest.approx(1 / (500 + 1 / wider), rel=0.05)
    assert shrunk_tails(found, np.array([0, 0]), prior=10.0)[0, 40] == pytest.approx(
        10 * wider / 510, rel=0.05
    )


def test_who_is_not_known_is_judged_by_all() -> None:
    found = held((0, 1, 30, 500), keys=2)
    tails = shrunk_tails(found, np.array([0, -1]))
    assert tails.shape == (3, SIZE)
    assert tails[-1, 30] == 1.0
    assert tails[1, 40] == pytest.approx(tails[-1, 40])


def test_lower_tails_mirror_upper_ones() -> None:
    tails = lower_tails(held((0, 1, 30, 99)), NONE)
    assert tails[0, 30] == 1.0
    assert tails[0, 20] < 0.02
    assert tails[0, 40] == 1.0


def test_no_rows_at_all_add_up_to_numbers() -> None:
    none = np.empty(0, dtype=np.int64)
    assert weighted_counts(none, none.astype(float), 2).tolist() == [0.0, 0.0]
    assert weighted_counts(none, none.astype(float), 2).dtype == float


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 254), st.integers(1, 500)),
        max_size=30,
    )
)
def test_tails_are_chances_that_fall(rows: list[tuple[int, int, int, float]]) -> None:
    found = held(*rows, keys=4)
    for tails in (own_tails(found), shrunk_tails(found, np.array([0, 0, 1, -1]))):
        assert ((tails > 0) | (tails == 0)).all()
        assert (tails <= 1).all()
        assert (np.diff(tails[:, :UNKNOWN_BIN], axis=1) <= 1e-9).all()
