"""How much the intervals of a pair look like the sleeps of a program: trees over their shape.

A small gradient-boosted model of the features of :mod:`analyzer.intervals`. It is monotone in every
one of them: more alike intervals, or more of them, never look less like a beacon. What it has not
seen in training it therefore cannot judge the wrong way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from analyzer.errors import ModelError
from analyzer.intervals import SHAPE
from analyzer.models.model_file import Arrays, load_model

Floats = npt.NDArray[np.float64]

DIRECTIONS = {
    "count": 1,
    "coverage": 1,
    "low": 1,
    "quartiles": -1,
    "tails": -1,
    "skew": -1,
    "narrowest_third": -1,
    "narrowest_half": -1,
    "narrowest_most": -1,
    "gamma": -1,
    "local_variation": -1,
    "multiples": 1,
}
"""Whether more of a feature of :data:`analyzer.intervals.SHAPE` speaks for a beacon, or against."""


@dataclass(frozen=True, slots=True)
class BeaconModel:
    """Complete binary trees whose leaves are added up.

    Attributes:
        feature: which feature each inner node looks at: a row a tree, the root first, the children
            of node i at 2i + 1 and 2i + 2.
        threshold: from above which value it goes to the right.
        leaf: what each leaf adds, a row a tree.
        bias: what every score begins with.
        tail_counts: for how many intervals, at least, each row of the next holds; rising from 0.
        tail_scores: scores, rising, that simulated background of so many intervals exceeds
        tail_shares: with these shares.
    """

    feature: npt.NDArray[np.int64]
    threshold: Floats
    leaf: Floats
    bias: float
    tail_counts: Floats
    tail_scores: Floats
    tail_shares: Floats

    def scores(self, features: Floats) -> Floats:
        """The log odds that each row is a beacon, as trained on as many beacons as others."""
        total = np.full(len(features), self.bias)
        depth = self.leaf.shape[1].bit_length() - 1
        rows = np.arange(len(features))
        for feature, threshold, leaf in zip(self.feature, self.threshold, self.leaf, strict=True):
            node = np.zeros(len(features), np.int64)
            for _ in range(depth):
                node = 2 * node + 1 + (features[rows, feature[node]] > threshold[node])
            total += leaf[node - (len(leaf) - 1)]
        return total

    def false_alarm(self, features: Floats) -> Floats:
        """The share of simulated background of as many intervals that looks as much like a beacon.

        It is no less than could be measured, the last of `tail_shares`.
        """
        scores = self.scores(features)
        counts = np.exp(features[:, SHAPE.index("count")])
        row = np.searchsorted(self.tail_counts, np.rint(counts), side="right") - 1
        logs = np.empty(len(scores))
        for number, tail in enumerate(self.tail_scores):
            at = row == number
            logs[at] = np.interp(scores[at], tail, np.log(self.tail_shares))
        result: Floats = np.exp(logs)
        return result


def model_of(arrays: Arrays) -> BeaconModel:
    """The model that arrays describe.

    Raises:
        ModelError: they describe none of today's features.
    """
    if [str(name) for name in arrays["names"]] != list(SHAPE):
        raise ModelError("model beacon is of other features; train it again")
    return BeaconModel(
        arrays["feature"].astype(np.int64),
        arrays["threshold"].astype(np.float64),
        arrays["leaf"].astype(np.float64),
        float(arrays["bias"]),
        arrays["tail_counts"].astype(np.float64),
        arrays["tail_scores"].astype(np.float64),
        arrays["tail_shares"].astype(np.float64),
    )


@cache
def beacon_model() -> BeaconModel:
    """The model that ships with the package.

    Raises:
        ModelError: its files are missing or damaged.
    """
    return model_of(load_model("beacon")[0])
