"""Protocol mixes: effect sizes beside those of other days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.detectors import Detection
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.protocol_mix import DETECTOR, NETWORK, Mixes, Parameters, effect_size
from analyzer.findings import Severity

from . import DAY, START, Row, connection, evidence
from .beside import FIRST_DAY, HOSTS, TODAY, browsing, judged, learned, of_days


def questions(day: int) -> list[Row]:
    return [
        connection(day * DAY + 1800 * k + place, host, "10.0.0.53", 53, proto="udp", service="dns")
        for place, host in enumerate(HOSTS)
        for k in range(48)
    ]


@pytest.fixture(scope="module")
def found() -> list[Detection]:
    baseline = learned([*of_days(browsing), *of_days(questions)])
    clocks = [
        connection(TODAY * DAY + 60 * k, HOSTS[0], "203.0.113.9", 123, proto="udp")
        for k in range(300)
    ]
    return judged(DETECTOR, Parameters(), baseline, [*browsing(TODAY), *questions(TODAY), *clocks])


def test_a_host_that_speaks_something_else(found: list[Detection]) -> None:
    (other,) = found
    assert other.message == (
        f"{HOSTS[0]} spoke other protocols than usual: udp 75.8% instead of 0.0%, "
        "tcp ssl 12.1% instead of 50.0%, udp dns 12.1% instead of 50.0%"
    )
    assert (other.source, other.subject, other.destination) == (HOSTS[0], "", None)
    assert (other.first, other.last) == (START + TODAY * DAY, START + TODAY * DAY + 47 * 1800)
    assert other.connections == 396
    assert other.score >= Severity.LOW.bound
    said = evidence(other)
    assert float(said["effect size, Cohen's w"]) > 2
    assert said["connections"] == 396


def test_the_effect_is_cohens() -> None:
    expected = np.array([0.5, 0.5])
    # (0.6 - 0.5)^2 / 0.5, twice, is 0.04; less one degree of freedom of a hundred.
    effect, squared = effect_size(np.array([60.0, 40.0]), expected)
    assert squared == pytest.approx(4.0)
    assert effect == pytest.approx(np.sqrt(0.04 - 1 / 100))
    assert effect_size(np.array([50.0, 50.0]), expected) == (0.0, 0.0)
    assert effect_size(np.array([0.0, 0.0]), expected) == (0.0, 0.0)


def test_rare_protocols_are_counted_together() -> None:
    expected = np.array([0.99, 0.005, 0.0045, 0.0005])
    one, _ = effect_size(np.array([990.0, 0.0, 0.0, 10.0]), expected)
    assert one == 0.0
    much, _ = effect_size(np.array([500.0, 0.0, 0.0, 500.0]), expected)
    assert much == pytest.approx(np.sqrt(0.49**2 * (1 / 0.99 + 1 / 0.01) - 1 / 1000))


Spoken = tuple[str, int, str, float]


def mixes(past: list[Spoken], now: list[Spoken]) -> Mixes:
    """Of source, day, application and connections by TCP."""
    columns = ["source", "proto", "port", "application", "outside", "day", "connections"]
    past_ports, now_ports = (
        pd.DataFrame(
            [
                (source, "tcp", 1, application, True, FIRST_DAY + day, connections)
                for source, day, application, connections in rows
            ],
            columns=columns,
        )
        for rows in (past, now)
    )
    empty = Baseline()
    baseline = replace(empty, tables={**empty.tables, "ports": past_ports})
    return Mixes(Comparison({"ports": now_ports}, baseline, held_aside=False))


def usual(hosts: int = 20, days: tuple[int, ...] = (0, 1, 2)) -> list[Spoken]:
    return [
        (f"h{k:02}", day, application, count * (1 + 0.1 * ((k + day) % 3)))
        for k in range(hosts)
        for day in days
        for application, count in (("ssl", 500.0), ("http", 300.0 + 20 * day), ("", 200.0))
    ]


def judged_days(past: list[Spoken], now: list[Spoken]) -> dict[str, float]:
    days = mixes(past, now).judged()
    return dict(zip(days.source, days.chance, strict=True))


def test_thousands_of_connections_do_not_make_a_small_change_news() -> None:
    today: list[Spoken] = [("h01", 7, "ssl", 52_000.0), ("h01", 7, "http", 28_000.0)]
    today += [("h01", 7, "", 20_000.0)]
    days = mixes(usual(), today).judged()
    (row,) = days[days.source == "h01"].to_dict("records")
    assert row["squared"] > 100
    assert row["chance"] == 1.0


def test_a_change_of_most_is_news() -> None:
    chance = judged_days(usual(), [("h01", 7, "ssl", 100.0), ("h01", 7, "", 900.0)])
    assert chance["h01"] < 1e-3


def test_who_changes_every_day_may_change() -> None:
    moody: list[Spoken] = [
        ("m", day, application, 1000.0) for day, application in enumerate(("ssl", "http", ""))
    ]
    chance = judged_days([*usual(), *moody], [("m", 7, "ssl", 1000.0)])
    assert chance["m"] == 1.0


def test_days_of_a_kind_that_was_never_learned_are_not_judged() -> None:
    assert judged_days(usual(), [("h01", 10, "", 900.0)]) == {}
    assert judged_days(usual(), [("new", 7, "", 900.0)]).keys() == {NETWORK}


def test_the_network_is_judged_too() -> None:
    today: list[Spoken] = [(f"h{k:02}", 7, "", 1000.0 + 100 * (k == 3)) for k in range(20)]
    both = mixes(usual(), today)
    days = both.judged().set_index("source")
    assert days.chance[NETWORK] < 1e-3
    # All hosts together are no news of any of them.
    assert set(days.chance.drop(NETWORK)) == {1.0}
    assert both.loudest(FIRST_DAY + 7) == "h03"


def test_changes_in_words() -> None:
    both = mixes(usual(), [("h01", 7, "ssl", 100.0), ("h01", 7, "", 900.0)])
    words = both.changes("h01", FIRST_DAY + 7)
    assert words == (
        "tcp 90.0% instead of 19.6%, tcp ssl 10.0% instead of 49.0%, tcp http 0.0% instead of 31.4%"
    )
