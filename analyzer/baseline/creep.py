"""Hosts whose days grow and grow: what somebody who teaches a baseline slowly cannot hide.

Whoever does a little more every day is never unusual beside yesterday. The trend over the window
says it: the Mann-Kendall test (Mann, "Nonparametric tests against trend", Econometrica 13, 1945;
Kendall, "Rank correlation methods", 1975), which asks only whether later days are above earlier
ones, on the days that a host was there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

MEASURES = ("connections", "bytes_out", "destinations")
"""Columns of ``hours`` whose totals by day are looked at."""

FEWEST_DAYS = 10
"""Days on which a host must have been there: of fewer, too many orders rise by chance."""

LEAST_FACTOR = 2.0
"""How many times the first third of the days the last third must be; less hides nothing."""

FALSE_ALARMS = 0.01
"""How many hosts and measures may be named by chance, of all together."""


def creeping(baseline: Baseline) -> pd.DataFrame:
    """The hosts and measures that have risen all through the window, the steepest first.

    Columns: ``source measure days`` (on which it was there), ``factor`` (median of the last third
    of its days over that of the first), ``chance`` (of such an order if there is no trend).
    """
    daily = baseline["hours"].groupby(["source", "day"], as_index=False)[list(MEASURES)].sum()
    rows = []
    for source, own in daily.groupby("source"):
        if len(own) < FEWEST_DAYS:
            continue
        for measure in MEASURES:
            values = own[measure].to_numpy(float)
            third = len(values) // 3
            first, last = np.median(values[:third]), np.median(values[-third:])
            factor = float((last + 1.0) / (first + 1.0))
            rows.append((source, measure, len(values), factor, _chance(values)))
    found = pd.DataFrame(rows, columns=["source", "measure", "days", "factor", "chance"])
    known = (found.chance * max(len(found), 1) <= FALSE_ALARMS) & (found.factor >= LEAST_FACTOR)
    return found[known].sort_values(
        ["factor", "source"], ascending=[False, True], ignore_index=True
    )


def _chance(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The chance that so many pairs of days rise rather than fall, by the normal approximation.

    Ties are not taken off the variance, which makes the chance larger than it is.
    """
    number = len(values)
    above = np.sign(values[None, :] - values[:, None])
    balance = float(np.triu(above, 1).sum())
    spread = np.sqrt(number * (number - 1) * (2 * number + 5) / 18.0)
    # The normal distribution's upper tail.
    return math.erfc((balance - np.sign(balance)) / spread / math.sqrt(2.0)) / 2.0
