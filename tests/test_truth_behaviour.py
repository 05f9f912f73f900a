"""What a baseline of three days knows of the fourth, clean, and of the fifth, with attacks."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

import analyzer
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.summary import summarise
from analyzer.engine import Engine
from analyzer.findings import Finding, Severity
from analyzer.parsers.reading import read
from analyzer.pipeline import run
from analyzer.public_suffix import suffix_rules
from analyzer.rules import Rule
from tests.traffic import MONDAY, Attack, office

DAY = 86_400.0
MORNING = 4 * DAY + 36_000.0
RULES = {
    "dns_habits",
    "duration_outlier",
    "exfiltration",
    "new_port",
    "outside_hosts",
    "port_share",
    "producer_consumer",
    "protocol_mix",
}
ATTACKS = (
    Attack("new_port", source="10.20.1.13", begin=MORNING),
    Attack("new_protocol", source="10.20.1.14", begin=MORNING),
    Attack("lateral_movement", source="10.20.1.15", begin=MORNING),
    Attack("connection_burst", source="10.20.1.16", begin=MORNING),
    # The second printer, which never sends anything.
    Attack("exfiltration", source="10.20.0.21", begin=MORNING, size=10_000_000_000),
    Attack("byte_burst", source="10.20.1.17", begin=MORNING),
    Attack("dga", source="10.20.1.18", begin=MORNING),
    # A web service on a port of its own, met once, is none.
    Attack("answered_scan", source="10.20.1.19", begin=MORNING, targets=1, port=8443),
)

Found = dict[str, dict[str, Severity]]


def loudest(findings: tuple[Finding, ...]) -> Found:
    found: Found = defaultdict(dict)
    for finding in findings:
        found[finding.source].setdefault(finding.rule, finding.severity)
    return found


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, Found]:
    directory: Path = tmp_path_factory.mktemp("office")
    office(21, hosts=30, days=5, attacks=ATTACKS).write(directory)
    rules: list[Rule] = [rule for rule in analyzer.load_rules() if rule.id in RULES]
    with Engine() as engine:
        read([directory], engine)
        past = engine.records(end=MONDAY + 3 * DAY)
        summary = summarise(past, lambda: past.keep(suffix_rules(), "suffix_rules"))
        baseline = Baseline().joined(summary)
        both = [
            loudest(run(engine.records(begin=begin, end=begin + DAY), rules, baseline).findings)
            for begin in (MONDAY + 3 * DAY, MONDAY + 4 * DAY)
        ]
    return both[0], both[1]


def test_the_clean_day_is_quiet(days: tuple[Found, Found]) -> None:
    clean, _ = days
    loud = [
        (source, rule)
        for source, rules in clean.items()
        for rule, severity in rules.items()
        if severity >= Severity.MEDIUM
    ]
    assert loud == []


@pytest.mark.parametrize(
    ("source", "rule", "severity"),
    [
        pytest.param("10.20.1.13", "new_port", Severity.MEDIUM, id="a port nobody uses"),
        pytest.param("10.20.1.14", "new_port", Severity.MEDIUM, id="IRC"),
        pytest.param("10.20.1.15", "new_port", Severity.LOW, id="administration"),
        pytest.param("10.20.1.16", "new_port", Severity.MEDIUM, id="a flood"),
        pytest.param("10.20.0.21", "exfiltration", Severity.CRITICAL, id="10 GB by a printer"),
        # It yields to what says why.
        pytest.param("10.20.0.21", "producer_consumer", Severity.LOW, id="the same, out and in"),
        pytest.param("10.20.1.17", "producer_consumer", Severity.LOW, id="staging"),
        pytest.param("10.20.1.18", "dns_habits", Severity.LOW, id="generated domains"),
    ],
)
def test_attacks(days: tuple[Found, Found], source: str, rule: str, severity: Severity) -> None:
    _, attacked = days
    assert attacked[source].get(rule, Severity.NONE) >= severity


def test_what_is_harmless_is_low_at_most(days: tuple[Found, Found]) -> None:
    _, attacked = days
    assert max(attacked["10.20.1.19"].values(), default=Severity.NONE) <= Severity.LOW
    # Who shares files has new ports every day.
    assert "new_port" not in attacked["10.20.1.11"]
