"""Records beside a baseline, for a person at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.baseline.comparing import BANDS
from analyzer.baseline.daily import METRICS
from analyzer.writers.page import Page, counted
from analyzer.writers.problems import render_problems
from analyzer.writers.profile import amount

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.baseline.comparing import Compared, Deviation, HostComparison
    from analyzer.parsers.account import Account

_WORDS = dict(zip(reversed(BANDS), ("over 2", "from 1 to 2", "within 1"), strict=True))
_WHOSE = {"this host": "host", "hosts of its role": "role", "all hosts": "all", "the network": ""}
_NEW = 10

# Of each host that is one of many.
_SHOWN = 5


def render_comparison(
    compared: Compared,
    account: Account | None,
    console: Console,
    *,
    hosts: Sequence[str] = (),
    verbose: bool = False,
) -> None:
    """Print every number beside what is usual, those furthest off first.

    Args:
        compared: records beside a baseline.
        account: what became of the input.
        console: where to print.
        hosts: show only these, and all of them.
        verbose: show all numbers of all hosts.
    """
    page = Page(console, verbose=verbose)
    _header(page, compared)
    if not hosts:
        page.heading("The network")
        _numbers(page, compared.network.deviations)
        _news(page, compared.network)
    chosen = [one for one in compared.hosts if not hosts or one.host in hosts]
    whole = bool(hosts) or verbose
    told = [one for one in chosen if whole or _is_off(one)]
    if not hosts:
        page.heading("Hosts, furthest off first")
    for one in told if hosts else told[: page.limit]:
        _host(page, one, whole=whole)
    if not hosts:
        page.more(len(told), "host")
        if len(told) < len(chosen):
            page.heading(f"Nothing over 2 or new: {counted(len(chosen) - len(told), 'host')}")
    if compared.silent and not hosts:
        names = compared.silent[: page.limit]
        page.heading(f"Known, but not in these records: {counted(len(compared.silent), 'host')}")
        page.line(", ".join(names), indent=2)
        page.more(len(compared.silent), "host")
    if account is not None:
        render_problems(page, account)


def _header(page: Page, compared: Compared) -> None:
    page.line(
        f"Compared {_span(compared.days)} with {_span(compared.usual_days)} of the baseline",
        style="bold",
    )
    page.line("Sigmas are robust; of several days the one furthest off is shown.")
    if compared.left_out:
        page.line(
            f"Both have {_span(compared.left_out)}: left out of the baseline, "
            "as records are not compared with themselves."
        )
    if compared.partial:
        page.line(
            f"Records cover {_span(compared.partial)} in part: compared over the same hours, "
            "without ports, names and what is new."
        )


def _span(days: Sequence[str]) -> str:
    if not days:
        return "no day"
    if len(days) == 1:
        return days[0]
    return f"{len(days)} days ({days[0]} to {days[-1]})"


def _is_off(one: HostComparison) -> bool:
    news = one.new_ports or one.new_applications or one.new_services
    return bool(news) or any(each.band == BANDS[-1] for each in one.deviations)


def _host(page: Page, one: HostComparison, *, whole: bool) -> None:
    bands = Counter(deviation.band for deviation in one.deviations)
    told = ", ".join(f"{bands[band]} {word}" for band, word in _WORDS.items() if bands[band])
    new = "" if one.known else ", not in the baseline"
    page.heading(f"{one.host} ({one.role}{new}): {told or 'nothing to compare with'}")
    off = [deviation for deviation in one.deviations if deviation.band == BANDS[-1]]
    _numbers(page, one.deviations if whole else off[:_SHOWN])
    if not whole and len(off) > _SHOWN:
        more = counted(len(off) - _SHOWN, "more number")
        page.line(f"Not shown: {more} over 2; --host {one.host} shows all.", indent=2)
    _news(page, one)


def _numbers(page: Page, deviations: Sequence[Deviation]) -> None:
    if not deviations:
        return
    rows = [[Text(cell) for cell in ("", "now", "usual", "sigmas", "band", "by")]]
    for one in deviations:
        metric = METRICS[one.metric]
        cells = (
            metric.meaning,
            amount(one.observed, metric.unit),
            amount(one.expected, metric.unit),
            f"{one.sigmas:+.1f}",
            one.band,
            f"{_WHOSE[one.judged_by]} {one.samples:,} d".strip(),
        )
        rows.append([Text(cell) for cell in cells])
    page.table(rows, right=(1, 2, 3))


def _news(page: Page, one: HostComparison) -> None:
    services = [
        f"{service.port}/{service.proto}" + (f" of {service.host}" if one.host is None else "")
        for service in one.new_services
    ]
    for name, new in (
        ("port", one.new_ports),
        ("protocol", one.new_applications),
        ("service offered", services),
    ):
        if new:
            shown = new if page.verbose else new[:_NEW]
            rest = "" if len(shown) == len(new) else f" and {len(new) - len(shown):,} more"
            page.line(f"new {name}: {', '.join(shown)}{rest}", indent=2)
