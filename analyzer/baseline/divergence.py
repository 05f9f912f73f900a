"""How far one distribution is from another, from 0 (the same) to 1 (nothing in common).

The Jensen-Shannon distance: the square root of the Jensen-Shannon divergence in bits (Lin,
"Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37,
1991), which is a metric (Endres and Schindelin, "A new metric for probability distributions", the
same 49, 2003). Unlike the population stability index it needs no bin of either to be filled.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

MOVED = math.sqrt(0.1 / 8 / math.log(2))
"""From here on a distribution has moved: a population stability index of 0.1, the common rule of
thumb for a shift worth a look (Siddiqi, "Credit Risk Scorecards", 2006). For small differences the
index is eight times the divergence in nats."""

DRIFTED = math.sqrt(0.25 / 8 / math.log(2))
"""From here on it is another one: an index of 0.25."""


def distance(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """The distance of two distributions over the same categories; nan if either is empty.

    Args:
        one: a weight of 0 or more for each category; they need not add up to 1.
        other: likewise.
    """
    p, q = (np.asarray(each, float) for each in (one, other))
    if not p.sum() > 0 or not q.sum() > 0:
        return math.nan
    p, q = p / p.sum(), q / q.sum()
    return math.sqrt(min(max(float(_bits(p, q).sum()), 0.0), 1.0))


def mix_distances(days: pd.DataFrame, usual: pd.DataFrame, *, apart: bool) -> pd.DataFrame:
    """The distance of each source's days from what is usual for it.

    Args:
        days: ``source day kind weight``, each day and kind of a source once.
        usual: likewise.
        apart: whether the days are none of the usual ones; else each day is compared with all the
            others.

    Returns:
        ``source day value``; days that have nothing to be compared with are left out.
    """
    keys = ["source", "kind"]
    known = usual.groupby(keys, as_index=False)[["weight"]].sum()
    known = known.rename(columns={"weight": "usual"})
    rows = days.merge(known, "left", keys).fillna({"usual": 0.0})
    every = usual.groupby("source").weight.sum()
    total = rows.source.map(every).fillna(0.0).to_numpy(float)
    of_day = rows.groupby(["source", "day"]).weight.transform("sum").to_numpy(float)
    expected = rows.usual.to_numpy(float)
    weight = rows.weight.to_numpy(float)
    if not apart:
        # Coarse numbers of days that are over may not add up to the last digit.
        expected, total = np.maximum(expected - weight, 0.0), np.maximum(total - of_day, 0.0)
    possible = (total > 0) & (of_day > 0)
    rows, weight, expected = rows[possible], weight[possible], expected[possible]
    p, q = weight / of_day[possible], expected / total[possible]
    shared = rows.assign(bits=_bits(p, q), met=q).groupby(["source", "day"], as_index=False)
    summed = shared[["bits", "met"]].sum()
    # What the day has nothing of adds half of its usual share.
    missing = np.clip(1.0 - summed.met.to_numpy(), 0.0, 1.0)
    divergence = np.clip(summed.bits.to_numpy() + missing / 2, 0.0, 1.0)
    return summed[["source", "day"]].assign(value=np.sqrt(divergence))


def _bits(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What each category adds to the divergence."""
    middle = (p + q) / 2
    result: npt.NDArray[np.float64] = (_term(p, middle) + _term(q, middle)) / 2
    return result


def _term(
    share: npt.NDArray[np.float64], middle: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    ratio = np.divide(share, middle, out=np.ones_like(share), where=share > 0)
    return np.where(share > 0, share * np.log2(ratio), 0.0)
