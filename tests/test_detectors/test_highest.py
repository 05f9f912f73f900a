"""Daily highs of several measures beside those learned."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.detectors.highest import Measure, beyond, corrected, daily, hourly

from . import connection
from .learned import HOUR, compared, days

HOURS = pd.DataFrame(
    {
        "source": ["a", "a", "a", "b"],
        "day": [1, 1, 2, 1],
        "hour": [3, 5, 4, 7],
        "connections": [9.0, 9.0, 2.0, 1.0],
    }
)


def test_the_highest_hour_of_each_day_the_first_of_equals() -> None:
    rows = hourly(HOURS, HOURS.connections)
    assert rows.to_numpy().tolist() == [["a", 1, 3, 9.0], ["a", 2, 4, 2.0], ["b", 1, 7, 1.0]]


def test_days_without_a_count_have_none() -> None:
    counted = pd.DataFrame({"source": ["a"], "day": [2], "value": [5]})
    rows = daily(HOURS, counted).sort_values(["source", "day"])
    assert rows.value.tolist() == [0.0, 5.0, 0.0]
    assert set(rows.hour) == {-1}


@pytest.mark.parametrize(("chance", "looks", "both"), [(0.01, 4, 0.03940399), (1.0, 3, 1.0)])
def test_correction(chance: float, looks: int, both: float) -> None:
    assert corrected([chance], looks)[0] == pytest.approx(both)


def test_only_what_is_beyond_and_above_the_floor() -> None:
    day = [connection(HOUR + k, "10.0.0.5", "10.0.0.9", 443) for k in range(20)]
    more = [connection(HOUR + k, "10.0.0.5", "10.0.0.9", 443) for k in range(200)]
    comparison = compared(days(4, day), more)
    hours, learned = comparison.summary["hours"], comparison.baseline["hours"]
    judged = {"connections": hourly(hours, hours.connections)}
    known = {"connections": hourly(learned, learned.connections)}
    low = Measure("connections", "connections", 100)
    (row,) = beyond(comparison, [low], judged, known).to_dict("records")
    assert (row["source"], row["hour"], row["value"]) == ("10.0.0.5", 1, 200.0)
    assert row["reference"] == pytest.approx(19, abs=1)
    assert row["days"] == 4
    assert row["chance"] < 1e-4
    high = Measure("connections", "connections", 201)
    assert beyond(comparison, [high], judged, known).empty
