"""How unlikely it is that a host does something that it did on no other day.

How often that happens is learned by leaving out: what a source did on one of its days and on no
other was new when seen from the others. The share of such connections is the chance of news, the
leave-one-out form of Good's estimate of what is unseen ("The population frequencies of species and
the estimation of population parameters", Biometrika 40, 1953), with days for draws as connections
of one day come in bunches. A host that has never done anything new is not one that never will: its
rate is a Gamma-Poisson mean whose prior has one event at its role's rate (Gelman et al., "Bayesian
Data Analysis", section 2.6), (new + 1) / (n + 1 / rate).

Draws are connections here, as it is a single connection that is scored, and the rarer the news is
in the network, the less likely; :mod:`analyzer.baseline.novel_days` asks the same of a host's whole
day, and :mod:`analyzer.baseline.unseen` which of many new things of a day are too many.

After a single day everything is new beside nothing, and the chance of news is 1: nothing is
claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.codes import Keys, pair_keys
from analyzer.baseline.histograms import Codes, Floats, weighted_counts

COMMON = 4
"""Other hosts from which on something is not rare in the network."""

LEVELS = COMMON + 1
"""How rare something is: known by no other host, by one, ..., by :data:`COMMON` or more."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Chance that a connection is news, by source and by how rare the news is.

    Attributes:
        table: (sources + 1, levels), the last row for sources not known; rising along levels.
    """

    table: Floats

    def of(self, sources: Codes, levels: Codes | int = 0) -> Floats:
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


class News:
    """Which keys each source had on which days, and how often one was there on one day alone.

    Args:
        source: of each row, by number.
        key: what it had: a port, an application.
        day: on which day.
        weight: in how many connections.
        roles: of each source, by number.
    """

    def __init__(
        self,
        source: Codes,
        key: Codes,
        day: npt.NDArray[np.int16],
        weight: Floats,
        roles: Codes,
    ) -> None:
        self._roles = roles
        self._keys = Keys(key)
        size = len(self._keys)
        place = self._keys.of(key)
        frame = pd.DataFrame(
            {"source": source, "place": place, "day": day.astype(np.int64), "weight": weight}
        )
        pairs = (
            frame.groupby(["source", "place"])
            .agg(first=("day", "min"), last=("day", "max"), weight=("weight", "sum"))
            .reset_index()
        )
        self._size = size
        where = pairs.place.to_numpy(np.int64)
        self._had = Keys(pairs.source.to_numpy(np.int64) * size + where)
        self._users = np.append(np.bincount(where, minlength=size), 0).astype(np.int64)
        once = (pairs["first"] == pairs["last"]).to_numpy()
        self._new = by_level(
            pairs.source.to_numpy(np.int64)[once],
            np.minimum(self._users[where[once]] - 1, COMMON),
            pairs.weight.to_numpy(float)[once],
            len(roles),
        )

    def add(self, new: Floats) -> None:
        """More news of each source, by level or rarer."""
        self._new = self._new + new

    def chances(self, total: Floats) -> Chances:
        """The chances of news, given each source's connections."""
        return chances(self._new, total, self._roles)

    def users(self, keys: Codes) -> Codes:
        """How many sources have each key."""
        result: Codes = self._users[self._keys.of(keys)]
        return result

    def judge(
        self, source: Codes, keys: Codes, known: Chances, has_habits: npt.NDArray[np.bool_]
    ) -> Floats:
        """The chance of each source's having each key; 1 if it had it before.

        Args:
            source: by number, -1 if not known.
            keys: by number, -1 if not known.
            known: of :meth:`chances`.
            has_habits: of each source, and at the end of those not known.
        """
        place = self._keys.of(keys)
        had = self._had.of(pair_keys(source, place, self._size)) >= 0
        users = self._users[place]
        chance = known.of(source, np.minimum(users, COMMON))
        # Of a host without habits only what nobody has is news.
        stranger = ~has_habits[source]
        everyone = known.table[-1, 0]
        chance = np.where(stranger, np.where(users == 0, everyone, 1.0), chance)
        return np.where(had, 1.0, chance)


def by_level(source: Codes, level: Codes, weight: Floats, size: int) -> Floats:
    """Weights of each source at each level or a rarer one, (sources, levels)."""
    flat = weighted_counts(source * LEVELS + level, weight, size * LEVELS)
    result: Floats = np.cumsum(flat.reshape(size, LEVELS), axis=1)
    return result
