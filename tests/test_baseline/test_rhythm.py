"""When a host is active."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.baseline.rhythm import rhythm_of

from . import FIRST


def rows(*each: tuple[int, int, float]) -> pd.DataFrame:
    table = pd.DataFrame(each, columns=["day", "hour", "connections"])
    return table.astype({"day": int, "hour": int, "connections": float}).assign(
        bytes_out=lambda t: 10 * t.connections, bytes_in=lambda t: 100 * t.connections
    )


def test_medians_by_hour_of_the_week_count_hours_without_a_record() -> None:
    mondays = {FIRST + 7 * week: range(24) for week in range(3)}
    found = rhythm_of(rows((FIRST, 9, 30.0), (FIRST + 7, 9, 10.0), (FIRST, 10, 5.0)), mondays)
    assert found.connections[0][9] == 10.0  # 30, 10, 0
    assert found.connections[0][10] == 0.0  # 5, 0, 0
    assert found.connections[0][11] == 0.0
    assert (found.bytes_out[0][9], found.bytes_in[0][9]) == (100.0, 1000.0)
    assert found.connections[1] == (None,) * 24
    assert found.occurrences == ((3,) * 24, *[(0,) * 24] * 6)


def test_a_median_of_two_lies_between() -> None:
    days = {FIRST: range(24), FIRST + 7: range(24)}
    found = rhythm_of(rows((FIRST, 9, 30.0), (FIRST + 7, 9, 10.0)), days)
    assert found.connections[0][9] == 20.0


def test_hours_weigh_the_same_however_often_covered() -> None:
    # Nine o'clock is covered once, ten o'clock twice; each time there is one connection.
    covered = {FIRST: range(9, 11), FIRST + 1: range(10, 11)}
    found = rhythm_of(rows((FIRST, 9, 1.0), (FIRST, 10, 1.0), (FIRST + 1, 10, 1.0)), covered)
    assert (found.hours[9], found.hours[10], found.hours[11]) == (0.5, 0.5, None)
    # A Monday has two of them, a Tuesday one.
    assert found.weekdays[:2] == pytest.approx((2 / 3, 1 / 3))
    assert found.weekdays[2] is None


def test_who_was_never_active_has_shares_of_nothing() -> None:
    found = rhythm_of(rows(), {FIRST: range(24)})
    assert found.hours == (0.0,) * 24
    assert found.weekdays == (0.0, *[None] * 6)
    assert found.connections[0] == (0.0,) * 24


def test_without_days_nothing_is_known_and_rows_of_other_days_are_left_out() -> None:
    found = rhythm_of(rows((FIRST, 9, 1.0)), {})
    assert found.hours == (None,) * 24
    assert found.weekdays == (None,) * 7
    assert found.connections == ((None,) * 24,) * 7
