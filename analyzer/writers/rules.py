"""Rules for a person to read: the list, a rule's page, and how its cases went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.mitre import ATTACK_VERSION, TACTICS
from analyzer.parameters import parameter_table

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.rules import Rule


def render_list(rules: Sequence[Rule], console: Console) -> None:
    """One line a rule: id, level, techniques, title."""
    table = Table(box=None, pad_edge=False)
    for heading in ("Rule", "Level", "Techniques", "Finds"):
        table.add_column(heading, no_wrap=heading != "Finds")
    for rule in rules:
        techniques = ", ".join(technique.id for technique in rule.techniques)
        table.add_row(rule.id, str(rule.level), Text(techniques), Text(rule.title))
    console.print(table)


def render_page(rule: Rule, console: Console) -> None:
    """All about one rule: what it looks for, how, its parameters, false positives and sources."""
    console.print(Text(f"{rule.id}: {rule.title}", style="bold"))
    console.print(Padding(Text(rule.description), (0, 0, 1, 2)))
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(no_wrap=True)
    facts.add_column()
    facts.add_row("Notice", Text(rule.notice))
    facts.add_row("Level", f"at most {rule.level}")
    facts.add_row("Status", f"{rule.status}, {rule.date:%Y-%m-%d}, {rule.author}")
    for index, technique in enumerate(rule.techniques):
        tactics = ", ".join(TACTICS[tactic].name for tactic in technique.tactics)
        label = f"ATT&CK {ATTACK_VERSION}" if index == 0 else ""
        facts.add_row(label, Text(f"{technique.id} {technique.name} ({tactics})"))
    facts.add_row("Detector", rule.detector)
    console.print(Padding(facts, (0, 0, 1, 2)))
    parameters = Table(box=None, pad_edge=False)
    for heading in ("Parameter", "Value", "Default", "Meaning"):
        parameters.add_column(heading, no_wrap=heading == "Parameter")
    for row in parameter_table(rule.parameters):
        parameters.add_row(*(Text(cell) for cell in row))
    console.print(Padding(parameters, (0, 0, 1, 2)))
    for heading, items in (
        ("False positives", rule.falsepositives),
        ("Sources", rule.references),
        ("Cases", [f"{case.name} ({_expected(case.benign)})" for case in rule.cases]),
    ):
        console.print(Text(f"  {heading}"))
        for item in items:
            console.print(Text(f"    - {item}"), soft_wrap=True)


def _expected(benign: bool) -> str:  # noqa: FBT001 - a fact to put in words, not a switch
    return "must stay silent" if benign else "must be found"


def render_check(
    rules: Sequence[Rule], failures: Mapping[str, Sequence[str]], console: Console
) -> None:
    """One line a rule: whether its cases went as expected, and what did not."""
    for rule in rules:
        wrong = failures[rule.id]
        verdict = "FAILED" if wrong else "ok"
        console.print(Text(f"{rule.id}: {len(rule.cases)} cases, {verdict}"))
        for failure in wrong:
            console.print(Text(f"  {failure}"), soft_wrap=True)
