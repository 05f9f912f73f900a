"""How often new days would have been an alert."""

from __future__ import annotations

from analyzer.baseline.online import learn
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.rates import ASKED, rates_of

from . import FIRST
from .rows import DAY, batch, connection, learned, steady, work

NEW = FIRST + 4


def test_a_day_like_those_before_raises_next_to_nothing() -> None:
    more = learn(Baseline(), batch(steady(1, 4) + work(1, 4)))
    found = rates_of(learned(), more.tables)
    assert found.score.tolist() == ["connection", "window"]
    assert found.day.tolist() == [NEW, NEW]
    assert found.tested.tolist() == [len(more["reference"]), len(more["windows"])]
    assert (found.alerts <= 3).all()
    assert set(found.asked) == {ASKED}


def test_a_day_unlike_them_raises_much() -> None:
    odd = [
        connection(
            4 * DAY + 60.0 * number, resp_h=f"203.0.113.{number % 200}", resp_p=9000 + number
        )
        for number in range(200)
    ]
    more = learn(Baseline(), batch(odd))
    (alerts,) = rates_of(learned(), more.tables).query("score == 'connection'").alerts
    assert alerts > 150


def test_days_that_are_known_and_baselines_that_know_nothing() -> None:
    assert len(rates_of(learned(), learned().tables)) == 0
    assert len(rates_of(Baseline(), learned().tables)) == 0
    assert len(rates_of(learned(), {})) == 0


def test_they_fit_the_table() -> None:
    more = learn(Baseline(), batch(steady(1, 4)))
    joined = learned().joined({"rates": rates_of(learned(), more.tables)})
    assert joined["rates"].day.tolist() == [NEW, NEW]
