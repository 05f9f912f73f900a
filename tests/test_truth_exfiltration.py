"""Exfiltration and ICMP tunnels in traffic whose truth is known, and silence elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity
from analyzer.report import Report

LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL
RULES = ("exfiltration", "slow_exfiltration", "icmp_tunnel")
SAMPLES = Path(__file__).parents[1] / "sample_pcaps"


def judged(path: Path | Sequence[Path]) -> Report:
    paths = path if isinstance(path, Path) else list(path)
    return analyzer.analyze(paths, select_rules=RULES)


def loud(report: Report, minimum: Severity = MEDIUM) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity >= minimum]


def test_a_trojan_on_a_telephone(data: Path) -> None:
    (found,) = judged(data / "zeek/android-rat-exfil").findings
    assert (found.rule, found.source) == ("exfiltration", "10.8.0.61")
    assert (found.destination, found.port) == ("147.32.83.234", 1337)
    assert found.severity >= MEDIUM
    assert found.techniques[0].id == "T1041"


@pytest.mark.parametrize(
    "path",
    [
        "zeek/m57-benign",
        "zeek/mixed-labelled/conn.log.labeled",
        "zeek/njrat-beacon",
        "zeek/nmap-scans",
        "zeek/simda-dga",
        "zeek/slips-horizontal-scan",
        "zeek/slips-vertical-scan",
        "formats/zat",
        "formats/zed-sample/tsv",
        "formats/json_with_all_fields",
        "formats/open_conns",
        "formats/proxy",
        "formats/truncated",
        "pcap/icmp-sweep.pcap",
        "pcap/test-cc-capture-1.pcap",
        "pcap/test7-malicious.pcap",
        "pcap/tunnel-iodine-cname.pcap",
    ],
)
def test_nothing_leaves_here(data: Path, path: str) -> None:
    assert judged(data / path).all_findings == ()


def test_protocol_traces_raise_nothing(golden: Path) -> None:
    assert judged(sorted(golden.glob("*/conn.log"))).findings == ()
