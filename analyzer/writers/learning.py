"""What became of records that a baseline was to learn, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from analyzer.writers.page import Page, counted
from analyzer.writers.problems import render_problems

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.learned import Learned


def render_learned(learned: Learned, console: Console, *, verbose: bool = False) -> None:
    """Print what was learned, what was left out and why, and what the baseline holds now.

    Args:
        learned: what became of the records.
        console: where to print.
        verbose: show every line skipped, not only the first few.
    """
    page = Page(console, verbose=verbose)
    if sum(learned.records.values()):
        hosts = counted(learned.hosts, "local host")
        days = counted(len(learned.days), "day")
        page.line(f"Learned {_records(learned.records)} of {hosts} and {days}", style="bold")
    else:
        page.line("Learned nothing new", style="bold")
    for what, why in (
        (learned.known, "were known already"),
        (learned.partly, "cannot be told from known records of their hour"),
        (learned.outdated, "are of days before the window"),
        (learned.ahead, "are of times still to come"),
        (learned.flagged, f"are what {counted(learned.findings, 'finding')} found wrong"),
    ):
        if sum(what.values()):
            page.line(f"Left out: {_records(what)} {why}", indent=2)
    if learned.gone:
        page.line(f"{_days(learned.gone)} left the window", indent=2)
    for source, measure, number, factor in learned.rising:
        page.line(
            f"Rising day by day: {measure.replace('_', ' ')} of {source}, {factor:,.1f} times in "
            f"{number} days",
            indent=2,
        )
    baseline = learned.baseline
    held = _days(baseline.days) if baseline.days else "no day yet"
    state = "holds" if learned.changed else "is as it was and holds"
    page.line(f"{learned.path} {state} {held}, of a window of {counted(baseline.window, 'day')}")
    render_problems(page, learned.account)


def _records(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {log}" for log, number in counts.items()) + " records"


def _days(days: Sequence[int]) -> str:
    begin = date(1970, 1, 1)
    first, last = begin + timedelta(days=days[0]), begin + timedelta(days=days[-1])
    return f"{counted(len(days), 'day')} ({first if first == last else f'{first} to {last}'})"
