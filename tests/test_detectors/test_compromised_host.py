"""Hosts about which several findings add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.detectors import Accumulation
from analyzer.detectors.compromised_host import Parameters, find
from analyzer.findings import Evidence, Finding
from analyzer.hosts import DAY
from tests.test_hosts import BEGIN, beacon, burst, scan, tunnel


def found(*findings: Finding, outside: frozenset[str] = frozenset()) -> list[Accumulation]:
    return list(find(findings, Parameters(), outside))


def test_a_scan_and_a_beacon_make_a_compromised_host() -> None:
    late = beacon(0.82, at=600)
    (told,) = found(scan(0.86), late, scan(0.3, at=5))
    assert told.rests_on == (scan(0.86), late)
    detection = told.detection
    assert (detection.source, detection.destination, detection.port) == ("10.0.0.5", None, None)
    assert (detection.first, detection.last) == (BEGIN, BEGIN + 660)
    assert detection.score == pytest.approx(1 - 0.14 * 0.18)
    assert detection.connections == 40
    assert detection.message == (
        "10.0.0.5 shows Discovery, Command and Control in 2 independent ways: "
        "address_scan 0.86, beacon 0.82"
    )
    assert detection.evidence == (
        Evidence("independent pieces of evidence", 2, threshold=2),
        Evidence("combined score", 0.975, threshold=0.9),
        Evidence("loudest finding", 0.86, threshold=0.8),
        Evidence("Discovery since", "2023-11-15T00:00:00.000000Z"),
        Evidence("Command and Control since", "2023-11-15T00:10:00.000000Z"),
        Evidence("findings", 2),
    )


@pytest.mark.parametrize(
    "findings",
    [
        (),
        (scan(0.97),),
        # Two rules, one piece of evidence.
        (scan(0.97), burst(0.78)),
        # Two hosts.
        (scan(0.97), beacon(0.9, source="10.0.0.6")),
        # Two days.
        (scan(0.97), beacon(0.9, at=DAY + 3600)),
        # Weak ones alone never add up, however many.
        (scan(0.79), beacon(0.79), tunnel(0.79)),
        # One that is not reported is none.
        (scan(0.97), beacon(0.69)),
        # Not above high.
        (beacon(0.8), tunnel(0.7)),
    ],
)
def test_what_does_not_add_up(findings: tuple[Finding, ...]) -> None:
    assert found(*findings) == []


def test_hosts_outside_are_none_of_ours() -> None:
    findings = (scan(0.97), beacon(0.9))
    assert len(found(*findings)) == 1
    assert found(*findings, outside=frozenset({"10.0.0.5"})) == []


def test_a_host_is_told_once_a_day() -> None:
    months = [replace(f, last=BEGIN + 3 * DAY - 1) for f in (scan(0.9), beacon(0.9))]
    assert len(found(*months)) == 1
    again = [scan(0.9, at=k * DAY) for k in range(3)]
    told = found(*again, months[1])
    assert [each.detection.first for each in told] == [BEGIN + k * DAY for k in range(3)]
    assert [each.detection.last for each in told] == [
        BEGIN + DAY,
        BEGIN + 2 * DAY,
        BEGIN + 3 * DAY - 1,
    ]
    assert [set(each.rests_on) for each in told] == [{again[k], months[1]} for k in range(3)]


def test_parameters_are_respected() -> None:
    findings = (scan(0.9), beacon(0.8))
    for parameters, number in (
        (Parameters(score=0.98), 1),
        (Parameters(score=0.981), 0),
        (Parameters(groups=3), 0),
        (Parameters(loudest=0.91), 0),
    ):
        assert len(list(find(findings, parameters, frozenset()))) == number
    apart = (scan(0.9), beacon(0.8, at=7200))
    assert list(find(apart, Parameters(window=3600), frozenset())) == []
