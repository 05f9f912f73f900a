"""How far the last days of a baseline are from the days before them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN
from analyzer.baseline.comparing import Deviation, deviations_of
from analyzer.baseline.coverage import at_weekend, date_of
from analyzer.baseline.daily import NETWORK
from analyzer.baseline.divergence import DRIFTED, MOVED, distance
from analyzer.baseline.judged_days import FEWEST_DAYS, judged_days
from analyzer.baseline.roles import roles

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

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


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the last days are from those before.

    Attributes:
        days: dates of the last days.
        before: dates of the days before.
        shifts: distributions of connections, the furthest first.
        totals: numbers of the last days beside those before, furthest off first; the network's,
            and none of a single host.
    """

    days: tuple[str, ...]
    before: tuple[str, ...]
    shifts: tuple[Shift, ...]
    totals: tuple[Deviation, ...]

    @property
    def distance(self) -> float:
        """Drift in one number: the greatest of the distances, which no mean can hide; 0 to 1."""
        return max((shift.distance for shift in self.shifts), default=0.0)

    @property
    def state(self) -> str:
        """The worst state that any of the distributions is in."""
        found = {shift.state for shift in self.shifts}
        return next((state for state in (HAS_DRIFTED, HAS_MOVED) if state in found), STEADY)


def drift_of(baseline: Baseline, host: str | None = None) -> Drift | None:
    """How far the last days are from those before; None if there are not enough of either.

    Args:
        baseline: at least four days.
        host: whose days; the network's by default.
    """
    days = baseline.days
    number = min(LAST, len(days) // 3)
    if not number or len(days) - number < FEWEST_DAYS:
        return None
    before, last = days[:-number], days[-number:]
    shifts = [
        Shift(name, far, ordinary)
        for name, rows in _distributions(baseline, host).items()
        for far, ordinary in [_shift(rows, before, last)]
        if math.isfinite(far)
    ]
    totals: tuple[Deviation, ...] = ()
    if host is None:
        earlier, recent = baseline.without(last), baseline.without(before)
        judged, _ = judged_days(earlier, recent.tables, roles(earlier), network_only=True)
        totals = deviations_of(judged).get(NETWORK, ())
    return Drift(
        days=tuple(map(date_of, last)),
        before=tuple(map(date_of, before)),
        shifts=tuple(sorted(shifts, key=lambda shift: (-shift.distance, shift.name))),
        totals=totals,
    )


def _distributions(baseline: Baseline, host: str | None) -> dict[str, pd.DataFrame]:
    """The rows of each distribution: ``day kind connections``."""
    found = {}
    shapes = baseline["shapes"]
    shapes = shapes[shapes.bin != UNKNOWN_BIN]
    shapes = shapes if host is None else shapes[shapes.source == host]
    for metric in SHAPES:
        rows = shapes[shapes.metric == metric]
        found[metric] = rows[["day", "connections"]].assign(kind=rows.bin)
    for name, (table, category) in _CATEGORIES.items():
        rows = baseline[table] if host is None else baseline[table][baseline[table].source == host]
        kind = rows.groupby(category, sort=False).ngroup()
        found[name] = rows[["day", "connections"]].assign(kind=kind)
    return found


def _shift(rows: pd.DataFrame, before: Sequence[int], last: Sequence[int]) -> tuple[float, float]:
    """The distance of the last days from those before, and that of an ordinary day."""
    table = rows.pivot_table("connections", "kind", "day", "sum", fill_value=0.0, observed=True)
    table = table.reindex(columns=[*before, *last], fill_value=0.0)
    weights = table.to_numpy(float)
    earlier, recent = weights[:, : len(before)], weights[:, len(before) :]
    far = distance(recent.sum(axis=1), earlier @ _alike(before, last))
    apart = [
        distance(
            earlier[:, place],
            np.delete(earlier, place, 1) @ _alike([*before[:place], *before[place + 1 :]], [day]),
        )
        for place, day in enumerate(before)
    ]
    known = [each for each in apart if math.isfinite(each)]
    return far, float(np.median(known)) if known else 0.0


def _alike(before: Sequence[int], last: Collection[int]) -> npt.NDArray[np.float64]:
    """Weights of days that make weekdays and weekends count as they do in others, if possible."""
    kinds, wanted = at_weekend(before), at_weekend(list(last))
    weights = np.zeros(len(kinds))
    for kind in (False, True):
        there, asked = int((kinds == kind).sum()), int((wanted == kind).sum())
        if asked and not there:
            return np.ones(len(kinds))
        weights[kinds == kind] = asked / max(there, 1)
    return weights
