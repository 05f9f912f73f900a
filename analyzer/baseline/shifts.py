"""How far distributions of the last days are from those of the days before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN
from analyzer.baseline.coverage import at_weekend
from analyzer.baseline.divergence import DRIFTED, MOVED, distance

FEWEST_BEFORE = 3
"""Days before the last ones that are needed."""

LAST = 7
"""Days that are compared with those before, a third of all where there are fewer than 21."""

STEADY, HAS_MOVED, HAS_DRIFTED = "steady", "moved", "drifted"

# Half of all days are further from the others than an ordinary one.
_BEYOND = 1.5

_CATEGORIES = {
    "ports": ("ports", ["proto", "port"]),
    "applications": ("ports", ["proto", "application"]),
    "hours": ("hours", ["hour"]),
}


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a distribution of the last days is from that of the days before.

    Attributes:
        name: bytes_out, bytes_in, duration, packets_out (of connections), ports, applications or
            hours (which connections have).
        distance: Jensen-Shannon distance, 0 to 1.
        ordinary: the median of the distances of the days before, each from the others.
    """

    name: str
    distance: float
    ordinary: float

    @property
    def state(self) -> str:
        """Whether it is steady, has moved or has drifted: by itself, and beside single days."""
        if self.distance < max(MOVED, _BEYOND * self.ordinary):
            return STEADY
        return HAS_MOVED if self.distance < DRIFTED else HAS_DRIFTED


def parted(days: Sequence[int], fewest_before: int = FEWEST_BEFORE) -> tuple[list[int], list[int]]:
    """The days before the last ones, and the last ones; both empty if there are too few.

    Args:
        days: in order.
        fewest_before: days before the last ones that are needed.
    """
    number = min(LAST, max(len(days) // 3, 1))
    if len(days) - number < fewest_before:
        return [], []
    return list(days[:-number]), list(days[-number:])


def shifts_of(tables: Mapping[str, pd.DataFrame], days: Sequence[int]) -> tuple[Shift, ...]:
    """How far the last days are from those before, the furthest first; empty if there are too few.

    Args:
        tables: ``shapes``, ``ports`` and ``hours`` of one source, or of all.
        days: in order.
    """
    if not parted(days)[1]:
        return ()
    found = []
    for name, kinds, of_day, weights in _distributions(tables):
        is_size = name in SHAPES
        # Of sizes several days are kept together: what stands for them is as good as a day.
        held = np.unique(of_day).tolist() if is_size else days
        before, last = parted(held, 1 if is_size else FEWEST_BEFORE)
        if not last:
            continue
        table = _counted(kinds, of_day, weights, [*before, *last])
        weigh = _evenly if is_size else _alike
        far, ordinary = _shift(table, before, last, weigh)
        if math.isfinite(far):
            found.append(Shift(name, far, ordinary))
    return tuple(sorted(found, key=lambda shift: (-shift.distance, shift.name)))


_Row = tuple[str, npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.float64]]


def _distributions(tables: Mapping[str, pd.DataFrame]) -> Iterator[_Row]:
    """Each distribution by its name: kinds by number, days, and how many connections."""
    shapes = tables["shapes"]
    metric_of = shapes.metric.to_numpy()
    known = shapes.bin.to_numpy() != UNKNOWN_BIN
    parts = [(metric, shapes[(metric_of == metric) & known], ["bin"]) for metric in SHAPES]
    parts += [(name, tables[table], by) for name, (table, by) in _CATEGORIES.items()]
    for name, rows, category in parts:
        weights = rows.connections.to_numpy(np.float64)
        yield name, _numbered(rows, category), rows.day.to_numpy(np.int64), weights


def _numbered(rows: pd.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.intp]:
    """The values of columns together, numbered as they first occur."""
    number = np.zeros(len(rows), dtype=np.intp)
    for column in columns:
        own, values = pd.factorize(rows[column])
        number, _ = pd.factorize(number * max(len(values), 1) + own)
    return number


def _counted(
    kinds: npt.NDArray[np.intp],
    of_day: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    days: Sequence[int],
) -> npt.NDArray[np.float64]:
    """Connections by kind (a row each) and day (a column each)."""
    size = int(kinds.max()) + 1 if len(kinds) else 0
    column = pd.Index(days).get_indexer(pd.Index(of_day))
    there = column >= 0
    places = kinds[there] * len(days) + column[there]
    counts = np.bincount(places, weights[there], size * len(days)).astype(float)
    return counts.reshape(size, len(days))


def _shift(
    weights: npt.NDArray[np.float64],
    before: Sequence[int],
    last: Sequence[int],
    weigh: Callable[[Sequence[int], Sequence[int]], npt.NDArray[np.float64]],
) -> tuple[float, float]:
    """The distance of the last days from those before, and that of an ordinary day."""
    earlier, recent = weights[:, : len(before)], weights[:, len(before) :]
    far = distance(recent.sum(axis=1), earlier @ weigh(before, last))
    apart = [
        distance(
            earlier[:, place],
            np.delete(earlier, place, 1) @ weigh([*before[:place], *before[place + 1 :]], [day]),
        )
        for place, day in enumerate(before)
    ]
    known = [each for each in apart if math.isfinite(each)]
    return far, float(np.median(known)) if known else 0.0


def _evenly(before: Sequence[int], _: Sequence[int]) -> npt.NDArray[np.float64]:
    return np.ones(len(before))


def _alike(before: Sequence[int], last: Sequence[int]) -> npt.NDArray[np.float64]:
    """Weights of days that make weekdays and weekends count as they do in others, if possible."""
    kinds, wanted = at_weekend(before), at_weekend(last)
    weights = np.zeros(len(kinds))
    for kind in (False, True):
        there, asked = int((kinds == kind).sum()), int((wanted == kind).sum())
        if asked and not there:
            return np.ones(len(kinds))
        weights[kinds == kind] = asked / max(there, 1)
    return weights
