"""What the DNS rules find in traffic whose truth is known, and what they leave alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Severity
from analyzer.report import Report

LOW, MEDIUM, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.CRITICAL


def judged(path: Path) -> Report:
    return analyzer.analyze(path, select_rules=["dns_*"])


def loud(report: Report, minimum: Severity = MEDIUM) -> list[str]:
    return [finding.message for finding in report.findings if finding.severity >= minimum]


@pytest.mark.parametrize(
    ("name", "source"),
    [("tunnel-iodine-cname", "192.168.117.128"), ("tunnel-dnscat2-cname", "192.168.68.62")],
)
def test_a_tunnel_is_one_finding(golden: Path, name: str, source: str) -> None:
    (found,) = judged(golden / f"{name}.pcap").findings
    assert (found.rule, found.source, found.subject) == ("dns_tunnel", source, "ggy666.tk")
    assert found.severity is CRITICAL
    assert found.techniques[0].id == "T1071.004"


def test_a_bot_that_looks_for_its_domain(data: Path) -> None:
    (found,) = judged(data / "zeek/simda-dga").findings
    assert (found.rule, found.severity) == ("dns_nxdomain", LOW)
    assert found.source == "fd77:48a1:c0bb:0:b96c:506d:6c7f:e8be"
    assert found.techniques[0].id == "T1568"


@pytest.mark.parametrize(
    "path",
    ["zeek/m57-benign", "zeek/android-rat-exfil", "zeek/mixed-labelled/conn.log.labeled",
     "formats/proxy", "formats/proxy_rolling"],
)  # fmt: skip
def test_ordinary_logs_raise_nothing_at_all(data: Path, path: str) -> None:
    assert loud(judged(data / path), LOW) == []


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_a_zone_transfer_that_cannot_be(data: Path, form: str) -> None:
    """Among 53,615 rows somebody probes a server for a zone of one label."""
    (found,) = judged(data / f"formats/zed-sample/{form}").findings
    assert (found.rule, found.severity) == ("dns_transfer", LOW)
    assert (found.source, found.destination) == ("10.164.94.120", "10.47.3.142")


@pytest.mark.parametrize("number", ["00", "03", "05"])
def test_a_busy_crawler_raises_nothing_at_all(golden: Path, number: str) -> None:
    assert loud(judged(golden / f"dns-normal-{number}.pcap"), LOW) == []


def test_traces_of_protocols_raise_nothing(golden: Path) -> None:
    traces = sorted(golden.glob("*dns*/dns.log"))
    assert len(traces) > 20
    for trace in traces:
        assert loud(judged(trace)) == [], trace
