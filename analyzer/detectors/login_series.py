"""Series of connections that are alike: how many, how fast, and whether they are a routine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzer.detectors.login_attempts import SLACK
from analyzer.features import DAY, HOUR

Numbers = npt.NDArray[np.float64]


# Programs that look in by the clock do so every half minute at most often, within a fifth.
_LEAST_PERIOD = 20.0
_PERIOD_SPREAD = 0.2
_PACED = 0.8

# A routine goes on for at least four hours, at a quarter of its busiest hour or more.
_ROUTINE_HOURS = 4
_ROUTINE_RATE = 0.25
_ROUTINE_SHARE = 0.8
# On another day, at the same time of day within an hour, half as many or more.
_LIKE = 0.5
_AROUND = 3600.0


@dataclass(frozen=True, slots=True)
class Series:
    """Connections that are alike, in a run that no pause interrupts.

    Attributes:
        times: when each began, rising.
        begin: index of the first one in the busiest window.
        end: index after the last one in it.
        first: index of the first one of the run that holds the window.
        last: index after the last one of the run.
    """

    times: Numbers
    begin: int
    end: int
    first: int
    last: int

    @property
    def busiest(self) -> int:
        """How many the busiest window holds."""
        return self.end - self.begin

    @property
    def count(self) -> int:
        """How many the run holds."""
        return self.last - self.first

    @property
    def seconds(self) -> float:
        """How long the run lasts, s."""
        return float(self.times[self.last - 1] - self.times[self.first])

    def is_paced(self) -> bool:
        """Whether those in the busiest window follow one another by a clock, and not fast."""
        gaps = np.diff(self.times[self.begin : self.end])
        if not gaps.size:
            return False
        period = float(np.median(gaps))
        near = np.abs(gaps - period) <= _PERIOD_SPREAD * period
        return period >= _LEAST_PERIOD and bool(np.mean(near) >= _PACED)

    def is_constant(self) -> bool:
        """Whether it goes on for hours, each much like the busiest."""
        hours = np.floor((self.times[self.first : self.last] - self.times[self.first]) / HOUR)
        counts = np.bincount(hours.astype(int))
        steady = counts >= _ROUTINE_RATE * counts.max()
        return counts.size >= _ROUTINE_HOURS and bool(np.mean(steady) >= _ROUTINE_SHARE)

    def is_daily(self) -> bool:
        """Whether another day holds as much at the same time of day."""
        middle = (self.times[self.begin] + self.times[self.end - 1]) / 2
        around = max(_AROUND, (self.times[self.end - 1] - self.times[self.begin]) / 2)
        distance = self.times - middle
        days = np.round(distance / DAY)
        like = (days != 0) & (np.abs(distance - days * DAY) <= around)
        _, counts = np.unique(days[like], return_counts=True)
        return bool(counts.size and counts.max() >= _LIKE * self.busiest)


def series_of(times: Numbers, window: float) -> Series:
    """The busiest window of some times, and the run around it.

    Args:
        times: at least one, rising.
        window: how long the window is, and the longest pause within a run, s.
    """
    begin, end = busiest(times, window)
    pauses = np.flatnonzero(np.diff(times) > window) + 1
    first = int(max(pauses[pauses <= begin], default=0))
    last = int(min(pauses[pauses >= end], default=times.size))
    return Series(times, begin, end, first, last)


def busiest(ordered: Numbers, width: float, weights: Numbers | None = None) -> tuple[int, int]:
    """The slice of ordered numbers within `width` that holds most, the first of them.

    Args:
        ordered: at least one number, rising.
        width: how far they may lie apart.
        weights: what each counts; 1 by default.
    """
    ends = np.searchsorted(ordered, ordered + width, side="right")
    counted = np.arange(ordered.size + 1) if weights is None else np.append(0, np.cumsum(weights))
    begin = int(np.argmax(counted[ends] - counted[:-1]))
    return begin, int(ends[begin])


def alike(*sizes: tuple[Numbers, float]) -> npt.NDArray[np.bool_]:
    """The largest series of connections whose sizes are as alike as those of failed logins.

    Args:
        sizes: payload of one side and how far its logarithms may lie apart, one side after the
            other; see :data:`analyzer.detectors.login_attempts.WIDTH_IN`.

    Returns:
        Which of the connections belong to it; the smallest sizes win where two are as large.
    """
    inside = np.ones(sizes[0][0].size, bool)
    for values, width in sizes:
        chosen = np.flatnonzero(inside)
        inside[chosen] = _densest(np.log(values[chosen] + SLACK), width)
    return inside


def _densest(values: Numbers, width: float) -> npt.NDArray[np.bool_]:
    """Which values lie in the span of a width that holds most of them."""
    ordered = np.sort(values)
    begin, end = busiest(ordered, width)
    inside: npt.NDArray[np.bool_] = (values >= ordered[begin]) & (values <= ordered[end - 1])
    return inside
