"""When things happen: office hours, weekends, and clocks that tick through both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tests.traffic.records import Array

DAY = 86400.0
HOUR = 3600.0
MONDAY = 1768780800.0
"""2026-01-19 00:00 UTC, a Monday: where generated traffic begins unless told otherwise."""

# Relative activity per hour of a working day: two humps around lunch, a little in the evening.
_WORKDAY = np.array(
    [0, 0, 0, 0, 0, 0.1, 0.5, 2, 6, 9, 9.5, 9, 5, 7, 9, 9, 8, 5, 2, 1, 0.7, 0.5, 0.3, 0.1]
)
_WORKDAY = _WORKDAY / _WORKDAY.sum()
_WEEKEND_SHARE = 0.06
_GRID = 600.0


@dataclass(frozen=True)
class Window:
    """The time the traffic covers: `days` days from `start` (seconds since the epoch)."""

    start: float
    days: float

    @property
    def end(self) -> float:
        """The end in seconds since the epoch."""
        return self.start + self.days * DAY

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.days * DAY

    def midnights(self) -> Array:
        """The UTC midnights at which a day of the window begins."""
        first = np.ceil(self.start / DAY) * DAY
        return np.arange(first, self.end, DAY)


def is_weekend(ts: Array) -> Array:
    """Whether each time (seconds since the epoch) falls on a Saturday or Sunday, UTC."""
    # The epoch was a Thursday.
    weekend: Array = (np.floor(ts / DAY) + 3) % 7 >= 5
    return weekend


def ranks(counts: Array) -> tuple[Array, Array]:
    """Owners and their running numbers: counts [2, 1] give [0, 0, 1] and [0, 1, 0]."""
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - np.repeat(first, counts)


def diurnal(
    rng: np.random.Generator, window: Window, per_day: Array, shift: Array | float = 0.0
) -> tuple[Array, Array]:
    """Events people cause: `per_day` of them expected per owner on a working day.

    `shift` moves an owner's day by hours. Returns the owner and the time of every event.
    """
    grid = np.arange(window.start, window.end, _GRID)
    hour = np.floor(grid % DAY / HOUR).astype("i8")
    weight = _WORKDAY[hour] * np.where(is_weekend(grid), _WEEKEND_SHARE, 1.0) * (_GRID / HOUR)
    cumulative = np.concatenate([[0.0], np.cumsum(weight)])
    counts = rng.poisson(per_day * cumulative[-1])
    owner, _ = ranks(counts)
    ts = np.interp(rng.random(len(owner)) * cumulative[-1], cumulative, np.append(grid, window.end))
    moved = ts - window.start + np.broadcast_to(shift, len(per_day))[owner] * HOUR
    return owner, window.start + moved % window.seconds


def periodic(
    rng: np.random.Generator,
    window: Window,
    interval: Array,
    jitter: float = 0.0,
    drift: float = 0.0,
) -> tuple[Array, Array]:
    """Events a clock causes, every `interval` seconds per owner from a random phase.

    `jitter` (share of the interval, standard deviation) displaces single events; `drift`
    accumulates. Returns the owner and the time of every event.
    """
    counts = np.ceil(window.seconds / interval).astype("i8")
    owner, number = ranks(counts)
    step = interval[owner]
    ts = (number + rng.random(len(interval))[owner]) * step
    if jitter:
        ts = ts + rng.normal(0.0, jitter, len(ts)) * step
    if drift:
        walk = np.cumsum(rng.normal(0.0, drift, len(ts)) * step)
        first = np.cumsum(counts) - counts
        ts = ts + walk - walk[first][owner]
    kept = (ts >= 0) & (ts < window.seconds)
    return owner[kept], window.start + ts[kept]
