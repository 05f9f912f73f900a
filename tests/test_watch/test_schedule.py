"""When the window is judged."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analyzer.watch.schedule import PROMISED, SHARE, Schedule

INTERVAL = 60.0


def lasting(seconds: float, interval: float = INTERVAL) -> Schedule:
    schedule = Schedule(interval, 0.0)
    schedule.judged(seconds, seconds, 0.0)
    return schedule


@pytest.mark.parametrize(
    ("seconds", "period"), [(0.0, 60.0), (3.0, 60.0), (8.0, 55.0), (33.0, 30.0), (500.0, 30.0)]
)
def test_the_longer_it_takes_the_earlier_the_next_begins(seconds: float, period: float) -> None:
    assert lasting(seconds).period == period


@given(st.floats(1.0, 3600.0), st.floats(0.0, 3600.0))
def test_the_promise_is_kept_or_known_to_be_broken(interval: float, seconds: float) -> None:
    schedule = lasting(seconds, interval)
    latest = schedule.period + seconds
    if schedule.is_hopeless:
        assert latest > interval
    else:
        assert latest <= interval + PROMISED


@given(st.floats(1.0, 3600.0), st.floats(0.0, 3600.0))
def test_no_more_than_a_part_of_a_core_is_taken(interval: float, cost: float) -> None:
    assume(cost > 0)
    schedule = Schedule(interval, 0.0)
    schedule.judged(cost, cost, 1000.0)
    # It was begun at its cost before its end, and the next at the end of the period or of the wait.
    waits = max(schedule.period - cost, 0.0)
    while schedule.is_early(1000.0 + waits, 0.0):
        waits += cost
    assert cost / (cost + waits) <= SHARE + 1e-9


@pytest.mark.parametrize(("cost", "wait"), [(1.0, 0.0), (3.3, 0.0), (4.0, 8.0)])
def test_what_it_costs_counts_and_not_how_long_it_took(cost: float, wait: float) -> None:
    schedule = Schedule(10.0, 0.0)
    # Others kept it waiting for a little; that is no reason to judge less often.
    schedule.judged(3.0, cost, 100.0)
    assert not schedule.is_early(100.0 + wait, 0.0)
    assert schedule.is_early(99.9 + wait, 0.0)


def test_who_has_to_judge_soon_need_not_wait() -> None:
    schedule = lasting(1000.0)
    assert schedule.is_early(1.0, 0.4)
    assert not schedule.is_early(1.0, 0.5)
    schedule.hurry()
    assert not schedule.is_early(1.0, 0.4)


def test_a_long_one_is_expected_again_for_a_while() -> None:
    schedule = lasting(13.0)
    schedule.judged(1.0, 1.0, 0.0)
    assert schedule.seconds == 1.0
    assert schedule.period == pytest.approx(60.0 - 7.4)
    for _ in range(10):
        schedule.judged(1.0, 1.0, 0.0)
    assert schedule.period == INTERVAL


def test_ticks() -> None:
    schedule = Schedule(INTERVAL, 1000.0)
    assert not schedule.is_tick(1059.9)
    assert schedule.is_tick(1060.5)
    assert schedule.tick == 1120.5
    # One for all that were slept through.
    assert schedule.is_tick(5000.0)
    assert not schedule.is_tick(5059.0)
    schedule.advance(5059.0)
    assert schedule.tick == 5119.0


def test_what_fails_is_tried_again_after_an_interval() -> None:
    schedule = Schedule(INTERVAL, 0.0)
    assert schedule.may_hurry(100.0)
    schedule.failed(100.0)
    assert schedule.is_early(159.0, 0.0)
    assert not schedule.may_hurry(159.0)
    assert not schedule.is_early(160.0, 0.0)
    assert schedule.may_hurry(160.0)


def test_other_work_is_done_while_there_is_time() -> None:
    schedule = Schedule(INTERVAL, 0.0)
    assert schedule.has_time_for(20.0, 40.0)
    assert not schedule.has_time_for(20.0, 40.1)
    assert schedule.has_time_for(30.1, 59.0)


@pytest.mark.parametrize(
    ("interval", "now", "wait"),
    [(60.0, 0.0, 10.0), (60.0, 55.0, 5.0), (6.0, 0.0, 1.0), (0.5, 0.0, 0.5), (60.0, 99.0, 0.0)],
)
def test_how_long_nobody_looks(interval: float, now: float, wait: float) -> None:
    assert Schedule(interval, 0.0).patience(now, is_waiting=False) == wait


def test_what_waits_for_its_turn_has_it_then() -> None:
    schedule = Schedule(INTERVAL, 0.0)
    schedule.judged(21.0, 21.0, 1.0)
    assert schedule.is_early(42.0, 0.0)
    assert schedule.patience(41.0, is_waiting=True) == 2.0
    assert schedule.patience(41.0, is_waiting=False) == 10.0
    assert schedule.patience(43.0, is_waiting=True) == 10.0


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    schedule = Schedule(INTERVAL, 10_000.0)
    schedule.judged(50.0, 50.0, 10_000.0)
    schedule.failed(10_000.0)
    assert not schedule.is_tick(5_000.0)
    assert schedule.tick == 5_000.0 + schedule.period
    assert not schedule.is_early(5_000.0, 0.0)
    assert schedule.may_hurry(5_000.0)
    assert schedule.is_tick(5_060.0)
