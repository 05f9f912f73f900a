"""Unusual fan-out: a host meets more hosts, or tries more ports, than on any day learned of it.

A scan or a worm whose targets answer, and an intruder who goes from host to host, leave no failures
to count; what is left is breadth, and how much of it is much depends on the host. A monitor meets
every host each hour and a workstation ten, so each is compared with its own highest days
(:mod:`analyzer.baseline.highs`):

- hosts inside, and hosts outside, that it met in an hour;
- attempts that were not answered in an hour;
- hosts inside that it met on a day and never on the days learned;
- ports that it tried on a day.

The smallest chance counts, corrected for their number. A day of a host is one thing to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.baseline import MOST_PEERS
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.highest import NO_HOUR, Measure, beyond, daily, hourly
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, quantity
from analyzer.parameters import Probability

if TYPE_CHECKING:
    from analyzer.baseline.summary import Summary
    from analyzer.records import Records

_INSIDE, _OUTSIDE, _SILENT, _NEW, _PORTS = "inside", "outside", "failed", "new", "ports"
_TECHNIQUES = {
    _INSIDE: "T1018",
    _OUTSIDE: "T1046",
    _SILENT: "T1046",
    _NEW: "T1018",
    _PORTS: "T1046",
}
_DID = {
    _INSIDE: "met {value} hosts inside in one hour",
    _OUTSIDE: "met {value} hosts outside in one hour",
    _SILENT: "had {value} attempts without an answer in one hour",
    _NEW: "met {value} hosts inside on one day that it had never met",
    _PORTS: "tried {value} ports on one day",
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is broad, and how unlikely it must be."""

    false_alarm: Probability = field(
        default=3e-3, metadata={"meaning": "share of a host's ordinary days that may be reported"}
    )
    hosts_floor: int = field(
        default=15, metadata={"meaning": "hosts inside an hour below which nothing is broad"}
    )
    outside_floor: int = field(
        default=50, metadata={"meaning": "hosts outside an hour below which nothing is broad"}
    )
    failed_floor: int = field(
        default=30, metadata={"meaning": "unanswered attempts an hour below which nothing is"}
    )
    new_floor: int = field(
        default=4, metadata={"meaning": "new hosts inside a day below which nothing is broad"}
    )
    ports_floor: int = field(
        default=20, metadata={"meaning": "ports a day below which nothing is broad"}
    )


def _measures(parameters: Parameters) -> tuple[Measure, ...]:
    return (
        Measure(_INSIDE, "hosts inside met in an hour", parameters.hosts_floor),
        Measure(_OUTSIDE, "hosts outside met in an hour", parameters.outside_floor),
        Measure(_SILENT, "attempts without an answer in an hour", parameters.failed_floor),
        Measure(_NEW, "hosts inside never met before, in a day", parameters.new_floor),
        Measure(_PORTS, "ports tried in a day", parameters.ports_floor),
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Days on which a host was broader than any day learned lets expect."""
    for comparison in shared_comparisons(records, shared):
        yield from _compared(comparison, parameters)


def _compared(comparison: Comparison, parameters: Parameters) -> Iterator[Detection]:
    measures = _measures(parameters)
    peers, known = comparison.summary["peers"], comparison.baseline["peers"]
    new = _new(peers, known)
    once = known[known.first_day == known.last_day]
    rows = beyond(
        comparison,
        measures,
        _reached(comparison.summary, new),
        _reached(comparison.baseline.tables, once),
    )
    rows = rows[rows.chance <= parameters.false_alarm]
    for _, own in rows.groupby(["source", "day"], sort=True):
        yield _detection(own, comparison, parameters)


def _new(peers: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Peers that their source never met; of sources that met too many to keep, nobody knows."""
    full = known.groupby("source").size()
    full = full[full >= MOST_PEERS]
    unknown = peers.merge(
        known[["source", "peer"]], on=["source", "peer"], how="left", indicator="in"
    )
    return unknown[(unknown["in"] == "left_only") & ~unknown.source.isin(full.index)]


def _reached(tables: Summary, met_once: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What each day of each host reached in each measure.

    Args:
        tables: the days.
        met_once: peers that were met on their first day for the first time: what would have been
            new then.
    """
    hours = tables["hours"]
    inside = met_once[~met_once.outside]
    new = inside.groupby(["source", "first_day"]).size().rename("value").reset_index()
    used = tables["ports"].drop_duplicates(["source", "day", "proto", "port"])
    ports = used.groupby(["source", "day"]).size().rename("value").reset_index()
    return {
        _INSIDE: hourly(hours, hours.destinations - hours.outside),
        _OUTSIDE: hourly(hours, hours.outside),
        _SILENT: hourly(hours, hours.failed),
        _NEW: daily(hours, new.rename(columns={"first_day": "day"})),
        _PORTS: daily(hours, ports),
    }


def _detection(rows: pd.DataFrame, comparison: Comparison, parameters: Parameters) -> Detection:
    ordered = rows.sort_values(["chance", "measure"])
    worst = ordered.iloc[0]
    measure, chance = str(worst.measure), float(worst.chance)
    named = {each.name: each for each in _measures(parameters)}
    begin = float(worst.day) * DAY
    by_hour = rows.hour[rows.hour != NO_HOUR].to_numpy(float)
    value, reference = quantity(float(worst.value)), quantity(float(worst.reference))
    return Detection(
        source=str(worst.source),
        first=begin + (float(by_hour.min()) if by_hour.size else 0.0) * HOUR,
        last=begin + (float(by_hour.max()) + 1 if by_hour.size else 24.0) * HOUR,
        score=held_back(score_of_chance(chance, parameters.false_alarm), comparison),
        message=(
            f"{worst.source} {_DID[measure].format(value=value)}, {reference} on its highest days "
            "before"
        ),
        evidence=(
            *(
                Evidence(
                    named[str(row.measure)].meaning,
                    float(row.value),
                    expected=float(row.reference),
                    threshold=named[str(row.measure)].floor,
                )
                for row in ordered.itertuples()
            ),
            Evidence("days of the host learned", int(worst.days)),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=0,
        technique=_TECHNIQUES[measure],
        best="failed" if measure == _SILENT else "first",
    )


DETECTOR = Detector("unusual_fan_out", Parameters, find)
