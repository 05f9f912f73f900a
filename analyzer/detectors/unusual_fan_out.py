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
from typing import TYPE_CHECKING, Any

import pandas as pd

from analyzer.baseline.baseline import MOST_PEERS
from analyzer.detectors.breadth import (
    INSIDE,
    NEW,
    OUTSIDE,
    PORTS,
    SILENT,
    Breadth,
    breadth,
    met_on,
)
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

_DID = {
    INSIDE: "met {value} hosts inside in one hour",
    OUTSIDE: "met {value} hosts outside in one hour",
    SILENT: "had {value} attempts without an answer in one hour",
    NEW: "met {value} hosts inside on one day that it had never met",
    PORTS: "tried {value} ports on one day",
}
_SHOWN = 8


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
        Measure(INSIDE, "hosts inside met in an hour", parameters.hosts_floor),
        Measure(OUTSIDE, "hosts outside met in an hour", parameters.outside_floor),
        Measure(SILENT, "attempts without an answer in an hour", parameters.failed_floor),
        Measure(NEW, "hosts inside never met before, in a day", parameters.new_floor),
        Measure(PORTS, "ports tried in a day", parameters.ports_floor),
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Days on which a host was broader than any day learned lets expect."""
    for comparison in shared_comparisons(records, shared):
        rows = unusual_days(comparison, parameters)
        days = sorted(set(zip(rows.source.tolist(), rows.day.tolist(), strict=True)))
        new = _new(comparison.summary["peers"], comparison.baseline["peers"])
        for (source, day), met in met_on(days, records, shared).items():
            own = rows[(rows.source == source) & (rows.day == day)]
            worst = own.sort_values(["chance", "measure"]).to_dict("records")
            parts = breadth(met, worst[0]["measure"], new.peer[new.source == source].tolist())
            yield _detection(worst, parts, comparison, parameters)


def unusual_days(comparison: Comparison, parameters: Parameters) -> pd.DataFrame:
    """Days broader than expected, see :func:`analyzer.detectors.highest.beyond`."""
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
    return rows[rows.chance <= parameters.false_alarm]


def _new(peers: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Hosts inside that a source never met; of one that met too many to keep, nobody knows."""
    inside, met = peers[~peers.outside], known[~known.outside]
    kept = met.groupby("source")["peer"].size()
    full = kept.index[kept >= MOST_PEERS]
    both = inside.merge(met[["source", "peer"]], on=["source", "peer"], how="left", indicator="in")
    new: pd.DataFrame = both[(both["in"] == "left_only") & ~both.source.isin(full)]
    return new.drop(columns="in")


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
        INSIDE: hourly(hours, hours.destinations - hours.outside),
        OUTSIDE: hourly(hours, hours.outside),
        SILENT: hourly(hours, hours.failed),
        NEW: daily(hours, new.rename(columns={"first_day": "day"})),
        PORTS: daily(hours, ports),
    }


def _detection(
    rows: list[dict[Any, Any]], parts: Breadth, comparison: Comparison, parameters: Parameters
) -> Detection:
    worst = rows[0]
    source, measure, chance = worst["source"], worst["measure"], worst["chance"]
    named = {each.name: each for each in _measures(parameters)}
    first, last = parts.first, parts.last
    if worst["hour"] != NO_HOUR:
        # Contacts are known by half days.
        begin = worst["day"] * DAY + worst["hour"] * HOUR
        first, last = max(first, begin), min(last, begin + HOUR)
    value, reference = quantity(worst["value"]), quantity(worst["reference"])
    on = f", most on {', '.join(parts.ports[:_SHOWN])}" if parts.ports and measure != PORTS else ""
    return Detection(
        source=source,
        destination=parts.destination,
        port=parts.port,
        proto=parts.proto,
        first=first,
        last=last,
        score=held_back(score_of_chance(chance, parameters.false_alarm), comparison),
        message=f"{source} {_DID[measure].format(value=value)}, {reference} on its highest days "
        f"before{on}",
        evidence=(
            *(
                Evidence(
                    named[row["measure"]].meaning,
                    row["value"],
                    expected=row["reference"],
                    threshold=named[row["measure"]].floor,
                )
                for row in rows
            ),
            Evidence("hosts of them", parts.hosts),
            Evidence("share that answered", round(parts.answered, 2)),
            Evidence("days of the host learned", worst["days"]),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=parts.connections,
        technique=parts.technique,
        best="failed" if measure == SILENT else "first",
    )


DETECTOR = Detector("unusual_fan_out", Parameters, find, compares=True)
