"""Threat intelligence, allowlists and context on real traffic and on a generated office."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import analyzer
from analyzer.findings import Severity
from tests.traffic import office

if TYPE_CHECKING:
    from analyzer.report import Report

HEAD = "#fields\tindicator\tindicator_type\tmeta.source\n"
RULES = ["threat_intelligence*"]

LOUD = Severity.MEDIUM


def listed(folder: Path, *rows: tuple[str, str]) -> Path:
    file = folder / "intel.dat"
    file.write_text(HEAD + "".join(f"{text}\tIntel::{kind}\ta feed\n" for text, kind in rows))
    return file


def said(report: Report, severity: Severity = LOUD) -> set[tuple[str, str, str, str | None, str]]:
    """What was found: rule, technique, source, destination and subject."""
    return {
        (f.rule, f.techniques[0].id, f.source, f.destination, f.subject)
        for f in report.findings
        if f.severity >= severity
    }


def test_where_njrat_calls(data: Path, tmp_path: Path) -> None:
    file = listed(tmp_path, ("41.108.0.0/16", "SUBNET"), ("198.51.100.7", "ADDR"))
    report = analyzer.analyze(
        data / "zeek" / "njrat-beacon" / "conn.log", intelligence=[file], select_rules=RULES
    )
    contact = ("threat_intelligence", "T1071", "192.168.1.115", "41.108.179.197", "41.108.0.0/16")
    assert said(report) == {contact}
    (found,) = (f for f in report.findings if f.destination == "41.108.179.197")
    assert found.connections == 237
    assert (found.port, found.severity) == (1177, Severity.MEDIUM)


def test_where_simda_calls(data: Path, tmp_path: Path) -> None:
    file = listed(tmp_path, ("104.239.157.210", "ADDR"), ("23.253.126.58", "ADDR"))
    report = analyzer.analyze(data / "zeek" / "simda-dga", intelligence=[file], select_rules=RULES)
    assert {(f[0], f[2], f[3]) for f in said(report, Severity.HIGH)} == {
        ("threat_intelligence", "192.168.1.116", "104.239.157.210"),
        ("threat_intelligence", "192.168.1.116", "23.253.126.58"),
    }
    # The names that led there stand in the evidence, or in the finding.
    assert all(f.looked_up_as for f in report.findings if f.rule == "threat_intelligence")


@pytest.mark.parametrize("tunnel", ["tunnel-iodine-cname", "tunnel-dnscat2-cname"])
def test_a_tunnel_to_a_listed_domain_is_raised(data: Path, tmp_path: Path, tunnel: str) -> None:
    capture = data / "pcap" / f"{tunnel}.pcap"
    file = listed(tmp_path, ("ggy666.tk", "DOMAIN"))
    chosen = ["dns_tunnel", *RULES]
    alone = analyzer.analyze(capture, select_rules=chosen)
    report = analyzer.analyze(capture, select_rules=chosen, intelligence=[file])
    (before,) = (f for f in alone.findings if f.rule == "dns_tunnel" and f.subject == "ggy666.tk")
    (after,) = (f for f in report.findings if f.identifier == before.identifier)
    assert after.score == pytest.approx(1 - (1 - before.score) / 2)
    assert "other side listed by" in {item.name for item in after.evidence}
    assert {f.subject for f in report.findings if f.rule != "dns_tunnel"} == {"ggy666.tk"}


def test_listed_scanners_are_the_weather(data: Path, tmp_path: Path) -> None:
    file = listed(tmp_path, ("104.156.155.13", "ADDR"))
    logs = data / "zeek" / "mixed-labelled"
    report = analyzer.analyze(logs, intelligence=[file], select_rules=RULES)
    assert said(report) == set()


def test_an_office_that_meets_nothing_listed(data: Path, tmp_path: Path) -> None:
    rows = [(f"bad{k}.example", "DOMAIN") for k in range(2000)]
    rows += [(f"233.252.{k % 250}.{k // 250}", "ADDR") for k in range(2000)]
    file = listed(tmp_path, *rows, ("233.252.0.0/16", "SUBNET"))
    report = analyzer.analyze(data / "zeek" / "m57-benign", intelligence=[file], select_rules=RULES)
    assert report.all_findings == ()


def test_a_beacon_of_an_office_and_the_site_that_allows_it(tmp_path: Path) -> None:
    traffic = office(11, hosts=20, attacks=["beacon"])
    logs = tmp_path / "logs"
    logs.mkdir()
    traffic.write(logs)
    (truth,) = traffic.truth
    server = truth.destination
    file = listed(tmp_path, (str(server), "ADDR"))
    report = analyzer.analyze(logs, intelligence=[file], select_rules=RULES)
    assert {(f.source, f.destination) for f in report.findings} == {(truth.source, server)}
    (found,) = report.findings
    assert found.severity is Severity.HIGH
    assert {"local hosts that met it", "first met"} <= {item.name for item in found.evidence}
    entry = f"source:{truth.source} {server}:{found.port} rule:threat_*"
    allow = tmp_path / "allow.txt"
    allow.write_text(f"{entry}\n")
    quiet = report.allowing(analyzer.read_allowlists([allow]))
    assert (quiet.findings, quiet.hosts) == ((), ())
    assert [str(each.entry) for each in quiet.silenced] == [
        f"source:{truth.source} destination:{server}:{found.port} rule:threat_*"
    ]
