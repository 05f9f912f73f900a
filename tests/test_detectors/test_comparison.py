"""What is judged by what: a baseline less the days judged, or every day by the other days."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.summary import summarise
from analyzer.detectors.comparison import Comparison, comparable_days, shared_comparisons
from analyzer.detectors.detection import Shared
from analyzer.engine import Engine
from analyzer.public_suffix import suffix_rules

DAY = 86_400.0
FIRST_DAY = 20_000


def row(day: int, resp_h: str = "198.51.100.1", hour: int = 9) -> dict[str, Any]:
    return {
        "ts": (FIRST_DAY + day) * DAY + hour * 3600.0,
        "orig_h": "10.0.0.5",
        "orig_p": 50000,
        "resp_h": resp_h,
        "resp_p": 443,
        "proto": "tcp",
        "conn_state": "SF",
        "history": "ShADadFf",
        "orig_bytes": 100,
        "resp_bytes": 1000,
        "duration": 1.0,
        "orig_pkts": 5,
    }


def learned(*days: int) -> Baseline:
    return learned_of([row(day) for day in days])


def learned_hours(hours: range) -> Baseline:
    return learned_of([row(day, hour=hour) for day in (0, 1) for hour in hours])


def learned_of(rows: list[dict[str, Any]]) -> Baseline:
    with Engine() as engine:
        engine.insert("conn", rows)
        records = engine.records()
        summary = summarise(records, lambda: records.keep(suffix_rules(), "suffix_rules"))
    return Baseline().joined(summary)


def compared(rows: list[dict[str, Any]], baseline: Baseline | None = None) -> list[Comparison]:
    with Engine() as engine:
        engine.insert("conn", rows)
        return shared_comparisons(engine.records(), Shared(baseline))


def test_a_baseline_judges_all_records_at_once() -> None:
    (comparison,) = compared([row(3), row(4)], learned(0, 1, 2))
    assert comparison.baseline.days == [FIRST_DAY, FIRST_DAY + 1, FIRST_DAY + 2]
    assert list(comparison.summary["days"].day) == [FIRST_DAY + 3, FIRST_DAY + 4]
    assert not comparison.held_aside
    assert comparison.judged_by == "3 days"


def test_a_baseline_of_the_days_judged_alone_says_nothing() -> None:
    assert compared([row(0), row(1)], learned(0, 1)) == []


def test_days_learned_do_not_judge_themselves() -> None:
    (comparison,) = compared([row(2)], learned(0, 1, 2))
    assert comparison.baseline.days == [FIRST_DAY, FIRST_DAY + 1]


def test_without_a_baseline_each_day_is_judged_by_the_others() -> None:
    rows = [row(day) for day in range(4)] + [row(2, "203.0.113.9"), row(3, hour=10)]
    every = compared(rows)
    assert [list(each.summary["days"].day) for each in every] == [
        [FIRST_DAY + day] for day in range(4)
    ]
    third = every[2]
    assert third.baseline.days == [FIRST_DAY, FIRST_DAY + 1, FIRST_DAY + 3]
    assert set(third.baseline["peers"].peer) == {"198.51.100.1"}
    assert set(third.summary["peers"].peer) == {"198.51.100.1", "203.0.113.9"}
    assert third.held_aside
    assert third.judged_by == "3 other days of the same records"


@pytest.mark.parametrize("days", [0, 1, 3])
def test_few_days_judge_nothing(days: int) -> None:
    assert compared([row(day) for day in range(days)]) == []


def test_it_is_worked_out_once() -> None:
    with Engine() as engine:
        engine.insert("conn", [row(day, hour=day) for day in range(5)])
        records, shared = engine.records(), Shared()
        assert shared_comparisons(records, shared) is shared_comparisons(records, shared)


@pytest.mark.parametrize(
    ("hours", "comparable"),
    [
        (range(24), [FIRST_DAY + 3]),
        (range(20), [FIRST_DAY + 3]),
        (range(6), []),
        (range(19), []),
        (range(5, 24), []),
    ],
)
def test_a_day_that_is_not_over_is_not_compared(hours: range, comparable: list[int]) -> None:
    usual = learned_hours(range(24))
    (comparison,) = compared([row(3, hour=hour) for hour in hours], usual)
    assert comparable_days(comparison) == comparable


def test_a_day_with_the_hours_of_those_learned_is_whole() -> None:
    usual = learned_hours(range(8, 18))
    for hours, whole in ((range(8, 18), True), (range(24), True), (range(8, 14), False)):
        (comparison,) = compared([row(3, hour=hour) for hour in hours], usual)
        assert bool(comparable_days(comparison)) == whole


def test_a_weekend_is_compared_with_working_days_if_there_is_no_other() -> None:
    # The first day is a Thursday.
    (comparison,) = compared([row(2, hour=hour) for hour in range(24)], learned_hours(range(24)))
    assert comparable_days(comparison) == [FIRST_DAY + 2]
    (comparison,) = compared([row(2, hour=hour) for hour in range(6)], learned_hours(range(24)))
    assert comparable_days(comparison) == []
