"""When a host, or the network, is active: by hour of the day, by weekday, by hour of the week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analyzer.baseline.coverage import HOURS, WEEKDAYS, weekday_of

if TYPE_CHECKING:
    import pandas as pd

Grid = tuple[tuple[float | None, ...], ...]
"""A value for each hour (UTC) of each weekday, Monday first; None for hours never covered."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When something happens, over the hours that records cover; hours without a record are 0.

    Attributes:
        occurrences: how often each hour of the week was covered.
        connections: median number of connections begun in an hour, by hour of the week.
        bytes_out: median of the payload bytes sent, likewise.
        bytes_in: median of the payload bytes that came back, likewise.
        hours: share of the connections in each hour of the day, each covered hour weighing the
            same; None for hours never covered.
        weekdays: share of the connections on each weekday, likewise.
    """

    occurrences: tuple[tuple[int, ...], ...]
    connections: Grid
    bytes_out: Grid
    bytes_in: Grid
    hours: tuple[float | None, ...]
    weekdays: tuple[float | None, ...]


def rhythm_of(rows: pd.DataFrame, covered: Mapping[int, range]) -> Rhythm:
    """The rhythm of what rows tell.

    Args:
        rows: ``day hour connections bytes_out bytes_in``, no more than one row an hour.
        covered: hours that records cover, by day; rows of other days are left out.
    """
    days = sorted(covered)
    rows = rows[rows.day.isin(days)]
    place = {day: index for index, day in enumerate(days)}
    seen = np.zeros((len(days), HOURS), dtype=bool)
    for day in days:
        seen[place[day], covered[day].start : covered[day].stop] = True
    at = rows.day.map(place).to_numpy(int), rows.hour.to_numpy(int)
    weekday = weekday_of(days)
    tensors = {}
    for name in ("connections", "bytes_out", "bytes_in"):
        values = np.where(seen, 0.0, np.nan)
        values[at] = rows[name].to_numpy(float)
        tensors[name] = values
    grids = {
        name: tuple(_medians(values[weekday == number]) for number in range(len(WEEKDAYS)))
        for name, values in tensors.items()
    }
    occurrences = [seen[weekday == number].sum(axis=0) for number in range(len(WEEKDAYS))]
    begun = tensors["connections"]
    # A weekday is the sum of what its hours have on average.
    by_weekday = [_sum(_means(begun[weekday == number])) for number in range(len(WEEKDAYS))]
    return Rhythm(
        occurrences=tuple(tuple(int(number) for number in row) for row in occurrences),
        **grids,
        hours=_shares(_means(begun)),
        weekdays=_shares(np.array(by_weekday)),
    )


def _means(values: _Floats) -> _Floats:
    """The mean of each column over the rows that have a value; nan if none has."""
    number = np.isfinite(values).sum(axis=0)
    total = np.nansum(values, axis=0)
    result: _Floats = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return result


def _medians(values: _Floats) -> tuple[float | None, ...]:
    number = np.isfinite(values).sum(axis=0)
    if not len(values):
        return (None,) * HOURS
    # What is not known stands last.
    ordered = np.sort(values, axis=0)
    at = np.arange(HOURS)
    lower, upper = np.maximum(number - 1, 0) // 2, np.minimum(number // 2, len(values) - 1)
    middle = (ordered[lower, at] + ordered[upper, at]) / 2
    return tuple(
        float(value) if there else None for value, there in zip(middle, number, strict=True)
    )


def _sum(values: _Floats) -> float:
    """The sum of the known values, nan if none is."""
    known = values[np.isfinite(values)]
    return float(known.sum()) if known.size else np.nan


def _shares(values: _Floats) -> tuple[float | None, ...]:
    total = np.nansum(values)
    return tuple(
        float(value / total if total > 0 else 0.0) if known else None
        for value, known in zip(values, np.isfinite(values), strict=True)
    )
