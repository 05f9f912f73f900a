"""A small office of which some days were learned: what rules beside a baseline are tested with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.summary import summarise
from analyzer.detectors import Detection, Detector, Shared
from analyzer.public_suffix import suffix_rules

from . import DAY, START, Row, connection, holding, lookup

LEARNED = (0, 1, 2)
"""Wednesday to Friday, in days since START."""

TODAY = 7
"""The Wednesday that is judged."""

FIRST_DAY = int(START // DAY)

HOSTS = tuple(f"10.0.1.{k}" for k in range(10, 22))


def learned(conn: Sequence[Row] = (), dns: Sequence[Row] = ()) -> Baseline:
    """A baseline of rows."""
    with holding(conn, dns) as records:
        summary = summarise(records, lambda: records.keep(suffix_rules(), "suffix_rules"))
    return Baseline().joined(summary)


def judged(
    detector: Detector,
    parameters: object,
    baseline: Baseline | None,
    conn: Sequence[Row] = (),
    dns: Sequence[Row] = (),
) -> list[Detection]:
    """Run a detector on rows beside a baseline."""
    with holding(conn, dns) as records:
        return list(detector.find(records, parameters, Shared(baseline)))


def browsing(day: int, each: int = 48, hosts: Sequence[str] = HOSTS) -> list[Row]:
    """A day of all hosts' connections to the same forty servers, day and night."""
    return [
        connection(
            day * DAY + k * DAY / each + place,
            host,
            f"198.51.100.{1 + (k + 7 * place) % 40}",
            443,
            orig_bytes=500 + 10 * (k % 7),
            resp_bytes=4000 + 100 * (k % 11),
            duration=1.0 + k % 30,
            orig_pkts=6,
            service="ssl",
        )
        for place, host in enumerate(hosts)
        for k in range(each)
    ]


def asking(day: int, each: int = 30, hosts: Sequence[str] = HOSTS) -> list[Row]:
    """A day of all hosts' questions for the same sixty sites."""
    return [
        lookup(day * DAY + k * DAY / each + place, host, f"www.site{(k + 5 * place) % 60}.com")
        for place, host in enumerate(hosts)
        for k in range(each)
    ]


def of_days(rows: Callable[[int], list[Row]], days: Sequence[int] = LEARNED) -> list[Row]:
    """The rows that a function makes of each of some days."""
    return [row for day in days for row in rows(day)]


@cache
def office() -> Baseline:
    """What is learned of the days of an office where nothing happens."""
    return learned(of_days(browsing), of_days(asking))
