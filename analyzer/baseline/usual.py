"""What a measure usually is for a host at an hour, and how unlikely another value is.

Values are looked at as logarithms. Centre and spread are robust (the median, and the median
absolute deviation times 1.4826, which is the standard deviation of a normal distribution: Rousseeuw
and Croux, "Alternatives to the median absolute deviation", JASA 88, 1993): a flood among what was
learned moves neither. They are those of the narrowest group that has enough samples:

1. the host at this hour of the week,
2. the host at this hour on weekdays, or at weekends,
3. the host,
4. the hosts of its role,
5. all hosts,

each drawn towards the next wider one (empirical Bayes, as Efron and Morris, "Stein's estimation
rule and its competitors", JASA 68, 1973): a spread by ten samples' weight, so that a host that has
been constant still has some, and a centre the more, the less the group differs from the wider one.

Twenty samples of an hour take weeks; until then a nightly backup stands out among a host's other
hours. So what comes back at its hour is told apart (:attr:`Judgement.routine`).

How unlikely a value is, is read from how far the baseline's own values lie from their centres, in
spreads: peaks over threshold (:mod:`analyzer.tails`), which needs no distribution to be assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.tails import BASE, Tail, fit_tail

FEWEST = 20
"""Samples that a group needs to speak for itself."""

PRIOR = 10.0
"""Samples that the wider group's spread counts as."""

LEVELS = (
    "this hour of the week",
    "this hour on such days",
    "this host",
    "hosts of its role",
    "all hosts",
)
"""Where an expectation comes from, the narrowest first."""

_MAD = 1.4826

# Of what past days are kept in: less is nothing.
_LEAST_SPREAD = np.log(2) / 4

# A normal distribution's tail is thinner than anything measured; without enough residuals nothing
# better is known than that one in fifty lies beyond two spreads and that each further one is e
# times rarer.
_PRIOR_TAIL = Tail(threshold=2.05, share=0.02, scale=1.0, support=0)
_LEAST_SCALE = 0.25

_WEEK, _DAYS, _HOST, _ROLE, _ALL = range(5)
_SATURDAY = 5
_HABIT = 2
# 1970-01-01 was a Thursday.
_EPOCH_WEEKDAY = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """Values beside what is usual; arrays of one length.

    Attributes:
        expected: the centre, in the measure's own unit.
        sigmas: how many spreads the value lies above it, negative below.
        above: chance of a value at least as large; 1 where it is not in the tail, or unknown.
        below: chance of one at least as small.
        level: index into :data:`LEVELS` of where this comes from; -1 if nothing is known.
        samples: how many values that rests on.
        routine: the host does the like at this hour on most days, or on most such weekdays: it is
            no news, however unlikely among all its hours. Its `above` is 1.
    """

    expected: npt.NDArray[np.float64]
    sigmas: npt.NDArray[np.float64]
    above: npt.NDArray[np.float64]
    below: npt.NDArray[np.float64]
    level: npt.NDArray[np.int64]
    samples: npt.NDArray[np.int64]
    routine: npt.NDArray[np.bool_]


class Usual:
    """What a measure usually is.

    Args:
        samples: the values learned: ``source day value``, and ``hour`` (of the day, UTC) for a
            measure of hours; values are 0 or more.
        roles: role of each source, by address; others have none.
    """

    def __init__(self, samples: pd.DataFrame, roles: pd.Series[str]) -> None:
        self._roles = roles
        self._has_hours = "hour" in samples
        self._samples = samples
        keyed = self._keyed(samples)
        keyed["x"] = np.log1p(samples.value.to_numpy(float))
        self._groups: dict[int, pd.DataFrame] = {}
        for level in reversed(range(len(LEVELS))):
            if self._has_hours or level >= _HOST:
                self._groups[level] = self._group(keyed, level)
        self.above, self.below = _PRIOR_TAIL, _PRIOR_TAIL
        if len(samples):
            z = self._standardised(keyed, keyed.x.to_numpy())[0]
            known = np.flatnonzero(np.isfinite(z))
            if known.size:
                self.below = fit_tail(-z[known], prior=_PRIOR_TAIL, least_scale=_LEAST_SCALE)
                news = known[~self._routine(z, known)]
                self.above = fit_tail(z[news], prior=_PRIOR_TAIL, least_scale=_LEAST_SCALE)

    def _routine(
        self, z: npt.NDArray[np.float64], known: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Which of the values learned are large and yet no news: those say nothing of the tail."""
        result = np.zeros(known.size, dtype=bool)
        if self._has_hours:
            large = np.flatnonzero(z[known] > np.quantile(z[known], BASE))
            result[large] = self._comes_back(self._samples.iloc[known[large]])
        return result

    def judge(self, rows: pd.DataFrame) -> Judgement:
        """Judge values.

        Args:
            rows: ``source day value``, and ``hour`` if it was learned with hours.
        """
        z, centre, level, samples = self._standardised(
            self._keyed(rows), np.log1p(rows.value.to_numpy(float))
        )
        known = np.isfinite(z)
        safe = np.where(known, z, 0.0)
        above = np.where(known, self.above.probability(safe), 1.0)
        routine = np.zeros(len(rows), dtype=bool)
        if self._has_hours:
            tail = np.flatnonzero(above < 1.0)
            routine[tail] = self._comes_back(rows.iloc[tail])
        return Judgement(
            expected=np.where(known, np.expm1(centre), np.nan),
            sigmas=z,
            above=np.where(routine, 1.0, above),
            below=np.where(known, self.below.probability(-safe), 1.0),
            level=level,
            samples=samples,
            routine=routine,
        )

    def _comes_back(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether values were reached, within a factor of two, at their hour of most other days."""
        own = self._samples[self._samples.source.isin(rows.source.unique())]
        by_source = {str(source): days for source, days in own.groupby("source")}
        result = np.zeros(len(rows), dtype=bool)
        asked = zip(
            rows.source.to_numpy(),
            rows.day.to_numpy(int),
            rows.hour.to_numpy(int),
            rows.value.to_numpy(float),
            strict=True,
        )
        for place, (source, day, hour, value) in enumerate(asked):
            known = by_source.get(str(source))
            if known is None:
                continue
            days = known.day.to_numpy(int)
            apart = (known.hour.to_numpy(int) - hour + 12) % 24 - 12
            alike = (np.abs(apart) <= 1) & (known.value.to_numpy() >= value / 2)
            there, met = (np.unique(each[each != day]) for each in (days, days[alike]))
            such, met_such = (each[(each - day) % 7 == 0] for each in (there, met))
            result[place] = _most(met.size, there.size) or _most(met_such.size, such.size)
        return result

    def _keyed(self, rows: pd.DataFrame) -> pd.DataFrame:
        source = rows.source.to_numpy()
        role = self._roles.reindex(source).fillna("").to_numpy() if len(self._roles) else ""
        keyed = pd.DataFrame({"source": source, "role": role, "all": 0})
        if self._has_hours:
            weekday = (rows.day.to_numpy(int) + _EPOCH_WEEKDAY) % 7
            hour = rows.hour.to_numpy(int)
            keyed["week"] = weekday * 24 + hour
            keyed["days"] = (weekday >= _SATURDAY) * 24 + hour
        return keyed

    def _group(self, keyed: pd.DataFrame, level: int) -> pd.DataFrame:
        """Centre, spread and samples of each group of a level, drawn towards the wider one."""
        keys = _KEYS[level]
        grouped = keyed.groupby(keys, sort=True).x
        table = pd.DataFrame({"samples": grouped.size(), "centre": grouped.median()})
        deviation = (keyed.x - grouped.transform("median")).abs()
        mad = deviation.groupby([keyed[key] for key in keys], sort=True).median()
        table["spread"] = np.maximum(_MAD * mad.to_numpy(), _LEAST_SPREAD)
        if level < _ALL:
            # Every group lies within one of the next wider level.
            first = keyed.groupby(keys, sort=True).head(1).set_index(keys).sort_index()
            wider = self._groups[level + 1].reindex(_index(first.reset_index(), level + 1))
            spread, n = table.spread.to_numpy(), table.samples.to_numpy()
            wide, towards = wider.spread.to_numpy(), wider.centre.to_numpy()
            weight = np.minimum(PRIOR, (spread / wide) ** 2)
            table["centre"] = (n * table.centre + weight * towards) / (n + weight)
            table["spread"] = np.sqrt((n * spread**2 + PRIOR * wide**2) / (n + PRIOR))
        return table

    def _standardised(
        self, keyed: pd.DataFrame, x: npt.NDArray[np.float64]
    ) -> tuple[
        npt.NDArray[np.float64],
        npt.NDArray[np.float64],
        npt.NDArray[np.int64],
        npt.NDArray[np.int64],
    ]:
        size = len(keyed)
        centre, spread = np.full(size, np.nan), np.full(size, np.nan)
        samples = np.zeros(size, dtype=np.int64)
        chosen = np.full(size, -1, dtype=np.int64)
        for level, groups in sorted(self._groups.items()):
            enough = groups[groups.samples >= FEWEST]
            open_rows = np.flatnonzero(chosen < 0)
            if not len(enough) or not open_rows.size:
                continue
            place = enough.index.get_indexer(_index(keyed.iloc[open_rows], level))
            hit, place = open_rows[place >= 0], place[place >= 0]
            centre[hit] = enough.centre.to_numpy()[place]
            spread[hit] = enough.spread.to_numpy()[place]
            samples[hit] = enough.samples.to_numpy()[place]
            chosen[hit] = level
        return (x - centre) / spread, centre, chosen, samples


def _most(some: int, of: int) -> bool:
    """Whether so many days make a habit: two at least, and half of them."""
    return some >= _HABIT and 2 * some >= of


_KEYS = {
    _WEEK: ["source", "week"],
    _DAYS: ["source", "days"],
    _HOST: ["source"],
    _ROLE: ["role"],
    _ALL: ["all"],
}


def _index(rows: pd.DataFrame, level: int) -> pd.Index:
    keys = _KEYS[level]
    return pd.Index(rows[keys[0]]) if len(keys) == 1 else pd.MultiIndex.from_frame(rows[keys])
