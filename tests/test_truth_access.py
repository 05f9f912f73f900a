"""Guessed passwords and lateral movement in traffic whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity
from tests.traffic import Attack, office

RULES = (
    "brute_force",
    "distributed_brute_force",
    "lateral_chain",
    "lateral_movement",
    "password_spray",
)
SAMPLES = Path(__file__).parents[1] / "sample_pcaps"


def found(path: Path, minimum: Severity = Severity.MEDIUM) -> list[Finding]:
    report = analyzer.analyze(path, select_rules=RULES)
    return [finding for finding in report.all_findings if finding.severity >= minimum]


@pytest.mark.parametrize("seed", [4, 5])
def test_the_attacks_of_an_office(tmp_path: Path, seed: int) -> None:
    attacks = [
        Attack("lateral_movement", source="10.20.1.20"),
        Attack("brute_force", source="10.20.1.21"),
    ]
    traffic = office(seed, hosts=40, attacks=attacks)
    traffic.write(tmp_path)
    truths = {truth.attack: truth for truth in traffic.truth}
    findings = {finding.rule: finding for finding in found(tmp_path, Severity.LOW)}
    assert set(findings) == set(truths)
    for rule, truth in truths.items():
        finding = findings[rule]
        assert (finding.source, finding.destination) == (truth.source, truth.destination)
        assert truth.technique in {technique.id for technique in finding.techniques}
        assert truth.start <= finding.last
        assert finding.first <= truth.end
    assert findings["brute_force"].severity is Severity.HIGH
    assert findings["lateral_movement"].severity is Severity.MEDIUM
    assert findings["lateral_movement"].techniques[0].id == "T1021.002"


@pytest.mark.parametrize(
    ("hosts", "days", "seed"), [(120, 1.0, 2), (40, 3.0, 1)], ids=["a day", "three days"]
)
def test_a_clean_office_raises_nothing(tmp_path: Path, hosts: int, days: float, seed: int) -> None:
    office(seed, hosts=hosts, days=days).write(tmp_path)
    assert found(tmp_path, Severity.LOW) == []


@pytest.mark.parametrize(
    ("name", "source"), [("brute_force", "10.20.1.13"), ("lateral_movement", "10.20.1.11")]
)
def test_sample_captures(name: str, source: str) -> None:
    (finding,) = found(SAMPLES / f"{name}.pcap", Severity.LOW)
    assert (finding.rule, finding.source, finding.severity) == (name, source, Severity.MEDIUM)


def test_thirty_ftp_logins(golden: Path) -> None:
    (finding,) = found(golden / "ftp__bruteforce.pcap" / "conn.log")
    assert (finding.rule, finding.source, finding.port) == ("brute_force", "192.168.56.1", 21)
    assert (finding.destination, finding.connections) == ("192.168.56.101", 30)


def test_eleven_ssh_logins(golden: Path) -> None:
    """As many as Slips takes, fewer than Zeek does."""
    (finding,) = found(golden / "ssh__sshguess.pcap" / "conn.log", Severity.LOW)
    assert (finding.rule, finding.source, finding.port) == ("brute_force", "192.168.56.1", 22)
    assert finding.severity is Severity.LOW


@pytest.mark.parametrize("path", ["m57-benign", "mixed-labelled", "simda-dga", "njrat-beacon"])
def test_real_traffic_without_logins(data: Path, path: str) -> None:
    assert found(data / "zeek" / path, Severity.LOW) == []
