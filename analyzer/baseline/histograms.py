"""Tail probabilities of many histograms at once, each drawn towards those of a wider group.

What a histogram says beyond its 98% quantile is an exponential tail in bins, which are logarithms:
peaks over threshold with shape 0 and a scale from the median excess, as in :mod:`analyzer.tails`,
which gives the sources. So what is far beyond the largest value seen is less likely than what is
just beyond it. Where large values were seen on two days or more, their share counts instead, if it
is larger: a backup every night is a small part of all connections, but no tail of them.

A host's own tail is drawn towards its role's as the mean of a Gamma-Poisson posterior whose prior
holds one event at the role's rate (Gelman et al., "Bayesian Data Analysis", section 2.6): with n
samples, (n own + 1) / (n + 1 / wider). A host that has been perfectly regular has no tail of its
own, so that whatever else it does is news, but no less likely than once in what it did so far where
others of its role do it all the time. The role's own tail is drawn towards that of all by the
weight of ten samples.

Answers are by bin, for thousands of keys at once, where connections are on bins as well; the tail
of one histogram at exact values is :mod:`analyzer.baseline.value_tails`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import UNKNOWN_BIN
from analyzer.tails import BASE

SIZE = 256
"""Bins of a histogram; the last is what no value is known of."""

PRIOR = 10.0
"""Samples that the wider group counts as."""

# As in :mod:`analyzer.tails`.
_FEWEST_EXCESSES = 20
# A factor of 1.4 is no news however steady a value is: one bin.
_LEAST_SCALE = 1.0
# A wider group's chance below which there is nothing to divide by.
_LEAST = 1e-290
# Of volumes, where nothing tells: a power law of exponent one (Crovella and Bestavros,
# "Self-similarity in World Wide Web traffic", IEEE/ACM Transactions on Networking 5, 1997, found
# 1.1 for sizes of files) has 1 / ln(sqrt(2)) bins.
_USUAL_SCALE = 2.0 / math.log(2.0)

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Histograms:
    """Histograms of one metric, by key; what is unknown is not counted.

    Attributes:
        counts: samples by key and bin, (keys, 256).
        second: of each key, the largest bin that was reached on two days; -1 if none was.
    """

    counts: Floats
    second: Codes

    @property
    def sizes(self) -> Floats:
        """How many samples each key has."""
        result: Floats = self.counts.sum(axis=1)
        return result

    def quantile(self, share: float) -> Floats:
        """The bin of a quantile of each key, and at the end of all, for keys without samples."""
        part = np.cumsum(np.vstack([self.counts, self.counts.sum(axis=0)]), axis=1)
        bins: Floats = np.argmax(part >= part[:, -1:] * share - 1e-9, axis=1).astype(float)
        bins[part[:, -1] == 0] = bins[-1]
        return bins

    def between(self, key: int, low: float, high: float) -> tuple[int, int]:
        """The bins of two quantiles of a key; of all keys together where it has no samples."""
        row = self.counts[key] if key >= 0 and self.counts[key].any() else self.counts.sum(axis=0)
        if not row.any():
            return 0, 0
        share = np.cumsum(row) / row.sum()
        lower, upper = np.searchsorted(share, (low, high - 1e-9))
        return int(lower), int(upper)


def weighted_counts(places: Codes, weights: Floats, count: int) -> Floats:
    """Weights added up by place; of no rows at all, too, as floating point numbers."""
    result: Floats = np.bincount(places, weights, count).astype(float)
    return result


def histograms(keys: Codes, frame: pd.DataFrame, count: int) -> Histograms:
    """Add up the bins of each key.

    Args:
        keys: the key of each row of the frame; rows of key -1 are left out.
        frame: ``day bin connections``.
        count: how many keys there are.
    """
    bins = frame.bin.to_numpy(np.int64)
    kept = (keys >= 0) & (bins != UNKNOWN_BIN)
    keys, bins = keys[kept], bins[kept]
    weights = frame.connections.to_numpy(float)[kept]
    counts = weighted_counts(keys * SIZE + bins, weights, count * SIZE).reshape(count, SIZE)
    daily = pd.DataFrame({"key": keys, "day": frame.day.to_numpy()[kept], "bin": bins})
    most = daily.groupby(["key", "day"]).bin.max().reset_index().sort_values("bin", kind="stable")
    second = np.full(count, -1, dtype=np.int64)
    last_two = most.groupby("key").bin.agg(lambda bins: bins.iloc[-2] if len(bins) > 1 else -1)
    second[last_two.index.to_numpy(np.int64)] = last_two.to_numpy(np.int64)
    return Histograms(counts, second)


def own_tails(held: Histograms) -> Floats:
    """Chance of each bin or a higher one by each key's own histogram, (keys, 256); 1 if empty."""
    total = held.sizes[:, None]
    has = total[:, 0] > 0
    above = np.flip(np.cumsum(np.flip(held.counts, 1), axis=1), 1) / np.maximum(total, 1.0)
    beyond = np.concatenate([above[:, 1:], np.zeros((len(above), 1))], axis=1)
    base = np.argmax(beyond <= 1.0 - BASE + 1e-12, axis=1)
    share = np.take_along_axis(beyond, base[:, None], axis=1)
    median = np.argmax(beyond <= share / 2.0 + 1e-12, axis=1)
    supported = share[:, 0] * total[:, 0] >= _FEWEST_EXCESSES
    scale = np.maximum((median - base) / math.log(2.0), _LEAST_SCALE)
    usual = float(np.median(scale[supported])) if supported.any() else _USUAL_SCALE
    # A constant has no scale; what is just beyond it is judged by the least there is.
    varied = (held.counts > 0).sum(axis=1) > 1
    scale = np.where(supported, scale, np.where(varied, usual, _LEAST_SCALE))[:, None]
    share = np.maximum(share, 1.0 / (total + 1.0))
    steps = np.arange(SIZE)[None, :] - base[:, None] - 1
    tail = share * np.exp(-np.maximum(steps, 0) / scale)
    seen = np.where(np.arange(SIZE)[None, :] <= held.second[:, None], above, 0.0)
    result = np.where(steps < 0, above, np.maximum(tail, seen))
    result[~has] = 1.0
    result[:, UNKNOWN_BIN] = 1.0
    return np.minimum(result, 1.0)


def shrunk_tails(held: Histograms, groups: Codes, *, prior: float | None = None) -> Floats:
    """Chance of each bin or a higher one, each key's drawn to its group's and to that of all.

    Args:
        held: the histograms.
        groups: the group (role) of each key, numbered from 0; -1 if it has none.
        prior: samples that the group counts as; one event, however rare, if None: what suits hosts,
            whose days differ more than chance would have it, and not sums over many of them.

    Returns:
        (keys + 1, 256); the last row is that of a key that is not known, so that -1 finds it.
    """
    own = own_tails(held)
    size = held.sizes
    # Hosts count alike: what one busy host does is not what hosts do.
    weight = np.minimum(size / PRIOR, 1.0)
    everyone = _mean(own, weight, None)
    wider = np.repeat(everyone[None, :], len(own), axis=0)
    for group in np.unique(groups[groups >= 0]):
        members = groups == group
        total = size[members].sum()
        tail = (total * _mean(own[members], weight[members], everyone) + PRIOR * everyone) / (
            total + PRIOR
        )
        wider[members] = tail
    if prior is None:
        shrunk = (size[:, None] * own + 1.0) / (size[:, None] + 1.0 / np.maximum(wider, _LEAST))
    else:
        shrunk = (size[:, None] * own + prior * wider) / (size[:, None] + prior)
    return np.vstack([shrunk, everyone])


def _mean(tails: Floats, weight: Floats, otherwise: Floats | None) -> Floats:
    if weight.sum() > 0:
        result: Floats = np.average(tails, axis=0, weights=weight)
        return result
    return np.ones(SIZE) if otherwise is None else otherwise


def lower_tails(held: Histograms, groups: Codes) -> Floats:
    """Chance of each bin or a lower one; else as :func:`shrunk_tails`."""
    counts = held.counts.copy()
    counts[:, :UNKNOWN_BIN] = np.flip(held.counts[:, :UNKNOWN_BIN], axis=1)
    tails = shrunk_tails(Histograms(counts, np.full(len(counts), -1, dtype=np.int64)), groups)
    tails[:, :UNKNOWN_BIN] = np.flip(tails[:, :UNKNOWN_BIN], axis=1)
    return tails
