"""Out and in: who sends as never before, and for whom that is no news."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.detectors import Detection
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.producer_consumer import DETECTOR, Parameters, host_days
from analyzer.findings import Severity

from . import DAY, START, connection, evidence
from .beside import FIRST_DAY, HOSTS, TODAY, browsing, judged, office

MORNING = TODAY * DAY + 36_000.0


@pytest.fixture(scope="module")
def found() -> dict[str, Detection]:
    rows = [
        *browsing(TODAY),
        connection(
            MORNING,
            HOSTS[0],
            "198.51.100.1",
            443,
            orig_bytes=10_000_000_000,
            resp_bytes=4_000_000,
            duration=4000.0,
        ),
        *[
            connection(
                MORNING + 600 * k,
                HOSTS[1],
                "10.0.0.9",
                445,
                orig_bytes=30_000_000,
                resp_bytes=1000,
                duration=9.0,
            )
            for k in range(20)
        ],
        connection(
            MORNING, HOSTS[2], "198.51.100.1", 443, orig_bytes=90_000_000, resp_bytes=10**10
        ),
        connection(MORNING, HOSTS[3], "198.51.100.1", 443, orig_bytes=9_000_000, resp_bytes=0),
    ]
    return {each.source: each for each in judged(DETECTOR, Parameters(), office(), rows)}


def test_ten_gigabytes_of_a_perfectly_regular_host_are_critical(
    found: dict[str, Detection],
) -> None:
    upload = found[HOSTS[0]]
    assert Severity.of(upload.score) is Severity.CRITICAL
    assert upload.message.startswith(f"{HOSTS[0]} sent 10 GB within ")
    assert upload.message.endswith(", most of it to 198.51.100.1")
    assert (upload.destination, upload.port, upload.proto) == ("198.51.100.1", 443, "tcp")
    assert (upload.technique, upload.best) == ("T1048", "bytes")
    said = evidence(upload)
    assert said["sent"] >= 10_000_000_000.0  # type: ignore[operator]
    assert said["producer-consumer ratio"] == 0.999
    assert said["to outside hosts"] == said["sent"]
    (ratio,) = [item for item in upload.evidence if item.name == "producer-consumer ratio"]
    assert isinstance(ratio.expected, float)
    assert ratio.expected < -0.5


def test_staging_inside_over_hours(found: dict[str, Detection]) -> None:
    staged = found[HOSTS[1]]
    assert (staged.destination, staged.port, staged.technique) == ("10.0.0.9", 445, "T1074.002")
    assert staged.score >= Severity.LOW.bound
    # Of the day and its hours, what is least likely is told.
    assert START + MORNING <= staged.first <= staged.last <= START + MORNING + 19 * 600
    assert 6 <= staged.connections <= 20


def test_a_download_and_a_few_megabytes_are_not(found: dict[str, Detection]) -> None:
    assert set(found) == {HOSTS[0], HOSTS[1]}


Sent = tuple[str, int, int, float, float]


def chances(past: list[Sent], now: list[Sent], **changes: float) -> dict[str, float]:
    """Of hours: source, day, hour, bytes sent and received."""
    columns = ["source", "day", "hour", "bytes_out", "bytes_in"]
    past_hours, now_hours = (
        pd.DataFrame(
            [(source, FIRST_DAY + day, hour, out, back) for source, day, hour, out, back in rows],
            columns=columns,
        )
        for rows in (past, now)
    )
    empty = Baseline()
    baseline = replace(empty, tables={**empty.tables, "hours": past_hours})
    comparison = Comparison({"hours": now_hours}, baseline, held_aside=False)
    days = host_days(comparison, Parameters(**changes))
    return dict(zip(days.source, days.chance, strict=True))


CLIENTS: list[Sent] = [
    (f"c{k}", day, hour, 1e5 * (1 + (k + day + hour) % 3), 2e6 * (1 + (k * hour) % 4))
    for k in range(20)
    for day in range(3)
    for hour in range(8, 18)
]


def test_who_always_sends_is_judged_by_that() -> None:
    server: list[Sent] = [
        ("s", day, hour, 3e9 * (1 + (hour + day) % 2), 1e7)
        for day in range(3)
        for hour in range(8, 18)
    ]
    today: list[Sent] = [("s", 7, hour, 7e9, 1e7) for hour in range(8, 18)]
    chance = chances([*CLIENTS, *server], [*today, ("c1", 7, 9, 7e9, 1e7)])
    assert "s" not in chance
    assert chance["c1"] < 1e-6


def test_much_sent_with_much_received_is_a_busy_day() -> None:
    both = chances(CLIENTS, [("c1", 7, 9, 2e9, 1.9e9), ("c2", 7, 9, 2e9, 1e6)])
    assert both["c2"] < 1e-6
    assert both["c1"] > 10 * both["c2"]


def test_floor_and_factor_are_those_asked_for() -> None:
    today: list[Sent] = [("c1", 7, 9, 8e7, 1e4)]
    assert set(chances(CLIENTS, today)) == {"c1"}
    assert chances(CLIENTS, today, floor=1e8) == {}
    assert chances(CLIENTS, today, factor=100.0) == {}
