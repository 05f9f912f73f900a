"""How far out in the tails of its features a row lies: ECOD, on a reference.

Li, Zhao, Hu, Botta, Ionescu and Chen, "ECOD: Unsupervised Outlier Detection Using Empirical
Cumulative Distribution Functions", IEEE TKDE 35 (2023), section 3: the largest of the left tails
added up, the right ones, and those on the side to which each feature is skewed. The published code
puts what is judged among the reference; here the reference alone makes the distribution, or a flood
would be its own measure. Beyond the reference's extremes the tails go on as in
:mod:`analyzer.tails`, where an empirical distribution would give all of them the same.
"""

from __future__ import annotations

import math

import numpy as np

from analyzer.baseline.histograms import Floats
from analyzer.tails import BASE

# Half of what features are scaled to: a tail that steep is one by accident.
_LEAST_SCALE = 0.5


class Ecod:
    """The tails of a reference's features.

    Args:
        reference: (rows, features), finite and scaled alike, at least one row.
    """

    def __init__(self, reference: Floats) -> None:
        right, left = np.sort(reference, axis=0), np.sort(-reference, axis=0)
        centred = reference - reference.mean(axis=0)
        third = (centred**3).mean(axis=0)
        # Only the sign of the skewness counts.
        self._to_the_left = third < 0
        self._scales = [_scales(ordered) for ordered in (left, right)]
        self._last = [ordered[-1] for ordered in (left, right)]
        self._left, self._right = (list(ordered.T.copy()) for ordered in (left, right))

    def anomaly(self, rows: Floats) -> Floats:
        """The outlier score of each row: minus the logarithm of a product of tails."""
        left = _surprise(self._left, self._last[0], self._scales[0], -rows)
        right = _surprise(self._right, self._last[1], self._scales[1], rows)
        skewed = np.where(self._to_the_left, left, right)
        result: Floats = np.maximum.reduce(
            [left.sum(axis=1), right.sum(axis=1), skewed.sum(axis=1)]
        )
        return result


def _scales(ordered: Floats) -> Floats:
    base = np.quantile(ordered, BASE, axis=0)
    scales = np.empty(ordered.shape[1])
    for column, threshold in enumerate(base):
        excess = ordered[:, column][ordered[:, column] > threshold] - threshold
        scales[column] = np.median(excess) / math.log(2.0) if excess.size else 0.0
    return np.maximum(scales, _LEAST_SCALE)


def _surprise(ordered: list[Floats], last: Floats, scales: Floats, rows: Floats) -> Floats:
    """Minus the logarithm of the share at or above each value, by the columns in order."""
    size = len(ordered[0])
    above = np.empty(rows.shape, dtype=np.int64)
    for column, values in enumerate(ordered):
        above[:, column] = size - values.searchsorted(rows[:, column], side="left")
    beyond = np.maximum(rows - last, 0.0) / scales
    result: Floats = -np.log((above + (above == 0)) / (size + 1.0)) + beyond
    return result
