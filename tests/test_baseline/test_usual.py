"""What a measure usually is: groups and fallbacks, shrinkage, tails, habits."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.baseline.usual import FEWEST, LEVELS, PRIOR, Judgement, Usual

MONDAY = 20_472
NONE = pd.Series([], dtype="str")
LEAST = math.log(2) / 4
WEEK, DAYS, HOST, ROLE, ALL = range(5)

Row = tuple[str, int, int, float]


def hourly(*rows: Row) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["source", "day", "hour", "value"])
    return table.astype({"source": "str", "day": int, "hour": int, "value": float})


def daily(*rows: tuple[str, int, float]) -> pd.DataFrame:
    return hourly(*((source, day, 0, value) for source, day, value in rows)).drop(columns="hour")


def every_hour(source: str, days: int, value: float = 100.0) -> list[Row]:
    return [(source, MONDAY + day, hour, value) for day in range(days) for hour in range(24)]


def judge(
    samples: pd.DataFrame, rows: pd.DataFrame, roles: dict[str, str] | None = None
) -> Judgement:
    named = NONE if roles is None else pd.Series(roles, dtype="str")
    return Usual(samples, named).judge(rows)


def test_without_samples_nothing_is_known() -> None:
    found = judge(hourly(), hourly(("a", MONDAY, 9, 5.0)))
    assert found.level.tolist() == [-1]
    assert found.samples.tolist() == [0]
    assert np.isnan(found.expected).all()
    assert np.isnan(found.sigmas).all()
    assert (found.above.tolist(), found.below.tolist()) == ([1.0], [1.0])
    assert found.routine.tolist() == [False]


def test_nothing_to_judge_is_no_error() -> None:
    found = judge(hourly(*every_hour("a", 2)), hourly())
    assert found.above.size == found.sigmas.size == found.routine.size == 0


@pytest.mark.parametrize(
    ("days", "level"),
    [(20 * 7, WEEK), (19 * 7, DAYS), (26, DAYS), (25, HOST), (1, HOST)],
)
def test_the_narrowest_group_with_enough_samples_speaks(days: int, level: int) -> None:
    # A Monday at nine: twenty Mondays, twenty weekdays (from Monday to Friday in the fourth week),
    # twenty hours.
    found = judge(hourly(*every_hour("a", days)), hourly(("a", MONDAY + 700, 9, 100.0)))
    assert found.level.tolist() == [level]
    assert FEWEST == 20


def test_weekends_and_weekdays_are_apart() -> None:
    rows = [
        ("a", MONDAY + day, 9, 10.0 if day % 7 >= 5 else 1000.0) for day in range(FEWEST * 3 + 10)
    ]
    found = judge(
        hourly(*rows), hourly(("a", MONDAY + 700, 9, 1000.0), ("a", MONDAY + 705, 9, 10.0))
    )
    assert found.level.tolist() == [DAYS, DAYS]
    # Far apart from the host's other hours, they are hardly drawn to them.
    assert found.expected.tolist() == pytest.approx([1000.0, 10.0], rel=0.3)


def test_a_host_with_too_few_samples_falls_back_to_its_role_and_then_to_all() -> None:
    samples = hourly(
        *every_hour("server", 1, 1000.0),
        *every_hour("device", 1, 10.0)[: FEWEST - 1],
        ("new", MONDAY, 0, 1.0),
    )
    roles = {"server": "server", "device": "device", "new": "server"}
    asked = hourly(*((name, MONDAY, 5, 10.0) for name in ("server", "device", "new", "nobody")))
    found = judge(samples, asked, roles)
    assert [LEVELS[level] for level in found.level] == [
        "this host",
        "all hosts",
        "hosts of its role",
        "all hosts",
    ]
    assert found.samples.tolist() == [24, 24 + FEWEST - 1 + 1, 25, 44]


def test_days_have_no_hours_to_be_apart_by() -> None:
    samples = daily(*(("a", MONDAY + day, 7.0) for day in range(FEWEST)))
    found = judge(samples, daily(("a", MONDAY + 100, 7.0), ("b", MONDAY, 7.0)))
    # Hosts whose role nobody knows are of one.
    assert found.level.tolist() == [HOST, ROLE]
    assert found.expected.tolist() == pytest.approx([7.0, 7.0])
    assert found.routine.tolist() == [False, False]


def test_centre_and_spread_are_drawn_towards_the_wider_group() -> None:
    """By hand: one constant host among others; its own spread is the least there can be."""
    own = [("a", MONDAY + day, 3.0) for day in range(FEWEST)]
    others = [(f"b{k}", MONDAY, math.expm1(k / 10)) for k in range(101)]
    samples = daily(*own, *others)
    x = np.log1p(samples.value.to_numpy())
    middle = float(np.median(x))
    wide = 1.4826 * float(np.median(np.abs(x - middle)))
    weight = min(PRIOR, (LEAST / wide) ** 2)
    # Without roles all hosts are of one, and the two widest groups are the same.
    like = math.sqrt((121 * wide**2 + PRIOR * wide**2) / (121 + PRIOR))
    assert like == pytest.approx(wide)
    centre = (FEWEST * math.log1p(3.0) + weight * middle) / (FEWEST + weight)
    spread = math.sqrt((FEWEST * LEAST**2 + PRIOR * wide**2) / (FEWEST + PRIOR))
    found = judge(samples, daily(("a", MONDAY + 50, 3.0), ("a", MONDAY + 50, 300.0)))
    assert found.expected.tolist() == pytest.approx([math.expm1(centre)] * 2)
    expected = [(math.log1p(value) - centre) / spread for value in (3.0, 300.0)]
    assert found.sigmas.tolist() == pytest.approx(expected)


def test_a_flood_among_what_was_learned_moves_nothing() -> None:
    clean = [("a", MONDAY + day, 90.0 + day) for day in range(41)]
    flooded = [*clean[:30], *(("a", MONDAY + 30 + day, 1e12) for day in range(11))]
    asked = daily(("a", MONDAY + 50, 1e6))
    before, after = judge(daily(*clean), asked), judge(daily(*flooded), asked)
    assert after.expected[0] == pytest.approx(before.expected[0], rel=0.1)
    assert after.sigmas[0] > 20


def test_a_constant_host_that_changes_is_news() -> None:
    """No variance makes a measure sharper, not blind."""
    samples = hourly(*every_hour("a", 5), *every_hour("b", 5, 2000.0))
    asked = hourly(*(("a", MONDAY + 7, 9, value) for value in (100.0, 120.0, 1e4, 1e10, 0.0)))
    found = judge(samples, asked)
    # The two hosts together have no spread either, as half of all values are alike.
    assert found.expected == pytest.approx([100.0] * 5, rel=0.1)
    assert found.above[0] == found.above[1] == 1.0
    assert found.above[3] < found.above[2] < 1e-3
    assert found.above[3] < 1e-8
    assert found.below[4] < 0.01
    assert not found.routine.any()


def test_more_is_never_likelier() -> None:
    generator = np.random.default_rng(5)
    values = generator.lognormal(8, 1.5, 24 * 20)
    samples = hourly(
        *(("a", MONDAY + n // 24, n % 24, float(value)) for n, value in enumerate(values))
    )
    usual = Usual(samples, NONE)
    found = usual.judge(hourly(*(("a", MONDAY + 30, 9, 10.0**k) for k in range(13))))
    assert (np.diff(found.above) <= 0).all()
    assert (np.diff(found.below) >= 0).all()
    assert found.above[-1] < 1e-4 < found.above[3]


def test_the_tail_holds_the_rate_it_claims() -> None:
    generator = np.random.default_rng(11)

    def drawn(days: int) -> pd.DataFrame:
        rows = [
            (f"h{host}", MONDAY + day, hour)
            for host in range(20)
            for day in range(days)
            for hour in range(24)
        ]
        frame = pd.DataFrame(rows, columns=["source", "day", "hour"])
        # Volumes have power-law tails: their logarithms have exponential ones.
        return frame.assign(value=np.exp(generator.laplace(10, 1, len(frame))))

    found = Usual(drawn(20), NONE).judge(drawn(60).assign(day=lambda t: t.day + 100))
    share = float((found.above < 1e-3).mean())
    assert 0.5e-3 < share < 2e-3


def nightly(days: int) -> list[Row]:
    """A backup at two, and little else."""
    return [
        ("a", MONDAY + day, hour, 1e9 if hour == 2 else 1000.0)
        for day in range(days)
        for hour in range(24)
    ]


def test_what_comes_back_at_its_hour_is_routine() -> None:
    found = judge(
        hourly(*nightly(5)),
        hourly(
            ("a", MONDAY + 5, 2, 1.5e9),  # the backup
            ("a", MONDAY + 5, 3, 1.5e9),  # an hour late
            ("a", MONDAY + 5, 5, 1.5e9),  # at another hour
            ("a", MONDAY + 5, 2, 1e11),  # a hundred times as much
        ),
    )
    assert found.routine.tolist() == [True, True, False, False]
    assert found.above[:2].tolist() == [1.0, 1.0]
    assert (found.above[2:] < 0.05).all()
    # What is routine is as far from the usual hour as ever: sigmas say so.
    assert found.sigmas[0] == pytest.approx(found.sigmas[2])


def test_once_is_no_habit() -> None:
    rows = [*every_hour("a", 5), ("b", MONDAY, 9, 1.0)]
    once = [row if row[1:3] != (MONDAY + 1, 2) else ("a", MONDAY + 1, 2, 1e9) for row in rows]
    found = judge(hourly(*once), hourly(("a", MONDAY + 7, 2, 1e9)))
    assert found.routine.tolist() == [False]
    assert found.above[0] < 0.05


def test_the_day_that_is_judged_is_no_habit_of_its_own() -> None:
    flood = [
        (source, day, hour, 1e9 if (day, hour) in {(MONDAY, 2), (MONDAY + 1, 2)} else value)
        for source, day, hour, value in every_hour("a", 2)
    ]
    found = judge(hourly(*flood), hourly(("a", MONDAY, 2, 1e9), ("a", MONDAY + 2, 2, 1e9)))
    # One other day is no habit, two are.
    assert found.routine.tolist() == [False, True]


def test_what_comes_back_every_week_is_routine() -> None:
    rows = [
        ("a", MONDAY + day, hour, 1e9 if (day % 7, hour) == (6, 2) else 1000.0)
        for day in range(21)
        for hour in range(24)
    ]
    found = judge(hourly(*rows), hourly(("a", MONDAY + 27, 2, 1e9), ("a", MONDAY + 28, 2, 1e9)))
    assert found.routine.tolist() == [True, False]


VALUES = st.floats(0, 1e15)
HOSTS = st.sampled_from(["a", "b", "c"])
ROWS = st.lists(st.tuples(HOSTS, st.integers(0, 40_000), st.integers(0, 23), VALUES), max_size=60)


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, st.dictionaries(HOSTS, st.sampled_from(["server", "device"])))
def test_whatever_comes_chances_are_chances(
    learned: list[Row], asked: list[Row], roles: dict[str, str]
) -> None:
    found = judge(hourly(*learned), hourly(*asked), roles)
    for chance in (found.above, found.below):
        assert ((chance > 0) & (chance <= 1)).all()
    known = found.level >= 0
    assert np.isfinite(found.sigmas[known]).all()
    assert np.isfinite(found.expected[known]).all()
    assert np.isnan(found.sigmas[~known]).all()
    assert (found.samples[known] >= FEWEST).all()
    assert (found.above[found.routine] == 1.0).all()
    # All that is learned is one group at least.
    assert known.all() == (len(learned) >= FEWEST or not asked)
