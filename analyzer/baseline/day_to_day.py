"""What a number of a day usually is for a host, and how much it changes from day to day.

:mod:`analyzer.baseline.usual` judges hours, of which there are soon enough to tell a host's own
spread. Of days there are few for weeks, so that a host's spread is drawn towards what is usual
*within* hosts like it, and not towards the differences between them: the more, the fewer days there
are (empirical Bayes for variances: Smyth, "Linear models and empirical Bayes methods for assessing
differential expression", Statistical Applications in Genetics and Molecular Biology 3, 2004). With
fewer than three days a host is judged by all days of the hosts of its role, then by those of all.

Everything is told in logarithms and is robust: median and median absolute deviation, corrected for
few samples (Croux and Rousseeuw, "Time-efficient algorithms for two highly robust estimators of
scale", COMPSTAT 1992). A day is one more than those that the median rests on: its spread is larger
by what the median itself varies by, pi / (2 n) of the variance.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.usual import PRIOR

FEWEST = 3
"""Days that a host, or a role, needs to speak for itself."""

LEAST_SPREAD = math.log(2) / 4
"""What logarithms vary by at least: past days are on a grid, and less is nothing to anybody."""

HOST, ROLE, ALL = 2, 3, 4
"""Indices into :data:`analyzer.baseline.usual.LEVELS`."""

_MAD = 1.4826
# By number of samples, from 0.
_CORRECTIONS = np.array([1.0, 1.0, 1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107])


class DayToDay:
    """What a number of a day usually is.

    Args:
        samples: ``source day value``, values of 0 or more.
        roles: role of each source, by address; others have none.
        fewest: days that a host, or a role, needs to speak for itself.
        least: the least that the logarithm is taken to vary by.
        counted: whether values are counts: they vary at least as those of independent events do.
    """

    def __init__(
        self,
        samples: pd.DataFrame,
        roles: pd.Series[str],
        *,
        fewest: int = FEWEST,
        least: float = LEAST_SPREAD,
        counted: bool = False,
    ) -> None:
        self._roles = roles
        self._counted = counted
        table = pd.DataFrame(
            {
                "source": samples.source.to_numpy(),
                "role": self._role(samples.source),
                "all": "",
                "x": np.log1p(samples.value.to_numpy(float)),
            }
        )
        groups = {
            level: _described(table, key, least)
            for level, key in ((HOST, "source"), (ROLE, "role"), (ALL, "all"))
        }
        own = groups[HOST] = groups[HOST][groups[HOST].samples >= fewest]
        like = pd.Series(self._role(own.index.to_series()), index=own.index)
        # What is usual within hosts: of the role if it has enough of them, else of all.
        within = own.spread.groupby(like).median()[like.value_counts() >= FEWEST]
        wide = like.map(within).fillna(float(own.spread.median()) if len(own) else 0.0)
        number, spread = own.samples.to_numpy(float), own.spread.to_numpy(float)
        drawn = (number * spread**2 + PRIOR * wide.to_numpy(float) ** 2) / (number + PRIOR)
        groups[HOST] = own.assign(spread=np.sqrt(drawn))
        self._groups = {level: group[group.samples >= fewest] for level, group in groups.items()}

    def judge(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with ``expected sigmas level samples``; the level is -1 where nothing is known.

        Args:
            rows: ``source value`` and others.
        """
        keys = {
            HOST: rows.source.to_numpy(),
            ROLE: self._role(rows.source),
            ALL: np.full(len(rows), "", dtype=object),
        }
        centre, spread = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        samples = np.zeros(len(rows), dtype=np.int64)
        level = np.full(len(rows), -1, dtype=np.int64)
        for number, group in self._groups.items():
            place = group.index.get_indexer(pd.Index(keys[number]))
            hit = np.flatnonzero((place >= 0) & (level < 0))
            found = place[hit]
            centre[hit] = group.centre.to_numpy()[found]
            spread[hit] = group.spread.to_numpy()[found]
            samples[hit] = group.samples.to_numpy()[found]
            level[hit] = number
        if self._counted:
            # Of a Poisson distribution with this mean; that of the logarithm is about its inverse.
            spread = np.sqrt(np.maximum(spread**2, np.exp(-centre)))
        of_one_more = spread * np.sqrt(1 + math.pi / 2 / np.maximum(samples, 1))
        x = np.log1p(rows.value.to_numpy(float))
        return rows.assign(
            expected=np.expm1(centre),
            sigmas=(x - centre) / of_one_more,
            level=level,
            samples=samples,
        )

    def _role(self, source: pd.Series[str]) -> npt.NDArray[np.object_]:
        if not len(self._roles):
            return np.full(len(source), "", dtype=object)
        named: npt.NDArray[np.object_] = (
            self._roles.reindex(source.to_numpy()).fillna("").to_numpy(dtype=object)
        )
        return named


def _described(table: pd.DataFrame, key: str, least: float) -> pd.DataFrame:
    """Samples, centre and spread of each group."""
    grouped = table.groupby(key).x
    centre = grouped.median()
    mad = (table.x - grouped.transform("median")).abs().groupby(table[key]).median()
    number = grouped.size()
    n = number.to_numpy()
    factor = np.where(
        n < len(_CORRECTIONS), _CORRECTIONS[np.minimum(n, len(_CORRECTIONS) - 1)], n / (n - 0.8)
    )
    spread = np.maximum(_MAD * factor * mad.to_numpy(), least)
    return pd.DataFrame({"samples": number, "centre": centre, "spread": spread})
