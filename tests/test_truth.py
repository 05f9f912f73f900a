"""What is found in traffic whose truth is known: generated offices, and real captures."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity
from analyzer.report import Report
from tests.traffic import Attack, Truth, office

LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL

# Each attack, the host of the office that makes it, and the rule and severity it is found by. None
# of these hosts has habits that resemble an attack.
ATTACKS: dict[str, tuple[str, str, Severity]] = {
    "address_scan": ("10.20.1.20", "address_scan", CRITICAL),
    "slow_scan": ("10.20.1.21", "address_scan", HIGH),
    "port_scan": ("10.20.1.22", "port_scan", CRITICAL),
    "block_scan": ("10.20.1.23", "block_scan", CRITICAL),
    "answered_scan": ("10.20.1.24", "fan_out", MEDIUM),
    "udp_scan": ("10.20.1.25", "address_scan", CRITICAL),
    "icmp_sweep": ("10.20.1.26", "address_scan", CRITICAL),
    "connection_burst": ("10.20.1.27", "connection_burst", MEDIUM),
    "dns_tunnel": ("10.20.1.28", "dns_tunnel", HIGH),
    "slow_dns_tunnel": ("10.20.1.29", "dns_tunnel", LOW),
    "dga": ("10.20.1.30", "dga", CRITICAL),
    "beacon": ("10.20.1.31", "beacon", HIGH),
    "failed_beacon": ("10.20.1.32", "beacon", CRITICAL),
    "exfiltration": ("10.20.1.33", "exfiltration", HIGH),
    "chunked_exfiltration": ("10.20.1.34", "slow_exfiltration", HIGH),
    "lateral_movement": ("10.20.1.35", "lateral_movement", MEDIUM),
    "brute_force": ("10.20.1.36", "brute_force", HIGH),
    "icmp_tunnel": ("10.20.1.37", "icmp_tunnel", HIGH),
}
ATTACKED_SEEDS = [4, 5]

Attacked = tuple[Report, dict[str, Truth]]


def loud(report: Report, minimum: Severity = MEDIUM) -> list[str]:
    return [finding.message for finding in report.findings if finding.severity >= minimum]


def said(report: Report) -> set[tuple[str, str]]:
    return {(finding.rule, finding.source) for finding in report.findings}


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Attacked]:
    """The report of an office day with all attacks, and what was done by whom."""
    known: dict[int, Attacked] = {}

    def judge(seed: int) -> Attacked:
        if seed not in known:
            directory = tmp_path_factory.mktemp(f"office{seed}")
            attacks = [Attack(name, source=source) for name, (source, _, _) in ATTACKS.items()]
            traffic = office(seed, hosts=40, attacks=attacks)
            traffic.write(directory, format="json")
            truth = {each.attack: each for each in traffic.truth}
            known[seed] = (analyzer.analyze(directory), truth)
        return known[seed]

    return judge


@pytest.mark.parametrize("seed", ATTACKED_SEEDS)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found(attacked: Callable[[int], Attacked], name: str, seed: int) -> None:
    source, rule, severity = ATTACKS[name]
    report, truths = attacked(seed)
    truth = truths[name]
    own = [f for f in report.findings if f.source == source and f.rule == rule]
    assert own, f"no {rule} finding about {source}"
    found = max(own, key=lambda finding: finding.score)
    assert found.severity >= severity
    if name != "connection_burst":  # a burst alone does not say what it is for
        assert truth.technique in {technique.id for technique in found.techniques}
    if rule == "dns_tunnel":
        assert truth.destination is not None
        assert truth.destination.endswith(found.subject)
    elif name != "connection_burst":
        assert found.destination == truth.destination
        assert found.port == truth.port or name in ("dga", "lateral_movement")
    # The benign traffic of the same host may belong to the same walk or window.
    assert found.first <= truth.end
    assert found.last >= truth.start


@pytest.mark.parametrize("seed", ATTACKED_SEEDS)
def test_nobody_else_is_found(attacked: Callable[[int], Attacked], seed: int) -> None:
    report, _ = attacked(seed)
    attackers = {source for source, _, _ in ATTACKS.values()}
    others = [f.message for f in report.findings if f.severity >= MEDIUM]
    assert [message for message in others if message.split()[0] not in attackers] == []


def judged(path: Path, *rules: str) -> Report:
    return analyzer.analyze(path, select_rules=rules)


def only(report: Report, minimum: Severity = LOW) -> Finding:
    (found,) = (finding for finding in report.findings if finding.severity >= minimum)
    return found


def first_of(report: Report) -> list[tuple[object, ...]]:
    """What is found at medium or above: rule, both hosts, port and technique."""
    return [
        (f.rule, f.source, f.destination, f.port, f.techniques[0].id)
        for f in report.findings
        if f.severity >= MEDIUM
    ]


def test_an_implant_whose_server_is_gone(data: Path) -> None:
    report = judged(data / "zeek/njrat-beacon/conn.log")
    assert first_of(report) == [("beacon", "192.168.1.115", "41.108.179.197", 1177, "T1571")]
    assert said(report) == {("beacon", "192.168.1.115"), ("persistent_failure", "192.168.1.115")}


def test_a_trojan_on_a_telephone(data: Path) -> None:
    report = judged(data / "zeek/android-rat-exfil")
    assert first_of(report) == [("exfiltration", "10.8.0.61", "147.32.83.234", 1337, "T1041")]


def test_generated_names_and_the_server_behind_them(data: Path) -> None:
    report = judged(data / "zeek/simda-dga")
    found = [f for f in report.findings if f.severity >= MEDIUM]
    assert {(f.rule, f.techniques[0].id) for f in found} == {("dga", "T1568.002")}
    assert {f.source for f in found} == {"192.168.1.116", "fd77:48a1:c0bb:0:b96c:506d:6c7f:e8be"}
    for each in found:
        behind = {item.name: item.observed for item in each.evidence}["addresses of most names"]
        assert str(behind).startswith("104.239.157.210 (")


@pytest.mark.parametrize(("number", "destination"), [(1, "141.193.213.21"), (2, "141.193.213.20")])
def test_a_scripted_beacon(golden: Path, number: int, destination: str) -> None:
    report = judged(golden / f"test-cc-capture-{number}.pcap")
    assert first_of(report) == [("beacon", "147.32.80.37", destination, 443, "T1071.001")]


def test_every_scan_of_nmap_is_by_the_scanner(data: Path) -> None:
    report = judged(data / "zeek/nmap-scans")
    assert {finding.source for finding in report.findings} == {"172.16.1.11"}
    by_rule = {finding.rule: finding.severity for finding in report.findings[::-1]}
    assert by_rule["block_scan"] is CRITICAL
    assert by_rule["address_scan"] is CRITICAL
    assert by_rule["ping_sweep"] is MEDIUM
    # Its retries are no beacons, which would make a compromised host of a scanner.
    assert not set(by_rule) & {"beacon", "compromised_host"}


def test_a_horizontal_scan_whose_targets_answer(data: Path) -> None:
    found = only(judged(data / "zeek/slips-horizontal-scan"))
    assert (found.rule, found.source, found.port) == ("fan_out", "10.0.2.112", 80)
    assert found.severity is MEDIUM
    assert found.message.startswith("10.0.2.112 reached 25 new outside hosts on 80/tcp")


def test_a_vertical_scan(data: Path) -> None:
    found = only(judged(data / "zeek/slips-vertical-scan"))
    assert (found.rule, found.source) == ("port_scan", "192.168.1.9")
    assert found.destination == "45.33.32.156"
    assert found.severity is CRITICAL
    assert [technique.id for technique in found.techniques] == ["T1046"]


def benign_partners(log: Path) -> set[str]:
    """Responders of the connections whose label says benign."""
    lines = log.read_text("utf-8").splitlines()
    names = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
    rows = csv.DictReader(
        (line for line in lines if not line.startswith("#")), names, delimiter="\t"
    )
    return {row["id.resp_h"] for row in rows if row["label"].lower() == "benign"}


@pytest.mark.parametrize("path", ["", "conn.log.labeled"], ids=["with ssl", "without"])
def test_scanners_of_the_open_internet(data: Path, path: str) -> None:
    report = judged(data / "zeek/mixed-labelled" / path)
    inbound = {f.source for f in report.findings if f.rule == "inbound_scan"}
    assert inbound >= {
        "104.156.155.13",
        "79.124.62.34",
        "79.124.62.110",
        "79.124.62.86",
        "218.75.31.110",
        "104.152.52.193",
        "185.156.72.48",
    }
    partners = benign_partners(data / "zeek/mixed-labelled/conn.log.labeled")
    assert len(partners) > 100
    assert {finding.source for finding in report.findings} & (partners - {"147.32.81.167"}) == set()
    assert [m for m in loud(report) if m.startswith("147.32.81.167 ")] == []


@pytest.mark.parametrize(
    "path",
    ["zeek/m57-benign", "formats/zed-sample/tsv", "formats/zed-sample/json", "formats/proxy",
     "formats/proxy_rolling"],
)  # fmt: skip
def test_ordinary_logs_raise_nothing(data: Path, path: str) -> None:
    report = judged(data / path)
    assert sum(report.records.values()) > 0
    assert loud(report) == []


@pytest.mark.parametrize("number", ["00", "03", "05"])
def test_ordinary_dns_raises_nothing(golden: Path, number: str) -> None:
    report = judged(golden / f"dns-normal-{number}.pcap")
    assert report.records["dns"] > 20_000
    assert loud(report) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [("tunnel-iodine-cname", "192.168.117.128"), ("tunnel-dnscat2-cname", "192.168.68.62")],
)
def test_dns_tunnels(golden: Path, name: str, source: str) -> None:
    found = only(judged(golden / f"{name}.pcap"))
    assert (found.rule, found.source, found.subject) == ("dns_tunnel", source, "ggy666.tk")
    assert found.severity is CRITICAL


@pytest.mark.parametrize(
    ("name", "source", "destination", "proto"),
    [
        ("ack_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("fin_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("ftp_bounce_scan", "192.168.1.25", "192.168.1.15", "tcp"),
        ("ip_protocol_scan", "192.168.1.10", "192.168.1.25", "unknown_transport"),
        ("null_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("rpc_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("tcp_connect_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("tcp_syn_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("udp_scan", "192.168.1.10", "192.168.1.25", "udp"),
        ("version_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("window_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("xmas_tree_scan", "192.168.1.10", "192.168.1.25", "tcp"),
        ("xscan_capture", "192.168.1.125", "192.168.1.120", "tcp"),
    ],
)
def test_port_scans_of_nmap(
    golden: Path, name: str, source: str, destination: str, proto: str
) -> None:
    report = judged(golden / f"nmap-{name}.pcap")
    assert {finding.source for finding in report.findings} == {source}
    found = next(finding for finding in report.findings if finding.proto == proto)
    assert (found.rule, found.source, found.destination) == ("port_scan", source, destination)
    assert found.severity is CRITICAL


def test_a_bot_that_scans_for_others(golden: Path) -> None:
    report = judged(golden / "test7-malicious.pcap")
    assert {finding.source for finding in report.findings} == {"192.168.2.16"}
    scans = {f.port: f for f in report.findings if f.rule == "address_scan"}
    assert set(scans) >= {23, 2323, 8080}
    for port, targets in ((23, 53), (8080, 40)):
        assert scans[port].severity is CRITICAL
        assert scans[port].message.startswith(f"192.168.2.16 tried {targets} hosts on {port}/tcp")


def test_a_ping_sweep(golden: Path) -> None:
    found = only(judged(golden / "icmp-sweep.pcap"))
    assert (found.rule, found.source, found.proto) == ("ping_sweep", "192.168.1.109", "icmp")
    assert found.techniques[0].id == "T1018"
    assert found.severity is MEDIUM


def seen(report: Report) -> list[tuple[object, ...]]:
    """What a report says, but for the ids of connections."""
    return sorted(
        (
            finding.rule,
            finding.source,
            str(finding.destination),
            str(finding.port),
            finding.subject,
            finding.severity,
            round(finding.score, 6),
            round(finding.first, 5),
            round(finding.last, 5),
            finding.message,
        )
        for finding in report.all_findings
    )


@pytest.mark.parametrize(
    "name",
    [
        "nmap-ack_scan",
        "nmap-fin_scan",
        "nmap-ftp_bounce_scan",
        "nmap-ip_protocol_scan",
        "nmap-null_scan",
        "nmap-rpc_scan",
        "nmap-tcp_connect_scan",
        "nmap-tcp_syn_scan",
        "nmap-udp_scan",
        "nmap-version_scan",
        "nmap-window_scan",
        "nmap-xmas_tree_scan",
        "nmap-xscan_capture",
        "test7-malicious",
        "icmp-sweep",
        "tunnel-iodine-cname",
        "tunnel-dnscat2-cname",
        "dns-normal-00",
    ],
)
def test_captures_tell_what_the_logs_of_zeek_tell(data: Path, golden: Path, name: str) -> None:
    from_capture = analyzer.analyze(data / "pcap" / f"{name}.pcap")
    from_logs = analyzer.analyze(golden / f"{name}.pcap")
    assert from_capture.records["conn"] == from_logs.records["conn"]
    assert seen(from_capture) == seen(from_logs)


SAMPLES = Path(__file__).parents[1] / "sample_pcaps"


@pytest.mark.parametrize(
    ("name", "source", "severity", "technique"),
    [
        ("address_scan", "10.20.1.13", CRITICAL, "T1046"),
        ("beacon", "10.20.1.10", MEDIUM, "T1071.001"),
        ("brute_force", "10.20.1.13", MEDIUM, "T1110.001"),
        ("dga", "10.20.1.14", CRITICAL, "T1568.002"),
        ("dns_tunnel", "10.20.1.11", HIGH, "T1071.004"),
        ("exfiltration", "10.20.1.12", MEDIUM, "T1048"),
        ("lateral_movement", "10.20.1.11", MEDIUM, "T1021.002"),
        ("port_scan", "10.20.1.12", CRITICAL, "T1046"),
    ],
)
def test_a_sample_capture_raises_one_finding(
    name: str, source: str, severity: Severity, technique: str
) -> None:
    report = analyzer.analyze(SAMPLES / f"{name}.pcap")
    (finding,) = [f for f in report.findings if f.severity >= MEDIUM]
    assert (finding.rule, finding.source) == (name, source)
    assert finding.severity >= severity
    assert technique in {each.id for each in finding.techniques}


def test_a_benign_hour_in_a_capture_raises_nothing() -> None:
    report = analyzer.analyze(SAMPLES / "office_hour.pcap")
    assert report.records["conn"] > 100
    assert report.findings == ()
