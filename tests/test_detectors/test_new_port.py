"""New ports: whose habit they are, how much they are used, and what is no news."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.detectors import Detection
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.new_port import DETECTOR, Parameters, host_days
from analyzer.findings import Severity

from . import DAY, START, Row, connection, evidence
from .beside import FIRST_DAY, HOSTS, TODAY, browsing, judged, office

MORNING = TODAY * DAY + 36_000.0


def to(
    host: str,
    destination: str,
    port: int,
    count: int,
    **columns: Any,  # noqa: ANN401 - whatever conn holds
) -> list[Row]:
    return [
        connection(
            MORNING + 60 * k, host, destination, port, orig_bytes=100, resp_bytes=50, **columns
        )
        for k in range(count)
    ]


@pytest.fixture(scope="module")
def found() -> dict[str, Detection]:
    rows = [
        *browsing(TODAY),
        *to(HOSTS[0], "203.0.113.9", 4444, 30),
        *to(HOSTS[1], "203.0.113.10", 8443, 1, service="ssl"),
        *[row for k in range(4) for row in to(HOSTS[2], f"10.0.2.{k}", 5985 + k % 2, 10)],
        *to(HOSTS[3], "203.0.113.11", 0, 20, proto="icmp"),
        # What one host alone uses, but has always used.
        *to(HOSTS[4], "198.51.100.1", 443, 500),
    ]
    return {each.source: each for each in judged(DETECTOR, Parameters(), office(), rows)}


def test_a_port_nobody_used(found: dict[str, Detection]) -> None:
    shell = found[HOSTS[0]]
    assert shell.message == (
        f"{HOSTS[0]} used 4444/tcp outside of 203.0.113.9, which nobody here used before"
    )
    assert (shell.destination, shell.port, shell.proto) == ("203.0.113.9", 4444, "tcp")
    assert (shell.first, shell.last) == (START + MORNING, START + MORNING + 29 * 60)
    assert (shell.connections, shell.technique) == (30, "T1571")
    assert shell.score >= Severity.LOW.bound
    said = evidence(shell)
    assert float(said.pop("tail probability")) < 1e-3
    assert said == {
        "connections to new ports": 30,
        "new ports": "4444/tcp outside",
        "never used on the network": 1,
        "other days on which it had new ports": 0,
        "other days it is judged by": 3,
        "sent": 3000.0,
        "received": 1500.0,
        "judged by": "3 days",
    }


def test_a_web_service_met_once_is_low_at_most(found: dict[str, Detection]) -> None:
    once = found.get(HOSTS[1])
    assert once is None or once.score <= Severity.LOW.highest


def test_ports_of_several_hosts_inside(found: dict[str, Detection]) -> None:
    moved = found[HOSTS[2]]
    assert moved.message == (
        f"{HOSTS[2]} used 2 ports of 4 hosts, which nobody here used before: "
        "5985/tcp inside, 5986/tcp inside"
    )
    assert (moved.destination, moved.port, moved.technique) == (None, None, "T1021")
    assert moved.connections == 40


def test_icmp_has_no_port(found: dict[str, Detection]) -> None:
    pings = found[HOSTS[3]]
    assert (pings.port, pings.proto, pings.technique) == (None, "icmp", "T1095")
    assert "used icmp outside of 203.0.113.11" in pings.message


def test_nobody_else(found: dict[str, Detection]) -> None:
    assert set(found) <= set(HOSTS[:4])


def test_nothing_is_said_without_a_baseline() -> None:
    assert judged(DETECTOR, Parameters(), None, to(HOSTS[0], "203.0.113.9", 4444, 30)) == []


Used = tuple[str, int, int, float]


def compared(past: list[Used], now: list[Used]) -> Comparison:
    """Uses of TCP ports outside: source, day, port, connections."""
    past_ports, now_ports = (
        pd.DataFrame(
            [
                (source, "tcp", port, "", True, FIRST_DAY + day, connections, 0.0)
                for source, day, port, connections in uses
            ],
            columns=[
                "source",
                "proto",
                "port",
                "application",
                "outside",
                "day",
                "connections",
                "bytes_out",
            ],
        )
        for uses in (past, now)
    )
    empty = Baseline()
    days = pd.DataFrame({"day": sorted(set(past_ports.day))})
    baseline = replace(empty, tables={**empty.tables, "ports": past_ports, "days": days})
    return Comparison({"ports": now_ports}, baseline, held_aside=False)


WEB: list[Used] = [(f"h{k}", day, 443, 100.0) for k in range(40) for day in (0, 1, 2)]


def chances(past: list[Used], now: list[Used], common: float = 0.1) -> dict[str, float]:
    days = host_days(compared(past, now), common)
    return dict(zip(days.source, days.chance, strict=True))


def test_who_has_new_ports_every_day_may_have_them_today() -> None:
    sharing: list[Used] = [
        ("h0", day, 20_000 + 100 * day + k, 1.0 + k % 3) for day in (0, 1, 2) for k in range(50)
    ]
    today: list[Used] = [("h0", 7, 30_000 + k, 1.0 + k % 3) for k in range(50)]
    chance = chances([*WEB, *sharing], [*today, ("h1", 7, 4444, 15.0), ("h2", 7, 8443, 1.0)])
    assert chance["h0"] > 0.1
    assert chance["h1"] < 1e-3
    assert 1e-3 < chance["h2"] < 1e-1


def test_what_others_use_is_less_news_than_what_nobody_does() -> None:
    some: list[Used] = [("h5", day, 22, 9.0) for day in (0, 1, 2)]
    chance = chances([*WEB, *some], [("h1", 7, 22, 15.0), ("h2", 7, 4444, 15.0)], common=0.5)
    assert set(chance) == {"h1", "h2"}


def test_what_a_tenth_of_the_hosts_use_is_no_news() -> None:
    some: list[Used] = [(f"h{k}", 1, 22, 9.0) for k in range(4)]
    assert chances([*WEB, *some], [("h9", 7, 22, 900.0)]) == {}
    assert set(chances([*WEB, *some], [("h9", 7, 22, 900.0)], common=0.2)) == {"h9"}


def test_a_weekend_says_nothing_of_what_a_host_does_on_working_days() -> None:
    # Of the days known, three and four are a weekend.
    web: list[Used] = [(f"h{k}", day, 443, 9.0) for k in range(40) for day in (2, 3, 4)]
    calls: list[Used] = [("h5", 2, 3478, 5.0)]
    assert chances([*web, *calls], [("h1", 5, 3478, 9.0)]) == {}
    assert set(chances([*web, *calls], [("h1", 5, 4444, 9.0)])) == {"h1"}


def test_everything_is_new_of_a_host_nobody_knows() -> None:
    assert chances(WEB, [("new", 7, 443, 10.0)]) == {}
    assert set(chances(WEB, [("new", 7, 443, 10.0), ("new", 7, 4444, 10.0)])) == {"new"}


def test_nothing_is_known_after_one_day() -> None:
    one = [use for use in WEB if use[1] == 0]
    assert chances(one, [("h1", 7, 4444, 15.0)])["h1"] > 0.01
