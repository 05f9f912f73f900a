"""Connections as numbers, for models that know nothing of hosts and ports.

Sizes and durations stay on their logarithmic bins, beside what is usual on their port, and as far
as they are beyond what the host itself does in all but one in a hundred connections; ports and
peers become how many hosts use or know them, and what is news lies as far out as it is unlikely.
All are in half octaves, or weigh as two of them.
"""

from __future__ import annotations

import numpy as np

from analyzer.baseline.bins import BINS, SHAPES, UNKNOWN_BIN
from analyzer.baseline.coding import RATIO, Coded, ratio_of
from analyzer.baseline.habits import Habits
from analyzer.baseline.histograms import Floats

NEWS = ("port", "application", "peer", "hour", "unanswered")
"""What is news or not, of :data:`analyzer.baseline.habits.FEATURES`."""

NAMES = (
    *SHAPES,
    *(f"{metric} beside the service's" for metric in SHAPES),
    *(f"{metric} beyond the host's" for metric in SHAPES),
    "ratio",
    "hosts that use the service",
    "hosts that know the peer",
    *NEWS,
    "answered",
)
"""The numbers of a vector."""

LEAST: Floats = np.ones(len(NAMES))
"""Spread of each below which differences mean nothing: a bin."""

# Of yes and no: as far apart as sizes that differ by a factor of two.
_WEIGHT = 2.0
# A chance is as far out as a size of that chance, where sizes are a power law of exponent one.
_DECADE = BINS * np.log2(10.0)


def vectors(habits: Habits, rows: Coded) -> Floats:
    """Vectors of connections, (rows, numbers); what is not known is as usual.

    Args:
        habits: of the baseline that is compared with.
        rows: connections, see :meth:`analyzer.baseline.coding.Coding.coded`.
    """
    result = np.zeros((len(rows.source), len(NAMES)))
    count = len(SHAPES)
    for number, metric in enumerate(SHAPES):
        bins = rows.bins[metric].astype(float)
        middle = habits.sizes.service_medians(metric)[rows.place]
        known = bins != UNKNOWN_BIN
        result[:, number] = np.where(known, bins, middle)
        result[:, count + number] = np.where(known, bins - middle, 0.0)
        most = habits.host_most(metric)[rows.source]
        result[:, 2 * count + number] = np.where(known, np.maximum(bins - most, 0.0), 0.0)
    ratio = ratio_of(rows.bins)
    result[:, 3 * count] = np.where(ratio == UNKNOWN_BIN, 0.0, ratio - RATIO)
    column = 3 * count + 1
    result[:, column] = BINS * np.log2(1.0 + habits.customs.users_of(rows))
    known_by, _ = habits.customs.acquaintance(rows)
    result[:, column + 1] = BINS * np.log2(1.0 + known_by)
    chances = habits.customs.news(rows)
    for number, name in enumerate(NEWS):
        result[:, column + 2 + number] = -_DECADE * np.log10(chances[name])
    result[:, column + 2 + len(NEWS)] = _WEIGHT * rows.answered
    return result
