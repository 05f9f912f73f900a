"""DNS habits: a host that asks for other names than it does on other days, or far more of them.

Five things of a host's day are looked at, each beside its own other days: how many names it asks
for, how many of them do not exist, how long they are, how long the longest is, and how many
domains are new, which nobody on the network asked for before; and of its hours, how much it asks.
The least likely of the six decides, corrected for there being six.

How many of a host's domains are new is compared with the other hosts of the day by a beta-binomial
distribution: the more days are known, the fewer domains are new, for all hosts alike, and hosts
differ more than chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import betabinom

from analyzer.baseline.roles import roles
from analyzer.baseline.usual import PRIOR, Usual
from analyzer.baseline.usual_days import UsualDays
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    shared_domains,
    shared_names,
)
from analyzer.detectors.unusual import chance_evidence, held_back, of_several, score_of_chance
from analyzer.features import DAY
from analyzer.findings import Evidence, few_of
from analyzer.parameters import Probability

if TYPE_CHECKING:
    from analyzer.records import Records

_KEYS = ["source", "day"]
_HOURS = 24
# Half a domain, where none is new.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """How unlikely, and of how many questions."""

    false_alarm: Probability = field(
        default=1e-3, metadata={"meaning": "share of ordinary host days that may be reported"}
    )
    names: int = field(default=20, metadata={"meaning": "least names asked for on the day"})
    factor: float = field(default=2.0, metadata={"meaning": "least multiple of what is expected"})


@dataclass(frozen=True, slots=True)
class _Measure:
    """One thing that is looked at.

    Attributes:
        says: what it is, in words.
        counted: whether it is a count of single events.
        generated: whether too much of it looks like names that are made up.
    """

    says: str
    counted: bool
    generated: bool


_MEASURES = {
    "names": _Measure("different names", True, False),
    "refused": _Measure("names that do not exist", True, True),
    "length": _Measure("mean length of its names", False, False),
    "longest": _Measure("longest name", False, False),
    "new": _Measure("new domains", True, True),
    "queries": _Measure("questions in an hour", True, False),
}
_DAILY = ("names", "refused", "length", "longest")


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Host days whose questions are unlike the host's."""
    if not records.counts["dns"]:
        return
    for comparison in shared_comparisons(records, shared):
        new = new_domains(records, comparison, shared)
        counts = new.groupby(_KEYS).size().rename("new").reset_index()
        measured = measures(comparison, counts)
        measured = measured[
            (measured.asked >= parameters.names)
            & (measured.value >= parameters.factor * measured.expected)
        ]
        least = measured.sort_values([*_KEYS, "chance", "measure"], kind="stable")
        for _, rows in least.groupby(_KEYS, sort=True):
            chance = float(of_several(rows.chance.iloc[0], len(_MEASURES)))
            if chance <= parameters.false_alarm:
                source, day = str(rows.source.iloc[0]), int(rows.day.iloc[0])
                span = _span(records, source, day)
                unlikely = rows[rows.chance <= parameters.false_alarm]
                own = new[(new.source == source) & (new.day == day)]
                domains = sorted(own.domain) if "new" in set(unlikely.measure) else []
                yield _detection(
                    unlikely, chance, comparison, parameters, span=span, domains=domains
                )


def new_domains(records: Records, comparison: Comparison, shared: Shared) -> pd.DataFrame:
    """The domains that the baseline does not know, and on which day each source asked first.

    Columns: ``source day domain``.
    """
    asked = shared_names(records, shared)
    named = asked.join(shared_domains(records, shared), "name")
    named = named.filter(named.domain.notnull())
    met = named.group_by("domain", source="orig_h").aggregate(first=named["first"].min())
    known = comparison.baseline["domains"][["domain"]]
    new: pd.DataFrame = met.to_pandas()
    new = new[~new.domain.isin(known.domain)]
    days = np.floor(new["first"] / DAY).astype(int)
    return new.assign(day=days)[[*_KEYS, "domain"]]


def measures(comparison: Comparison, new: pd.DataFrame) -> pd.DataFrame:
    """Every measure of every source's day beside what is usual.

    Args:
        comparison: what to compare with what.
        new: ``source day new``: how many of :func:`new_domains` there are.

    Returns:
        ``source day measure value expected chance asked`` (names of that day).
    """
    role = roles(comparison.baseline)
    past, now = (
        table["lookups"].assign(length=lambda rows: rows.letters / rows.names.clip(lower=1.0))
        for table in (comparison.baseline, comparison.summary)
    )
    found = []
    for name in _DAILY:
        samples, rows = (each[_KEYS].assign(value=each[name]) for each in (past, now))
        judgement = UsualDays(samples, role, counted=_MEASURES[name].counted).judge(rows)
        found.append(rows.assign(measure=name, expected=judgement.expected, chance=judgement.above))
    found.append(_new(now, new, known=len(comparison.baseline["domains"]) > 0))
    found.append(_hours(comparison, role))
    every = pd.concat(found, ignore_index=True)
    asked = now[_KEYS].assign(asked=now.names)
    return every.merge(asked, on=_KEYS)


def _new(now: pd.DataFrame, new: pd.DataFrame, *, known: bool) -> pd.DataFrame:
    """New domains beside the other hosts of the day."""
    rows = now[[*_KEYS, "domains"]].merge(new, how="left", on=_KEYS).fillna({"new": 0.0})
    count, of = rows.new.to_numpy(float), rows.domains.to_numpy(float)
    of = np.maximum(of, count)
    by_day = rows.assign(of=of).groupby("day")
    others = by_day.new.transform("sum").to_numpy() - count
    of_others = by_day.of.transform("sum").to_numpy() - of
    share = (others + _HALF) / (of_others + 1.0)
    chance = betabinom.sf(count - 1, of, PRIOR * share, PRIOR * (1.0 - share))
    alone = (of_others == 0) | (not known)
    return rows[_KEYS].assign(
        measure="new",
        value=count,
        expected=share * of,
        chance=np.where(alone, 1.0, chance),
    )


def _hours(comparison: Comparison, role: pd.Series[str]) -> pd.DataFrame:
    """Each day's least likely hour, corrected for there being two dozen."""
    keys = [*_KEYS, "hour"]
    past, now = (
        table["hours"]
        .loc[table["hours"].queries > 0, [*keys, "queries"]]
        .rename(columns={"queries": "value"})
        for table in (comparison.baseline, comparison.summary)
    )
    judgement = Usual(past, role).judge(now)
    rows = now.assign(
        measure="queries",
        expected=judgement.expected,
        chance=of_several(judgement.above, _HOURS),
    )
    rows = rows.sort_values([*_KEYS, "chance", "hour"], kind="stable")
    return rows.groupby(_KEYS).head(1)


def _span(records: Records, source: str, day: int) -> tuple[float, float, int]:
    dns = records.dns
    asked = dns.filter((dns.orig_h == source) & (dns.ts >= day * DAY) & (dns.ts < (day + 1) * DAY))
    row = asked.aggregate(first=asked.ts.min(), last=asked.ts.max(), queries=asked.count())
    ((first, last, queries),) = row.to_pandas().itertuples(index=False)
    return float(first), float(last), int(queries)


def _detection(
    rows: pd.DataFrame,
    chance: float,
    comparison: Comparison,
    parameters: Parameters,
    *,
    span: tuple[float, float, int],
    domains: list[str],
) -> Detection:
    first, last, queries = span
    top: dict[Any, Any] = rows.iloc[0].to_dict()
    measure = _MEASURES[top["measure"]]
    generated = any(_MEASURES[name].generated for name in rows.measure)
    return Detection(
        source=top["source"],
        port=53,
        first=first,
        last=last,
        score=held_back(score_of_chance(chance, parameters.false_alarm), comparison),
        message=(
            f"{top['source']} changed what it asks of DNS: {measure.says} {top['value']:,.0f}, "
            f"usually {top['expected']:,.0f}{f'; new are {few_of(domains)}' if domains else ''}"
        ),
        evidence=(
            *(
                Evidence(_MEASURES[name].says, round(value, 1), expected=round(expected, 1))
                for name, value, expected in zip(
                    rows.measure.tolist(), rows.value.tolist(), rows.expected.tolist(), strict=True
                )
            ),
            *([Evidence("domains that nobody asked for", few_of(domains, 10))] if domains else []),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=queries,
        technique="T1568.002" if generated else "T1071.004",
    )


DETECTOR = Detector("dns_habits", Parameters, find, compares=True)
