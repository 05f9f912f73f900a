"""Beacons in traffic whose truth is known: real captures and logs, and generated offices."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity
from tests.traffic import Attack, office

SAMPLES = Path(__file__).parents[1] / "sample_pcaps"


def judged(path: Path) -> list[Finding]:
    report = analyzer.analyze(path, select_rules=["beacon"])
    assert sum(report.records.values()) > 0
    return [finding for finding in report.findings if finding.severity >= Severity.MEDIUM]


def only(path: Path) -> Finding:
    (found,) = judged(path)
    return found


def test_an_implant_whose_server_is_gone(data: Path) -> None:
    found = only(data / "zeek/njrat-beacon/conn.log")
    assert (found.source, found.destination) == ("192.168.1.115", "41.108.179.197")
    assert (found.port, found.connections) == (1177, 237)
    assert found.techniques[0].id == "T1571"


@pytest.mark.parametrize(
    ("number", "destination", "connections"),
    [(1, "141.193.213.21", 297), (2, "141.193.213.20", 22)],
)
def test_scripted_beacons(
    data: Path, golden: Path, number: int, destination: str, connections: int
) -> None:
    name = f"test-cc-capture-{number}.pcap"
    for path in (data / "pcap" / name, golden / name):
        found = only(path)
        assert (found.source, found.destination) == ("147.32.80.37", destination)
        assert found.connections in {connections, connections + 2}
        assert found.techniques[0].id == "T1071.001"


@pytest.mark.parametrize(
    "path",
    [
        "zeek/mixed-labelled",
        "zeek/mixed-labelled/conn.log.labeled",
        "zeek/m57-benign",
        "zeek/android-rat-exfil",
        "formats/proxy_rolling",
        "formats/zed-sample/tsv",
    ],
)
def test_what_polls_for_honest_reasons(data: Path, path: str) -> None:
    assert judged(data / path) == []


SLEEPS = [(60.0, 0.5), (300.0, 0.1), (300.0, 0.5), (900.0, 0.3), (3600.0, 0.1)]


def test_an_office_with_beacons(tmp_path: Path) -> None:
    attacks = [
        Attack(
            "beacon",
            interval=interval,
            jitter=jitter,
            loss=0.1,
            source=f"10.20.1.{20 + number}",
            server_name=f"status.pollen{number}feed.com",
        )
        for number, (interval, jitter) in enumerate(SLEEPS)
    ]
    traffic = office(11, hosts=60, attacks=[*attacks, Attack("failed_beacon", source="10.20.1.30")])
    traffic.write(tmp_path)
    found = judged(tmp_path)
    assert {finding.source for finding in found} == {truth.source for truth in traffic.truth}
    for truth in traffic.truth:
        (own,) = [finding for finding in found if finding.source == truth.source]
        assert (own.destination, own.port) == (truth.destination, truth.port)
        assert own.techniques[0].id == truth.technique
