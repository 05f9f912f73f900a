"""Three models of what is usual, that vote: Isolation Forest, ECOD, and nearest neighbours.

All are fitted on the deduplicated reference, never on what they judge: fitted on the batch, they
find the ordinary connections anomalous once most of it is a flood. They are fitted when they are
needed, from data, with a fixed seed; nothing fitted is ever stored.

Nearest neighbours: the distance to the tenth nearest row of the reference (Ramaswamy, Rastogi and
Shim, "Efficient algorithms for mining outliers from large data sets", SIGMOD 2000), which Campos et
al., "On the evaluation of unsupervised outlier detection" (Data Mining and Knowledge Discovery 30,
2016), found hard to beat.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from analyzer.baseline.ecod import Ecod
from analyzer.baseline.forest import Forest
from analyzer.baseline.histograms import Floats

MEMBERS = ("isolation forest", "ecod", "nearest neighbours")
"""The models, in the order of :meth:`Ensemble.anomalies`."""

Voting = Literal["majority", "any", "all", "mean"]
"""How the models decide together, see :func:`voted`."""

AGREEING = 2
"""How many of them make a majority."""

FEWEST = 64
"""Rows of a reference from which on models are fitted."""

NEIGHBOURS = 10
MOST_NEIGHBOURS = 4096
"""Rows of the reference that distances are measured to; looking among more takes too long."""

_QUARTILES = 1.349
"""Interquartile range of a normal distribution in standard deviations."""


class Ensemble:
    """The models, fitted.

    Args:
        reference: (rows, features), finite, the order as the sample has it: where there are too
            many for neighbours, the first are taken. At least :data:`FEWEST`.
        least: of each feature, the least spread that means anything.
    """

    def __init__(self, reference: Floats, least: Floats) -> None:
        from scipy.spatial import cKDTree  # noqa: PLC0415 - where it is used, as it takes time

        low, self._centre, high = np.quantile(reference, (0.25, 0.5, 0.75), axis=0)
        self._spread = np.maximum((high - low) / _QUARTILES, least)
        scaled = self._scaled(reference)
        self._forest = Forest(scaled)
        self._ecod = Ecod(scaled)
        self._tree = cKDTree(scaled[:MOST_NEIGHBOURS])
        self._neighbours = min(NEIGHBOURS, len(self._tree.data))

    def _scaled(self, rows: Floats) -> Floats:
        scaled: Floats = (rows - self._centre) / self._spread
        return scaled

    def anomalies(self, rows: Floats) -> Floats:
        """How anomalous each row is to each model, (rows, models); larger is more."""
        scaled = self._scaled(rows)
        distance, _ = self._tree.query(scaled, k=[self._neighbours])
        return np.column_stack(
            [self._forest.anomaly(scaled), self._ecod.anomaly(scaled), distance[:, 0]]
        )


def voted(surprises: Floats, voting: Voting) -> Floats:
    """What the models say together.

    Args:
        surprises: minus the decimal logarithm of each model's tail probability, (rows, models).
        voting: ``majority``: what more than half of them say at least; ``any``: the loudest, and
            as one of three will be, by chance, a third of its probability; ``all``: the calmest;
            ``mean``: the mean.
    """
    members = surprises.shape[1]
    ordered = np.sort(surprises, axis=1)
    result: Floats
    if voting == "majority":
        result = ordered[:, (members - 1) // 2]
    elif voting == "any":
        result = np.maximum(ordered[:, -1] - np.log10(members), 0.0)
    elif voting == "all":
        result = ordered[:, 0]
    else:
        result = surprises.mean(axis=1)
    return result
