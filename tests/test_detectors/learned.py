"""Detectors that compare with a baseline: rows that are learned, and rows that are judged by it."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.summary import summarise
from analyzer.detectors import Detection, Detector, Shared
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.public_suffix import suffix_rules

from . import DAY, Row, connection, holding

HOUR = 3600.0


def baseline_of(conn: Sequence[Row]) -> Baseline:
    """The baseline of some connections."""
    with holding(conn) as records:
        return Baseline().joined(
            summarise(records, lambda: records.keep(suffix_rules(), "suffix_rules"))
        )


def detect_against(
    detector: Detector, parameters: object, learned: Sequence[Row], conn: Sequence[Row]
) -> list[Detection]:
    """Run a detector on rows, with a baseline of others."""
    shared = Shared(baseline_of(learned))
    with holding(conn) as records:
        return list(detector.find(records, parameters, shared))


def compared(learned: Sequence[Row], conn: Sequence[Row]) -> Comparison:
    """Rows beside a baseline of others."""
    shared = Shared(baseline_of(learned))
    with holding(conn) as records:
        (comparison,) = shared_comparisons(records, shared)
        return comparison


def days(number: int, rows: Sequence[Row]) -> list[Row]:
    """Rows of one day on each of so many days before it."""
    return [
        row | {"ts": row["ts"] - DAY * back, "uid": f"{row['uid']}-{back}"}
        for back in range(number, 0, -1)
        for row in rows
    ]


def usual_day(hosts: int = 6, *, begin: float = 8.0, hours: int = 9) -> list[Row]:
    """A day on which hosts meet a dozen outside places an hour at work, and two at night."""
    rows = []
    for host in range(1, hosts + 1):
        for hour in range(24):
            at_work = begin <= hour < begin + hours
            for place in range(12 if at_work else 2):
                second = hour * HOUR + 250.0 * place + host
                rows.append(
                    connection(
                        second,
                        f"10.0.1.{host}",
                        f"198.51.100.{place + 1}",
                        443,
                        orig_bytes=2000,
                        resp_bytes=9000,
                    )
                )
            if at_work:
                rows.append(
                    connection(
                        hour * HOUR + host,
                        f"10.0.1.{host}",
                        "10.0.0.9",
                        445,
                        orig_bytes=5000,
                        resp_bytes=9000,
                    )
                )
    return rows
