"""Tails of a baseline's histograms: how unlikely a single connection's value is.

One histogram at a time, of a host, a role or a service, in the values' own unit and between the
edges of bins, as a rule compares exact values with it; the tails of thousands of hosts by bin,
each drawn towards wider ones, are :mod:`analyzer.baseline.histograms`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import UNKNOWN_BIN, value_of
from analyzer.tails import BASE, Tail

# As in tails.py: a median of twenty stands nine strangers among them.
_FEWEST_EXCESSES = 20
_LEAST_SCALE = 0.25
# A power law of exponent 1, where no excess says how the tail falls.
_PRIOR_SCALE = 1.0


def histogram_tail(histogram: pd.DataFrame, metric: str) -> Tail | None:
    """The tail of a histogram beyond its base quantile, peaks over threshold on log1p of values.

    Args:
        histogram: ``bin connections``, several rows of one bin add up.
        metric: what it is of, see :data:`analyzer.baseline.bins.SHAPES`.

    Returns:
        The tail; its threshold and scale are in log1p of the metric's own unit. None of fewer
        connections than a tail can be told from.
    """
    known = histogram[histogram.bin != UNKNOWN_BIN]
    counts = known.groupby("bin").connections.sum().sort_index()
    total = float(counts.sum())
    if not total:
        return None
    # Upper edges of the bins: what lies beyond one is known exactly.
    edges = np.log1p(value_of(counts.index.to_numpy(float) + 0.5, metric))
    beyond = total - np.cumsum(counts.to_numpy(float))
    base = int(np.argmax(beyond <= (1 - BASE) * total))
    if total * (1 - BASE) < _FEWEST_EXCESSES:
        return None
    excesses = float(beyond[base])
    if excesses < _FEWEST_EXCESSES:
        # The base lies in the last bins: nothing is known but how rare it is to lie beyond.
        share = (excesses + 1.0) / (total + 1.0)
        return Tail(float(edges[base]), share, _PRIOR_SCALE, int(excesses))
    # Half of the excesses lie beyond their median; between two edges survival falls exponentially.
    half = base + int(np.argmax(beyond[base:] <= excesses / 2))
    before, after = np.log(beyond[half - 1]), np.log(max(float(beyond[half]), 0.5))
    part = (before - np.log(excesses / 2)) / (before - after)
    median = edges[half - 1] + part * (edges[half] - edges[half - 1]) - edges[base]
    return Tail(
        threshold=float(edges[base]),
        share=excesses / total,
        scale=max(float(median) / math.log(2), _LEAST_SCALE),
        support=int(excesses),
    )


def chance_of(tail: Tail | None, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Chance that one connection's value is at least as large; 1 where no tail is known."""
    asked = np.log1p(np.asarray(values, float))
    if tail is None:
        return np.ones(asked.shape)
    return tail.probability(asked)
