"""How likely something new is on a host's next day."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.baseline.unseen import Habit, at_least, comparable, singles

MONDAY = 20_000 - (20_000 + 3) % 7


def test_singles_are_what_one_day_alone_had() -> None:
    seen = pd.DataFrame(
        [("a", 1, 22), ("a", 2, 22), ("a", 2, 4444), ("b", 1, 4444), ("b", 1, 80), ("b", 3, 80)],
        columns=["source", "day", "port"],
    )
    assert singles(seen, ["port"]).to_numpy().tolist() == [["a", 2, 4444], ["b", 1, 4444]]


def test_days_are_comparable_with_others_of_their_kind() -> None:
    days = pd.DataFrame(
        [
            ("a", MONDAY),
            ("a", MONDAY + 1),
            ("a", MONDAY + 5),
            ("b", MONDAY + 4),
            ("b", MONDAY + 5),
            ("b", MONDAY + 6),
        ],
        columns=["source", "day"],
    )
    kept = [("a", MONDAY), ("a", MONDAY + 1), ("b", MONDAY + 5), ("b", MONDAY + 6)]
    assert list(comparable(days).itertuples(index=False, name=None)) == kept


def test_where_hosts_are_alike_all_of_them_count() -> None:
    habit = Habit.of([10] * 100, [1] * 100)
    assert habit.share == pytest.approx(0.1, abs=0.001)
    assert habit.strength == 100.0
    assert habit.chance(3, 0) == pytest.approx(0.0972, abs=0.001)


def test_where_some_always_do_and_others_never_each_decides() -> None:
    habit = Habit.of([3] * 40, [3] + [0] * 39)
    assert habit.strength < 0.25
    assert habit.chance(3, 0) < 0.0025
    assert habit.chance(3, 3) > 0.92


def test_what_never_happened_is_rare_not_impossible() -> None:
    habit = Habit.of([3] * 40, [0] * 40)
    assert habit.share == 0.5 / 121
    assert habit.chance(3, 0) == pytest.approx(0.5 / 121 / 4)


def test_of_nothing_nothing_is_known() -> None:
    assert Habit.of([], []).chance(0, 0) == 0.5


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=30))
def test_chances_are_chances(hosts: list[tuple[int, int]]) -> None:
    days = [max(pair) for pair in hosts]
    had = [min(pair) for pair in hosts]
    habit = Habit.of(days, had)
    for known, of_them in [*zip(days, had, strict=True), (0, 0), (30, 30)]:
        assert 0.0 <= habit.chance(known, of_them) <= 1.0


def test_amounts_beyond_a_sample_fall_as_a_power_law() -> None:
    assert at_least([], [1, 10, 100]).tolist() == [1.0, 0.1, 0.01]
    assert at_least([1] * 90, [1, 2, 10]).tolist() == [1.0, 0.05, 0.01]
    assert at_least([1, 2, 3, 4], 3) == (2 + 10 / 3) / 14
