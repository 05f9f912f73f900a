"""The state of a baseline in a few lines: in the summary of a run, and above all it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.baseline.daily import METRICS
from analyzer.findings import duration, quantity
from analyzer.writers.page import Page, counted
from analyzer.zeek_format import format_iso8601

if TYPE_CHECKING:
    from analyzer.baseline.drift import Drift
    from analyzer.baseline.state import BaselineState, Rate

_DISTRIBUTIONS = {
    "bytes_out": "bytes sent in a connection",
    "bytes_in": "bytes received in a connection",
    "duration": "duration of a connection",
    "packets_out": "packets sent in a connection",
    "ports": "ports",
    "applications": "protocols spoken",
    "hours": "hours of the day",
}
_FACTOR = 2.0


def render_state(page: Page, state: BaselineState, *, now: float | None = None) -> None:
    """Print how much a baseline holds, when it last learned, its drift and its alert rates.

    Args:
        page: where to print; all distributions and totals are shown if it is verbose.
        state: of the baseline.
        now: UTC epoch seconds, to tell how long ago; left out where that is not said.
    """
    window = f"of a window of {counted(state.window, 'day')}"
    if state.first is None:
        page.line(f"Holds no day yet, {window}", indent=2)
    else:
        span = state.first if state.first == state.last else f"{state.first} to {state.last}"
        page.line(f"Holds {counted(state.days, 'day')} ({span}), {window}", indent=2)
    if state.compared < state.days:
        others = "the others are" if state.compared else "all of them are"
        page.line(
            f"Compared with {state.compared or 'none'} of these days: {others} judged, and no day "
            "judges itself",
            indent=2,
        )
    page.line(
        f"{counted(round(state.connections), 'connection')} and "
        f"{counted(round(state.questions), 'DNS transaction')} of {counted(state.hosts, 'host')}; "
        f"{counted(round(state.left_out), 'record')} left out, as findings are about them",
        indent=2,
    )
    if state.anonymised:
        page.line("Addresses are keyed hashes", indent=2)
    page.line(f"Last learned: {_when(state.learned, now)}", indent=2)
    if state.drift is None:
        page.line("Drift: not enough days yet to tell", indent=2)
    else:
        _drift(page, state.drift)
    for rate in state.rates:
        page.line(_rate(rate), indent=2)
    if not state.rates:
        page.line("Alert rate: nothing was scored yet", indent=2)


def _when(learned: float | None, now: float | None) -> str:
    if learned is None:
        return "never"
    text = format_iso8601(learned)
    moment = f"{learned:.0f} s after 1970" if text is None else f"{text[:19].replace('T', ' ')} UTC"
    if now is None:
        return moment
    age = now - learned
    return f"{moment} ({duration(age)} ago)" if age >= 0 else f"{moment} (in {duration(-age)})"


def _drift(page: Page, drift: Drift) -> None:
    days = f"last {counted(len(drift.days), 'day')} beside {len(drift.before)} before"
    furthest = f", {_DISTRIBUTIONS[drift.shifts[0].name]}" if drift.shifts else ""
    page.line(f"Drift: {drift.state}, {drift.distance:.2f} of 1{furthest} ({days})", indent=2)
    off = [one for one in drift.totals if abs(one.sigmas) > _FACTOR]
    told = drift.totals if page.verbose else off
    if page.verbose:
        head = ("Distribution", "distance", "of one day", "")
        rows = [[Text(cell) for cell in head]]
        for shift in drift.shifts:
            name = _DISTRIBUTIONS[shift.name]
            cells = (name, f"{shift.distance:.3f}", f"{shift.ordinary:.3f}", shift.state)
            rows.append([Text(cell) for cell in cells])
        page.table(rows, right=(1, 2), indent=4)
    for one in told:
        metric = METRICS[one.metric]
        seen, usual = (quantity(value, metric.unit) for value in (one.observed, one.expected))
        page.line(f"{metric.meaning}: {seen}, usually {usual} ({one.sigmas:+.1f} sigmas)", indent=4)


def _rate(rate: Rate) -> str:
    """A rate in words, and whether it is within a factor of two of what was asked for."""
    scored = f"{rate.alerts:,.0f} of {rate.tested:,.0f} {rate.score}s scored"
    asked = f"1 in {1 / rate.asked:,.0f} asked for" if rate.asked > 0 else "none asked for"
    if rate.ratio is None:
        return f"Alert rate: {scored}; {asked}"
    held = 1 / _FACTOR <= rate.ratio <= _FACTOR
    word = "as asked for" if held else "too many" if rate.ratio > 1 else "fewer"
    return f"Alert rate: {scored}; {asked}; {rate.ratio:.2g} times as many: {word}"
