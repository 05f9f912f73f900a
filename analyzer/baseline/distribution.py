"""Where values lie: centre, spread and quantiles, of values or of a histogram's bins.

Centre and spread are those of :mod:`analyzer.baseline.usual`: the median, and the median absolute
deviation of logarithms times 1.4826 (Rousseeuw and Croux, "Alternatives to the median absolute
deviation", JASA 88, 1993). A spread of logarithms is a factor: two hosts in three thousand apart or
a few bytes are described by it alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN, value_of

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""What shares of the values lie at or below the quantiles that are given."""

_MAD = 1.4826

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Where the values of a measure lie.

    Attributes:
        samples: how many values there are.
        centre: the median.
        spread: a factor of at least 1: what one robust standard deviation makes of `1 + centre`.
        quantiles: by share of the values in per cent (``"5"`` to ``"99"``), in the measure's unit.
    """

    samples: float
    centre: float
    spread: float
    quantiles: dict[str, float]


def of_values(values: npt.ArrayLike, scale: float = 1.0) -> Distribution | None:
    """The distribution of values, None if there are none.

    Args:
        values: 0 or more each.
        scale: what they are multiplied by before 1 is added and the logarithm taken.
    """
    known = np.asarray(values, float)
    return _described(known, np.ones(known.size), scale)


def of_bins(bins: npt.ArrayLike, counts: npt.ArrayLike, metric: str) -> Distribution | None:
    """The distribution that a histogram shows, to half a bin; None if it has no known value.

    Args:
        bins: numbers of bins (:mod:`analyzer.baseline.bins`), each as often as one likes.
        counts: how many values each has.
        metric: of :data:`analyzer.baseline.bins.SHAPES`.
    """
    number, weight = np.asarray(bins), np.asarray(counts, float)
    known = number != UNKNOWN_BIN
    return _described(value_of(number[known], metric), weight[known], SHAPES[metric])


def quantiles_of(values: Floats, weight: Floats, shares: npt.ArrayLike) -> Floats:
    """The smallest of the values that the shares of the weight lie at or below."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    # Sums of many shares end a little beside what they should.
    wanted = np.asarray(shares, float) * reached[-1] * (1 - 1e-12)
    result: Floats = values[order][np.searchsorted(reached, wanted)]
    return result


def _described(values: Floats, weight: Floats, scale: float) -> Distribution | None:
    values, weight = values[weight > 0], weight[weight > 0]
    if not values.size:
        return None
    centre = quantiles_of(values, weight, 0.5)
    deviation = np.abs(np.log1p(values * scale) - np.log1p(centre * scale))
    return Distribution(
        samples=float(weight.sum()),
        centre=float(centre),
        spread=float(np.exp(_MAD * quantiles_of(deviation, weight, 0.5))),
        quantiles={
            f"{100 * share:.0f}": float(value)
            for share, value in zip(QUANTILES, quantiles_of(values, weight, QUANTILES), strict=True)
        },
    )
