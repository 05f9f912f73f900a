"""The rules that ship: their cases pass, they are unique, documented, and cover the detectors."""

from __future__ import annotations

import dataclasses

import pytest

import analyzer
from analyzer.checking import check
from analyzer.detectors import PARAMETERS
from analyzer.findings import Severity
from analyzer.rules import Rule

RULES = analyzer.load_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_cases_pass(rule: Rule) -> None:
    assert check(rule, beside=RULES) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_documented(rule: Rule) -> None:
    assert rule.file.stem == rule.id
    assert rule.references
    assert all(reference.startswith("https://") for reference in rule.references)
    assert rule.falsepositives
    assert rule.techniques
    assert len(rule.description) > 80
    assert rule.level > Severity.NONE
    assert rule.status in ("stable", "test", "experimental")
    assert rule.modified is None or rule.modified >= rule.date
    assert {case.benign for case in rule.cases} == {True, False}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_parameters_are_those_of_the_detector(rule: Rule) -> None:
    declared = PARAMETERS[rule.detector]
    assert isinstance(rule.parameters, declared)
    assert dataclasses.replace(rule.parameters) == rule.parameters  # type: ignore[type-var]


def test_ids_titles_and_notices_are_unique() -> None:
    for attribute in ("id", "title", "notice", "description"):
        values = [getattr(rule, attribute) for rule in RULES]
        assert len(set(values)) == len(values), attribute


def test_rules_are_sorted() -> None:
    assert [rule.id for rule in RULES] == sorted(rule.id for rule in RULES)


def test_no_two_rules_look_for_the_same() -> None:
    looked_for = [(rule.detector, rule.parameters) for rule in RULES]
    assert len(set(looked_for)) == len(looked_for)


def test_every_detector_has_a_rule() -> None:
    assert {rule.detector for rule in RULES} == set(PARAMETERS)
