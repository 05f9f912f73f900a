"""The state of a baseline in a few lines."""

from __future__ import annotations

import functools
import io
from dataclasses import replace

import pytest
from rich.console import Console

from analyzer.baseline.state import BaselineState, Rate, state_of
from analyzer.writers.baseline_state import render_state
from analyzer.writers.page import Page
from tests.test_baseline.known import LEARNED, known, summary


@functools.cache
def steady() -> BaselineState:
    return state_of(known(9))


def shown(state: BaselineState, now: float | None = None, *, verbose: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    render_state(Page(console, verbose=verbose), state, now=now)
    return stream.getvalue()


def test_a_summary_does_not_say_how_long_ago() -> None:
    assert "Last learned: 2026-02-28 00:00:00 UTC\n" in shown(steady())


@pytest.mark.parametrize(
    ("learned", "told"),
    [
        (LEARNED, "2026-02-28 00:00:00 UTC (3 d ago)"),
        (LEARNED + 4 * 86400, "2026-03-04 00:00:00 UTC (in 24 h)"),
        (None, "never"),
        (1e15, "1000000000000000 s after 1970 (in "),
    ],
)
def test_when_it_last_learned(learned: float | None, told: str) -> None:
    text = shown(replace(steady(), learned=learned), LEARNED + 3 * 86400)
    assert f"Last learned: {told.split(' (in 1.16', maxsplit=1)[0]}" in text


def test_days_that_are_judged_are_not_compared_with() -> None:
    assert "Compared with" not in shown(steady())
    days = known(9).days
    some = " ".join(shown(state_of(known(9), judged=range(days[7], days[8] + 5))).split())
    assert "Compared with 7 of these days: the others are judged, and no day judges itself" in some
    none = " ".join(shown(state_of(known(9), judged=days)).split())
    assert "Compared with none of these days: all of them are judged" in none


def test_drift() -> None:
    assert "Drift: steady, 0.0" in shown(steady())
    assert "(last 3 days beside 6 before)" in shown(steady())
    baseline = known(9).joined(summary([9, 10, 11], port=4444, times=100.0))
    told = shown(state_of(baseline))
    assert "Drift: drifted, 0." in told
    assert "bytes sent: " in told
    assert "connections unanswered" not in told
    everything = shown(state_of(baseline), verbose=True)
    assert "Distribution" in everything
    assert "connections unanswered" in everything
    assert "not enough days yet" in shown(state_of(known(2)))


@pytest.mark.parametrize(
    ("alerts", "asked", "told"),
    [
        (
            10.0,
            1e-3,
            "10 of 10,000 connections scored; 1 in 1,000 asked for; 1 times as many",
        ),
        (30.0, 1e-3, "1 in 1,000 asked for; 3 times as many: too many"),
        (2.0, 1e-3, "1 in 1,000 asked for; 0.2 times as many: fewer"),
        (2.0, 0.0, "2 of 10,000 connections scored; none asked for"),
    ],
)
def test_rates(alerts: float, asked: float, told: str) -> None:
    state = replace(steady(), rates=(Rate("connection", 10_000.0, alerts, asked),))
    text = " ".join(shown(state).split())
    assert f"{told}" in text


def test_no_rates_and_keyed_hashes() -> None:
    assert "Alert rate: nothing was scored yet" in shown(steady())
    assert "keyed hashes" not in shown(steady())
    assert "  Addresses are keyed hashes\n" in shown(replace(steady(), anonymised=True))
