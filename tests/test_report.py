"""Reports: what is reported, how hosts rank, and the data frame."""

from __future__ import annotations

import dataclasses
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.allowlist import parse_allowlist
from analyzer.findings import Finding, Severity
from analyzer.mitre import technique
from analyzer.report import Report, rank_hosts
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


def test_rules_combine_and_repeats_do_not() -> None:
    findings = [
        finding(0.8, rule="address_scan"),
        finding(0.9, rule="address_scan"),
        finding(0.7, rule="dns_tunnel", tactic="T1071.004"),
        finding(0.96, source="10.0.0.9"),
    ]
    first, second = rank_hosts(findings)
    assert (first.host, first.findings) == ("10.0.0.5", 3)
    assert first.score == pytest.approx(1 - 0.1 * 0.3)
    assert first.rules == ("address_scan", "dns_tunnel")
    assert first.tactics == ("TA0007", "TA0011")
    assert (second.host, second.findings) == ("10.0.0.9", 1)
    assert second.score == pytest.approx(0.96)


def test_ties_are_broken_by_number_and_name() -> None:
    findings = [
        finding(0.8, source="10.0.0.3"),
        finding(0.8, source="10.0.0.2"),
        finding(0.8, source="10.0.0.9"),
        finding(0.8, source="10.0.0.9"),
    ]
    assert [rank.host for rank in rank_hosts(findings)] == ["10.0.0.9", "10.0.0.2", "10.0.0.3"]


def test_no_findings_rank_no_hosts() -> None:
    assert rank_hosts([]) == ()


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from("abc"), st.sampled_from(["10.0.0.1", "::1"])),
        max_size=12,
    )
)
def test_a_host_is_at_least_as_sure_as_its_loudest_finding(
    drawn: list[tuple[float, str, str]],
) -> None:
    findings = [finding(score, rule=rule, source=source) for score, rule, source in drawn]
    ranks = rank_hosts(findings)
    assert sorted(rank.host for rank in ranks) == sorted({source for _, _, source in drawn})
    assert [rank.score for rank in ranks] == sorted((rank.score for rank in ranks), reverse=True)
    for rank in ranks:
        own = [each for each in findings if each.source == rank.host]
        assert rank.findings == len(own)
        loudest = max(each.score for each in own)
        assert loudest - 1e-12 <= rank.score <= 1
        assert sorted(rank.rules) == sorted({each.rule for each in own})
        if len(rank.rules) == 1:
            assert math.isclose(rank.score, loudest, abs_tol=1e-12)


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
