"""Numbers of days beside those of days like them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.daily import METRICS, NETWORK
from analyzer.baseline.judged_days import JUDGED, judged_days
from analyzer.baseline.roles import roles

from . import FIRST
from .known import DESK, PRINTER, known, summary


def judged(
    usual: Baseline, records: dict[str, pd.DataFrame], *, network_only: bool = False
) -> tuple[pd.DataFrame, list[int]]:
    edge = usual.days[-1] - 1 if usual.days else 0
    rows, partial = judged_days(usual, records, roles(usual), edge=edge, network_only=network_only)
    assert list(rows.columns) == list(JUDGED)
    assert not rows.duplicated(["source", "metric", "day"]).any()
    return rows, partial


def number(rows: pd.DataFrame, metric: str, source: str = DESK) -> pd.Series[float]:
    own = rows[(rows.source == source) & (rows.metric == metric)]
    assert len(own) == 1
    return own.iloc[0]


def test_a_day_like_all_others_is_nowhere_off() -> None:
    rows, partial = judged(known(10), summary([10]))
    assert partial == []
    assert rows.sigmas.abs().max() < 0.3
    assert set(rows.source) == {DESK, PRINTER, NETWORK}
    of_hosts = {"hosts", "new_domains"}
    assert set(rows[rows.source == DESK].metric) == set(METRICS) - of_hosts


def test_twice_as_much_every_hour() -> None:
    rows, _ = judged(known(10), summary([10], times=100.0))
    sent = number(rows, "bytes_out")
    assert sent.observed == pytest.approx(6e7)
    assert sent.expected == pytest.approx(6e5, rel=0.2)
    assert sent.sigmas > 10
    assert sent["samples"] == 8  # weekdays
    assert number(rows, "most_bytes_out").sigmas > 10
    assert number(rows, "bytes_out_typical").sigmas > 5
    assert abs(number(rows, "bytes_in").sigmas) < 1
    assert abs(number(rows, "bytes_out", PRINTER).sigmas) < 1
    assert number(rows, "bytes_out", NETWORK).sigmas > 10


def test_other_ports() -> None:
    rows, _ = judged(known(10), summary([10], port=4444))
    mix = number(rows, "port_mix")
    assert mix.observed == pytest.approx(1.0)
    assert mix.sigmas > 5
    assert abs(number(rows, "hour_mix").sigmas) < 1


def test_some_hours_are_compared_with_the_same_hours() -> None:
    rows, partial = judged(known(10), summary([10], hours=range(7, 12)))
    assert partial == [FIRST + 10]
    begun = number(rows, "connections")
    assert begun.observed == 240.0
    assert begun.expected == pytest.approx(240, rel=0.2)
    assert abs(begun.sigmas) < 1
    # Nothing is said of what needs a whole day.
    assert not {"ports", "names", "port_mix", "new_outside"} & set(rows.metric)
    assert "bytes_out_typical" in set(rows.metric)


def test_days_that_cover_less_say_nothing_of_more() -> None:
    usual = Baseline().joined(summary(range(5), hours=range(7, 12)))
    rows, _ = judged(usual, summary([10]))
    assert not {"connections", "ports"} & set(rows.metric)
    assert "duration_typical" in set(rows.metric)


@pytest.mark.parametrize(
    ("learned", "days"),
    [
        (range(7), 5),  # a Monday beside five weekdays
        ((5, 6, 12, 13, 3, 4), 6),  # two weekdays are too few: all days
        ((0, 1, 2, 5, 6), 3),
    ],
)
def test_weekdays_are_compared_with_weekdays_if_there_are_three(
    learned: Iterable[int], days: int
) -> None:
    usual = Baseline().joined(summary(learned))
    rows, _ = judged(usual, summary([21]))
    assert number(rows, "connections")["samples"] == days


def test_weekends() -> None:
    usual = Baseline().joined(summary([0, 1, 2, 3, 5, 6, 12, 13]))
    rows, _ = judged(usual, summary([19]))
    assert number(rows, "connections")["samples"] == 4


def test_days_of_different_kinds_are_judged_each_by_its_own() -> None:
    rows, _ = judged(known(14), summary([18, 19, 20]))
    begun = rows[(rows.source == DESK) & (rows.metric == "connections")].sort_values("day")
    assert begun["samples"].tolist() == [10, 4, 4]


def test_what_is_new_is_judged_by_later_days() -> None:
    rows, _ = judged(known(10), summary([10], peer="203.0.113.7"))
    new = number(rows, "new_outside")
    assert new.observed == 1.0
    assert new.expected == pytest.approx(0.0, abs=1e-9)
    assert number(rows, "new_outside", PRINTER).observed == 0.0


def test_the_network_alone() -> None:
    rows, _ = judged(known(10), summary([10]), network_only=True)
    assert set(rows.source) == {NETWORK}


def test_nothing_learned_judges_nothing() -> None:
    rows, partial = judged(Baseline(), summary([10]))
    assert (len(rows), partial) == (0, [])


def test_one_day_learned_judges_sizes_alone() -> None:
    rows, _ = judged(known(1), summary([10]))
    assert {metric.rpartition("_")[2] for metric in rows.metric} == {"typical", "95"}
