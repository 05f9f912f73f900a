"""How much a baseline holds, how old it is, and whether its alert rate is what was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.state import Rate, rates_of, state_of

from . import FIRST, frame
from .known import LEARNED, known


def test_state() -> None:
    found = state_of(known(5))
    assert (found.days, found.window, found.hosts) == (5, 30, 2)
    assert (found.first, found.last) == ("2026-01-19", "2026-01-23")
    assert (found.connections, found.questions, found.left_out) == (5 * 624.0, 100.0, 0.0)
    assert found.learned == LEARNED
    assert not found.anonymised
    assert found.drift is not None
    assert found.rates == ()
    assert found.compared == 5
    assert state_of(known(5), judged=known(5).days[3:]).compared == 3


def test_nothing_learned() -> None:
    found = state_of(Baseline())
    assert (found.days, found.first, found.last, found.hosts) == (0, None, None, 0)
    assert (found.learned, found.drift, found.rates) == (None, None, ())


def test_keyed_hashes() -> None:
    assert state_of(replace(known(1), key_check="abc")).anonymised


def test_rates() -> None:
    rows = frame(
        "rates",
        ("window", FIRST, 100.0, 1.0, 1e-3),
        ("connection", FIRST, 1000.0, 3.0, 1e-3),
        ("connection", FIRST + 1, 3000.0, 1.0, 2e-3),
    )
    connection, window = rates_of(Baseline().joined({"rates": rows}))
    assert (connection.score, connection.tested, connection.alerts) == ("connection", 4000.0, 4.0)
    assert connection.asked == pytest.approx(1.75e-3)
    assert connection.realised == 1e-3
    assert connection.ratio == pytest.approx(4 / 7)
    assert window.ratio == pytest.approx(10.0)


def test_rates_of_nothing() -> None:
    assert (Rate("window", 0.0, 0.0, 1e-3).realised, Rate("window", 0.0, 0.0, 1e-3).ratio) == (
        0.0,
        None,
    )
    assert Rate("window", 10.0, 1.0, 0.0).ratio is None
    rows = frame("rates", ("window", FIRST, 0.0, 0.0, 1e-3))
    assert rates_of(Baseline().joined({"rates": rows})) == (Rate("window", 0.0, 0.0, 0.0),)
