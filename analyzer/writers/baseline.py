"""All that a baseline knows, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.findings import quantity
from analyzer.writers.baseline_state import render_state
from analyzer.writers.notice import score_text
from analyzer.writers.page import Page, counted
from analyzer.writers.profile import render_profile

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.baseline.overview import Overview, Verdict
    from analyzer.baseline.profile import Profile, Talker


def render_overview(
    overview: Overview, path: str, console: Console, *, now: float, verbose: bool = False
) -> None:
    """Print what a baseline knows: of the hosts asked for, or else of the network.

    Args:
        overview: what it knows.
        path: its file.
        console: where to print.
        now: UTC epoch seconds, to tell how long ago it learned.
        verbose: show everything, not only the first of each list.
    """
    page = Page(console, verbose=verbose)
    page.line(f"Baseline {path}", style="bold")
    render_state(page, overview.state, now=now)
    if overview.hosts:
        for profile in overview.hosts.values():
            _host(page, profile)
    else:
        _counts(page, "Roles of hosts", overview.roles)
        _counts(page, "Hosts judged, for most of their hours, by", overview.judged_by)
        render_profile(page, overview.network)
        _talkers(page, overview.talkers)
    _verdicts(page, overview.verdicts)


def _host(page: Page, profile: Profile) -> None:
    page.heading(f"Host {profile.host}")
    if profile.first is None:
        page.line(f"{profile.role}; no hour of it is known", indent=2)
        return
    days = counted(profile.days, "day")
    page.line(f"{profile.role}, seen on {days} ({profile.first} to {profile.last})", indent=2)
    judged = profile.judged_by or "nothing, as too little is known"
    page.line(f"most of its hours are judged by: {judged}", indent=2)
    if profile.shifts:
        far = profile.shifts[0]
        page.line(f"drift: {far.state}, {far.distance:.2f} of 1 ({far.name})", indent=2)
    render_profile(page, profile)


def _counts(page: Page, name: str, numbers: Mapping[str, int]) -> None:
    told = ", ".join(f"{word} {number:,}" for word, number in numbers.items())
    page.line(f"{name}: {told or 'none'}", indent=2)


def _talkers(page: Page, talkers: Sequence[Talker]) -> None:
    page.heading("Hosts, top talkers first")
    rows = [
        [Text(cell) for cell in ("Host", "sent", "received", "connections", "days", "role", "by")]
    ]
    for one in talkers[: page.limit]:
        cells = (
            one.host,
            quantity(one.bytes_out, "B"),
            quantity(one.bytes_in, "B"),
            f"{one.connections:,.0f}",
            str(one.days),
            one.role,
            one.judged_by,
        )
        rows.append([page.text(cell) for cell in cells])
    page.table(rows, right=range(1, 5))
    page.more(len(talkers), "host")


def _verdicts(page: Page, verdicts: Sequence[Verdict]) -> None:
    page.heading("Said of findings, the latest first")
    if not verdicts:
        page.line("nothing yet", indent=2)
        return
    rows = [[Text(cell) for cell in ("When (UTC)", "who", "said", "score", "of")]]
    for verdict in verdicts[: page.limit]:
        said = "" if verdict.said is None else verdict.said[:19].replace("T", " ")
        about = [verdict.rule, verdict.source]
        if verdict.destination is not None:
            about += ["to", verdict.destination]
        if verdict.port is not None:
            about.append(f"{verdict.port}/{verdict.proto or '?'}")
        if verdict.subject is not None:
            about.append(verdict.subject)
        judged = "benign" if verdict.benign else "malicious"
        cells = (said, verdict.by, judged, score_text(verdict.score), " ".join(about))
        rows.append([page.text(cell) for cell in cells])
    page.table(rows, right=(3,))
    page.more(len(verdicts), "verdict")
