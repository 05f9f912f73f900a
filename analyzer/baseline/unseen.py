"""How likely something new is: from what each host had on one day that it had on no other.

What a host meets for the first time on its next day is estimated by what it met on exactly one of
the days known (Good, "The population frequencies of species and the estimation of population
parameters", Biometrika 40, 1953; for days rather than single draws: Chao and Colwell, "Estimating,
interpolating and extrapolating species accumulation curves", SORT 41, 2017). Counting what is new
on each day since the first would not do: on the first everything is, and less from day to day.

It is how many new things a day brings that is estimated here, and how often any; whether one given
thing is news of a host's day is asked of :mod:`analyzer.baseline.novel_days`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.usual import PRIOR
from analyzer.baseline.usual_days import is_weekend

Floats = npt.NDArray[np.float64]

# Beyond these the hosts are as good as one, or have nothing in common.
_WEAKEST, _STRONGEST = 0.05, 100.0


def singles(seen: pd.DataFrame, thing: list[str]) -> pd.DataFrame:
    """What was seen on one day alone: the rows of ``seen`` whose thing no other day has.

    Args:
        seen: ``source day`` and the columns of the thing; a row for each day it was seen on.
        thing: the columns that say what it is.
    """
    days = seen.groupby(["source", *thing]).day.transform("nunique")
    return seen[days == 1]


def comparable(days: pd.DataFrame) -> pd.DataFrame:
    """The days of each source that can be compared with another of their kind.

    Args:
        days: ``source day``, each once.

    Returns:
        Those rows where the source has another working day, or another day of a weekend.
    """
    kinds = days.assign(kind=is_weekend(days.day.to_numpy()))
    others = kinds.groupby(["source", "kind"]).day.transform("size")
    return days[others > 1]


@dataclass(frozen=True, slots=True)
class Habit:
    """How often something happens on a host's day: a beta-binomial model of all hosts.

    Its prior is fitted by moments (Kleinman, "Proportions with extraneous variance: single and
    independent samples", JASA 68, 1973): where some hosts always do it and others never, a host's
    own days decide, where all are alike, the share of all of them.

    Attributes:
        share: of the days of all hosts.
        strength: how many days of its own a host needs to count as much as all others.
    """

    share: float
    strength: float

    @staticmethod
    def of(days: npt.ArrayLike, had: npt.ArrayLike) -> Habit:
        """The model of hosts with so many `days`, on so many of which they `had` it."""
        n, x = np.asarray(days, float), np.asarray(had, float)
        total = float(n.sum())
        # Half an event (Jeffreys) where nothing ever happened.
        share = float((x.sum() + 0.5) / (total + 1.0))
        many = n > 1
        if not many.any() or x.sum() in (0.0, total):
            return Habit(share, 1.0)
        n, x = n[many], x[many]
        weight = n / n.sum()
        between = float((weight * (x / n - share) ** 2).sum())
        alone = share * (1 - share)
        single = float((weight / n).sum())
        alike = np.clip((between / alone - single) / (1 - single), 0.0, 1.0)
        strength = 1 / alike - 1 if alike > 0 else _STRONGEST
        return Habit(share, float(np.clip(strength, _WEAKEST, _STRONGEST)))

    def chance(self, days: npt.ArrayLike, had: npt.ArrayLike) -> Floats:
        """Chance that it happens on the next day of hosts with so many days."""
        n, x = np.asarray(days, float), np.asarray(had, float)
        result: Floats = (x + self.strength * self.share) / (n + self.strength)
        return result


def at_least(sample: npt.ArrayLike, values: npt.ArrayLike) -> Floats:
    """Chance of a count of at least so much, where there is one.

    It is the share of a sample, with ten more that fall as Zipf's law has it: a count of n or more
    once in n times.
    """
    ordered = np.sort(np.asarray(sample, float))
    asked = np.maximum(np.asarray(values, float), 1.0)
    more = ordered.size - np.searchsorted(ordered, asked, side="left")
    result: Floats = (more + PRIOR / asked) / (ordered.size + PRIOR)
    return result
