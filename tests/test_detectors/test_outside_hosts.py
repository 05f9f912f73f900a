"""New outside hosts: how many a host meets on a day, beside what its days bring."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analyzer.baseline.baseline import MOST_PEERS, Baseline
from analyzer.detectors import Detection
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.outside_hosts import DETECTOR, Parameters, host_days
from analyzer.findings import Severity

from . import DAY, START, connection, evidence
from .beside import FIRST_DAY, HOSTS, TODAY, browsing, judged, office

MORNING = TODAY * DAY + 36_000.0


@pytest.fixture(scope="module")
def found() -> list[Detection]:
    rows = [
        *browsing(TODAY),
        *[connection(MORNING + 10 * k, HOSTS[0], f"203.0.113.{k + 1}", 80) for k in range(100)],
        *[connection(MORNING + k, HOSTS[1], f"203.0.113.{k + 1}", 80) for k in range(19)],
        *[connection(MORNING + k, HOSTS[2], f"10.0.3.{k + 1}", 80) for k in range(200)],
    ]
    return judged(DETECTOR, Parameters(), office(), rows)


def test_a_hundred_strangers(found: list[Detection]) -> None:
    (strangers,) = found
    assert strangers.message == (
        f"{HOSTS[0]} met 100 outside hosts that it never met before, usually 0 on such a day, "
        "all of them on 80/tcp"
    )
    assert (strangers.source, strangers.port, strangers.proto) == (HOSTS[0], 80, "tcp")
    assert (strangers.first, strangers.last) == (START + MORNING, START + MORNING + 990)
    assert (strangers.connections, strangers.destination) == (100, None)
    assert strangers.score >= Severity.LOW.bound
    said = evidence(strangers)
    assert float(said.pop("tail probability")) < 1e-3
    assert said == {
        "new outside hosts": 100,
        "most on another day": 0.0,
        "never met by anybody here": 100,
        "by port": "80/tcp 100",
        "days of the host": 3,
        "judged by": "3 days",
    }


Met = tuple[str, str, int, int]


def days(past: list[Met], now: list[Met], there: int = 3) -> dict[str, float]:
    """Chances of sources, of those met outside: source, peer, first and last day."""
    columns = ["source", "peer", "outside", "first_day", "last_day"]
    past_peers, now_peers = (
        pd.DataFrame(
            [(source, peer, True, FIRST_DAY + a, FIRST_DAY + b) for source, peer, a, b in met],
            columns=columns,
        )
        for met in (past, now)
    )
    hours = pd.DataFrame(
        [
            (source, FIRST_DAY + day)
            for source in sorted({each[0] for each in past})
            for day in range(there)
        ],
        columns=["source", "day"],
    )
    empty = Baseline()
    baseline = replace(empty, tables={**empty.tables, "peers": past_peers, "hours": hours})
    table = host_days(Comparison({"peers": now_peers}, baseline, held_aside=False), 20)
    return dict(zip(table.source, table.chance, strict=True))


def test_who_meets_strangers_every_day_is_judged_by_that() -> None:
    # On its first day everything is new; what counts is what no other day had.
    browsing: list[Met] = [
        *[("b", f"always{k}", 0, 2) for k in range(300)],
        *[("b", f"day{day}-{k}", day, day) for day in range(3) for k in range(40)],
    ]
    quiet: list[Met] = [(f"q{k}", "server", 0, 2) for k in range(9)]
    today: list[Met] = [(host, f"today{k}", 7, 7) for host in ("b", "q0") for k in range(60)]
    chance = days([*browsing, *quiet], today)
    assert chance["b"] > 0.01
    assert chance["q0"] < 1e-3


def test_a_few_are_not_asked_about() -> None:
    assert days([("a", "x", 0, 2)], [("a", f"t{k}", 7, 7) for k in range(19)]) == {}


def test_who_met_more_than_is_remembered_is_not_judged() -> None:
    every: list[Met] = [("a", f"x{k}", 0, 0) for k in range(MOST_PEERS)]
    today: list[Met] = [(host, f"t{k}", 7, 7) for host in ("a", "q") for k in range(500)]
    assert set(days([*every, ("q", "server", 0, 2)], today)) == {"q"}
    assert set(days([*every[1:], ("q", "server", 0, 2)], today)) == {"a", "q"}


def test_whom_it_met_before_is_not_new() -> None:
    met: list[Met] = [("a", f"x{k}", 0, 0) for k in range(100)]
    assert days(met, [("a", f"x{k}", 7, 7) for k in range(100)]) == {}
