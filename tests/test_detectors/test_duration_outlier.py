"""Connections that last longer than anything makes likely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.bins import bin_of
from analyzer.detectors import Detection
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.duration_outlier import DETECTOR, Parameters, host_days
from analyzer.findings import Severity

from . import DAY, START, connection, evidence
from .beside import FIRST_DAY, HOSTS, LEARNED, TODAY, browsing, judged, learned

MORNING = TODAY * DAY + 36_000.0


@pytest.fixture(scope="module")
def found() -> list[Detection]:
    # Enough connections for a tail.
    busy = [row for day in LEARNED for row in browsing(day, each=200)]
    baseline = learned(busy)
    rows = [
        *browsing(TODAY),
        connection(MORNING, HOSTS[0], "203.0.113.9", 443, duration=36_000.0, orig_bytes=5),
        connection(MORNING, HOSTS[1], "203.0.113.9", 443, duration=500.0),
    ]
    return judged(DETECTOR, Parameters(), baseline, rows)


def test_ten_hours_where_half_a_minute_is_usual(found: list[Detection]) -> None:
    (held,) = found
    assert held.message == (
        f"{HOSTS[0]} held a connection with 203.0.113.9 for 10 h, "
        "longer than any of its connections before"
    )
    assert (held.source, held.destination, held.port) == (HOSTS[0], "203.0.113.9", 443)
    assert (held.first, held.last, held.connections) == (START + MORNING, START + MORNING, 1)
    assert held.technique == "T1572"
    assert held.score >= Severity.LOW.bound
    said = evidence(held)
    assert float(said.pop("tail probability")) < 1e-3
    assert said == {
        "duration": 36_000.0,
        "longest on other days": 33,
        "connections that day": 49,
        "sent": 5.0,
        "received": 0.0,
        "judged by": "3 days",
    }


Lasted = tuple[str, int, float, float]


def chances(past: list[Lasted], now: list[Lasted], **changes: float) -> dict[str, float]:
    """Of source, day, duration and connections that lasted so long."""
    past_shapes, now_shapes = (
        pd.DataFrame(
            [
                (source, "duration", FIRST_DAY + day, int(bin_of(lasted, "duration")), count)
                for source, day, lasted, count in rows
            ],
            columns=["source", "metric", "day", "bin", "connections"],
        )
        for rows in (past, now)
    )
    empty = Baseline()
    baseline = replace(empty, tables={**empty.tables, "shapes": past_shapes})
    comparison = Comparison({"shapes": now_shapes}, baseline, held_aside=False)
    days = host_days(comparison, Parameters(**changes))
    return dict(zip(days.source, days.chance, strict=True))


def seconds(source: str, scale: float, count: float) -> list[Lasted]:
    """Durations that halve in number as they double, from a scale on, on each of three days."""
    return [
        (source, day, scale * 2.0**k, max(count / 2.0**k, 1.0))
        for day in range(3)
        for k in range(9)
    ]


def test_each_host_by_its_own_tail() -> None:
    shells, clicks = seconds("long", 120.0, 2000.0), seconds("short", 0.2, 2000.0)
    alike: list[Lasted] = [("long", 7, 70_000.0, 1.0), ("short", 7, 70_000.0, 1.0)]
    chance = chances([*shells, *clicks], alike)
    assert set(chance) == {"long", "short"}
    assert chance["long"] > 1e-4
    # What hosts of the role do explains some of it.
    assert chances(clicks, alike[1:])["short"] < chance["short"] / 5 < 1e-3


def test_only_beyond_the_longest_and_from_the_floor_on() -> None:
    clicks = seconds("short", 0.2, 2000.0)
    assert chances([*clicks, ("short", 1, 40_000.0, 1.0)], [("short", 7, 60_000.0, 1.0)]) == {}
    assert chances(clicks, [("short", 7, 400.0, 1.0)]) == {}
    assert set(chances(clicks, [("short", 7, 400.0, 1.0)], floor=300.0)) == {"short"}


def test_the_longest_of_many_draws_is_likelier() -> None:
    clicks = seconds("short", 0.2, 2000.0)
    one, many = (
        chances(clicks, [("short", 7, 5000.0, 1.0), ("short", 7, 1.0, more)])["short"]
        for more in (1.0, 1000.0)
    )
    assert many == pytest.approx(500 * one, rel=0.1)


def test_unknown_durations_say_nothing() -> None:
    clicks = seconds("short", 0.2, 2000.0)
    assert chances(clicks, [("short", 7, float(np.nan), 5.0)]) == {}


def test_nothing_is_unlikely_where_nothing_was_learned() -> None:
    assert chances([], [("short", 7, 5000.0, 1.0)]) == {"short": 1.0}
