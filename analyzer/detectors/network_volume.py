"""Network volume: five minutes that hold far more than the network shows at that hour.

A flood from outside, or from many hosts at once, need not stand out at any single host of ours. All
connections of five minutes, and all bytes in them, are compared with the busiest five minutes of
the same hour of the days learned (:mod:`analyzer.baseline.highs`, an hour of the day in place of a
host). Where one originator accounts for half of what is too much, that host is the news, and rules
about hosts have more to say; what is left is a flood of many, and whoever answers most of it.

Bytes count where a connection begins, as a log has no others: a transfer of hours fills the five
minutes of its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analyzer.baseline.highs import Highs
from analyzer.baseline.samples import SLOT
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.highest import corrected
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, duration, quantity
from analyzer.parameters import Bytes, Probability

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

_MEASURES = {"connections": "", "bytes_out": "B", "bytes_in": "B"}
_NAMES = {
    "connections": "connections",
    "bytes_out": "bytes of originators",
    "bytes_in": "bytes of responders",
}
_TECHNIQUES = {"connections": "T1498", "bytes_out": "T1048", "bytes_in": "T1498"}
_SLOTS_AN_HOUR = int(HOUR / SLOT)
_SLOTS_A_DAY = int(DAY / SLOT)
# Who accounts for so much of what is too much is what it is about.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is much, and how unlikely it must be."""

    false_alarm: Probability = field(
        default=1e-4, metadata={"meaning": "share of the network's ordinary hours reported"}
    )
    connections_floor: int = field(
        default=1000, metadata={"meaning": "connections in five minutes that are much"}
    )
    bytes_floor: Bytes = field(default=1e9, metadata={"meaning": "bytes in five minutes likewise"})


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Days with five minutes that hold more than the network ever shows at that hour."""
    for comparison in shared_comparisons(records, shared):
        rows = unusual_slots(comparison, parameters)
        if rows.empty:
            continue
        for _, own in rows.groupby("day", sort=True):
            parts = _parts(own, records)
            shared_out = parts[parts.source_share < _HALF]
            if len(shared_out):
                yield _detection(shared_out, comparison, parameters)


def unusual_slots(comparison: Comparison, parameters: Parameters) -> pd.DataFrame:
    """Five minutes beyond their hour: ``day slot measure value reference chance days``."""
    network, learned = comparison.summary["network"], comparison.baseline["network"]
    none = pd.Series(dtype="str")
    found = []
    for measure in _MEASURES:
        floor = parameters.connections_floor if measure == "connections" else parameters.bytes_floor
        much = _slots(network[network[measure] >= floor], measure)
        if much.empty:
            continue
        highest = (
            _slots(learned, measure).groupby(["source", "day"], as_index=False)[["value"]].max()
        )
        judgement = Highs(highest, none).judge(much)
        much = much.assign(
            measure=measure,
            reference=judgement.reference,
            chance=corrected(judgement.chance, len(_MEASURES)),
            days=judgement.days,
        )
        found.append(much[much.chance <= parameters.false_alarm])
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _slots(network: pd.DataFrame, measure: str) -> pd.DataFrame:
    hour = network.slot.to_numpy(int) // _SLOTS_AN_HOUR
    return pd.DataFrame(
        {
            "source": [f"{each:02}" for each in hour],
            "day": network.day.to_numpy(int),
            "slot": network.slot.to_numpy(int),
            "value": network[measure].to_numpy(float),
        }
    )


def _parts(rows: pd.DataFrame, records: Records) -> pd.DataFrame:
    """The rows with who began and who answered most, ``source source_share target target_share``.

    Shares are of what is too much, 1 at most.
    """
    found = []
    for measure, own in rows.groupby("measure", sort=True):
        at = own.day.to_numpy(int) * _SLOTS_A_DAY + own.slot.to_numpy(int)
        excess = np.maximum((own.value - own.reference).to_numpy(float), 1.0)
        ends = {}
        for name, side in (("source", "orig_h"), ("target", "resp_h")):
            top = _busiest(records.conn, side, str(measure), at.tolist()).loc[at]
            ends[name] = top.host.to_numpy()
            ends[f"{name}_share"] = np.minimum(top.amount.to_numpy(float) / excess, 1.0)
        found.append(own.assign(**ends))
    return pd.concat(found, ignore_index=True)


def _busiest(conn: ir.Table, side: str, measure: str, slots: list[int]) -> pd.DataFrame:
    """Who has most of a measure in each of some spans, ``host amount`` by number of the span."""
    rows = conn.mutate(at=(conn.ts / SLOT).floor().cast("int64"))
    rows = rows.filter(rows["at"].isin(slots))
    amount = {
        "connections": rows.count(),
        "bytes_out": rows.orig_bytes.sum().fill_null(0),
        "bytes_in": rows.resp_bytes.sum().fill_null(0),
    }[measure]
    counted = rows.group_by("at", host=rows[side]).aggregate(amount=amount.cast("float64"))
    place = ibis.row_number().over(group_by="at", order_by=[ibis.desc("amount"), ibis.asc("host")])
    first = counted.mutate(place=place).filter(lambda table: table.place == 0)
    frame: pd.DataFrame = first.select("at", "host", "amount").to_pandas()
    return frame.set_index("at")


def _detection(rows: pd.DataFrame, comparison: Comparison, parameters: Parameters) -> Detection:
    worst = rows.sort_values(["chance", "day", "slot", "measure"]).iloc[0]
    measure, chance = str(worst.measure), float(worst.chance)
    unit = _MEASURES[measure]
    begin = float(worst.day) * DAY + float(worst.slot) * SLOT
    value, usual = float(worst.value), float(worst.reference)
    return Detection(
        source=str(worst.source),
        destination=str(worst.target) if worst.target_share >= _HALF else None,
        first=begin,
        last=begin + SLOT,
        score=held_back(score_of_chance(chance, parameters.false_alarm), comparison),
        message=(
            f"the network's hosts exchanged {quantity(value, unit)} {_NAMES[measure]} within "
            f"{duration(SLOT)}, {quantity(usual, unit)} at most at that hour before; "
            f"{worst.target} answered most, {worst.source} began most"
        ),
        evidence=(
            Evidence(f"{_NAMES[measure]} in {duration(SLOT)}", value, expected=usual, unit=unit),
            Evidence("part of the excess that one host began", round(worst.source_share, 2)),
            Evidence("part of it that one host answered", round(worst.target_share, 2)),
            Evidence("such spans of that day", rows.slot.nunique()),
            Evidence("days learned", int(worst.days)),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=int(value) if measure == "connections" else 0,
        technique=_TECHNIQUES[measure],
        best="bytes" if unit else "first",
    )


DETECTOR = Detector("network_volume", Parameters, find, compares=True)
