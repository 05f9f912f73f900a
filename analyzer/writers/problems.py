"""What could not be read, for a person: by reason with places, then whole files."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.writers.page import Page, counted

if TYPE_CHECKING:
    from analyzer.parsers.account import Account, FileAccount

_PLACES = 3


def render_problems(page: Page, account: Account, heading: str = "Problems reading") -> None:
    """Print what could not be read, by reason with places, then whole files."""
    skipped = account.skipped
    remarked = sorted((file for file in account.files if file.note), key=lambda f: not f.failed)
    # Packets are passed over for faults, indicators because they are about something else.
    passed_over = account.passed_over if account.packets else Counter[str]()
    if not skipped and not remarked and not passed_over:
        return
    page.heading(heading)
    for reason, number in skipped.most_common():
        page.line(f"{counted(number, 'line')} skipped: {reason}", indent=2)
        every = [e.location for file in account.files for e in file.examples if e.reason == reason]
        places = every if page.verbose else every[:_PLACES]
        if places:
            page.line(", ".join(str(place) for place in places), indent=4)
    for reason, number in passed_over.most_common():
        page.line(f"{counted(number, 'packet')} passed over: {reason}", indent=2)
    for file in remarked[: page.limit]:
        page.line(f"{_fate(file)}: {file.name}: {file.note}", indent=2)
    page.more(len(remarked), "file")


def _fate(file: FileAccount) -> str:
    if file.failed:
        return "failed"
    return "note" if file.read or file.packets else "ignored"
