"""Every number of some days beside what is usual, host by host and for the network.

Like is compared with like: the days of the baseline that are of the same kind (weekdays, or
weekends) where there are enough of them, over the same hours of the day. How far a number is from
the usual is told in robust standard deviations of its logarithm, as :mod:`analyzer.baseline.usual`
has it: those of the host's own days, drawn towards the hosts of its role and towards all hosts, the
more the fewer days there are; of these alone if there are fewer than three.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.contacts import Service, services_of
from analyzer.baseline.coverage import at_weekend, date_of, hours_covered
from analyzer.baseline.daily import (
    METRICS,
    NETWORK,
    first_times,
    hourly,
    mixes,
    per_connection,
    whole_day,
)
from analyzer.baseline.roles import roles
from analyzer.baseline.tables import LAYOUTS
from analyzer.baseline.usual import LEVELS, Usual

if TYPE_CHECKING:
    from analyzer.baseline.summary import Summary

FEWEST_DAYS = 3
"""Days that a host, a role or the network needs to speak for itself."""

BANDS = ("within 1", "1 to 2", "over 2")
"""How many robust standard deviations a number is off, either way."""

_WHOLE = 20
"""Hours from the first to the last record of a day from which it counts as a whole day: the small
hours of a small network may be without a record."""


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
    rows, partial = _judged(usual, summary, role)
    deviations = _deviations(rows)
    known = set(map(str, usual["hours"].source.unique())) | set(map(str, usual["lookups"].source))
    present = sorted(set(map(str, summary["hours"].source.unique())))
    news = _News(usual, summary)
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


def _judged(
    usual: Baseline, summary: Summary, role: pd.Series[str]
) -> tuple[pd.DataFrame, list[int]]:
    """Every number of every day of the records, judged; and the days of which too little is told.

    The rows: ``source metric day observed expected sigmas level samples``.
    """
    covered = hours_covered(summary["days"])
    known = hours_covered(usual["days"])
    groups: dict[tuple[range, bool], list[int]] = {}
    for day, hours in covered.items():
        groups.setdefault((hours, bool(at_weekend(day))), []).append(day)
    found, partial = [], []
    for (hours, weekend), days in groups.items():
        like = _alike([day for day, span in known.items() if _within(hours, span)], weekend)
        samples = [hourly(_of(usual.tables, like), hours)]
        rows = [hourly(_of(summary, days), hours)]
        any_hours = _alike(list(known), weekend)
        samples.append(per_connection(_of(usual.tables, any_hours)))
        rows.append(per_connection(_of(summary, days)))
        if len(hours) < _WHOLE:
            partial += days
        else:
            full = _alike([day for day, span in known.items() if len(span) >= _WHOLE], weekend)
            before, now = _of(usual.tables, full), _of(summary, days)
            samples += [whole_day(before), mixes(before, before, apart=False)]
            rows += [whole_day(now), mixes(now, before, apart=True)]
            # On the first day everything is new, and less and less on those that follow.
            later = [day for day in full if day > usual.days[0]]
            later = later[-max(len(later) // 2, FEWEST_DAYS) :]
            samples.append(first_times(_news_in(usual.tables, later), later))
            rows.append(first_times(_news_in(_new(usual, summary), days), days))
        found.append(
            _beside(*(pd.concat(each, ignore_index=True) for each in (samples, rows)), role)
        )
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_JUDGED), sorted(
        partial
    )


_JUDGED = ["source", "metric", "day", "observed", "expected", "sigmas", "level", "samples"]


def _within(hours: range, span: range) -> bool:
    return span.start <= hours.start and hours.stop <= span.stop


def _alike(days: list[int], weekend: bool) -> list[int]:  # noqa: FBT001 - a fact, not a switch
    """Of the days those of one kind, if there are enough; else all."""
    such = [day for day in days if bool(at_weekend(day)) == weekend]
    return sorted(such if len(such) >= FEWEST_DAYS else days)


def _of(tables: Summary, days: list[int]) -> dict[str, pd.DataFrame]:
    """The tables that are told by day, with these days only."""
    return {
        name: tables[name][tables[name].day.isin(days)]
        for name, layout in LAYOUTS.items()
        if layout.day == "day" and name in tables
    }


def _new(usual: Baseline, summary: Summary) -> dict[str, pd.DataFrame]:
    """What records have for the first time: rows of what is kept by its first and last day."""
    news = {"hours": summary["hours"]}
    for name in ("peers", "offered", "domains"):
        rows = summary[name] if name in summary else LAYOUTS[name].empty()
        keys = LAYOUTS[name].keys
        known = pd.MultiIndex.from_frame(usual[name][keys])
        news[name] = rows[~pd.MultiIndex.from_frame(rows[keys]).isin(known)]
    return news


def _news_in(tables: Summary, days: list[int]) -> dict[str, pd.DataFrame]:
    """What was new on some days."""
    news = {
        name: tables[name][tables[name].first_day.isin(days)]
        for name in ("peers", "offered", "domains")
    }
    return {**news, "hours": tables["hours"]}


def _beside(samples: pd.DataFrame, rows: pd.DataFrame, role: pd.Series[str]) -> pd.DataFrame:
    """Numbers of days judged by those of other days, metric by metric."""
    found = []
    by_metric = {str(name): frame for name, frame in samples.groupby("metric")}
    for name, frame in rows.groupby("metric"):
        known = by_metric.get(str(name))
        if known is None:
            continue
        for of_network in (False, True):
            asked = frame[(frame.source == NETWORK) == of_network]
            learned = known[(known.source == NETWORK) == of_network]
            if not len(asked) or not len(learned):
                continue
            scale = METRICS[str(name)].scale
            # Of three days learned there are two on which something could be new.
            fewest = FEWEST_DAYS - str(name).startswith("new_")
            usual = Usual(learned.assign(value=learned.value * scale), role, fewest=fewest)
            judged = usual.judge(asked.assign(value=asked.value * scale))
            result = asked.rename(columns={"value": "observed"}).assign(
                expected=judged.expected / scale,
                sigmas=judged.sigmas,
                level=judged.level,
                samples=judged.samples,
            )
            found.append(result[judged.level >= 0])
    return pd.concat(found, ignore_index=True)[_JUDGED] if found else pd.DataFrame(columns=_JUDGED)


def _deviations(rows: pd.DataFrame) -> dict[str, tuple[Deviation, ...]]:
    """The deviations of each source, furthest off first."""
    judged: dict[tuple[str, str], list[tuple[Day, int, int]]] = {}
    ordered = rows.sort_values("day", kind="stable")
    for source, metric, day, observed, expected, sigmas, level, samples in zip(
        *(ordered[name].tolist() for name in _JUDGED), strict=True
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


class _News:
    """What records have that the baseline does not, by host and for the network."""

    def __init__(self, usual: Baseline, summary: Summary) -> None:
        ports = summary["ports"] if "ports" in summary else LAYOUTS["ports"].empty()
        known = usual["ports"]
        self._ports = _unknown(ports, known, ["proto", "port"])
        named = ports[ports.application != ""]
        self._applications = _unknown(named, known, ["application"])
        self._services = _new(usual, summary)["offered"]

    def of(self, source: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Service, ...]]:
        """New ports, applications and services of a source, or of the network."""
        offered = self._services
        own = offered if source == NETWORK else offered[offered.source == source]
        ports = [f"{port}/{proto}" for proto, port in self._ports.get(source, [])]
        names = [str(name) for (name,) in self._applications.get(source, [])]
        return tuple(ports), tuple(names), services_of(own)


def _unknown(
    rows: pd.DataFrame, known: pd.DataFrame, keys: list[str]
) -> dict[str, list[tuple[object, ...]]]:
    """The keys of each source, and of the network, that are not known; most connections first."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for named in (["source", *keys], keys):
        used = rows.groupby(named, as_index=False).connections.sum()
        old = pd.MultiIndex.from_frame(known[named])
        new = used[~pd.MultiIndex.from_frame(used[named]).isin(old)]
        ordered = new.sort_values(["connections", *named], ascending=[False, *[True] * len(named)])
        for row in zip(*(ordered[name].tolist() for name in named), strict=True):
            source, key = (NETWORK, row) if named == keys else (row[0], row[1:])
            found.setdefault(source, []).append(key)
    return found
