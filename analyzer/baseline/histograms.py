"""Tails of a baseline's histograms: how unlikely a single connection's value is."""

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
    values = np.log1p(value_of(counts.index.to_numpy(), metric))
    weights = counts.to_numpy(float)
    below = np.cumsum(weights)
    base = int(np.searchsorted(below, BASE * total))
    beyond = weights[base + 1 :]
    if total * (1 - BASE) < _FEWEST_EXCESSES:
        return None
    if beyond.sum() < _FEWEST_EXCESSES:
        # The base lies in the last bins: nothing is known but how rare it is to lie beyond.
        share = float((beyond.sum() + 1.0) / (total + 1.0))
        return Tail(float(values[base]), share, _PRIOR_SCALE, int(beyond.sum()))
    middle = int(np.searchsorted(np.cumsum(beyond), beyond.sum() / 2))
    excess = float(values[base + 1 + middle] - values[base])
    return Tail(
        threshold=float(values[base]),
        share=float(beyond.sum() / total),
        scale=max(excess / math.log(2), _LEAST_SCALE),
        support=int(beyond.sum()),
    )


def chance_of(tail: Tail | None, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Chance that one connection's value is at least as large; 1 where no tail is known."""
    asked = np.log1p(np.asarray(values, float))
    if tail is None:
        return np.ones(asked.shape)
    return tail.probability(asked)
