"""How unlikely a large value is: tail probabilities that hold beyond the values seen.

Peaks over threshold: what exceeds a high quantile follows a generalised Pareto distribution
(Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3, 1975).
Traffic volumes have power-law tails, and the logarithm of a power-law tail is exponential (Hill, "A
simple general approach to inference about the tail of a distribution", Annals of Statistics 3,
1975), so for values on a logarithmic scale the shape is 0 and only the scale is left to estimate.
It is taken from the median excess and not from the mean: a few gigantic values, which are just what
is looked for, must not widen the tail that they are judged by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BASE = 0.98
"""Quantile from which a value counts as an excess."""

# A median of twenty stands nine strangers among them.
_FEWEST_EXCESSES = 20
# Beyond this the exponential is 0 to a float64.
_FURTHEST = 700.0


@dataclass(frozen=True, slots=True)
class Tail:
    """The upper tail of a sample.

    Attributes:
        threshold: the base quantile.
        share: share of the sample above it.
        scale: scale of the excesses' exponential distribution.
        support: how many excesses it rests on.
    """

    threshold: float
    share: float
    scale: float
    support: int

    def probability(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Chance of at least such a value; 1 at or below the threshold, where none is claimed."""
        excess = (np.asarray(values, float) - self.threshold) / self.scale
        chance = self.share * np.exp(-np.clip(excess, 0.0, _FURTHEST))
        result: npt.NDArray[np.float64] = np.where(excess > 0, chance, 1.0)
        return result


def fit_tail(sample: npt.ArrayLike, *, prior: Tail, least_scale: float) -> Tail:
    """Fit the upper tail of a sample on a logarithmic scale.

    Args:
        sample: finite numbers, in any order.
        prior: the tail to assume where too few excesses tell.
        least_scale: smallest scale that makes sense, so that a sample without spread does not make
            every value impossible.

    Raises:
        ValueError: the sample is empty.
    """
    ordered = np.sort(np.asarray(sample, float))
    if not ordered.size:
        raise ValueError("a tail needs a sample")
    threshold = float(np.quantile(ordered, BASE))
    excesses = ordered[ordered > threshold] - threshold
    if excesses.size < _FEWEST_EXCESSES:
        # The few there are may be just what is looked for.
        return prior
    return Tail(
        threshold=threshold,
        share=excesses.size / ordered.size,
        scale=max(float(np.median(excesses)) / math.log(2), least_scale),
        support=int(excesses.size),
    )
