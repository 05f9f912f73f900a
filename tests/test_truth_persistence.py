"""Failed, long and incessant contacts in traffic whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity
from analyzer.report import Report
from tests.traffic import Attack, office

RULES = ("long_connection", "persistent_failure", "strobe")


def judged(path: Path) -> Report:
    return analyzer.analyze(path, select_rules=RULES)


def loud(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity >= Severity.MEDIUM]


def test_a_bot_whose_control_server_is_gone(data: Path) -> None:
    (found,) = judged(data / "zeek/njrat-beacon/conn.log").findings
    assert (found.rule, found.source, found.destination, found.port) == (
        "persistent_failure",
        "192.168.1.115",
        "41.108.179.197",
        1177,
    )
    assert found.severity >= Severity.MEDIUM
    assert found.techniques[0].id == "T1571"
    assert found.connections == 237


@pytest.mark.parametrize(
    "path",
    [
        "zeek/m57-benign",
        "zeek/mixed-labelled/conn.log.labeled",
        "zeek/nmap-scans",
        "zeek/slips-horizontal-scan",
        "zeek/slips-vertical-scan",
        "formats/json_with_all_fields",
        "formats/open_conns",
        "formats/proxy",
        "formats/proxy_rolling",
        "formats/truncated",
        "formats/zat",
    ],
)
def test_nothing_is_said_of_others(data: Path, path: str) -> None:
    report = judged(data / path)
    assert sum(report.records.values()) > 0
    assert report.findings == ()


@pytest.mark.parametrize("number", ["00", "03", "05"])
def test_nothing_is_said_of_a_busy_crawler(golden: Path, number: str) -> None:
    assert judged(golden / f"dns-normal-{number}.pcap").findings == ()


@pytest.mark.parametrize("name", ["closed", "open"])
def test_a_connection_that_is_still_open_counts(data: Path, tmp_path: Path, name: str) -> None:
    """39 minutes so far, seen only where the log of open connections is."""
    rule = Path(analyzer.__file__).parents[1] / "rules/long_connection.yaml"
    text = rule.read_text("utf-8").replace("length: 8h", "length: 30m")
    (tmp_path / "long_connection.yaml").write_text(text, "utf-8")
    report = analyzer.analyze(data / "formats/open_conns" / name, rules_directory=tmp_path)
    said = [(finding.source, finding.destination) for finding in report.findings]
    assert said == ([("10.55.100.106", "65.52.108.188")] if name == "open" else [])


def test_dead_beacons_in_an_office(tmp_path: Path) -> None:
    hosts = {1177: "10.20.1.20", 443: "10.20.1.21"}
    attacks = [Attack("failed_beacon", source=host, port=port) for port, host in hosts.items()]
    traffic = office(2, hosts=40, attacks=attacks)
    traffic.write(tmp_path)
    found = {finding.source: finding for finding in judged(tmp_path).findings}
    assert set(found) == set(hosts.values())
    for truth in traffic.truth:
        own = found[truth.source]
        unusual = truth.port == 1177
        assert (own.destination, own.port) == (truth.destination, truth.port)
        assert own.severity >= (Severity.HIGH if unusual else Severity.MEDIUM)
        assert own.techniques[0].id == (truth.technique if unusual else "T1071.001")
        assert own.first == pytest.approx(truth.start, abs=1)
        assert own.last == pytest.approx(truth.end, abs=60)
