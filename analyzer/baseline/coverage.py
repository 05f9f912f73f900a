"""Which days and hours a baseline, or records, tell of: without them nothing is an hour of none."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analyzer.features import DAY, HOUR

if TYPE_CHECKING:
    import pandas as pd

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""The days of the week, as rows of what is told by hour of the week."""

HOURS = 24

_EPOCH = date(1970, 1, 1)
_SATURDAY = 5


@lru_cache(maxsize=4096)
def date_of(day: int) -> str:
    """A day since 1970 as ISO 8601 has it; days that a calendar does not know as they are."""
    try:
        return (_EPOCH + timedelta(days=day)).isoformat()
    except OverflowError:
        return f"day {day}"


def weekday_of(day: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The weekdays of days since 1970; Monday is 0."""
    result: npt.NDArray[np.int64] = (np.asarray(day, np.int64) + _EPOCH.weekday()) % len(WEEKDAYS)
    return result


def at_weekend(day: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether days are Saturdays or Sundays."""
    result: npt.NDArray[np.bool_] = weekday_of(day) >= _SATURDAY
    return result


def hours_covered(days: pd.DataFrame) -> dict[int, range]:
    """The hours of each day from its earliest record to its latest, those two included.

    Args:
        days: table ``days`` of a baseline or of a summary.
    """
    covered = {}
    rows = zip(days.day.to_numpy(int), days["first"], days["last"], strict=True)
    for day, first, last in rows:
        begin, end = (int((moment - day * DAY) // HOUR) for moment in (first, last))
        covered[int(day)] = range(max(begin, 0), min(end, HOURS - 1) + 1)
    return covered
