"""Running a rule's own test cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.summary import summarise
from analyzer.cases import Case, failures, learned_rows, rows
from analyzer.detectors import ACCUMULATORS
from analyzer.engine import Engine
from analyzer.networks import parse_networks
from analyzer.pipeline import run

if TYPE_CHECKING:
    from analyzer.rules import Rule


def check(rule: Rule, beside: Sequence[Rule] = ()) -> list[str]:
    """Run the pipeline over every case of a rule; what came out wrong, each with its place.

    Args:
        rule: the rule.
        beside: the rules whose findings it judges, if it is one that judges findings.

    Raises:
        RuleError: a case cannot be expanded into rows.
    """
    wrong = []
    others = [other for other in beside if other is not rule]
    rules = [*others, rule] if rule.detector in ACCUMULATORS else [rule]
    for case in rule.cases:
        with Engine() as engine:
            for log, table in rows(case).items():
                engine.insert(log, table)
            networks = parse_networks(case.local_nets)
            records = engine.records(networks, indicators=case.indicators)
            report = run(records, rules, _learned(case))
        wrong += [
            f"{case.file}:{case.line}: {case.name}: {failure}"
            for failure in failures(case, report.all_findings, rule.id)
        ]
    return wrong


def _learned(case: Case) -> Baseline | None:
    """The baseline of a case, if it has one."""
    if not case.learned:
        return None
    with Engine() as engine:
        for log, table in learned_rows(case).items():
            engine.insert(log, table)
        records = engine.records(parse_networks(case.local_nets))
        summary = summarise(records)
    return Baseline().joined(summary)
