"""Checking rules: their cases pass, or what went wrong is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.checking import check
from analyzer.detectors import PARAMETERS
from analyzer.errors import RuleError
from analyzer.rules import Rule, load_rule, load_rules, shipped_rules

CASES = """cases:
  - name: twenty silent hosts
    expect: {source: 10.0.0.5, port: 22, severity: medium}
    conn:
      - {count: 20, every: 3, orig_h: 10.0.0.5, resp_h: "10.0.1.{i+1}", resp_p: 22, conn_state: S0}
  - name: a quiet day
    expect: none
    conn:
      - {count: 20, every: 3, orig_h: 10.0.0.5, resp_h: "10.0.1.{i+1}", resp_p: 22}
"""


def rule(tmp_path: Path, cases: str, **replaced: str) -> Rule:
    """The shipped address scan rule with other cases."""
    head, _, _ = (shipped_rules() / "address_scan.yaml").read_text("utf-8").partition("cases:")
    for old, new in replaced.items():
        head = head.replace(old, new)
    file = tmp_path / "address_scan.yaml"
    file.write_text(head + cases, "utf-8")
    return load_rule(file, detectors=PARAMETERS)


def line(checked: Rule, name: str) -> int:
    (case,) = (case for case in checked.cases if case.name == name)
    return case.line


def test_cases_that_pass(tmp_path: Path) -> None:
    assert check(rule(tmp_path, CASES)) == []


def test_a_finding_that_is_missing(tmp_path: Path) -> None:
    checked = rule(tmp_path, CASES.replace("port: 22, severity", "port: 23, severity"))
    place = f"{checked.file}:{line(checked, 'twenty silent hosts')}: twenty silent hosts: "
    assert check(checked) == [
        (
            f"{place}expected 1 or more findings with source 10.0.0.5, port 23, severity at least "
            "medium, found 0; nearest is high finding on 10.0.0.5 port 22 "
            "(score 0.92, T1046, T1018)"
        ),
        f"{place}unexpected high finding on 10.0.0.5 port 22 (score 0.92, T1046, T1018)",
    ]


def test_a_finding_too_many(tmp_path: Path) -> None:
    checked = rule(tmp_path, CASES.replace("resp_p: 22}", "resp_p: 22, conn_state: REJ}"))
    assert check(checked) == [
        (
            f"{checked.file}:{line(checked, 'a quiet day')}: a quiet day: "
            "unexpected high finding on 10.0.0.5 port 22 (score 0.92, T1046, T1018)"
        )
    ]


def test_a_rule_that_judges_findings_needs_others_beside_it() -> None:
    rules = load_rules(detectors=PARAMETERS)
    (judging,) = (each for each in rules if each.id == "compromised_host")
    assert check(judging, beside=rules) == []
    (wrong,) = check(judging)
    assert "a scan, then a tunnel: expected 1 findings" in wrong


def test_a_level_that_is_too_low(tmp_path: Path) -> None:
    checked = rule(tmp_path, CASES, **{"level: critical": "level: low"})
    (wrong,) = check(checked)
    assert "twenty silent hosts: expected" in wrong
    assert "nearest is low finding" in wrong


def test_networks_of_a_case(tmp_path: Path) -> None:
    cases = CASES.replace("10.0.0.5", "203.0.113.5")
    checked = rule(tmp_path, cases)
    assert len(check(checked)) == 1
    cases = cases.replace("    conn:", "    local_nets: [203.0.113.0/24]\n    conn:", 1)
    assert check(rule(tmp_path, cases)) == []


def test_a_case_that_cannot_be_made(tmp_path: Path) -> None:
    """Neither the first nor the last row shows it, so it is found when the rows are made."""
    cases = CASES.replace("resp_p: 22, conn_state", 'resp_p: "{i%19}{i//7%2}{i%19}00", conn_state')
    checked = rule(tmp_path, cases)
    with pytest.raises(RuleError, match="case 'twenty silent hosts': resp_p must be an integer"):
        check(checked)
