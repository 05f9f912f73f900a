"""How unlikely it is that a host does something that it did on no other day.

How often that happens is learned by leaving out: what a source did on one of its days and on no
other was new when seen from the others. The share of such connections is the chance of news, the
leave-one-out form of Good's estimate of what is unseen ("The population frequencies of species and
the estimation of population parameters", Biometrika 40, 1953), with days for draws as connections
of one day come in bunches. A host that has never done anything new is not one that never will: its
rate is a Gamma-Poisson mean whose prior has one event at its role's rate (Gelman et al., "Bayesian
Data Analysis", section 2.6), (new + 1) / (n + 1 / rate).

After a single day everything is new beside nothing, and the chance of news is 1: nothing is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzer.baseline.histograms import Codes, Floats


@dataclass(frozen=True, slots=True)
class Chances:
    """Chance that a connection is news, by source and by how rare the news is.

    Attributes:
        table: (sources + 1, levels), the last row for sources not known; rising along levels.
    """

    table: Floats

    def of(self, sources: Codes, levels: npt.ArrayLike = 0) -> Floats:
        """The chance for sources (-1: not known) of news of a level, or rarer."""
        result: Floats = self.table[sources, levels]
        return result


def chances(new: Floats, total: Floats, groups: Codes) -> Chances:
    """Chances of news.

    Args:
        new: connections that were news, of each source and of each level or rarer, (sources,
            levels).
        total: connections of each source.
        groups: the group (role) of each, numbered from 0; -1 if it has none.
    """
    known = total > 0
    rate = np.divide(new, total[:, None], out=np.zeros(new.shape), where=known[:, None])
    # One more event in all there is: what has not been seen yet is not impossible.
    least = 1.0 / (float(total.sum()) + 1.0)
    everyone = np.maximum(_mean(rate, known), least)
    wider = np.repeat(everyone[None, :], len(total), axis=0)
    for group in np.unique(groups[groups >= 0]):
        members = groups == group
        hosts = int((members & known).sum())
        if hosts:
            mean = _mean(rate[members], known[members])
            wider[members] = (hosts * mean + everyone) / (hosts + 1)
    table = (new + 1.0) / (total[:, None] + 1.0 / wider)
    return Chances(np.minimum(np.vstack([table, everyone]), 1.0))


def _mean(rate: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    if not known.any():
        return np.ones(rate.shape[1])
    result: Floats = rate[known].mean(axis=0)
    return result
