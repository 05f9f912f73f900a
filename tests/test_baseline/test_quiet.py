"""Quiet hours: nights, weekends, clocks, servers and hosts that are new."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.baseline.quiet import QuietHours, is_weekend

MONDAY = 19_723  # 2024-01-01
WORK = range(8, 18)


def hours(
    day: int, at_work: range = WORK, *, source: str = "a", night: int = 3
) -> list[dict[str, object]]:
    return [
        {
            "source": source,
            "day": day,
            "hour": hour,
            "destinations": 40.0 if hour in at_work else night,
        }
        for hour in range(24)
        if hour in at_work or night
    ]


def quiet(rows: list[dict[str, object]], days: list[int], day: int, source: str = "a") -> list[int]:
    known = QuietHours(pd.DataFrame(rows), days)
    asked = pd.DataFrame({"source": source, "day": day, "hour": range(24)})
    return [hour for hour, is_quiet in enumerate(known.is_quiet(asked)) if is_quiet]


WEEK = [MONDAY + day for day in range(5)]
NIGHT = [*range(7), *range(19, 24)]


def test_weekends() -> None:
    assert is_weekend(pd.Series([MONDAY + 4, MONDAY + 5, MONDAY + 6, MONDAY + 7])).tolist() == [
        False,
        True,
        True,
        False,
    ]
    assert is_weekend(pd.Series([0, 2])).tolist() == [False, True]


@pytest.mark.parametrize("night", [3, 0])
def test_nights_but_for_an_hour_beside_work(night: int) -> None:
    rows = [row for day in WEEK for row in hours(day, night=night)]
    assert quiet(rows, WEEK, MONDAY + 7) == NIGHT


def test_one_long_evening_changes_nothing() -> None:
    rows = [row for day in WEEK for row in hours(day, range(8, 23) if day == MONDAY else WORK)]
    assert quiet(rows, WEEK, MONDAY + 7) == NIGHT


def test_servers_are_never_quiet() -> None:
    rows = [row for day in WEEK for row in hours(day, range(24))]
    assert quiet(rows, WEEK, MONDAY + 7) == []


def test_strangers_are_not_judged() -> None:
    rows = [row for day in WEEK for row in hours(day)]
    assert quiet(rows, WEEK, MONDAY + 7, source="b") == []


def test_a_first_saturday_is_judged_by_weekdays() -> None:
    rows = [row for day in WEEK for row in hours(day)]
    assert quiet(rows, WEEK, MONDAY + 5) == NIGHT


def test_a_first_monday_is_judged_by_all_days_and_by_the_weekdays_known() -> None:
    days = [MONDAY + 4, MONDAY + 5, MONDAY + 6]
    rows = [
        *hours(days[0], range(8, 12)),
        *hours(days[1], range(14, 18)),
        *hours(days[2], range(14, 18)),
    ]
    # On the one weekday work ended at noon; on all days together it went on till six.
    assert quiet(rows, days, MONDAY + 7) == NIGHT


def test_known_weekends_speak_for_themselves() -> None:
    weekends = [MONDAY + 5, MONDAY + 6, MONDAY + 12]
    rows = [row for day in WEEK for row in hours(day)]
    rows += [row for day in weekends for row in hours(day, range(3), night=1)]
    days = [*WEEK, *weekends]
    assert quiet(rows, days, MONDAY + 13) == list(range(4, 23))
    known = QuietHours(pd.DataFrame(rows), days)
    assert known.is_known(pd.DataFrame({"source": ["a"], "day": [MONDAY + 13]})).tolist() == [True]


def test_before_it_was_there_a_host_was_not_silent() -> None:
    rows = hours(WEEK[0], source="b") + [row for day in WEEK[2:] for row in hours(day, range(24))]
    assert quiet(rows, WEEK, MONDAY + 7) == []
