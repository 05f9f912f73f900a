"""Volume: a host moves far more in an hour than on any day learned of it.

How many connections a host began in an hour and in its busiest minute, and how many bytes it sent
and received in an hour, are compared by the hour on both sides: the highest hour of a day with the
highest hours of the days learned (:mod:`analyzer.baseline.highs`). What it does at that hour on
most days, or on most such weekdays, is no news (:mod:`analyzer.baseline.usual`).

Not all that is unlikely is worth a look: hosts that do next to nothing double it any day. So it
must also be much. And it is not all as bad: only what left the site cannot be undone, copies inside
are mostly copies, and what comes in are mostly updates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.roles import roles
from analyzer.baseline.usual import Usual
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.highest import Measure, beyond, hourly
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, Severity, quantity
from analyzer.parameters import Bytes, Probability

if TYPE_CHECKING:
    from analyzer.records import Records

# What an excess may be: a flood, a theft, a tool that is fetched. Data that stay inside are
# gathered for a theft (T1074.002).
_TECHNIQUES = {
    "connections": "T1499",
    "busiest": "T1499",
    "bytes_out": "T1048",
    "bytes_in": "T1105",
}
_STAGED = "T1074.002"
_DID = {
    "connections": "began {value} connections",
    "busiest": "began {value} connections in one minute",
    "bytes_out": "sent {value}",
    "bytes_in": "received {value}",
}
# From this share of the day's bytes on, what a host sent went outside.
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is much, and how unlikely it must be."""

    false_alarm: Probability = field(
        default=3e-3, metadata={"meaning": "share of a host's ordinary days that may be reported"}
    )
    connections_floor: int = field(
        default=500, metadata={"meaning": "connections an hour below which nothing is much"}
    )
    minute_floor: int = field(
        default=200, metadata={"meaning": "connections a minute below which nothing is much"}
    )
    bytes_floor: Bytes = field(
        default=100e6, metadata={"meaning": "bytes an hour below which nothing is much"}
    )


def _measures(parameters: Parameters) -> tuple[Measure, ...]:
    of_bytes = parameters.bytes_floor
    return (
        Measure("connections", "connections in an hour", parameters.connections_floor),
        Measure("busiest", "connections in one minute", parameters.minute_floor),
        Measure("bytes_out", "sent in an hour", of_bytes, "B"),
        Measure("bytes_in", "received in an hour", of_bytes, "B"),
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Days on which a host moved more in an hour than any day learned lets expect."""
    for comparison in shared_comparisons(records, shared):
        yield from _compared(comparison, parameters)


def _unusual(comparison: Comparison, parameters: Parameters) -> pd.DataFrame:
    measures = _measures(parameters)
    hours, learned = comparison.summary["hours"], comparison.baseline["hours"]
    rows = beyond(
        comparison,
        measures,
        {measure.name: hourly(hours, hours[measure.name]) for measure in measures},
        {measure.name: hourly(learned, learned[measure.name]) for measure in measures},
    )
    return _news(rows[rows.chance <= parameters.false_alarm], comparison)


def _compared(comparison: Comparison, parameters: Parameters) -> Iterator[Detection]:
    rows = _unusual(comparison, parameters)
    if rows.empty:
        return
    outside = _outside(comparison.summary["ports"])
    for key, own in rows.groupby(["source", "day"], sort=True):
        yield _detection(own, float(outside.get(key, 1.0)), comparison, parameters)


def _news(rows: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """The rows whose like does not come back at its hour."""
    learned, role = comparison.baseline["hours"], roles(comparison.baseline)
    kept = []
    for measure, own in rows.groupby("measure", sort=True):
        samples = learned[learned.source.isin(own.source)].rename(columns={measure: "value"})
        usual = Usual(samples[["source", "day", "hour", "value"]], role)
        kept.append(own[~usual.judge(own).routine])
    return pd.concat(kept) if kept else rows


def _outside(ports: pd.DataFrame) -> pd.Series[float]:
    """The share of the bytes that each source sent on each day that went outside."""
    sent = ports.assign(gone=ports.bytes_out.where(ports.outside, 0.0))
    total = sent.groupby(["source", "day"])[["gone", "bytes_out"]].sum()
    return (total.gone / total.bytes_out.where(total.bytes_out > 0)).fillna(0.0)


def _most(measure: str, outside: float) -> Severity:
    """How loud an excess may be."""
    if measure == "bytes_out":
        return Severity.CRITICAL if outside >= _MOSTLY else Severity.MEDIUM
    return Severity.LOW if measure == "bytes_in" else Severity.HIGH


def _detection(
    rows: pd.DataFrame, outside: float, comparison: Comparison, parameters: Parameters
) -> Detection:
    scores = {
        measure: min(
            score_of_chance(chance, parameters.false_alarm), _most(measure, outside).highest
        )
        for measure, chance in zip(rows.measure, rows.chance, strict=True)
    }
    ordered = rows.assign(score=rows.measure.map(scores))
    ordered = ordered.sort_values(["score", "chance", "measure"], ascending=[False, True, True])
    worst = ordered.iloc[0]
    measure, hour = str(worst.measure), int(worst.hour)
    units = {each.name: each for each in _measures(parameters)}
    unit = units[measure].unit
    evidence = [
        Evidence(
            units[row["measure"]].meaning,
            row["value"],
            expected=row["reference"],
            threshold=units[row["measure"]].floor,
            unit=units[row["measure"]].unit,
        )
        for row in ordered.to_dict("records")
    ]
    technique = _TECHNIQUES[measure]
    if measure == "bytes_out":
        evidence.append(Evidence("share of the day's bytes sent that left", round(outside, 2)))
        technique = technique if outside >= _MOSTLY else _STAGED
    hours = rows.day.to_numpy(float) * DAY + rows.hour.to_numpy(float) * HOUR
    whole = comparison.summary["hours"]
    mine = whole[(whole.source == worst.source) & (whole.day == worst.day)]
    value, reference = (quantity(float(each), unit) for each in (worst.value, worst.reference))
    return Detection(
        source=str(worst.source),
        first=float(hours.min()),
        last=float(hours.max()) + HOUR,
        score=held_back(float(worst.score), comparison),
        message=(
            f"{worst.source} {_DID[measure].format(value=value)} between {hour:02}:00 and "
            f"{hour + 1:02}:00 UTC, {reference} on its highest days before"
        ),
        evidence=(
            *evidence,
            Evidence("days of the host learned", int(worst.days)),
            *chance_evidence(float(worst.chance), parameters.false_alarm, comparison),
        ),
        connections=int(mine.connections[mine.hour.isin(rows.hour)].sum()),
        technique=technique,
        best="bytes" if unit else "first",
    )


DETECTOR = Detector("volume", Parameters, find, compares=True)
