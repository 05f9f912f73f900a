"""Running a rule's own test cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.cases import failures, rows
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
            report = run(engine.records(networks, indicators=case.indicators), rules)
        wrong += [
            f"{case.file}:{case.line}: {case.name}: {failure}"
            for failure in failures(case, report.all_findings, rule.id)
        ]
    return wrong
