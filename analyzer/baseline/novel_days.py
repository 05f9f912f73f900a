"""How likely it is that a host does on a day what it never did on a day learned.

A count cannot say that what never happened is impossible; what it can say is how often anything
new happened. The share of trials that showed something no other trial did estimates the chance
that the next one does (Good, "The population frequencies of species and the estimation of
population parameters", Biometrika 40, 1953). Few days show none, so the estimate is drawn towards
one in a thousand days of a host by one event's weight: a week's log of a small office must be able
to say that something is new, and no more than that.

What others of a host's role do on most days is no news of it, however new to itself: its own share
of days is drawn towards theirs by ten days' weight.

Trials are days of hosts here, as a finding is about a host's day, however many connections it had;
of single connections it is :mod:`analyzer.baseline.novelty` that tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.usual import PRIOR

# One in so many days of a host, and the weight of that belief.
_RARE_DAYS = 1000.0
_RARE_EVENTS = 1.0


@dataclass(frozen=True, slots=True)
class NoveltyJudgement:
    """What hosts did, beside what was learned; arrays of one length.

    Attributes:
        chance: that a day of such a host shows that.
        own_days: days of the host that were learned.
        own_times: on how many of them it did so.
        others: days of the other hosts of its role.
        others_times: on how many of them one did so.
        users: hosts that ever did so.
    """

    chance: npt.NDArray[np.float64]
    own_days: npt.NDArray[np.float64]
    own_times: npt.NDArray[np.float64]
    others: npt.NDArray[np.float64]
    others_times: npt.NDArray[np.float64]
    users: npt.NDArray[np.float64]


class Novelty:
    """What hosts do, of a kind.

    Args:
        done: a row a host, day and thing: ``source day`` and the columns of ``kind``.
        kind: what tells things apart.
        days: how many days of each host were learned, by address.
        roles: role of each host, by address; others have none.
    """

    def __init__(
        self, done: pd.DataFrame, kind: Sequence[str], days: pd.Series[int], roles: pd.Series[str]
    ) -> None:
        self._kind = list(kind)
        self._roles = roles
        self._days = days.astype(float)
        done = done[["source", "day", *self._kind]].drop_duplicates()
        done = done.assign(role=self._role(done.source))
        self._own = done.groupby(["source", *self._kind]).size()
        self._by_role = of_roles = done.groupby(["role", *self._kind]).size()
        self._users = done.drop_duplicates(["source", *self._kind]).groupby(self._kind).size()
        role_of_days = pd.Series(self._role(days.index), index=days.index)
        self._role_days = self._days.groupby(role_of_days).sum()
        in_all = done.groupby(self._kind).size()
        total = float(self._days.sum())
        # A host of which nothing is known is compared with all of them.
        unknown = in_all.reset_index().assign(role="").set_index(["role", *self._kind])[0]
        self._by_role = pd.concat([self._by_role.drop("", level="role", errors="ignore"), unknown])
        self._role_days[""] = total
        self._rate_of_role = _rate(float((of_roles == 1).sum()), total)
        self._rate_of_all = _rate(float((in_all == 1).sum()), total)

    def _role(self, sources: pd.Index | pd.Series) -> npt.NDArray[np.object_]:
        if not len(self._roles):
            return np.full(len(sources), "", dtype=object)
        return self._roles.reindex(sources).fillna("").to_numpy(object)

    def judge(self, rows: pd.DataFrame) -> NoveltyJudgement:
        """Judge what hosts did.

        Args:
            rows: ``source`` and the columns of the kind.
        """
        role = self._role(rows.source)
        things = [rows[name].to_numpy() for name in self._kind]
        own_days = np.asarray(self._days.reindex(rows.source).fillna(0.0), float)
        times = counted(self._own, [rows.source.to_numpy(), *things])
        others = np.asarray(self._role_days.reindex(role).fillna(0.0), float) - own_days
        others_times = counted(self._by_role, [role, *things]) - times
        users = counted(self._users, things)
        share = others_times / np.maximum(others, 1.0)
        usual = (times + PRIOR * share) / (own_days + PRIOR)
        novel = np.where(users > 0, self._rate_of_role, self._rate_of_all)
        return NoveltyJudgement(
            np.maximum(usual, novel), own_days, times, others, others_times, users
        )


def _rate(singles: float, days: float) -> float:
    return (singles + _RARE_EVENTS) / (days + _RARE_DAYS * _RARE_EVENTS)


def counted(counts: pd.Series[Any], keys: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """Counts of keys, 0 where there is none.

    Args:
        counts: by as many levels of an index as there are keys.
        keys: what to look up, arrays of one length.
    """
    columns = [np.asarray(key) for key in keys]
    index = pd.MultiIndex.from_arrays(columns) if len(columns) > 1 else pd.Index(columns[0])
    return np.asarray(counts.reindex(index).fillna(0.0), float)
