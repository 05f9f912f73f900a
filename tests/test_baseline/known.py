"""A network of two hosts that do the same every day: every number that it has is known."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.bins import bin_of

from . import FIRST, frame

DESK, PRINTER = "10.0.0.5", "10.0.0.9"
DAY = 86_400.0
LEARNED = (FIRST + 40) * DAY

# From eight to six; the printer asks for the time every hour.
WORK = range(8, 18)


def summary(
    numbers: Iterable[int],
    *,
    times: float = 1.0,
    port: int = 443,
    hours: Iterable[int] = range(24),
    peer: str = "198.51.100.7",
) -> dict[str, pd.DataFrame]:
    """Some days of the network.

    Args:
        numbers: the days, 0 is :data:`FIRST`.
        times: how many times as much the desk sends.
        port: where the desk sends it to.
        hours: of each day that there are records of.
        peer: the outside host that the desk meets.
    """
    days, there = [FIRST + number for number in numbers], sorted(hours)
    work = [hour for hour in WORK if hour in there]
    span = [
        (day, day * DAY + there[0] * 3600.0, day * DAY + there[-1] * 3600.0 + 3599) for day in days
    ]
    total = float(len(work) * 60 + len(there))
    desk, printer = float(len(work) * 60), float(len(there))
    sent = 1000.0 * times
    return {
        "days": frame("days", *((day, total, 20.0, 0.0, first, last) for day, first, last in span)),
        "network": frame(
            "network",
            *(
                (day, hour * 12, 61.0 if hour in work else 1.0, 6.0, 60 * sent, 6e5, 20.0)
                if hour in work
                else (day, hour * 12, 1.0, 0.0, 48.0, 48.0, 0.0)
                for day in days
                for hour in there
            ),
        ),
        "hours": frame(
            "hours",
            *(
                (DESK, day, hour, 60.0, 6.0, 60 * sent, 6e5, 5.0, 4.0, 10.0, 20.0)
                for day in days
                for hour in work
            ),
            *(
                (PRINTER, day, hour, 1.0, 0.0, 48.0, 48.0, 1.0, 1.0, 1.0, 0.0)
                for day in days
                for hour in there
            ),
        ),
        "shapes": frame(
            "shapes",
            *(
                (host, metric, day, int(bin_of([value], metric)[0]), number)
                for day in days
                for host, number, values in (
                    (DESK, desk, (sent, 1e4, 2.0, 10.0)),
                    (PRINTER, printer, (48.0, 48.0, 0.01, 1.0)),
                )
                for metric, value in zip(
                    ("bytes_out", "bytes_in", "duration", "packets_out"), values, strict=True
                )
                if number
            ),
        ),
        "ports": frame(
            "ports",
            *((DESK, "tcp", port, "ssl", True, day, desk, desk * sent) for day in days if desk),
            *((PRINTER, "udp", 123, "ntp", True, day, printer, printer * 48.0) for day in days),
        ),
        "peers": frame(
            "peers",
            (DESK, PRINTER, False, days[0], days[-1]),
            (DESK, peer, True, days[0], days[-1]),
            (PRINTER, "198.51.100.123", True, days[0], days[-1]),
        ),
        "offered": frame("offered", (PRINTER, "tcp", 9100, days[0], days[-1], 1.0)),
        "lookups": frame(
            "lookups", *((DESK, day, 200.0, 50.0, 25.0, 2.0, 1000.0, 40.0) for day in days)
        ),
        "names": frame(
            "names",
            *(
                (DESK, name, day, count)
                for day in days
                for name, count in (("example.com", 150.0), ("example.org", 50.0))
            ),
        ),
        "domains": frame("domains", ("example.com", days[0], days[-1], 1.0)),
        "reference": frame(
            "reference",
            *(
                (day, DESK, 9, "tcp", port, "ssl", True, True, 20, 27, 22, 7, 5, peer, 30.0)
                for day in days
            ),
        ),
    }


def known(number: int = 10, **options: object) -> Baseline:
    """A baseline of so many days."""
    return Baseline().joined(summary(range(number), **options), learned=LEARNED)  # type: ignore[arg-type]
