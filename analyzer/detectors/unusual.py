"""What rules that compare with a baseline have in common: a tail probability's score and words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analyzer.detectors.comparison import FEWEST_DAYS
from analyzer.detectors.detection import score_on
from analyzer.findings import Evidence, Severity

if TYPE_CHECKING:
    from analyzer.detectors.comparison import Comparison

# Orders of magnitude below the chance from which a value is reported, and the score. A site of a
# thousand hosts has some hundred thousand host-hours and measures to judge in a day: a hundred
# times rarer than the default of one in ten thousand is a false medium every few days there.
_CURVE = (
    (-2.0, 0.5),
    (0.0, Severity.LOW.bound),
    (2.0, Severity.MEDIUM.bound),
    (5.0, Severity.HIGH.bound),
    (8.0, Severity.CRITICAL.bound),
    (20.0, 0.99),
)

# Beyond this a float64 has no smaller numbers.
_SMALLEST = 1e-300
# The logarithm of what is left of 1 must be finite.
_NEARLY_ONE = 1.0 - 1e-15


def score_of_chance(chance: float, false_alarm: float) -> float:
    """The score of a value with this tail probability; 0.7 at the chance asked for.

    Args:
        chance: tail probability, tests already corrected for.
        false_alarm: the share of ordinary values that may be reported.
    """
    return score_on(math.log10(false_alarm / max(chance, _SMALLEST)), _CURVE)


def of_several(chance: npt.ArrayLike, tests: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Chance that the smallest of so many independent tests is as small as this.

    Sidak, "Rectangular confidence regions for the means of multivariate normal distributions", JASA
    62, 1967.
    """
    single = np.asarray(chance, float)
    safe = np.minimum(single, _NEARLY_ONE)
    several = -np.expm1(np.asarray(tests, float) * np.log1p(-safe))
    result: npt.NDArray[np.float64] = np.where(single < 1.0, several, 1.0)
    return result


def held_back(score: float, comparison: Comparison) -> float:
    """The score, lower where little is known of what is usual.

    Records that are judged by themselves alone are medium at most: what went on all the time is
    then part of what is usual, and what is unusual may merely be the start of something the other
    days did not have. One or two days do not say how days differ, so by them all is low at most.
    """
    if len(comparison.baseline.days) < FEWEST_DAYS:
        return min(score, Severity.LOW.highest)
    return min(score, Severity.MEDIUM.highest) if comparison.held_aside else score


def chance_evidence(chance: float, false_alarm: float, comparison: Comparison) -> list[Evidence]:
    """How unlikely it is, and what that is judged by."""
    return [
        Evidence("tail probability", f"{chance:.1g}", threshold=false_alarm),
        Evidence("judged by", comparison.judged_by),
    ]
