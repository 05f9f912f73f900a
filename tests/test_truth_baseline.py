"""An office that was learned for three days: what a baseline tells of it, from end to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import analyzer
from analyzer.cli import main
from analyzer.findings import Finding, Severity
from analyzer.report import Report
from benchmarks.detection.baselines import compares, finds
from tests.traffic import MONDAY, Attack, Traffic, office

DAY = 86_400.0
CLEAN, BAD = MONDAY + 3 * DAY, MONDAY + 4 * DAY
HOSTS = 24

ATTACKS = (
    Attack("exfiltration", begin=4 * DAY + 10 * 3600, source="10.20.1.20"),
    Attack("off_hours", begin=4 * DAY + 3 * 3600, source="10.20.1.16"),
    Attack("new_port", begin=4 * DAY + 11 * 3600, source="10.20.1.17"),
    Attack("new_protocol", begin=4 * DAY + 12 * 3600, source="10.20.1.18"),
    Attack("answered_scan", begin=4 * DAY + 13 * 3600, source="10.20.1.15"),
    Attack("connection_burst", begin=4 * DAY + 14 * 3600, source="10.20.1.14"),
    Attack("lateral_movement", begin=4 * DAY + 16 * 3600, source="10.20.1.21", targets=6),
    Attack("exfiltration", begin=4 * DAY + 17 * 3600, size=10_000_000_000, source="10.20.0.1"),
)


@dataclass(frozen=True)
class Office:
    """Logs of five days, the attacks of the last, and a baseline of the first three."""

    logs: Path
    traffic: Traffic
    baseline: Path


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Learned without looking for attacks, as there are none in these days."""
    directory = tmp_path_factory.mktemp("office")
    traffic = office(31, hosts=HOSTS, days=5, attacks=ATTACKS)
    traffic.write(directory / "logs")
    baseline = directory / "baseline"
    analyzer.learn(directory / "logs", baseline, protected=False, begin=MONDAY, end=CLEAN)
    return Office(directory / "logs", traffic, baseline)


@pytest.fixture(scope="module")
def bad_day(learned: Office) -> Report:
    """The day of the attacks."""
    return analyzer.analyze(learned.logs, baseline=learned.baseline, begin=BAD)


def test_every_attack_that_a_baseline_can_know_is_found(learned: Office, bad_day: Report) -> None:
    missed = [
        truth.attack
        for truth in learned.traffic.truth
        if not any(finds(finding, truth) for finding in bad_day.findings)
    ]
    assert missed == []
    (large,) = (t for t in learned.traffic.truth if t.source == "10.20.0.1")
    assert max(f.severity for f in bad_day.findings if finds(f, large)) is Severity.CRITICAL


def test_rules_that_compare_see_them_too(learned: Office, bad_day: Report) -> None:
    found = {
        truth.attack
        for truth in learned.traffic.truth
        if any(finds(f, truth) and compares(f) for f in bad_day.all_findings)
    }
    assert found >= {"exfiltration", "off_hours", "new_port", "new_protocol", "lateral_movement"}


def test_a_clean_day_is_quiet(learned: Office) -> None:
    report = analyzer.analyze(learned.logs, baseline=learned.baseline, begin=CLEAN, end=BAD)
    loud = [(f.rule, f.source) for f in report.findings if f.severity >= Severity.MEDIUM]
    assert loud == []


def test_a_baseline_of_keyed_hashes_says_the_same(
    learned: Office, bad_day: Report, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"a secret of the site, long enough")
    hashed = tmp_path / "hashed"
    analyzer.learn(learned.logs, hashed, protected=False, end=CLEAN, anonymise=True, key_file=key)
    assert b"10.20.1.20" not in hashed.read_bytes()
    report = analyzer.analyze(learned.logs, baseline=hashed, key_file=key, begin=BAD)
    said = {(f.rule, f.source, f.destination, f.port) for f in report.findings}
    plain = {(f.rule, f.source, f.destination, f.port) for f in bad_day.findings}
    # Which connections are in a sample depends on nothing but their times.
    assert said == plain


def test_what_was_called_harmless_is_no_longer_said(
    learned: Office, bad_day: Report, tmp_path: Path
) -> None:
    def is_port(finding: Finding) -> bool:
        return finding.rule == "new_port" and finding.source == "10.20.1.17"

    (before,) = filter(is_port, bad_day.findings)
    copy = tmp_path / "baseline"
    copy.write_bytes(learned.baseline.read_bytes())
    out = tmp_path / "out"
    analyze: list[str] = ["analyze", str(learned.logs), "--from", str(BAD), "--baseline", str(copy)]
    assert main([*analyze, "--out", str(out), "-q"]) == 0
    findings = out / "findings.jsonl"
    said = ["--findings", str(findings), "--by", "anna", "-q"]
    assert main(["feedback", before.identifier, "--benign", "--baseline", str(copy), *said]) == 0
    report = analyzer.analyze(learned.logs, baseline=copy, begin=BAD)
    assert not any(is_port(finding) for finding in report.findings)
    (after,) = filter(is_port, report.all_findings)
    assert after.score < Severity.LOW.bound < before.score
    assert any("anna" in str(item.observed) for item in after.evidence)
    upload: Callable[[Report], list[float]] = lambda r: [  # noqa: E731 - of two reports
        f.score for f in r.findings if f.rule == "exfiltration"
    ]
    assert upload(report) == upload(bad_day)
