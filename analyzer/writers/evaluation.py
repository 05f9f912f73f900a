"""An evaluation for a person at a terminal, under the same care as the summary of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.writers.page import Page, counted
from analyzer.writers.problems import render_problems

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.parsers.account import Account
    from analyzer.proposals import Proposal
    from analyzer.quality import Attack, Confusion, Quality, RuleQuality
    from analyzer.report import Report


def render_evaluation(
    report: Report,
    quality: Quality | None,
    proposals: Sequence[Proposal],
    account: Account | None,
    console: Console,
    *,
    verbose: bool = False,
) -> None:
    """Print how good the findings of a run are.

    Args:
        report: the run.
        quality: the figures against labels, if there are labels.
        proposals: thresholds to try.
        account: what became of the labels' files.
        console: where to print.
        verbose: show everything, not only the first of each list.
    """
    page = Page(console, verbose=verbose)
    read = ", ".join(f"{number:,} {log}" for log, number in report.records.items())
    findings = counted(len(report.findings), "finding")
    page.line(f"Evaluated {findings} at {report.minimum} or above, of {read} records", style="bold")
    if quality is not None:
        page.line(
            f"Connections: {quality.attack:,} attack, {quality.benign:,} benign, "
            f"{quality.unknown:,} labelled as unknown, {quality.unlabelled:,} without a label"
        )
        _rates(page, quality)
        _rules(page, quality.rules)
        _attacks(page, quality.attacks)
        _missed(page, quality)
        _false_alarms(page, quality)
    _proposals(page, proposals, labelled=quality is not None)
    for books in (report.account, account):
        if books is not None:
            render_problems(page, books)


def _rates(page: Page, quality: Quality) -> None:
    page.heading("All rules together")
    names = ("Unit", "attacks found", "rate", "false alarms", "rate", "precision", "F1")
    rows = [[Text(name) for name in names]]
    for unit, confusion in (
        ("connection", quality.connections),
        ("host and day", quality.host_days),
    ):
        attacks = confusion.true_positives + confusion.false_negatives
        benign = confusion.false_positives + confusion.true_negatives
        found = Text(f"{confusion.true_positives:,} of {attacks:,}")
        false = Text(f"{confusion.false_positives:,} of {benign:,}")
        rows.append([Text(unit), *_figures(confusion, found, false)])
    number, detected = len(quality.attacks), quality.attacks_detected
    share = _rate(detected / number if number else None)
    none = [Text()] * 4
    rows.append([Text("attack (label)"), Text(f"{detected:,} of {number:,}"), share, *none])
    page.table(rows, right=range(1, len(names)))
    if quality.reported_unknown:
        what = counted(quality.reported_unknown, "connection")
        page.line(f"Reported, but nobody knows: {what}.", indent=2)


def _rules(page: Page, rules: Sequence[RuleQuality]) -> None:
    if not rules:
        return
    page.heading("By rule, over connections (host days where a rule judges findings)")
    names = ("Rule", "findings", "found", "rate", "false", "rate", "precision", "F1")
    rows = [[Text(name) for name in names]]
    for rule in rules:
        confusion = rule.connections or rule.host_days
        found = Text(f"{confusion.true_positives:,}")
        false = Text(f"{confusion.false_positives:,}")
        figures = _figures(confusion, found, false)
        rows.append([page.text(rule.rule), Text(f"{rule.findings:,}"), *figures])
    page.table(rows, right=range(1, len(names)))


def _attacks(page: Page, attacks: Sequence[Attack]) -> None:
    if not attacks:
        return
    page.heading("Attacks by label")
    names = ("Label", "detected", "connections", "of", "sources", "of", "missed")
    rows = [[Text(name) for name in names]]
    for attack in attacks[: page.limit]:
        numbers = (attack.detected, attack.connections, attack.sources_detected, attack.sources)
        counts = [Text(f"{number:,}") for number in numbers]
        share = _rate(attack.detected / attack.connections)
        missed = page.text(", ".join(attack.missed_uids))
        rows.append([page.text(attack.label), share, *counts, missed])
    page.table(rows, right=range(1, 6))
    page.more(len(attacks), "label")


def _missed(page: Page, quality: Quality) -> None:
    if not quality.missed:
        return
    page.heading("Missed, by host")
    single = sum(1 for missed in quality.missed if missed.connections == 1)
    if single:
        page.line(
            f"{single:,} of {counted(len(quality.missed), 'host')} with one connection each.",
            indent=2,
        )
    rows = [[Text(name) for name in ("Host", "connections", "Label", "uids")]]
    for missed in quality.missed[: page.limit]:
        cells = (missed.host, f"{missed.connections:,}", missed.label, ", ".join(missed.uids))
        rows.append([page.text(cell) for cell in cells])
    page.table(rows, right=(1,))
    page.more(len(quality.missed), "host")


def _false_alarms(page: Page, quality: Quality) -> None:
    if not quality.false_alarms:
        return
    page.heading("Benign connections that are reported")
    rows = [[Text(name) for name in ("Rule", "connections", "sources", "Label")]]
    for alarm in quality.false_alarms[: page.limit]:
        cells = (alarm.rule, f"{alarm.connections:,}", f"{alarm.sources:,}", alarm.label)
        rows.append([page.text(cell) for cell in cells])
    page.table(rows, right=(1, 2))
    page.more(len(quality.false_alarms), "kind")


def _proposals(page: Page, proposals: Sequence[Proposal], *, labelled: bool) -> None:
    if not proposals:
        return
    on_what = "precision and recall over findings" if labelled else "the tail of the findings"
    page.heading(f"Thresholds to try, from {on_what}; nothing was changed")
    for proposal in proposals:
        page.line(f"{proposal.rule}, {counted(proposal.findings, 'finding')}", indent=2)
        for words in proposal.words:
            page.line(words, indent=4)


def _figures(confusion: Confusion, found: Text, false: Text) -> list[Text]:
    """What was found and what falsely, each with its rate, precision and F1."""
    rates = (confusion.recall, confusion.false_alarm_rate, confusion.precision, confusion.f1)
    detected, false_alarms, precision, f1 = map(_rate, rates)
    return [found, detected, false, false_alarms, precision, f1]


def _rate(rate: float | None) -> Text:
    if rate is None:
        return Text("-")
    # What is not all or nothing must not look it.
    text = f"{rate:.1%}"
    if text == "100.0%" and rate < 1:
        return Text(">99.9%")
    return Text("<0.1%") if text == "0.0%" and rate > 0 else Text(text)
