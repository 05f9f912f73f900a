"""Every number of some days beside what is usual, host by host and for the network.

Like is compared with like: the days of the baseline that are of the same kind (weekdays, or
weekends) where there are enough of them, over the same hours of the day. How far a number is from
the usual is told in robust standard deviations of its logarithm from day to day
(:mod:`analyzer.baseline.day_to_day`).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.contacts import Service
from analyzer.baseline.coverage import date_of
from analyzer.baseline.daily import METRICS, NETWORK
from analyzer.baseline.judged_days import JUDGED, judged_days
from analyzer.baseline.news import News
from analyzer.baseline.roles import roles
from analyzer.baseline.usual import LEVELS

if TYPE_CHECKING:
    from analyzer.baseline.summary import Summary

BANDS = ("within 1", "1 to 2", "over 2")
"""How many robust standard deviations a number is off, either way."""


@dataclass(frozen=True, slots=True)
class Day:
    """A number of one day: its date, the number, what it is usually, and how far that is off."""

    day: str
    observed: float
    expected: float
    sigmas: float


@dataclass(frozen=True, slots=True)
class Deviation:
    """A number beside what is usual, on the day when it is furthest off.

    Attributes:
        metric: name, of :data:`analyzer.baseline.daily.METRICS`.
        observed: the number, in the metric's unit.
        expected: what it is usually.
        sigmas: how many robust standard deviations it lies above that, negative below.
        band: of :data:`BANDS`.
        judged_by: whose days that rests on.
        samples: how many days.
        days: all days, in order.
    """

    metric: str
    observed: float
    expected: float
    sigmas: float
    band: str
    judged_by: str
    samples: int
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class HostComparison:
    """A host, or the network, beside what is usual.

    Attributes:
        host: its address; None for the network.
        role: what it is for; empty for the network.
        known: whether the baseline knows it.
        deviations: every number that can be compared, furthest off first.
        new_ports: ports it used that it never had, ``443/tcp``, most connections first.
        new_applications: likewise what Zeek says was spoken.
        new_services: ports on which it answers and never had; of the network, those of all hosts.
    """

    host: str | None
    role: str
    known: bool
    deviations: tuple[Deviation, ...]
    new_ports: tuple[str, ...]
    new_applications: tuple[str, ...]
    new_services: tuple[Service, ...]

    @property
    def furthest(self) -> float:
        """Robust standard deviations of what is furthest off; 0 if nothing can be compared."""
        return abs(self.deviations[0].sigmas) if self.deviations else 0.0


@dataclass(frozen=True, slots=True)
class Compared:
    """Records beside a baseline.

    Attributes:
        days: dates of the records.
        usual_days: dates of the baseline that they were compared with.
        left_out: dates that both have: the records are not compared with themselves.
        partial: dates of which records cover too little to tell of names, ports and what is new.
        network: all hosts together.
        hosts: each host of the records, the one furthest off first.
        silent: hosts of the baseline that the records do not have.
    """

    days: tuple[str, ...]
    usual_days: tuple[str, ...]
    left_out: tuple[str, ...]
    partial: tuple[str, ...]
    network: HostComparison
    hosts: tuple[HostComparison, ...]
    silent: tuple[str, ...]


def band_of(sigmas: float) -> str:
    """The band of a deviation."""
    return BANDS[bisect_left((1.0, 2.0), abs(sigmas))]


def compare(baseline: Baseline, summary: Summary) -> Compared:
    """Put records beside what is usual; neither changes.

    Args:
        baseline: what is usual. Days that it has in common with the records are left out of it.
        summary: the records, from :func:`analyzer.baseline.summary.summarise`.
    """
    days = [int(day) for day in summary["days"].day]
    usual = baseline.without(days)
    shared = sorted(set(baseline.days) & set(days))
    # What a new host is for, its own records say.
    own = Baseline(window=max(days) - min(days) + 1).joined(summary) if days else Baseline()
    role = roles(usual).combine_first(roles(own))
    edge = baseline.days[-1] - 1 if baseline.days else 0
    rows, partial = judged_days(usual, summary, role, edge=edge)
    deviations = deviations_of(rows)
    known = set(map(str, usual["hours"].source.unique())) | set(map(str, usual["lookups"].source))
    present = sorted(set(map(str, summary["hours"].source.unique())))
    news = News(usual, summary)
    hosts = [
        HostComparison(
            host,
            str(role.get(host, "")),
            host in known,
            deviations.get(host, ()),
            *news.of(host),
        )
        for host in present
    ]
    return Compared(
        days=tuple(map(date_of, sorted(days))),
        usual_days=tuple(map(date_of, usual.days)),
        left_out=tuple(map(date_of, shared)),
        partial=tuple(map(date_of, partial)),
        network=HostComparison(None, "", True, deviations.get(NETWORK, ()), *news.of(NETWORK)),
        hosts=tuple(sorted(hosts, key=lambda host: (-host.furthest, host.host))),
        silent=tuple(sorted(known - set(present))),
    )


def deviations_of(rows: pd.DataFrame) -> dict[str, tuple[Deviation, ...]]:
    """The deviations of each source, furthest off first.

    Args:
        rows: numbers of days, judged (:func:`analyzer.baseline.judged_days.judged_days`).
    """
    judged: dict[tuple[str, str], list[tuple[Day, int, int]]] = {}
    ordered = rows.sort_values("day", kind="stable")
    for source, metric, day, observed, expected, sigmas, level, samples in zip(
        *(ordered[name].tolist() for name in JUDGED), strict=True
    ):
        told = Day(date_of(day), observed, expected, sigmas)
        judged.setdefault((source, metric), []).append((told, level, samples))
    place = {name: index for index, name in enumerate(METRICS)}
    found: dict[str, list[Deviation]] = {}
    for (source, metric), days in judged.items():
        worst, level, samples = max(days, key=lambda day: abs(day[0].sigmas))
        deviation = Deviation(
            metric=metric,
            observed=worst.observed,
            expected=worst.expected,
            sigmas=worst.sigmas,
            band=band_of(worst.sigmas),
            judged_by="the network" if source == NETWORK else LEVELS[level],
            samples=samples,
            days=tuple(day for day, _, _ in days),
        )
        found.setdefault(source, []).append(deviation)
    return {
        source: tuple(sorted(each, key=lambda one: (-abs(one.sigmas), place[one.metric])))
        for source, each in found.items()
    }
