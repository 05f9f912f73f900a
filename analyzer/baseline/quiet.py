"""At which hours of the day a host is quiet: when nobody is there to use it.

A host that somebody uses meets many more hosts then than while it polls by itself (time, updates,
telemetry, agents), or is off. So the profile of a host is how many hosts it meets in each hour of
the day, at the median of the days learned. An hour is quiet if it holds less than half way, in
logarithms, between the quietest and the busiest hour of that profile, and so do the hours beside
it: people begin early and stay late, and clocks change twice a year. A host whose busiest hour is
not even twice its quietest, as servers and devices are, has no quiet hours.

Weekdays and weekends have profiles of their own. Until three such days are known, an hour must be
quiet on all other days together, too: a first Saturday is no night.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

HOURS = 24
ENOUGH_DAYS = 3
"""Days from which a weekday's or a weekend's profile speaks for itself."""

# Twice as many, in logarithms.
_CONTRAST = math.log(2)
# 1970-01-01 was a Thursday.
_EPOCH_WEEKDAY = 3
_SATURDAY = 5


def is_weekend(days: pd.Series | npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether days (since 1970, UTC) are Saturdays or Sundays."""
    weekday: npt.NDArray[np.int64] = (np.asarray(days, np.int64) + _EPOCH_WEEKDAY) % 7
    return weekday >= _SATURDAY


class QuietHours:
    """The quiet hours of every host.

    Args:
        hours: ``source day hour destinations``, the hours learned in which a host met somebody.
        days: the days learned.

    Attributes:
        sources: the hosts, in order; rows of :attr:`quiet`.
        quiet: whether an hour is quiet, by host, kind of day (0 a weekday, 1 at a weekend) and
            hour.
        levels: what a host meets in an hour half way between quiet and busy, by host and kind.
    """

    def __init__(self, hours: pd.DataFrame, days: list[int]) -> None:
        self.sources = pd.Index(sorted(hours.source.unique()), dtype="str")
        self.learned = np.array(sorted(days), dtype=int)
        size = len(self.sources)
        table = np.zeros((size, self.learned.size, HOURS))
        row = self.sources.get_indexer(hours.source)
        column = np.searchsorted(self.learned, hours.day.to_numpy(int))
        table[row, column, hours.hour.to_numpy(int)] = np.log1p(hours.destinations.to_numpy(float))
        there = np.zeros((size, self.learned.size), dtype=bool)
        there[row, column] = True
        # Before a host was first seen, its silence says nothing.
        there = np.logical_or.accumulate(there, axis=1)
        self.days = there
        every, every_level = _profile(table, there)
        self.quiet = np.empty((size, 2, HOURS), dtype=bool)
        self.levels = np.empty((size, 2))
        self._known = np.empty((size, 2), dtype=bool)
        weekend = is_weekend(self.learned)
        for kind in (0, 1):
            such = np.flatnonzero(weekend == (kind == 1))
            own, own_level = _profile(table[:, such], there[:, such])
            known: npt.NDArray[np.int64] = np.sum(there[:, such], axis=1, dtype=np.int64)
            self._known[:, kind] = known >= ENOUGH_DAYS
            self.quiet[:, kind] = np.where(
                (known >= ENOUGH_DAYS)[:, None],
                own,
                np.where((known > 0)[:, None], own & every, every),
            )
            self.levels[:, kind] = np.where(known > 0, own_level, every_level)
        seen: npt.NDArray[np.bool_] = np.asarray(there.any(axis=1))
        self.quiet &= seen[:, None, None]

    def is_known(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether enough weekdays, or weekends, of hosts are known, of ``source day``."""
        place = self.sources.get_indexer(rows.source)
        return np.asarray((place >= 0) & self._known[place, is_weekend(rows.day).astype(int)])

    def is_quiet(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether hours of hosts, ``source day hour``, are quiet; never of hosts not learned."""
        place = self.sources.get_indexer(rows.source)
        kind = is_weekend(rows.day).astype(int)
        return np.asarray((place >= 0) & self.quiet[place, kind, rows.hour.to_numpy(int)])


def _profile(
    table: npt.NDArray[np.float64], there: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Quiet hours and the level that bounds them, of hosts by day and hour."""
    shape = (len(table), HOURS)
    if not table.shape[1]:
        return np.ones(shape, dtype=bool), np.zeros(len(table))
    known = np.where(there[:, :, None], table, np.nan)
    profile = np.zeros(shape)
    seen = there.any(axis=1)
    profile[seen] = np.nanmedian(known[seen], axis=1)
    low, high = profile.min(axis=1), profile.max(axis=1)
    level = (low + high) / 2
    quiet = profile <= level[:, None]
    alone = quiet & np.roll(quiet, 1, axis=1) & np.roll(quiet, -1, axis=1)
    # Never on is as quiet as can be; as busy at night as by day is not quiet at all.
    flat = (high - low < _CONTRAST) & (high > 0)
    alone[flat] = False
    return alone, np.expm1(level)
