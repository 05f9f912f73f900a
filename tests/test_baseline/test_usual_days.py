"""What a day's measure usually is for hosts of which only a few days are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.usual_days import UsualDays, is_weekend

MONDAY = 20_000 - (20_000 + 3) % 7
NO_ROLES = pd.Series(dtype="str")


def rows(values: dict[str, list[float]], first: int = MONDAY) -> pd.DataFrame:
    """A row for each value, on days one after the other."""
    return pd.DataFrame(
        [
            (source, first + place, value)
            for source, each in values.items()
            for place, value in enumerate(each)
        ],
        columns=["source", "day", "value"],
    )


def hosts(count: int = 30, days: int = 3, spread: float = 0.2) -> dict[str, list[float]]:
    """Hosts that differ a thousandfold from each other, and a little from day to day."""
    rng = np.random.default_rng(7)
    levels = np.exp(rng.uniform(2.0, 9.0, count))
    return {
        f"10.0.0.{k}": (level * np.exp(rng.normal(0, spread, days))).tolist()
        for k, level in enumerate(levels)
    }


def test_weekends() -> None:
    assert is_weekend(np.arange(MONDAY, MONDAY + 7)).tolist() == [False] * 5 + [True] * 2
    # 1970-01-01 was a Thursday, and the day before the epoch a Wednesday.
    assert is_weekend([0, 2, 3, 4, -1]).tolist() == [False, True, True, False, False]


def test_a_hosts_own_few_days_decide() -> None:
    learned = hosts()
    daily = UsualDays(rows(learned), NO_ROLES)
    judged = daily.judge(rows({source: [each[0]] for source, each in learned.items()}, MONDAY + 7))
    centres = np.array([np.median(each) for each in learned.values()])
    assert np.all(np.abs(np.log(judged.expected / centres)) < 0.3)
    assert judged.above.min() > 0.005
    assert judged.days.tolist() == [3] * 30
    assert judged.most.tolist() == [max(each) for each in learned.values()]


def test_ten_times_as_much_is_news_of_a_small_host_only_if_it_is_its_own() -> None:
    learned = hosts()
    daily = UsualDays(rows(learned), NO_ROLES)
    source = min(learned, key=lambda each: learned[each][0])
    (above,) = daily.judge(rows({source: [100 * learned[source][0]]}, MONDAY + 7)).above
    assert above < 1e-6
    # The same amount is nothing for a host that nobody knows.
    (unknown,) = daily.judge(rows({"10.9.9.9": [100 * learned[source][0]]}, MONDAY + 7)).above
    assert unknown == 1.0


def test_the_chance_falls_with_the_value() -> None:
    daily = UsualDays(rows(hosts()), NO_ROLES)
    values = [{"10.0.0.1": [float(value)]} for value in np.logspace(1, 12, 12)]
    chances = [float(daily.judge(rows(each, MONDAY + 7)).above[0]) for each in values]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < 1e-12


def test_a_constant_host_has_some_spread() -> None:
    daily = UsualDays(rows({f"10.0.0.{k}": [50.0] * 3 for k in range(10)}), NO_ROLES)
    above = daily.judge(rows({"10.0.0.1": [55.0], "10.0.0.2": [5000.0]}, MONDAY + 7)).above
    assert above[0] == 1.0
    assert above[1] < 1e-8


def test_weekends_are_compared_with_weekends() -> None:
    week = [1000.0] * 5 + [10.0] * 2
    daily = UsualDays(rows({f"10.0.0.{k}": week for k in range(10)}), NO_ROLES)
    weekday, weekend = (daily.judge(rows({"10.0.0.1": [1000.0]}, MONDAY + day)) for day in (7, 12))
    assert round(weekday.expected[0]) == 1000
    assert weekday.above[0] == 1.0
    assert round(weekend.expected[0]) == 10
    assert weekend.above[0] < 1e-6


def test_what_all_hosts_of_a_role_do_is_no_news_of_one() -> None:
    learned = {f"10.0.0.{k}": [100.0] * 3 for k in range(10)}
    daily = UsualDays(rows(learned), NO_ROLES)
    today = {source: [1000.0] for source in learned} | {"10.0.0.3": [100_000.0]}
    above = dict(zip(today, daily.judge(rows(today, MONDAY + 7)).above, strict=True))
    assert above.pop("10.0.0.3") < 1e-6
    assert set(above.values()) == {1.0}


def test_less_than_usual_for_most_makes_nobody_conspicuous() -> None:
    learned = {f"10.0.0.{k}": [100.0] * 3 for k in range(10)}
    daily = UsualDays(rows(learned), NO_ROLES)
    today = {source: [1.0] for source in learned} | {"10.0.0.3": [100.0]}
    assert set(daily.judge(rows(today, MONDAY + 7)).above) == {1.0}


def test_roles_tell_hosts_apart_that_are_new() -> None:
    learned = {f"10.0.0.{k}": [10.0 if k < 10 else 10_000.0] * 3 for k in range(20)}
    roles = pd.Series({each: "small" if k < 10 else "large" for k, each in enumerate(learned)})
    roles = pd.concat([roles, pd.Series({"10.9.9.1": "small", "10.9.9.2": "large"})])
    daily = UsualDays(rows(learned), roles)
    today = rows({"10.9.9.1": [10_000.0], "10.9.9.2": [10_000.0]}, MONDAY + 7)
    judged = daily.judge(today)
    assert judged.above[0] < 1e-6
    assert judged.above[1] == 1.0
    assert judged.days.tolist() == [0, 0]
    assert np.isnan(judged.most).all()


def test_counts_have_noise_of_their_own() -> None:
    learned = rows({f"10.0.0.{k}": [1.0] * 3 for k in range(10)})
    today = rows({"10.0.0.1": [4.0]}, MONDAY + 7)
    (measured,) = UsualDays(learned, NO_ROLES).judge(today).above
    (counted,) = UsualDays(learned, NO_ROLES, counted=True).judge(today).above
    assert measured < 1e-2
    assert counted == 1.0


def test_alarms_come_as_often_as_asked_for() -> None:
    rng = np.random.default_rng(3)
    levels = np.exp(rng.uniform(2.0, 9.0, 400))
    values = np.exp(rng.normal(0, 0.5, (400, 21))) * levels[:, None]
    every = {f"10.0.{k // 200}.{k % 200}": each.tolist() for k, each in enumerate(values)}
    daily = UsualDays(rows({source: each[:14] for source, each in every.items()}), NO_ROLES)
    judged = daily.judge(rows({source: each[14:] for source, each in every.items()}, MONDAY + 14))
    assert daily.above.support > 100
    assert 0.005 < float((judged.above <= 0.01).mean()) < 0.02


def test_nothing_learned_judges_nothing() -> None:
    judged = UsualDays(rows({}), NO_ROLES).judge(rows({"10.0.0.1": [5.0]}))
    assert judged.above.tolist() == [1.0]
    assert np.isnan(judged.expected).all()
    assert UsualDays(rows(hosts()), NO_ROLES).judge(rows({})).above.tolist() == []


@pytest.mark.parametrize("days", [1, 2])
def test_one_day_is_enough_to_begin_with(days: int) -> None:
    daily = UsualDays(rows(hosts(days=days)), NO_ROLES)
    known = daily.judge(rows({"10.0.0.1": [hosts(days=days)["10.0.0.1"][0]]}, MONDAY + 7))
    assert known.above.tolist() == [1.0]
