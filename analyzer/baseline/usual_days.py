"""What a measure of whole days usually is for a host, when only some days are known.

:mod:`analyzer.baseline.usual` waits for twenty samples before a host speaks for itself; of whole
days that takes three weeks, while hosts differ from each other far more than one host differs from
day to day. So each host's own days count from the first, drawn towards the hosts of its role as a
model of random effects does (Efron and Morris, "Stein's estimation rule and its competitors", JASA
68, 1973): by the ratio of the spread within hosts to that between them, in days, and no further
than one spread ("Limiting the risk of Bayes and empirical Bayes estimators", JASA 67, 1972).

Values are looked at as logarithms; centres are medians, spreads 1.4826 times the median absolute
deviation (Rousseeuw and Croux, JASA 88, 1993). Working days are compared with working days and
weekends with weekends as soon as there are any. How unlikely a value is, is read from how far each
day learned lies from the others of its host (leaving one out), by peaks over threshold.

What all hosts of a role do on a day (the first Monday, a release of updates) is no news of one of
them: the median of how far they are above their usual is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.usual import PRIOR
from analyzer.tails import Tail, fit_tail

Floats = npt.NDArray[np.float64]

_MAD = 1.4826
# A step of the grid that past days are kept on: less is nothing.
_LEAST_SPREAD = float(np.log(2)) / 4
# As in usual.py: what is assumed of tails that nothing is known of.
_PRIOR_TAIL = Tail(threshold=2.05, share=0.02, scale=1.0, support=0)
_LEAST_SCALE = 0.25
# Fewer hosts of a role make no common day.
_FEWEST_PEERS = 5
# What a rate may be of which nothing was seen (Jeffreys).
_HALF = 0.5
_SATURDAY = 5
# 1970-01-01 was a Thursday.
_EPOCH_WEEKDAY = 3


@dataclass(frozen=True, slots=True)
class DayJudgement:
    """Values of days beside what is usual; arrays of one length.

    Attributes:
        expected: the centre, in the measure's own unit; nan if nothing is known.
        sigmas: how many spreads the value lies above it, less what is common to the day.
        above: chance of a value at least as large; 1 where it is not in the tail, or unknown.
        days: how many days of the host itself it rests on.
        most: the most on any of them; nan if there is none.
    """

    expected: Floats
    sigmas: Floats
    above: Floats
    days: npt.NDArray[np.int64]
    most: Floats


def is_weekend(day: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether days since 1970 are Saturdays or Sundays."""
    result: npt.NDArray[np.bool_] = (np.asarray(day, np.int64) + _EPOCH_WEEKDAY) % 7 >= _SATURDAY
    return result


class UsualDays:
    """What a measure of days usually is.

    Args:
        samples: the values learned, 0 or more: ``source day value``, a row for each day on which
            the source was there; values are in a unit of which one is hardly anything.
        roles: role of each source, by address; others have none.
        counted: whether values are counts of single events, whose own noise (Poisson's) is then
            part of their spread: by the delta method, rate / (1 + rate)^2 on the scale of log1p.
    """

    def __init__(
        self, samples: pd.DataFrame, roles: pd.Series[str], *, counted: bool = False
    ) -> None:
        self._roles = roles
        self._counted = counted
        learned = self._keyed(samples).sort_values(["source", "kind", "x"], kind="stable")
        self._learned = learned.reset_index(drop=True)
        self.above = _PRIOR_TAIL
        if len(learned):
            self._own = _centres(self._learned, ["source", "kind"])
            self._host = _centres(self._learned, ["source"])
            self._most = learned.groupby("source").value.max()
            self._role, self._kind = self._centres_of_roles()
            self._spread = self._spreads()
            self.above = fit_tail(self._left_out(), prior=_PRIOR_TAIL, least_scale=_LEAST_SCALE)

    def judge(self, rows: pd.DataFrame) -> DayJudgement:
        """Judge values.

        Args:
            rows: ``source day value``.
        """
        keyed = self._keyed(rows)
        if not len(self._learned) or not len(rows):
            unknown = np.full(len(rows), np.nan)
            nobody = np.zeros(len(rows), dtype=np.int64)
            return DayJudgement(unknown, unknown, np.ones(len(rows)), nobody, unknown)
        host = self._host.reindex(keyed.source)
        centre, spread = self._expectation(keyed, *self._known(keyed))
        sigmas = (keyed.x.to_numpy() - centre) / spread
        sigmas -= _common(keyed, sigmas)
        return DayJudgement(
            expected=np.expm1(centre),
            sigmas=sigmas,
            above=self.above.probability(sigmas),
            days=host.days.fillna(0.0).to_numpy().astype(np.int64),
            most=self._most.reindex(keyed.source).to_numpy(float),
        )

    def _keyed(self, rows: pd.DataFrame) -> pd.DataFrame:
        source = rows.source.to_numpy()
        role = self._roles.reindex(source).fillna("").to_numpy() if len(self._roles) else ""
        value = rows.value.to_numpy(float)
        return pd.DataFrame(
            {
                "source": source,
                "role": role,
                "day": rows.day.to_numpy(np.int64),
                "kind": is_weekend(rows.day.to_numpy()).astype(np.int64),
                "value": value,
                "x": np.log1p(np.maximum(value, 0.0)),
            }
        )

    def _known(self, keyed: pd.DataFrame) -> tuple[Floats, Floats]:
        """The middle of each host's own days of the kind, and how many there are.

        All its days stand in for those of a kind that neither the host nor its role is known on.
        """
        own = self._own.reindex(pd.MultiIndex.from_frame(keyed[["source", "kind"]]))
        host = self._host.reindex(keyed.source)
        middle, count = own.centre.to_numpy(), own.days.fillna(0.0).to_numpy()
        of_role = self._kind.reindex(pd.MultiIndex.from_frame(keyed[["role", "kind"]]))
        strange = (count == 0) & ~(of_role.days >= _FEWEST_PEERS).to_numpy()
        return (
            np.where(strange, host.centre.to_numpy(), middle),
            np.where(strange, host.days.fillna(0.0).to_numpy(), count),
        )

    def _centres_of_roles(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Centre of the hosts of each role, and on days of each kind."""
        role = self._learned.groupby("source").role.first()
        hosts = self._host.assign(x=self._host.centre, role=role)
        every = pd.concat([hosts, hosts.assign(role=_ALL)])
        own = self._own.reset_index()
        own = own.assign(x=own.centre, role=own.source.map(role))
        return _centres(every, ["role"]), _centres(own, ["role", "kind"])

    def _spreads(self) -> pd.DataFrame:
        """Spread between and within the hosts of each role; under :data:`_ALL` of all hosts."""
        learned = self._learned
        each = learned.groupby(["source", "kind"]).x
        size = each.transform("size").to_numpy(float)
        off = np.abs(learned.x.to_numpy() - each.transform("median").to_numpy())
        # The median of a few lies nearer to them than it does to the next.
        off *= np.sqrt(size / np.maximum(size - 1, 1))
        told = size > 1
        role = learned.groupby("source").role.first().to_numpy()
        centre = self._host.centre.to_numpy()
        apart = np.abs(centre - self._role.centre.reindex(role).to_numpy())
        anywhere = np.abs(centre - self._role.centre[_ALL])
        pooled, within = _spread(apart), _spread(off[told])
        rows = {_ALL: (_spread(anywhere), within)}
        for name in np.unique(role):
            mine, days = apart[role == name], off[(learned.role == name).to_numpy() & told]
            rows[str(name)] = (
                _mixed(_spread(mine), mine.size, pooled),
                _mixed(_spread(days), days.size, within),
            )
        table = pd.DataFrame(rows, index=["between", "within"]).T
        return table.clip(lower=_LEAST_SPREAD)

    def _expectation(
        self, keyed: pd.DataFrame, middle: Floats, count: Floats
    ) -> tuple[Floats, Floats]:
        """Centre and spread of what comes next, from so many own days around a middle."""
        known = keyed.role.where(keyed.role.isin(self._spread.index), _ALL)
        spreads = self._spread.reindex(known)
        between, within = spreads.between.to_numpy(), spreads.within.to_numpy()
        of_kind = self._kind.reindex(pd.MultiIndex.from_frame(keyed[["role", "kind"]]))
        enough = (of_kind.days >= _FEWEST_PEERS).to_numpy()
        of_role = self._role.centre.reindex(known).to_numpy()
        towards = np.where(enough, of_kind.centre.to_numpy(), of_role)
        weight = (within / between) ** 2
        own = np.where(count > 0, middle, towards)
        # A host unlike all others of its role is drawn no further than it may have strayed itself.
        limit = np.where(count > 0, within, np.inf)
        drawn = weight * (towards - own) / (count + weight)
        centre = own + np.clip(drawn, -limit, limit)
        # The centre is itself known no better than the days allow.
        variance = within**2 * (1.0 + 1.0 / (count + weight))
        if self._counted:
            rate = np.maximum(np.expm1(centre), 0.0) + _HALF
            variance += rate / (1.0 + rate) ** 2
        return centre, np.sqrt(variance)

    def _left_out(self) -> Floats:
        """How far each day learned lies from what the others of its host lead one to expect."""
        rows = self._learned
        grouped = rows.groupby(["source", "kind"], sort=False)
        size = grouped.x.transform("size").to_numpy(np.int64)
        place = grouped.cumcount().to_numpy(np.int64)
        start = np.arange(len(rows)) - place
        x = rows.x.to_numpy()

        def other(index: npt.NDArray[np.int64]) -> Floats:
            at = start + np.maximum(index, 0) + (index >= place)
            result: Floats = x[np.minimum(at, len(x) - 1)]
            return result

        middle = (other((size - 2) // 2) + other((size - 1) // 2)) / 2
        centre, spread = self._expectation(rows, middle, (size - 1).astype(float))
        result: Floats = (x - centre) / spread
        return result


# Role under which the spreads of all hosts stand.
_ALL = "\0all"


def _centres(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Median and number of ``x`` by keys; the number is called ``days`` (or hosts of a role)."""
    grouped = rows.groupby(keys if len(keys) > 1 else keys[0]).x
    return pd.DataFrame({"centre": grouped.median(), "days": grouped.size().astype(float)})


def _spread(off: Floats) -> float:
    """Standard deviation by the median of absolute deviations; 0 of none."""
    return _MAD * float(np.median(off)) if off.size else 0.0


def _mixed(spread: float, samples: int, wider: float) -> float:
    return float(np.sqrt((samples * spread**2 + PRIOR * wider**2) / (samples + PRIOR)))


def _common(keyed: pd.DataFrame, sigmas: Floats) -> Floats:
    """How far the median host of each role lies above its usual on each day; 0 if below."""
    each = keyed.assign(sigmas=sigmas).groupby(["day", "role"]).sigmas
    median, size = each.transform("median").to_numpy(), each.transform("size").to_numpy()
    result: Floats = np.where(size >= _FEWEST_PEERS, np.maximum(median, 0.0), 0.0)
    return result
