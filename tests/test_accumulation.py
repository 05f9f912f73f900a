"""The stage that judges findings: who is outside, and what findings it makes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

import analyzer
from analyzer.accumulation import accumulated, outside_sources
from analyzer.detectors import Shared
from analyzer.findings import ConnectionId, Severity
from analyzer.pipeline import run
from tests.test_detectors import connection, holding, lookup
from tests.test_hosts import beacon, finding, scan

RULES = {rule.id: rule for rule in analyzer.load_rules()}
RULE = RULES["compromised_host"]
BEST = ConnectionId("C1", "10.0.0.5", 40000, "10.0.1.9", 445, "tcp")


def test_sources_are_outside_by_what_zeek_said_and_by_their_address() -> None:
    rows = [
        connection(0, "198.51.100.7", "10.0.0.1", 22, local_orig=True, local_resp=True),
        connection(1, "203.0.113.9", "10.0.0.1", 22, local_orig=False, local_resp=True),
        connection(2, "10.0.0.5", "203.0.113.9", 22, local_orig=True, local_resp=False),
    ]
    sources = ("198.51.100.7", "203.0.113.9", "10.0.0.5", "10.0.0.77", "192.0.2.1")
    findings = [finding(0.9, source=source) for source in sources]
    with holding(rows) as records:
        assert outside_sources(findings, records, Shared()) == {"203.0.113.9", "192.0.2.1"}
        assert outside_sources([], records, Shared()) == frozenset()
    with holding() as records:
        assert outside_sources(findings, records, Shared()) == {
            "198.51.100.7",
            "203.0.113.9",
            "192.0.2.1",
        }


def test_a_finding_shows_what_it_rests_on() -> None:
    findings = [
        replace(beacon(0.85), uids=("B1", "B2", "B3")),
        replace(scan(0.9), uids=("S1", "S2", "S3", "S4"), best=BEST),
    ]
    (found,) = accumulated([RULE], findings, ())
    assert (found.rule, found.note) == ("compromised_host", "ZeekAnalyzer::Compromised_Host")
    assert found.uids == ("S1", "B1", "S2", "B2", "S3")
    assert found.best == BEST
    assert [technique.id for technique in found.techniques] == ["T1046", "T1071.001"]
    assert found.severity is Severity.CRITICAL
    assert accumulated([RULE], findings[::-1], ()) == [found]
    assert accumulated([RULES["address_scan"]], findings, ()) == []


def test_a_rule_is_no_louder_than_its_level() -> None:
    (found,) = accumulated([replace(RULE, level=Severity.MEDIUM)], [beacon(0.9), scan(0.9)], ())
    assert found.severity is Severity.MEDIUM
    (bare,) = accumulated(
        [RULE], [replace(each, techniques=()) for each in (beacon(0.99), scan(0.99))], ()
    ) or (None,)
    assert bare is not None
    assert bare.techniques == RULE.techniques


def test_the_pipeline_judges_findings_last_and_ranks_without_the_sum() -> None:
    conn = [connection(k, "10.0.0.5", f"10.1.0.{k + 1}", 22, answered=False) for k in range(60)]
    labels = (hashlib.sha256(str(k).encode()).hexdigest()[:60] for k in range(400))
    dns = [
        lookup(7200 + 2 * k, "10.0.0.5", f"{label}.example.com") for k, label in enumerate(labels)
    ]
    with holding(conn, dns) as records:
        report = run(records, list(RULES.values()))
        backwards = run(records, list(RULES.values())[::-1])
    assert backwards.all_findings == report.all_findings
    (found,) = [each for each in report.findings if each.rule == "compromised_host"]
    (rank,) = report.hosts
    assert (found.source, rank.host) == ("10.0.0.5", "10.0.0.5")
    assert found.score == pytest.approx(rank.score, abs=1e-6)
    assert (rank.rules, rank.groups) == (("address_scan", "dns_tunnel"), 2)
    assert found.uids
    assert {technique.id for technique in found.techniques} == {"T1046", "T1071.004"}
