"""How far a host's day goes beyond the highest it was seen to reach, and how unlikely that is.

An hour beside all hours of a host says little until weeks are known: a host is idle or busy, and
the spread of the two together hides what no hour ever held. What each day *reached* is another
matter. Days are exchangeable as far as anybody knows, so the next one exceeds the k-th highest of n
with chance k / (n + 1), whatever the distribution (David and Nagaraja, "Order Statistics", 3rd ed.
2003, section 2). By how much is read from the baseline's own days, each beside the others of its
host: the logarithm of the excess, in the host's own spread drawn towards its role's and the
population's, is taken as exponential, as excesses of power laws are (Hill, "A simple general
approach to inference about the tail of a distribution", Annals of Statistics 3, 1975).

Not the highest day counts but the (1 + n/10)-th highest, so that a flood among what was learned
does not hide the next one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.usual import PRIOR

FEWEST_DAYS = 3
"""Days of a host that must be known."""

# How many days leave out one more of the highest.
_ONE_IN = 10
# Excesses that a scale is read from: a median of twenty stands nine strangers among them.
_EXCESSES = 20
_MAD = 1.4826
# Past days are kept in steps of this.
_STEP = math.log(2) / 4
# In spreads; without enough excesses nothing better is known.
_PRIOR_SCALE, _LEAST_SCALE = 1.0, 0.5
_FURTHEST = 700.0


@dataclass(frozen=True, slots=True)
class HighJudgement:
    """Days beside the highest of their hosts; arrays of one length.

    Attributes:
        reference: what the host reaches on its highest days; nan if too few are known.
        chance: of at least such a day; 1 where it does not exceed that, or nothing is known.
        days: how many days of the host that rests on.
    """

    reference: npt.NDArray[np.float64]
    chance: npt.NDArray[np.float64]
    days: npt.NDArray[np.int64]


class Highs:
    """What hosts reach on their highest days.

    Args:
        samples: what each day reached: ``source day value``, one row a source and day.
        roles: role of each source, by address; others have none.
    """

    def __init__(self, samples: pd.DataFrame, roles: pd.Series[str]) -> None:
        known = samples.assign(x=np.log1p(samples.value.to_numpy(float)))
        known = known.sort_values(["source", "x"], ascending=[True, False], kind="stable")
        days = known.groupby("source").x.transform("size")
        known = known[days >= FEWEST_DAYS]
        grouped = known.groupby("source", sort=True).x
        self._days = grouped.size()
        self._spread = self._spreads(known, roles)
        self._ordered = {str(source): own.to_numpy() for source, own in grouped}
        self._threshold, self._share, self._scale = self._tail()

    @staticmethod
    def _spreads(known: pd.DataFrame, roles: pd.Series[str]) -> pd.Series[float]:
        """The robust spread of each source's days, drawn towards its role's and all hosts'."""
        off = (known.x - known.groupby("source").x.transform("median")).abs()
        table = pd.DataFrame(
            {
                "square": (_MAD * off.groupby(known.source).median()) ** 2,
                "n": known.groupby("source").size(),
            }
        )
        role = (
            roles.reindex(table.index).fillna("").to_numpy()
            if len(roles)
            else np.full(len(table), "")
        )
        every = max(float((_MAD * off.median()) ** 2), _STEP**2) if len(off) else _STEP**2
        role_of_row = pd.Series(role, index=table.index).reindex(known.source).to_numpy()
        by_role = (_MAD * off.groupby(role_of_row).median()) ** 2
        size = off.groupby(role_of_row).size()
        by_role = (size * by_role.clip(lower=_STEP**2) + PRIOR * every) / (size + PRIOR)
        wide = by_role.reindex(role).to_numpy() if len(table) else np.zeros(0)
        drawn = (table.n * table.square.clip(lower=_STEP**2) + PRIOR * wide) / (table.n + PRIOR)
        return drawn.pow(0.5)

    def _tail(self) -> tuple[float, float, float]:
        """Threshold, the share above it and the scale of what is beyond it, in spreads.

        The share is that of the days which exceed the others' reference at all.
        """
        beyond, expected = [], 0.0
        for source, ordered in self._ordered.items():
            n = len(ordered) - 1
            place = n // _ONE_IN
            # Beside the others, the reference of the highest days is one place further down.
            higher = ordered[: place + 1] - ordered[place + 1]
            beyond.append(higher[higher > 0] / self._spread[source])
            expected += len(ordered)
        excess = np.sort(np.concatenate(beyond)) if beyond else np.zeros(0)
        if excess.size < _EXCESSES:
            return 0.0, 1.0, _PRIOR_SCALE
        # The part of the excesses that is judged by is the furthest that still has enough.
        threshold = float(excess[-_EXCESSES - 1]) if excess.size > 2 * _EXCESSES else 0.0
        over = excess[excess > threshold] - threshold
        return (
            threshold,
            over.size / excess.size,
            max(float(np.median(over)) / math.log(2), _LEAST_SCALE),
        )

    def judge(self, rows: pd.DataFrame) -> HighJudgement:
        """Judge what days reached.

        Args:
            rows: ``source value``, a row a source and day.
        """
        size = len(rows)
        reference, chance = np.full(size, np.nan), np.ones(size)
        days = np.zeros(size, dtype=np.int64)
        values = rows.value.to_numpy(float)
        for place, source in enumerate(rows.source.to_numpy()):
            ordered = self._ordered.get(str(source))
            if ordered is None:
                continue
            n = len(ordered)
            k = n // _ONE_IN
            reference[place], days[place] = np.expm1(ordered[k]), n
            z = (np.log1p(values[place]) - ordered[k]) / self._spread[source]
            if z <= 0:
                continue
            first = (k + 1) / (n + 1)
            if z <= self._threshold:
                # Between the reference and the threshold, a straight line on the scale of logs.
                chance[place] = first * self._share ** (z / self._threshold)
            else:
                off = min((z - self._threshold) / self._scale, _FURTHEST)
                chance[place] = first * self._share * math.exp(-off)
        return HighJudgement(reference, chance, days)
