"""What honest hosts' names add up to, by simulation: the thresholds of the DGA detector.

The names that one host asks for are not a random draw of all names: its user has a language and
interests. So a simulated host takes a share of its names from one top-level domain, and has a taste
for odd names or for plain ones; without both, the quantiles would be far too low.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from analyzer.models.dga import HIGHEST, LOWEST, VIEWS, word_reuse
from analyzer.models.dga_text import Floats, Integers

HOST_NAMES = (5, 7, 10, 14, 20, 30, 50, 80, 120, 200, 400, 800)
"""Numbers of names for which hosts are simulated."""

HOSTS = 3_000
"""How many of each."""

QUANTILE = 1e-4
"""Share of honest hosts above the threshold."""

# Standard deviation of a host's taste: the weight of a name is exp(taste times its ratio).
_TASTE = 0.15
# Top-level domains with fewer names make no language of their own.
_LEAST_OF_DOMAIN = 60
# Tastes that differ enough to be drawn from separately.
_TASTES = 15
# So few hosts do not reach the quantile: above the one per cent quantile, the tail is taken to be
# exponential, the shape of sums of cut contributions (Pickands 1975, see analyzer/tails.py).
_BASE = 0.01


def honest_hosts(
    rng: np.random.Generator,
    ratios: Floats,
    domains: Sequence[str],
    words: Sequence[Sequence[str]],
    shares: dict[str, float],
) -> Floats:
    """Mean and quantile of honest sums: view, statistic, number of names (:data:`HOST_NAMES`).

    Args:
        rng: draws the hosts.
        ratios: log-likelihood ratios of honest names that the model has not seen.
        domains: the top-level domain of each.
        words: the words of each.
        shares: share of honest labels that hold a word.
    """
    kinds, members = np.unique(np.asarray(domains), return_inverse=True)
    counts = np.bincount(members, minlength=kinds.size)
    large = np.flatnonzero(counts >= _LEAST_OF_DOMAIN)
    pools = [np.flatnonzero(members == kind) for kind in large] or [np.arange(ratios.size)]
    weights = np.array([len(pool) for pool in pools], float)
    clipped = np.clip(ratios, LOWEST, HIGHEST)
    tastes = np.linspace(-2.0, 2.0, _TASTES) * _TASTE
    every = np.arange(ratios.size)
    result = np.zeros((len(VIEWS), 2, len(HOST_NAMES)))
    for column, names in enumerate(HOST_NAMES):
        sums = np.zeros((len(VIEWS), HOSTS))
        chosen = rng.choice(len(pools), HOSTS, p=weights / weights.sum())
        taste = np.clip(rng.normal(size=HOSTS) * (_TASTES - 1) / 4, -7, 7).round().astype(int) + 7
        share = rng.random(HOSTS)
        for host in range(HOSTS):
            own = pools[chosen[host]]
            # A host asks for each name once, so no more than a part of a small domain.
            count = min(int(rng.binomial(names, share[host])), own.size // 3)
            picked = np.concatenate(
                [
                    _drawn(rng, own, clipped, tastes[taste[host]], count),
                    _drawn(rng, every, clipped, tastes[taste[host]], names - count),
                ]
            )
            values = clipped[picked]
            sums[0, host] = values.sum() + word_reuse([words[i] for i in picked], shares)[0]
            sums[1, host] = np.maximum(values, 0.0).sum()
        result[:, 0, column] = sums.mean(axis=1)
        result[:, 1, column] = [_tail(each) for each in sums]
    for view in result:
        view[1] = view[0] + _smooth(view[1] - view[0])
    return result


def _smooth(spread: Floats) -> Floats:
    """The distance of threshold and mean as a smooth function of the number of names.

    Chance adds the root of the number of names to it, a habit the number itself; both are fitted,
    so that neither is left to a few simulated hosts.
    """
    names = np.array(HOST_NAMES, float)
    terms = np.column_stack([np.sqrt(names), names])
    # Each number of names counts the same, relative to what is expected there.
    scale = np.sqrt(names)
    parts, _ = nnls(terms / scale[:, None], spread / scale)
    return np.asarray(terms @ parts, float)


def _drawn(
    rng: np.random.Generator, pool: Integers, ratios: Floats, taste: float, count: int
) -> Integers:
    """So many different ones of the pool, odd ones more often by `taste` (by rejection)."""
    taken: list[int] = []
    most = max(taste * LOWEST, taste * HIGHEST)
    while len(taken) < count:
        drawn = pool[rng.integers(0, pool.size, 2 * count + 8)]
        accepted = rng.random(drawn.size) < np.exp(taste * ratios[drawn] - most)
        taken = list(dict.fromkeys([*taken, *drawn[accepted].tolist()]))
    return np.array(taken[:count], int)


def _tail(sums: Floats) -> float:
    """The value that a share of :data:`QUANTILE` exceeds, the tail beyond one per cent smoothed."""
    base = float(np.quantile(sums, 1 - _BASE))
    excess = sums[sums > base] - base
    scale = float(excess.mean()) if excess.size else 0.0
    return base + scale * float(np.log(_BASE / QUANTILE))
