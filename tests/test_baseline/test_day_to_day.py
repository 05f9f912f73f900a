"""How much numbers change from day to day, by host, role and all hosts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.baseline.day_to_day import ALL, HOST, LEAST_SPREAD, ROLE, DayToDay
from analyzer.baseline.usual import PRIOR

NONE = pd.Series([], dtype="str")


def table(*rows: tuple[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["source", "value"])
    return frame.astype({"source": "str", "value": float}).assign(day=range(len(rows)))


def of(source: str, *values: float) -> list[tuple[str, float]]:
    return [(source, value) for value in values]


def test_one_host_by_hand() -> None:
    # Octaves: 3, 4, 4, 6; the deviations from 4 are 1, 0, 0, 2.
    usual = DayToDay(table(*of("a", 7, 15, 15, 63)), NONE)
    (row,) = usual.judge(table(("a", 127.0))).itertuples(index=False)
    spread = 1.4826 * 1.363 * 0.5 * math.log(2)
    assert row.expected == pytest.approx(15.0)
    # It is the only host: drawn towards itself.
    assert row.sigmas == pytest.approx(3 * math.log(2) / (spread * math.sqrt(1 + math.pi / 8)))
    assert (row.level, row.samples) == (HOST, 4)


def test_a_spread_is_drawn_towards_those_within_other_hosts_not_between_them() -> None:
    far_apart = [(f"h{k}", 10.0**k) for k in range(1, 8) for _ in range(5)]
    usual = DayToDay(table(*far_apart, *of("a", 5, 5, 5)), NONE)
    (row,) = usual.judge(table(("a", 11.0))).itertuples(index=False)
    # Nobody changes from day to day, however different they are.
    expected = math.log(2) / (LEAST_SPREAD * math.sqrt(1 + math.pi / 6))
    assert row.sigmas == pytest.approx(expected)


def test_few_days_weigh_less_than_what_is_usual_within_hosts() -> None:
    wild = [row for k in range(3) for row in of(f"h{k}", 0, 3, 15, 63, 255)]
    usual = DayToDay(table(*wild, *of("a", 15, 15, 15)), NONE)
    (row,) = usual.judge(table(("a", 31.0))).itertuples(index=False)
    within = 1.4826 * 1.206 * 2 * math.log(2)
    spread = math.sqrt((3 * LEAST_SPREAD**2 + PRIOR * within**2) / (3 + PRIOR))
    assert row.sigmas == pytest.approx(math.log(2) / (spread * math.sqrt(1 + math.pi / 6)))


def test_what_is_usual_within_hosts_is_that_of_the_role_if_it_has_three() -> None:
    rows = [row for k in range(3) for row in of(f"w{k}", 0, 3, 15, 63, 255)]
    rows += [row for k in range(9) for row in of(f"s{k}", 7, 7, 7, 7, 7)]
    roles = pd.Series({f"w{k}": "wild" for k in range(4)} | {f"s{k}": "still" for k in range(9)})
    usual = DayToDay(table(*rows, *of("w3", 15, 15, 15)), roles)
    (row,) = usual.judge(table(("w3", 31.0))).itertuples(index=False)
    # Four of the role, of which the median spread is that of the wild three.
    within = 1.4826 * 1.206 * 2 * math.log(2)
    spread = math.sqrt((3 * LEAST_SPREAD**2 + PRIOR * within**2) / (3 + PRIOR))
    assert row.sigmas == pytest.approx(math.log(2) / (spread * math.sqrt(1 + math.pi / 6)))


def test_hosts_fall_back_to_their_role_and_to_all() -> None:
    rows = [*of("a", 1, 1, 1), *of("b", 100, 100), *of("c", 5)]
    roles = pd.Series({"a": "x", "b": "x", "c": "y"})
    found = DayToDay(table(*rows), roles).judge(table(*((name, 1.0) for name in "abcd")))
    assert found.level.tolist() == [HOST, ROLE, ALL, ALL]
    assert found.samples.tolist() == [3, 5, 6, 6]
    assert found.expected.tolist()[:2] == pytest.approx([1.0, 1.0])


def test_counts_vary_at_least_as_independent_events_do() -> None:
    asked = table(("a", 3.0))
    rare = DayToDay(table(*of("a", 0, 0, 0)), NONE, counted=True).judge(asked)
    assert rare.sigmas.tolist() == pytest.approx([math.log(4) / math.sqrt(1 + math.pi / 6)])
    sizes = DayToDay(table(*of("a", 0, 0, 0)), NONE).judge(asked)
    assert sizes.sigmas[0] == pytest.approx(math.log(4) / LEAST_SPREAD / math.sqrt(1 + math.pi / 6))


def test_nothing_is_known_of_nothing() -> None:
    found = DayToDay(table(), NONE).judge(table(("a", 1.0)))
    assert found.level.tolist() == [-1]
    assert np.isnan(found.sigmas[0])
    assert len(DayToDay(table(*of("a", 1, 2, 3)), NONE).judge(table())) == 0


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1e15)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, st.booleans(), st.dictionaries(st.sampled_from("abc"), st.just("x")))
def test_whatever_comes(
    learned: list[tuple[str, float]],
    asked: list[tuple[str, float]],
    counted: bool,  # noqa: FBT001 - made by hypothesis
    roles: dict[str, str],
) -> None:
    named = pd.Series(roles, dtype="str")
    found = DayToDay(table(*learned), named, counted=counted).judge(table(*asked))
    known = found.level >= 0
    assert np.isfinite(found.sigmas[known]).all()
    assert (found.expected[known] >= -1e-9).all()
    assert known.all() or len(learned) < 3
