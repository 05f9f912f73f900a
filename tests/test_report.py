"""Reports: what is reported, and the data frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from analyzer.allowlist import parse_allowlist
from analyzer.findings import Finding, Severity
from analyzer.mitre import technique
from analyzer.report import Report
from tests.test_findings import SCAN


def finding(
    score: float, *, rule: str = "address_scan", source: str = "10.0.0.5", tactic: str = "T1046"
) -> Finding:
    return dataclasses.replace(
        SCAN, score=score, rule=rule, source=source, techniques=(technique(tactic),)
    )


def test_only_what_is_loud_enough_is_reported() -> None:
    findings = tuple(finding(score) for score in (0.96, 0.92, 0.85, 0.75, 0.1))
    reports = {
        severity: Report(all_findings=findings, minimum=severity).findings for severity in Severity
    }
    assert {severity: len(reported) for severity, reported in reports.items()} == {
        Severity.NONE: 5,
        Severity.LOW: 4,
        Severity.MEDIUM: 3,
        Severity.HIGH: 2,
        Severity.CRITICAL: 1,
    }
    report = Report(all_findings=findings, minimum=Severity.MEDIUM)
    assert dict(report.by_severity) == {
        Severity.CRITICAL: 1,
        Severity.HIGH: 1,
        Severity.MEDIUM: 1,
    }


def test_a_report_of_nothing() -> None:
    report = Report(all_findings=())
    assert (report.findings, report.hosts, dict(report.by_severity)) == ((), (), {})
    frame = report.dataframe()
    assert frame.empty
    assert frame.columns[:5].tolist() == ["id", "rule", "note", "severity", "score"]


def test_the_data_frame() -> None:
    frame = Report(all_findings=(finding(0.93), finding(0.1))).dataframe()
    assert len(frame) == 1
    assert frame.columns.tolist() == list(SCAN.as_dict())
    row = frame.iloc[0]
    assert row["first"] == pd.Timestamp("2023-11-14 22:13:20", tz="UTC")
    assert row["last"] - row["first"] == pd.Timedelta(seconds=400)
    assert row["techniques"] == ["T1046"]
    assert row["severity"] == "high"


def test_what_is_allowed_is_kept_but_not_reported() -> None:
    findings = (
        finding(0.96),
        finding(0.92, rule="dns_tunnel"),
        finding(0.85, source="10.0.0.9"),
        finding(0.1),
    )
    report = Report(all_findings=findings, minimum=Severity.HIGH)
    allowing = report.allowing(parse_allowlist("10.0.0.5 rule:address_scan\n10.0.0.9", "list"))
    assert allowing.all_findings == findings
    assert allowing.findings == (findings[1],)
    assert allowing.not_allowed == (findings[1],)
    assert [(each.finding.score, each.entry.location.line) for each in allowing.allowed] == [
        (0.96, 1),
        (0.85, 2),
        (0.1, 1),
    ]
    assert [each.finding.score for each in allowing.silenced] == [0.96]
    assert [(rank.host, rank.rules) for rank in allowing.hosts] == [("10.0.0.5", ("dns_tunnel",))]
    assert dict(allowing.by_severity) == {Severity.HIGH: 1}
    assert len(allowing.dataframe()) == 1


def test_another_allowlist_takes_the_place_of_the_one_before() -> None:
    report = Report(all_findings=(finding(0.96),)).allowing(parse_allowlist("10.0.0.5"))
    assert report.findings == ()
    again = report.allowing(parse_allowlist("10.0.0.6"))
    assert (len(again.findings), len(again.hosts), again.allowed) == (1, 1, ())


def test_what_is_allowed_adds_up_to_nothing() -> None:
    findings = (finding(0.92), finding(0.91, rule="dns_tunnel"))

    def add_up(found: Sequence[Finding]) -> list[Finding]:
        return [finding(0.97, rule="compromised_host")] if len(found) > 1 else []

    report = Report(
        all_findings=findings, summed=frozenset({"compromised_host"}), add_up=add_up
    ).allowing(parse_allowlist(""))
    assert [each.rule for each in report.findings] == [
        "compromised_host",
        "address_scan",
        "dns_tunnel",
    ]
    assert [rank.rules for rank in report.hosts] == [("address_scan", "dns_tunnel")]
    without = report.allowing(parse_allowlist("rule:dns_tunnel"))
    assert [each.rule for each in without.findings] == ["address_scan"]
    silent = report.allowing(parse_allowlist("rule:compromised_host"))
    assert [each.rule for each in silent.findings] == ["address_scan", "dns_tunnel"]
    assert report.allowing(parse_allowlist("")) == report
