"""Days, weekdays, and the hours that records tell of."""

from __future__ import annotations

import pytest

from analyzer.baseline.coverage import WEEKDAYS, at_weekend, date_of, hours_covered, weekday_of

from . import FIRST, frame

DAY = 86_400.0


def test_dates() -> None:
    assert date_of(0) == "1970-01-01"
    assert date_of(FIRST) == "2026-01-19"
    assert date_of(2**21) == "7711-10-23"
    assert date_of(10**9) == "day 1000000000"


def test_weekdays() -> None:
    week = [FIRST + day for day in range(7)]
    assert [WEEKDAYS[number] for number in weekday_of(week)] == list(WEEKDAYS)
    assert at_weekend(week).tolist() == [False] * 5 + [True] * 2
    assert WEEKDAYS[int(weekday_of(0))] == "Thu"


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        (0.0, DAY - 1e-6, range(24)),
        (0.0, 0.0, range(1)),
        (8 * 3600.0, 12 * 3600.0, range(8, 13)),
        (8 * 3600.0 + 1800, 12 * 3600.0 - 0.001, range(8, 12)),
        # No records of ours, but a file may say so.
        (-5.0, 3 * DAY, range(24)),
    ],
)
def test_hours(first: float, last: float, hours: range) -> None:
    rows = frame("days", (FIRST, 1.0, 0.0, 0.0, FIRST * DAY + first, FIRST * DAY + last))
    assert hours_covered(rows) == {FIRST: hours}


def test_no_days() -> None:
    assert hours_covered(frame("days")) == {}
