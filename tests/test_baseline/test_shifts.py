"""How far distributions of the last days are from those before."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.divergence import DRIFTED, MOVED, distance
from analyzer.baseline.shifts import HAS_DRIFTED, HAS_MOVED, STEADY, Shift, parted, shifts_of

from . import FIRST, frame
from .known import known, summary


@pytest.mark.parametrize(
    ("number", "last"),
    [(0, 0), (1, 0), (3, 0), (4, 1), (5, 1), (6, 2), (9, 3), (20, 6), (21, 7), (30, 7)],
)
def test_last_days(number: int, last: int) -> None:
    days = list(range(100, 100 + number))
    before, found = parted(days)
    assert len(found) == last
    if last:
        assert before + found == days


@pytest.mark.parametrize(
    ("far", "ordinary", "state"),
    [
        (0.0, 0.0, STEADY),
        (MOVED - 0.001, 0.0, STEADY),
        (MOVED, 0.0, HAS_MOVED),
        (DRIFTED - 0.001, 0.0, HAS_MOVED),
        (DRIFTED, 0.1, HAS_DRIFTED),
        (1.0, 0.0, HAS_DRIFTED),
        # Days that are as far apart as ever.
        (0.3, 0.25, STEADY),
        (0.3, 0.19, HAS_DRIFTED),
    ],
)
def test_states(far: float, ordinary: float, state: str) -> None:
    assert Shift("ports", far, ordinary).state == state


def test_days_that_are_alike_have_not_moved() -> None:
    found = shifts_of(known(9).tables, known(9).days)
    assert sorted(shift.name for shift in found) == [
        "applications",
        "bytes_in",
        "bytes_out",
        "duration",
        "hours",
        "packets_out",
        "ports",
    ]
    assert max(shift.distance for shift in found) < 0.05


def test_another_port_for_three_days() -> None:
    baseline = known(6).joined(summary([6, 7, 8], port=4444))
    first, *others = shifts_of(baseline.tables, baseline.days)
    assert first.name == "ports"
    assert first.state == HAS_DRIFTED
    assert first.ordinary == pytest.approx(0.0, abs=0.01)
    assert {shift.state for shift in others} == {STEADY}


def hours(*rows: tuple[int, int, float]) -> dict[str, pd.DataFrame]:
    each = (("a", FIRST + day, hour, number, *([0.0] * 7)) for day, hour, number in rows)
    none = {name: frame(name) for name in ("shapes", "ports")}
    return {**none, "hours": frame("hours", *each)}


def test_weekdays_are_compared_with_weekdays() -> None:
    week = [(day, 9 if day % 7 < 5 else 20, 8.0) for day in range(8)]
    # The last two: a Sunday and a Monday, each as those before.
    (found,) = shifts_of(hours(*week), [FIRST + day for day in range(8)])
    assert found.name == "hours"
    assert found.distance == pytest.approx(0.0, abs=1e-6)
    # A Monday at eight in the evening is another one.
    (found,) = shifts_of(hours(*week[:7], (7, 20, 8.0)), [FIRST + day for day in range(8)])
    assert found.distance == pytest.approx(distance([0, 2], [1, 1]))


def test_too_few_days_have_none() -> None:
    assert shifts_of(known(3).tables, known(3).days) == ()
    assert shifts_of(Baseline().tables, []) == ()


def test_what_never_happened_has_none() -> None:
    (found,) = shifts_of(hours(*((day, 9, 1.0) for day in range(4))), range(FIRST, FIRST + 4))
    assert found.name == "hours"
