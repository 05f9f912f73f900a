"""Rules for a person to read: the list, a rule's page, and how its cases went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.mitre import ATTACK_VERSION, TACTICS
from analyzer.parameters import parameter_table
from analyzer.writers.page import Page, counted

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.rules import Rule


_WIDEST = 16  # columns of a value in the table of parameters


def render_list(rules: Sequence[Rule], console: Console) -> None:
    """Print a table of rules: id, level, techniques, title."""
    page = Page(console, verbose=True)
    rows = [[Text(heading) for heading in ("Rule", "Level", "Techniques", "Finds")]]
    for rule in rules:
        techniques = ", ".join(technique.id for technique in rule.techniques)
        cells = (rule.id, str(rule.level), techniques, rule.title)
        rows.append([page.text(cell) for cell in cells])
    page.table(rows, indent=0)


def render_page(rule: Rule, console: Console) -> None:
    """Print all about a rule: what it looks for, how, its parameters, false positives, sources."""
    page = Page(console, verbose=True)
    page.line(f"{rule.id}: {rule.title}", style="bold")
    for paragraph in rule.description.splitlines():
        page.table([[page.text(paragraph)]])
    console.print()
    page.table([[page.text(cell) for cell in row] for row in _facts(rule)])
    console.print()
    _parameters(page, rule)
    console.print()
    for heading, items in (
        ("False positives", rule.falsepositives),
        ("Sources", rule.references),
        ("Cases", [f"{case.name} ({_expected(case.benign)})" for case in rule.cases]),
    ):
        page.line(heading, indent=2)
        for item in items:
            # Left to the terminal to wrap, an address stays one that can be clicked and copied.
            console.print(Text("    - ") + page.text(item), soft_wrap=True)


def _parameters(page: Page, rule: Rule) -> None:
    """Print the parameters; a value too long for a column stands below them."""
    rows = [("Parameter", "Value", "Default", "Meaning")]
    below = []
    for name, value, default, meaning in parameter_table(rule.parameters):
        short = [text if len(text) <= _WIDEST else "(below)" for text in (value, default)]
        rows.append((name, short[0], short[1], meaning))
        below += [
            f"{name}{' by default' * place}: {text.removeprefix('[').removesuffix(']')}"
            for place, text in enumerate((value, default))
            if len(text) > _WIDEST
        ]
    page.table([[page.text(cell) for cell in row] for row in rows])
    for text in below:
        page.line(text, indent=2)


def _facts(rule: Rule) -> list[tuple[str, str]]:
    facts = [
        ("Notice", rule.notice),
        ("Level", f"at most {rule.level}"),
        ("Status", f"{rule.status}, {rule.date:%Y-%m-%d}, {rule.author}"),
    ]
    for index, technique in enumerate(rule.techniques):
        tactics = ", ".join(TACTICS[tactic].name for tactic in technique.tactics)
        label = f"ATT&CK {ATTACK_VERSION}" if index == 0 else ""
        facts.append((label, f"{technique.id} {technique.name} ({tactics})"))
    return [*facts, ("Detector", rule.detector)]


def _expected(benign: bool) -> str:  # noqa: FBT001 - a fact to put in words, not a switch
    return "must stay silent" if benign else "must be found"


def render_check(rule: Rule, wrong: Sequence[str], console: Console) -> None:
    """Print whether a rule's cases went as expected, and what did not."""
    page = Page(console, verbose=True)
    verdict = "FAILED" if wrong else "ok"
    page.line(f"{rule.id}: {counted(len(rule.cases), 'case')}, {verdict}")
    for failure in wrong:
        console.print(Text("  ") + page.text(failure), soft_wrap=True)
