"""How unlikely a large value is: tail probabilities that hold beyond the values seen.

Peaks over threshold: what exceeds a high quantile follows a generalised Pareto distribution
(Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3, 1975).
Both parameters come from quantiles of the excesses, as in that paper, and not from moments or
likelihood: a few gigantic values, which are just what is looked for, must not widen the tail that
they are judged by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BASE = 0.98
"""Quantile from which a value counts as an excess."""

_FEWEST_EXCESSES = 40
# Shape 0 is the exponential tail of log-normal and gamma like data, 0.5 the limit of finite
# variance; estimates outside come from too few excesses.
_SHAPES = (0.0, 0.5)
_LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class Tail:
    """The upper tail of a sample.

    Attributes:
        threshold: the base quantile.
        share: share of the sample above it.
        scale: scale of the excesses' Pareto distribution.
        shape: its shape; 0 is exponential.
        support: how many excesses it rests on.
    """

    threshold: float
    share: float
    scale: float
    shape: float
    support: int

    def probability(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Chance of at least such a value; 1 at or below the threshold, where none is claimed."""
        excess = (np.asarray(values, float) - self.threshold) / self.scale
        above = np.maximum(excess, 0.0)
        if self.shape == 0:
            chance = self.share * np.exp(-np.minimum(above, 700.0))
        else:
            chance = self.share * (1 + self.shape * above) ** (-1 / self.shape)
        result: npt.NDArray[np.float64] = np.where(excess > 0, np.maximum(chance, _LEAST), 1.0)
        return result


def fit_tail(sample: npt.ArrayLike, *, prior_scale: float, least_scale: float) -> Tail:
    """Fit the upper tail of a sample.

    Args:
        sample: finite numbers, in any order.
        prior_scale: scale of an exponential tail to assume where too few excesses tell.
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
        return Tail(threshold, 1 - BASE, prior_scale, 0.0, int(excesses.size))
    half, three_quarters = np.quantile(excesses, (0.5, 0.75))
    shape = float(np.clip(math.log2(max(three_quarters / half - 1, 1e-9)), *_SHAPES))
    scale = half / math.log(2) if shape == 0 else half * shape / (2**shape - 1)
    return Tail(
        threshold=threshold,
        share=excesses.size / ordered.size,
        scale=max(float(scale), least_scale),
        shape=shape,
        support=int(excesses.size),
    )
