"""Guesses that belong together, and what speaks for their being no guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.derived import LOGIN_SERVICES
from analyzer.detectors.login_attempts import FAILURES
from analyzer.detectors.login_series import Series, series_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

# A host of the site that does five times what others do is not like them; three make others.
_UNUSUAL, _OTHERS = 5.0, 3
# Honest programs that log in faster, per second and target, wait for no person and no clock.
_LEISURE = 10 / 60
# A program by the clock was there before the data began and stays after they end.
_COVERS = 0.8


@dataclass(frozen=True, slots=True)
class Guesses:
    """Guesses that belong together.

    Attributes:
        rows: connections that are alike, by time, as
            :func:`analyzer.detectors.login_attempts.attempts` has them.
        series: their times.
        tried: connections of the size of a failed login in the busiest window, alike or not.
    """

    rows: pd.DataFrame
    series: Series
    tried: int

    @property
    def service(self) -> str:
        """The service they are made at."""
        return LOGIN_SERVICES[int(self.rows.spoken.iloc[0])]

    @property
    def window(self) -> pd.DataFrame:
        """Those in the busiest window."""
        return self.rows.iloc[self.series.begin : self.series.end]

    @property
    def run(self) -> pd.DataFrame:
        """Those that no pause parts from the busiest window."""
        return self.rows.iloc[self.series.first : self.series.last]

    @property
    def sources(self) -> list[str]:
        """Who guesses in the busiest window, the busiest first."""
        counts = self.window.orig_h.value_counts()
        return sorted(counts.index, key=lambda source: (-counts[source], source))

    @property
    def targets(self) -> list[str]:
        """Who is guessed at in it."""
        return sorted(set(self.window.resp_h))


def together(tried: pd.DataFrame, same: npt.NDArray[np.bool_], window: float) -> Guesses:
    """Attempts that are alike, as guesses.

    Args:
        tried: attempts, as :func:`analyzer.detectors.login_attempts.attempts` has them.
        same: which of them are alike.
        window: time in which guesses count, s.
    """
    rows = tried[same].sort_values(["ts", "orig_h", "resp_h", "resp_p"], kind="stable")
    series = series_of(rows.ts.to_numpy(float), window)
    begin, end = series.times[series.begin], series.times[series.end - 1]
    return Guesses(rows, series, tried=int(tried.ts.between(begin, end).sum()))


@dataclass(frozen=True, slots=True)
class Site:
    """What the site says of guesses.

    Attributes:
        inside: whether their source is local.
        own: connections of the source to the target in its busiest half day.
        usual: what one in ten of the other local hosts exceeds there; None if they are few.
    """

    inside: bool
    own: int = 0
    usual: float | None = None


def sites_of(asked: ir.Table, found: Sequence[Guesses]) -> list[Site]:
    """For each of some guesses what its source and others do at its target."""
    targets = sorted({target for each in found for target in each.targets})
    sources = sorted({source for each in found for source in each.sources})
    inside = asked.filter(asked.source_is_local & asked.orig_h.isin(sources)).orig_h
    local = set(inside.to_pandas()) if sources else set()
    at_targets = asked.filter(asked.source_is_local & asked.resp_h.isin(targets))
    daily = at_targets.group_by("orig_h", "resp_h", "resp_p", "half_day").aggregate(
        answers=at_targets.answers.sum().cast("int64")
    )
    most = daily.group_by("orig_h", "resp_h", "resp_p").aggregate(most=daily.answers.max())
    counts = most.to_pandas()
    sites = []
    for each in found:
        source, (target, port) = each.sources[0], each.rows[["resp_h", "resp_p"]].iloc[0]
        at_one = counts[(counts.resp_h == target) & (counts.resp_p == port)]
        others = at_one[at_one.orig_h != source].most
        own = int(at_one[at_one.orig_h == source].most.sum())
        many = len(each.targets) == 1 and len(each.sources) == 1 and len(others) >= _OTHERS
        usual = float(np.quantile(others, 0.9)) if many else None
        sites.append(Site(source in local, own, usual))
    return sites


def routine(guesses: Guesses, site: Site, span: float) -> str:
    """Why it may be a program at its work; empty if nothing says so."""
    series, patient = guesses.series, FAILURES[guesses.service].patience > 1
    if len(guesses.sources) > 1:
        return ""
    if site.inside and site.usual is not None and site.own <= _UNUSUAL * site.usual:
        return "other local hosts do the like there"
    covers = patient or series.seconds >= _COVERS * span
    if covers and series.is_paced():
        return "by the clock"
    if series.is_constant():
        rate = series.count / max(series.seconds, 1.0) / len(guesses.targets)
        at_leisure = covers and (patient or rate <= _LEISURE)
        return "at the same pace for hours" if at_leisure else ""
    return "as many at the same time on another day" if series.is_daily() else ""
