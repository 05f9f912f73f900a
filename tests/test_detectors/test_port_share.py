"""Shares of known ports that are unlike a host's other days."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.detectors import Detection
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.port_share import DETECTOR, Parameters, host_days
from analyzer.findings import Severity

from . import DAY, START, Row, connection, evidence
from .beside import FIRST_DAY, HOSTS, LEARNED, TODAY, browsing, judged, learned, of_days

MORNING = TODAY * DAY + 36_000.0


def sessions(day: int) -> list[Row]:
    return [
        connection(day * DAY + 40_000 + place, host, "10.0.0.9", 22)
        for place, host in enumerate(HOSTS)
    ]


@pytest.fixture(scope="module")
def found() -> list[Detection]:
    baseline = learned([*of_days(browsing), *of_days(sessions)])
    rows = [
        *browsing(TODAY),
        *sessions(TODAY),
        *[connection(MORNING + 30 * k, HOSTS[0], "10.0.0.9", 22) for k in range(150)],
        *[connection(MORNING + 30 * k, HOSTS[1], "203.0.113.9", 4444) for k in range(150)],
    ]
    return judged(DETECTOR, Parameters(), baseline, rows)


def test_little_else_than_ssh(found: list[Detection]) -> None:
    (shells,) = found
    assert shells.message == (
        f"{HOSTS[0]} made 76% of its connections to port 22/tcp inside, usually 2.0%"
    )
    assert (shells.destination, shells.port, shells.proto) == ("10.0.0.9", 22, "tcp")
    assert (shells.first, shells.last) == (START + MORNING, START + TODAY * DAY + 40_500 - 30)
    assert shells.connections == 151
    assert shells.score >= Severity.LOW.bound
    said = evidence(shells)
    assert float(said.pop("tail probability")) < 1e-3
    assert said == {
        "share of its connections": 0.759,
        "connections to the port": 151,
        "hosts it met there": 1,
        "days of the host with the port": len(LEARNED),
        "judged by": "3 days",
    }


Used = tuple[str, int, int, float]


def shares(past: list[Used], now: list[Used], **changes: float) -> dict[str, int]:
    """The conspicuous port of each source: of source, day, port, connections."""
    columns = ["source", "proto", "port", "application", "outside", "day", "connections"]
    past_ports, now_ports = (
        pd.DataFrame(
            [
                (source, "tcp", port, "", True, FIRST_DAY + day, connections)
                for source, day, port, connections in uses
            ],
            columns=columns,
        )
        for uses in (past, now)
    )
    empty = Baseline()
    baseline = replace(empty, tables={**empty.tables, "ports": past_ports})
    comparison = Comparison({"ports": now_ports}, baseline, held_aside=False)
    days = host_days(comparison, Parameters(**changes))  # type: ignore[arg-type]
    days = days[days.chance <= 1e-3]
    return dict(zip(days.source, days.port.astype(int), strict=True))


USUAL: list[Used] = [
    (f"h{k}", day, port, count)
    for k in range(20)
    for day in (0, 1, 2)
    for port, count in ((443, 900.0), (80, 90.0), (22, 10.0))
]


def today(ssh: float, day: int = 7) -> list[Used]:
    return [("h1", day, 443, 900.0), ("h1", day, 80, 90.0), ("h1", day, 22, ssh)]


def test_shares_beside_their_own_history() -> None:
    assert shares(USUAL, today(700.0)) == {"h1": 22}
    assert shares(USUAL, today(12.0)) == {}
    assert shares(USUAL, today(700.0), rise=0.9) == {}
    assert shares(USUAL, today(700.0), connections=800) == {}


def test_who_uses_it_much_may_use_it_much() -> None:
    own: list[Used] = [("h1", day, 22, 600.0 + 50 * day) for day in (0, 1, 2)]
    others = [use for use in USUAL if (use[0], use[2]) != ("h1", 22)]
    assert shares([*others, *own], today(700.0)) == {}


def test_what_all_do_that_day_is_no_news() -> None:
    everyone: list[Used] = [
        (f"h{k}", 7, port, count)
        for k in range(20)
        for port, count in ((443, 900.0), (80, 90.0), (22, 700.0))
    ]
    assert shares(USUAL, everyone) == {}


def test_new_ports_and_the_first_weekend_are_not_judged() -> None:
    assert shares(USUAL, [*today(10.0), ("h1", 7, 4444, 900.0)]) == {}
    assert shares(USUAL, today(700.0, day=10)) == {}
