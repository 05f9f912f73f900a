"""Reports: what is reported, and the data frame."""

from __future__ import annotations

import dataclasses

import pandas as pd

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
