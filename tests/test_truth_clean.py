"""Clean offices raise next to nothing."""

from __future__ import annotations

from pathlib import Path

import analyzer
from analyzer.report import Report
from tests.test_truth import loud
from tests.traffic import MONDAY, office

# The first night's backup of an office: on one day nobody knows that it comes every night.
BACKUP = ("exfiltration", "10.20.0.15")


def said(report: Report) -> set[tuple[str, str]]:
    return {(finding.rule, finding.source) for finding in report.findings}


def test_a_clean_day_shows_its_backup_at_most(tmp_path: Path) -> None:
    office(2, hosts=120).write(tmp_path)
    report = analyzer.analyze(tmp_path)
    assert report.records["conn"] > 500_000
    assert report.account is not None
    assert loud(report) == []
    assert said(report) == {BACKUP}


def test_three_clean_days_explain_the_backup(tmp_path: Path) -> None:
    office(6, hosts=40, days=3).write(tmp_path)
    report = analyzer.analyze(tmp_path)
    assert report.records["conn"] > 400_000
    assert loud(report) == []
    assert BACKUP not in said(report)
    assert len(report.findings) <= 5
    first_day = analyzer.analyze(tmp_path, end=MONDAY + 86_400.0)
    assert loud(first_day) == []
    assert said(first_day) == {BACKUP}
