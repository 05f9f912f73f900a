"""Exfiltration and ICMP tunnels in traffic whose truth is known, and silence elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity
from analyzer.report import Report
from tests.traffic import Attack, Truth, office

LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL
RULES = ("exfiltration", "slow_exfiltration", "icmp_tunnel")
SAMPLES = Path(__file__).parents[1] / "sample_pcaps"

# Each attack, the host that makes it, and the rule and severity it is found by.
ATTACKS: dict[str, tuple[str, str, Severity]] = {
    "exfiltration": ("10.20.1.20", "exfiltration", HIGH),
    "chunked_exfiltration": ("10.20.1.21", "slow_exfiltration", HIGH),
    "icmp_tunnel": ("10.20.1.23", "icmp_tunnel", HIGH),
}


def judged(path: Path | Sequence[Path]) -> Report:
    paths = path if isinstance(path, Path) else list(path)
    return analyzer.analyze(paths, select_rules=RULES)


def loud(report: Report, minimum: Severity = MEDIUM) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity >= minimum]


@pytest.fixture(scope="module", params=[4, 5])
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Report, dict[str, Truth]]:
    """The report of an office day with every attack, and with two that are not looked for."""
    directory = tmp_path_factory.mktemp("office")
    attacks = [Attack(name, source=source) for name, (source, _, _) in ATTACKS.items()]
    others = [
        Attack("byte_burst", source="10.20.1.22"),
        Attack("icmp_sweep", source="10.20.1.24"),
        Attack("dns_tunnel", source="10.20.1.25"),
    ]
    traffic = office(request.param, hosts=40, attacks=[*attacks, *others])
    traffic.write(directory)
    return judged(directory), {each.attack: each for each in traffic.truth}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found(attacked: tuple[Report, dict[str, Truth]], name: str) -> None:
    source, rule, severity = ATTACKS[name]
    report, truths = attacked
    truth = truths[name]
    (found,) = (finding for finding in report.findings if finding.source == source)
    assert (found.rule, found.destination) == (rule, truth.destination)
    assert found.severity >= severity
    assert truth.technique in {technique.id for technique in found.techniques}
    assert truth.port is None or found.port == truth.port
    assert truth.start - 1 <= found.first <= found.last <= truth.end + 1
    assert found.uids


def test_nobody_else_is_found(attacked: tuple[Report, dict[str, Truth]]) -> None:
    report, _ = attacked
    attackers = {source for source, _, _ in ATTACKS.values()}
    assert {finding.source for finding in loud(report)} == attackers


def test_a_day_shows_the_first_backup_quietly_and_three_explain_it(tmp_path: Path) -> None:
    office(6, hosts=40, days=3).write(tmp_path)
    assert loud(judged(tmp_path), LOW) == []
    first = analyzer.analyze(tmp_path, select_rules=RULES, end=1_768_780_800.0 + 86_400.0)
    (found,) = loud(first, LOW)
    assert (found.source, found.severity) == ("10.20.0.15", LOW)


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


def test_sample_captures() -> None:
    (found,) = judged(SAMPLES / "exfiltration.pcap").findings
    assert (found.rule, found.source, found.port) == ("exfiltration", "10.20.1.12", 443)
    assert found.severity >= MEDIUM
    assert {"T1048", "T1030"} <= {technique.id for technique in found.techniques}
    for capture in sorted(SAMPLES.glob("*.pcap")):
        if capture.stem != "exfiltration":
            assert judged(capture).findings == ()
