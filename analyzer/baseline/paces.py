"""How unlikely each feature of a source's five minutes is, by what it and its like do.

Every feature is a chance of at least so much, by what was learned:

- connections, failed ones, hosts met, ports tried, bytes both ways: beside the source's own five
  minutes, drawn towards its role's (:mod:`analyzer.baseline.histograms`);
- most of these beside the source's own busy hours, as a ratio whose distribution all sources share:
  a few minutes that hold more than a busy hour are news whatever the source is like;
- connections, hosts met and bytes sent beside the most that the source did around this hour on any
  other day, or a quarter of a busy hour, if that is more, likewise. What comes back at its hour is
  compared with other days alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import BINS, UNKNOWN_BIN
from analyzer.baseline.codes import Names
from analyzer.baseline.histograms import SIZE, Codes, Floats, Histograms, histograms, shrunk_tails
from analyzer.baseline.roles import DEVICE, SERVER, WORKSTATION, roles
from analyzer.baseline.samples import SLOT
from analyzer.features import HOUR

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

COUNTS = ("connections", "failed", "destinations", "ports", "bytes_out", "bytes_in")
"""What is counted in five minutes."""

BUSY = ("connections", "failed", "destinations", "bytes_out", "bytes_in")
"""What is compared with busy hours."""

AROUND = ("connections", "destinations", "bytes_out")
"""What is compared with the same hour of other days."""

FEATURES = (
    *(f"{name} of the host" for name in COUNTS),
    *(f"{name} beside busy hours" for name in BUSY),
    *(f"{name} beside other days" for name in AROUND),
)
"""What is looked at in five minutes, in the order of :meth:`Paces.chances`."""

NAMES = (*FEATURES, "bytes out beside in", "failed beside connections")
"""The numbers of a vector for models, in half octaves."""

LEAST: Floats = np.ones(len(NAMES))
"""Spread of each below which differences mean nothing."""

ROW = ("source", "day", "slot", *COUNTS)
"""The columns of five minutes to judge, as those of the baseline's ``windows``."""

_BUSY_QUANTILE = 0.9
# Share of a busy hour that five of its minutes hold; work comes in bursts.
_BUSY_MINUTES = 0.25
_MIDDLE = 127
_HOURS = 24
_SLOTS_AN_HOUR = int(HOUR / SLOT)
_ROLES = (DEVICE, SERVER, WORKSTATION)


def _halves(values: npt.ArrayLike) -> Floats:
    """Numbers in half octaves."""
    result: Floats = BINS * np.log2(1.0 + np.maximum(np.asarray(values, float), 0.0))
    return result


class Paces:
    """What the five minutes of a network's hosts are like, ready to be asked.

    Args:
        baseline: what was learned; at least one day.
    """

    def __init__(self, baseline: Baseline) -> None:
        self.days = len(baseline.days)
        role = roles(baseline)
        self.sources = Names(role.index)
        numbers = [_ROLES.index(name) for name in role.sort_index()]
        self.roles = np.array([*numbers, -1], dtype=np.int64)
        self._learn_hours(baseline["hours"])
        sample = baseline["windows"]
        source = self.sources.of(sample.source)
        ratios = self._ratios(sample)
        self.of_host: dict[str, Histograms] = {}
        self._tails: list[Floats] = []
        day = sample.day.to_numpy(np.int64)
        for name in COUNTS:
            bins = np.minimum(np.round(_halves(sample[name])), UNKNOWN_BIN - 1)
            held = histograms(source, _binned(day, bins), len(self.sources))
            self.of_host[name] = held
            self._tails.append(shrunk_tails(held, self.roles[:-1]))
        # One distribution for each role, as each source is measured by itself.
        self._ratio_tails = [
            shrunk_tails(
                histograms(self.roles[source], _binned(day, _bin(ratios[:, column])), len(_ROLES)),
                np.zeros(len(_ROLES), dtype=np.int64),
            )
            for column in range(ratios.shape[1])
        ]

    def _learn_hours(self, hours: pd.DataFrame) -> None:
        size = len(self.sources)
        source, hour = self.sources.of(hours.source), hours.hour.to_numpy(np.int64)
        days, day = np.unique(hours.day.to_numpy(np.int64), return_inverse=True)
        self._days = {int(number): place for place, number in enumerate(days)}
        grouped = hours.assign(source=source).groupby("source")
        self.busy: dict[str, Floats] = {}
        self._at_hour: dict[str, tuple[Floats, Floats, Codes]] = {}
        for name in BUSY:
            level = np.zeros(size + 1)
            busy = grouped[name].quantile(_BUSY_QUANTILE)
            level[busy.index.to_numpy(np.int64)] = busy.to_numpy()
            level[-1] = np.median(level[:-1]) if size else 0.0
            self.busy[name] = level
        for name in BUSY:
            held = np.zeros((size + 1, max(len(days), 1), _HOURS))
            held[source, day, hour] = hours[name].to_numpy(float)
            around = np.maximum.reduce([held, np.roll(held, 1, axis=2), np.roll(held, -1, axis=2)])
            best = around.argmax(axis=1)
            most = around.max(axis=1)
            np.put_along_axis(around, best[:, None, :], -1.0, axis=1)
            self._at_hour[name] = most, np.maximum(around.max(axis=1), 0.0), best

    def most_around(self, name: str, rows: pd.DataFrame) -> Floats:
        """The most a source counted in an hour around that of each row, on any other day."""
        source = self.sources.of(rows.source.to_numpy())
        hour = rows.slot.to_numpy(np.int64) // _SLOTS_AN_HOUR
        day = rows.day.to_numpy(np.int64)
        numbers = {int(each): self._days.get(int(each), -1) for each in np.unique(day)}
        own = np.array([numbers[int(each)] for each in day], dtype=np.int64)
        most, second, best = self._at_hour[name]
        is_own = best[source, hour] == own
        result: Floats = np.where(is_own, second[source, hour], most[source, hour])
        return result

    def _ratios(self, rows: pd.DataFrame) -> Floats:
        """Counts beside busy hours and beside other days, in half octaves."""
        source = self.sources.of(rows.source.to_numpy())
        busy = [_halves(rows[name]) - _halves(self.busy[name])[source] for name in BUSY]
        known = source >= 0
        around = [
            np.where(known, _halves(rows[name]) - _halves(self._ordinary(name, rows)), np.nan)
            for name in AROUND
        ]
        return np.column_stack(busy + around)

    def _ordinary(self, name: str, rows: pd.DataFrame) -> Floats:
        """The most around the hour, and no less than five busy minutes of the source.

        Somebody who starts early, or stays late, does what he does at any other time.
        """
        source = self.sources.of(rows.source.to_numpy())
        busy: Floats = _BUSY_MINUTES * self.busy[name][source]
        return np.maximum(self.most_around(name, rows), busy)

    def chances(self, rows: pd.DataFrame) -> Floats:
        """The chance of each feature, (rows, features); 1 where nothing is claimed.

        Args:
            rows: five minutes with the columns :data:`ROW`.
        """
        source = self.sources.of(rows.source.to_numpy())
        result = np.ones((len(rows), len(FEATURES)))
        for number, name in enumerate(COUNTS):
            bins = np.minimum(np.round(_halves(rows[name])), UNKNOWN_BIN - 1).astype(np.int64)
            result[:, number] = self._tails[number][source, bins]
        ratios = self._ratios(rows)
        for number, tails in enumerate(self._ratio_tails):
            result[:, len(COUNTS) + number] = tails[self.roles[source], _bin(ratios[:, number])]
        for number, name in enumerate(BUSY):
            # What comes back at its hour, within a factor of two, is a routine: a backup.
            counted = rows[name].to_numpy(float)
            routine = (counted > 0) & (counted <= 2.0 * self.most_around(name, rows))
            result[routine, COUNTS.index(name)] = 1.0
            result[routine, len(COUNTS) + number] = 1.0
        return result

    def vectors(self, rows: pd.DataFrame) -> Floats:
        """Vectors for models, (rows, numbers)."""
        counts = {name: _halves(rows[name]) for name in COUNTS}
        return np.column_stack(
            [
                *counts.values(),
                np.nan_to_num(self._ratios(rows)),
                counts["bytes_out"] - counts["bytes_in"],
                counts["failed"] - counts["connections"],
            ]
        )


def _bin(ratios: Floats) -> Codes:
    """Ratios as bins around the middle of a histogram; unknown where they are nan."""
    number = np.clip(np.round(np.nan_to_num(ratios)) + _MIDDLE, 0, SIZE - 2)
    return np.where(np.isnan(ratios), UNKNOWN_BIN, number).astype(np.int64)


def _binned(day: Codes, bins: Floats | Codes) -> pd.DataFrame:
    return pd.DataFrame({"day": day, "bin": bins.astype(np.int64), "connections": 1.0})
