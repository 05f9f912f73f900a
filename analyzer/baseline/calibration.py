"""From raw scores to probabilities, and from probabilities to one score.

Raw scores become tail probabilities by those of ordinary connections that had no part in what they
are judged by: empirical up to the 98% quantile, beyond it by peaks over threshold
(:mod:`analyzer.tails`). Never by a share of what is judged (scikit-learn's ``contamination``),
which finds that share anomalous whatever there is.

Minus the decimal logarithm of a tail probability is called surprise here. A part's score is 0.7 at
the surprise :attr:`Scale.bound`, in proportion below it, and rises above it by severities:

======================  =====  ==========
orders of magnitude     score  severity
======================  =====  ==========
0                       0.7    low
0.5                     0.8    medium
1                       0.9    high
1.5                     0.95   critical
3                       1
======================  =====  ==========

so that of what is reported by chance one in three is medium, one in ten high, and one in thirty
critical. The
combined score is a weighted mean of the parts' scores, and the bound is where the share of ordinary
ones whose combined score reaches 0.7 is what was asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analyzer.baseline.histograms import Floats
from analyzer.findings import Severity
from analyzer.tails import BASE, Tail, fit_tail

REPORTED = Severity.LOW.bound
"""The combined score from which something is reported."""

REPORTED_LESS = Severity.NONE.highest
"""The most that is not."""

ABOVE = (
    (0.0, Severity.LOW.bound),
    (0.5, Severity.MEDIUM.bound),
    (1.0, Severity.HIGH.bound),
    (1.5, Severity.CRITICAL.bound),
    (3.0, 1.0),
)
"""Orders of magnitude beyond the bound, and the score."""

_ORDERS, _SCORES = (np.array(each) for each in zip(*ABOVE, strict=True))

# With fewer, their largest twentieth is no tail.
_FEWEST = 40
_LEAST_SCALE = 1e-3

UNIFORM = 1.0 / math.log(10.0)
"""Scale of the tail of minus the decimal logarithm of a probability: no sample can make a chance
rarer than it says."""


def halfway(independent: float) -> float:
    """The least scale of what is made of several surprises: halfway from independent ones' to one.

    Of two members that agree by chance alone the scale is half that of one; of a weighted mean it
    is the larger weight's; of those that say the same it is that of one. Models of one reference
    are neither.

    Args:
        independent: the scale if they were independent, in units of :data:`UNIFORM`.
    """
    return (independent + 1.0) / 2.0 * UNIFORM


_LARGEST = 300.0
_STEPS = 40
# Below this, arrays cost more than they save.
_FEW_ROWS = 8


@dataclass(frozen=True, slots=True)
class Reference:
    """Raw scores of ordinary rows, and their tail.

    Attributes:
        ordered: the scores, rising.
        tail: what they say beyond their 98% quantile.
    """

    ordered: Floats
    tail: Tail

    def surprise(self, values: Floats) -> Floats:
        """How unlikely values at least as large are: minus the decimal logarithm of the chance."""
        size = len(self.ordered)
        above = size - np.searchsorted(self.ordered, values, side="left")
        common = -np.log10((above + 1.0) / (size + 1.0))
        excess = (values - self.tail.threshold) / (self.tail.scale * math.log(10.0))
        rare = -math.log10(self.tail.share) + np.maximum(excess, 0.0)
        beyond = values > self.tail.threshold
        result: Floats = np.where(beyond, np.minimum(rare, _LARGEST), common)
        return result


def reference(
    scores: Floats, *, least_scale: float = _LEAST_SCALE, most_scale: float = math.inf
) -> Reference:
    """The reference that scores make.

    Args:
        scores: of ordinary rows.
        least_scale: least scale of their tail that makes sense.
        most_scale: the largest. A host that does something new does it in a bunch, and a bunch
            among the excesses says little of how fast chances fall beyond it.

    Raises:
        ValueError: there are fewer than 40.
    """
    if len(scores) < _FEWEST:
        raise ValueError(f"a reference needs {_FEWEST} scores, there are {len(scores)}")
    ordered = np.sort(scores)
    # Of a small sample the tail begins earlier: twenty excesses have a median.
    base = min(BASE, 1.0 - 20.5 / len(ordered))
    threshold = float(np.quantile(ordered, base))
    excess = ordered[ordered > threshold] - threshold
    scale = float(np.median(excess)) / math.log(2.0) if excess.size else least_scale
    prior = Tail(
        threshold=threshold,
        share=max(excess.size, 1) / len(ordered),
        scale=max(scale, least_scale),
        support=int(excess.size),
    )
    tail = fit_tail(ordered, prior=prior, least_scale=least_scale)
    return Reference(ordered, replace(tail, scale=min(tail.scale, most_scale)))


@dataclass(frozen=True, slots=True)
class Scale:
    """What turns surprises into scores.

    Attributes:
        weights: of the statistical part and of the models; they add up to 1.
        bound: the surprise that is worth 0.7.
    """

    weights: tuple[float, float]
    bound: float

    def score(self, surprise: Floats) -> Floats:
        """The score of a part, in [0, 1]."""
        below = REPORTED * surprise / self.bound
        result: Floats = np.where(
            surprise < self.bound, below, np.interp(surprise - self.bound, _ORDERS, _SCORES)
        )
        return result

    def combined(self, statistical: Floats, model: Floats) -> Floats:
        """The weighted mean of both parts' scores."""
        one, other = self.weights
        result: Floats = one * self.score(statistical) + other * self.score(model)
        return result

    def loudness(self, beyond: Floats) -> Floats:
        """The score of what is so many orders of magnitude rarer than what was asked for."""
        result: Floats = np.interp(beyond, _ORDERS, _SCORES)
        return result

    @property
    def least(self) -> float:
        """The surprise of the statistical part below which no model can make it a finding."""
        one, other = self.weights
        if one <= 0.0:
            return 0.0
        return max(REPORTED - other, 0.0) / one / REPORTED * self.bound


def equivalent(statistical: Floats, model: Floats, weights: tuple[float, float]) -> Floats:
    """The bound at which each row's combined score would be just 0.7: one surprise for both parts.

    A combined score falls as the bound rises, so it is found by halving.
    """
    low = np.zeros(len(statistical))
    high = np.maximum(np.maximum(statistical, model), 1e-6) + 1e-6
    if len(statistical) <= _FEW_ROWS:
        rows = zip(statistical.tolist(), model.tolist(), high.tolist(), strict=True)
        return np.array([_equivalent_of_one(*row, weights) for row in rows])
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        one, other = (_score_at(each, middle) for each in (statistical, model))
        reached = weights[0] * one + weights[1] * other >= REPORTED
        low, high = np.where(reached, middle, low), np.where(reached, high, middle)
    return low


def _score_at(surprise: Floats, bound: Floats) -> Floats:
    below = REPORTED * surprise / np.maximum(bound, 1e-12)
    result: Floats = np.where(
        surprise < bound, below, np.interp(surprise - bound, _ORDERS, _SCORES)
    )
    return result


def _equivalent_of_one(
    statistical: float, model: float, high: float, weights: tuple[float, float]
) -> float:
    """:func:`equivalent` of one row, by the same arithmetic without arrays."""
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        one, other = (_score_of_one(each, middle) for each in (statistical, model))
        if weights[0] * one + weights[1] * other >= REPORTED:
            low = middle
        else:
            high = middle
    return low


def _score_of_one(surprise: float, bound: float) -> float:
    if surprise < bound:
        return REPORTED * surprise / max(bound, 1e-12)
    beyond = surprise - bound
    for (order, score), (next_order, next_score) in pairwise(ABOVE):
        if beyond < next_order:
            return (next_score - score) / (next_order - order) * (beyond - order) + score
    return ABOVE[-1][1]


def scale_for(
    statistical: Floats, model: Floats, *, weights: tuple[float, float], rate: float
) -> tuple[Scale, Reference]:
    """The scale at which a share of ordinary rows is reported, and the reference it comes from.

    Args:
        statistical: surprises of ordinary rows' statistical part.
        model: likewise of the models.
        weights: of both parts.
        rate: the share asked for.
    """
    held = reference(
        equivalent(statistical, model, weights),
        least_scale=halfway(max(weights)),
        most_scale=halfway(max(weights)),
    )
    if rate < held.tail.share:
        bound = held.tail.threshold + held.tail.scale * math.log(held.tail.share / rate)
    else:
        bound = float(np.quantile(held.ordered, 1.0 - rate))
    return Scale(weights, max(bound, 1e-3)), held
