"""NXDOMAIN storms: in breadth, in depth, and what fails by design."""

from __future__ import annotations

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.dns_nxdomain import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, detect, evidence, lookup


def dead(
    count: int, pattern: str = "name{}.net", *, source: str = "10.0.0.5", gap: float = 5.0
) -> list[Row]:
    return [
        lookup(gap * k, source, pattern.format(f"{k:05d}"), rcode_name="NXDOMAIN")
        for k in range(count)
    ]


def alive(count: int, *, source: str = "10.0.0.5", gap: float = 5.0) -> list[Row]:
    return [lookup(gap * k + 1, source, f"www.site{k}.com") for k in range(count)]


def found_in(dns: list[Row], **changes: object) -> list[Detection]:
    return detect(DETECTOR, Parameters(**changes), [], dns)  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "score"), [(25, 0.35), (50, 0.7), (200, 0.8), (600, 0.85)])
def test_scores_in_breadth(count: int, score: float) -> None:
    (found,) = found_in(dead(count))
    assert found.score == pytest.approx(score)


def test_what_is_said() -> None:
    (found,) = found_in([*dead(60), *alive(60)])
    assert found.message == "10.0.0.5 asked for names below 60 domains that do not exist"
    assert (found.source, found.subject, found.port) == ("10.0.0.5", "", 53)
    assert (found.first, found.last, found.connections) == (START, START + 295, 60)
    assert evidence(found) == {
        "domains that do not exist": 60,
        "share of the names newly asked for": round(60 / 119, 3),
        "hosts that ask it": 0,
        "for example": "name00000.net, name00001.net, name00002.net",
    }


@pytest.mark.parametrize(("others", "severity"), [(399, "medium"), (410, "low"), (960, "none")])
def test_the_share_that_fails(others: int, severity: str) -> None:
    rows = [*dead(400), *alive(others, gap=5.0 * 400 / others)]
    found = found_in(rows)
    assert str(max((Severity.of(each.score) for each in found), default=Severity.NONE)) == severity


def test_the_fullest_hour_slides() -> None:
    (found,) = found_in(dead(100, gap=72.0))
    assert evidence(found)["domains that do not exist"] == 50
    assert found_in(dead(100, gap=150.0)) == []


def test_a_dead_name_counts_once() -> None:
    assert found_in(dead(20) * 30) == []
    below = [row for k in range(10) for row in dead(20, f"host{k}.name{{}}.net")]
    assert found_in(below) == []


@pytest.mark.parametrize(("count", "score"), [(100, 0.35), (200, 0.7), (800, 0.8), (4000, 0.9)])
def test_scores_in_depth(count: int, score: float) -> None:
    (found,) = found_in(dead(count, "host{}.example.com", gap=0.5))
    assert found.score == pytest.approx(score)
    assert found.technique == "T1595.003"


def test_what_is_said_in_depth() -> None:
    (found,) = found_in(dead(300, "host{}.example.com"))
    assert found.message == "10.0.0.5 asked for 300 names below example.com that do not exist"
    assert (found.subject, found.best) == ("example.com", "query")
    assert (found.first, found.last, found.connections) == (START, START + 1495, 300)
    assert evidence(found) == {
        "names that do not exist": 300,
        "share of the names newly asked for": 1.0,
        "hosts that ask it": 0,
        "mean length below the domain": 9.0,
    }


def test_hashes_are_lookups() -> None:
    (found,) = found_in(dead(2000, "c0ffee00c0ffee00c0ffee{}.hash.example.com", gap=0.5))
    assert found.score == pytest.approx(0.79)


def test_names_that_exist_below_the_domain() -> None:
    there = [row | {"query": f"there{k}.example.com"} for k, row in enumerate(alive(720, gap=2.0))]
    assert found_in([*dead(300, "host{}.example.com"), *there[:690]])
    assert found_in([*dead(300, "host{}.example.com"), *there]) == []


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([
            lookup(k, "10.0.0.5", f"{k % 250}.{k // 250}.0.203.bl.example.org",
                   rcode_name="NXDOMAIN") for k in range(900)], id="a block list"),
        pytest.param(dead(900, "{}.mx.zen.spamhaus.org", gap=1.0), id="a known zone"),
        pytest.param(dead(900, "{}.in-addr.arpa", gap=1.0), id="reverse lookups"),
        pytest.param(dead(900, "host{}.corp", gap=1.0), id="a suffix of the site"),
        pytest.param(dead(900, "chromeprobe{}", gap=1.0), id="one label"),
        pytest.param(
            [*alive(900, gap=1.0), *(
                row | {"query": row["query"] + ".ad.example.org", "rcode_name": "NXDOMAIN"}
                for row in alive(900, gap=1.0))],
            id="a search suffix"),
    ],
)  # fmt: skip
def test_what_fails_by_design(rows: list[Row]) -> None:
    assert found_in(rows) == []


@pytest.mark.parametrize(("hosts", "found"), [(4, 4), (5, 0)])
def test_domains_that_fail_for_many(hosts: int, found: int) -> None:
    rows = [row for k in range(hosts) for row in dead(100, source=f"10.0.0.{k}")]
    assert len(found_in(rows)) == found


def test_a_tenth_of_a_large_network() -> None:
    rows = [row for k in range(5) for row in dead(100, source=f"10.0.0.{k}")]
    others = [row for k in range(50) for row in alive(1, source=f"10.0.1.{k}")]
    assert len(found_in([*rows, *others])) == 5


def test_a_resolver_passes_on_what_others_ask() -> None:
    clients = [lookup(k, f"10.0.0.{k}", "a.com", resp_h="10.0.0.5") for k in (6, 7, 8)]
    assert [each.score for each in found_in([*dead(400), *clients])] == [0.6]


def test_outside_hosts_are_not_ours() -> None:
    assert found_in(dead(400, source="198.51.100.9")) == []


def test_public_suffixes_and_missing_values() -> None:
    assert found_in(dead(400, "co.uk")) == []
    odd = [row | {"qtype_name": None, "answers": None, "resp_p": None} for row in dead(60)]
    assert len(found_in([*odd, lookup(0, "10.0.0.5", "x") | {"query": None}])) == 1
    assert found_in([]) == []
