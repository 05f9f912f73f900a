"""DNS volume: what an hour is compared with, and who has no habit to be judged by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.dns_volume import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, detect, evidence, lookup

HOUR = 3600.0


def asking(source: str, hours: dict[int, int]) -> list[Row]:
    """So many questions in each hour."""
    return [
        lookup(HOUR * hour + k * HOUR / count, source, f"www.site{k % 50}.com")
        for hour, count in hours.items()
        for k in range(count)
    ]


def office(hosts: int = 48, hours: int = 24) -> list[Row]:
    """A few questions an hour from each host, now and then some more, always the same."""
    rows = []
    for host in range(hosts):
        usual = {hour: 2 + (3 * host + 7 * hour) % 5 for hour in range(hours)}
        usual |= dict.fromkeys(range(host % 24, hours, 24), 9 + host % 13)
        rows += asking(f"10.0.1.{host}", usual)
    return rows


def found_in(dns: list[Row], **changes: object) -> list[Detection]:
    chosen = {"queries": 400} | changes
    return detect(DETECTOR, Parameters(**chosen), [], dns)  # type: ignore[arg-type]


def test_an_hour_without_example() -> None:
    usual = dict.fromkeys(range(24), 15)
    (found,) = found_in([*office(), *asking("10.0.0.5", usual | {7: 3000})])
    assert found.message == ("10.0.0.5 asked 3,000 DNS questions within an hour, usually 10")
    assert (found.source, found.port, found.connections) == ("10.0.0.5", 53, 3000)
    assert (found.first, round(found.last)) == (START + 7 * HOUR, round(START + 8 * HOUR - 1.2))
    said = evidence(found)
    assert float(said.pop("tail probability")) < 1e-6
    assert said == {
        "questions in an hour": 3000,
        "most in any other hour of the host": 15,
        "host hours it is judged against": 49 * 24,
        "hosts that ask it": 0,
    }
    assert Severity.of(found.score) in (Severity.LOW, Severity.MEDIUM)


@pytest.mark.parametrize(
    "hours",
    [
        pytest.param(dict.fromkeys(range(24), 15) | {7: 399}, id="below the floor"),
        pytest.param(dict.fromkeys(range(24), 450), id="always busy"),
        pytest.param(dict.fromkeys(range(24), 200) | {7: 500}, id="not several times as much"),
        pytest.param(dict.fromkeys(range(24), 15) | {7: 900, 15: 301}, id="busy before"),
    ],
)
def test_no_news(hours: dict[int, int]) -> None:
    assert found_in([*office(), *asking("10.0.0.5", hours)]) == []


def test_the_neighbouring_hour_may_be_part_of_it() -> None:
    hours = dict.fromkeys(range(24), 15) | {7: 900, 8: 500}
    assert len(found_in([*office(), *asking("10.0.0.5", hours)])) == 2


def judged(rows: list[Row]) -> float:
    return max((found.score for found in found_in(rows)), default=0.0)


def test_a_host_without_hours_of_its_own_is_low() -> None:
    score = judged([*office(), *asking("10.0.0.5", dict.fromkeys(range(8), 15) | {20: 30_000})])
    assert Severity.of(score) is Severity.LOW


def resolver() -> list[Row]:
    asked = [lookup(60 * k, f"10.0.1.{k}", "a.com", resp_h="10.0.0.5") for k in range(3)]
    return [*office(), *asking("10.0.0.5", dict.fromkeys(range(24), 15) | {7: 3000}), *asked]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            lambda: asking("10.0.0.5", dict.fromkeys(range(24), 15) | {7: 3000}), id="alone"
        ),
        pytest.param(
            lambda: [*office(9, 8), *asking("10.0.0.5", {3: 3000})], id="too few host hours"
        ),
        pytest.param(resolver, id="others ask it"),
        pytest.param(
            lambda: [
                *office(12, 48),
                *asking("10.0.0.5", dict.fromkeys(range(48), 15) | {7: 3000, 31: 800}),
            ],
            id="the same on another day",
        ),
    ],
)
def test_what_nobody_can_tell_is_not_reported(rows: Callable[[], list[Row]]) -> None:
    assert judged(rows()) < Severity.LOW.bound


def test_outside_hosts_are_not_ours() -> None:
    hours = dict.fromkeys(range(24), 15) | {7: 3000}
    assert found_in([*office(), *asking("198.51.100.9", hours)]) == []


def test_answers_alone_and_neighbours_are_not_counted() -> None:
    rows = asking("10.0.0.5", dict.fromkeys(range(24), 15))
    silent = [row | {"query": None} for row in asking("10.0.0.5", {7: 3000})]
    multicast = [row | {"resp_p": 5353} for row in asking("10.0.0.5", {7: 3000})]
    assert found_in([*office(), *rows, *silent, *multicast]) == []


def test_nothing_comes_of_nothing() -> None:
    assert found_in([]) == []
