"""Guessed passwords and lateral movement in traffic whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity

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
