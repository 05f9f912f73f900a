"""Out and in: a host that sends far more, and far more of what it moves, than it ever does.

Clients mostly receive, servers mostly send; either stays so for years. A host that turns from one
into the other while it sends much is the sign of data that leaves it: the producer-consumer ratio,
(sent - received) / (sent + received) of payload, from -1 to 1 (Bullard and Gerth, "PCR: A New Flow
Metric", FloCon 2014). Both must be unlikely beside the host's own days or hours, what was sent and
how it compares with what was received; the likelier of the two is the chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer.baseline.roles import roles
from analyzer.baseline.usual import Usual
from analyzer.baseline.usual_days import UsualDays
from analyzer.detectors.behind import connections_behind
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.unusual import chance_evidence, held_back, of_several, score_of_chance
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, quantity
from analyzer.parameters import Bytes, Probability

if TYPE_CHECKING:
    from analyzer.records import Records

# Bytes that are added to both sides of a ratio: a question without an answer is no upload.
_SMALL = 1000.0
# What a ratio is multiplied by, so that one received for each ten sent is still a number above one.
_PERCENT = 100.0
_HOURS = 24
# A peer that gets so much of it is who it went to.
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """How much, how one-sided and how unlikely."""

    false_alarm: Probability = field(
        default=1e-3, metadata={"meaning": "share of ordinary host days that may be reported"}
    )
    floor: Bytes = field(default=10e6, metadata={"meaning": "least bytes sent in the time"})
    factor: float = field(
        default=3.0, metadata={"meaning": "least multiple of the most on other days"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Host days on which a host sent as it never does."""
    for comparison in shared_comparisons(records, shared):
        days = host_days(comparison, parameters)
        days = days[days.chance <= parameters.false_alarm].reset_index(drop=True)
        spans = days[["source"]].assign(begin=days.begin, end=days.end)
        behind = connections_behind(records, spans)
        for place, row in enumerate(days.to_dict("records")):
            met = behind[behind.candidate == place]
            if len(met):
                yield _detection(row, met, comparison, parameters)


def host_days(comparison: Comparison, parameters: Parameters) -> pd.DataFrame:
    """Each source's days that are large enough, in their most unlikely time: the day, or an hour.

    Columns: ``source day``, ``begin end`` (epoch seconds), ``sent received`` (B), ``usual`` (B
    expected), ``usual_ratio`` (sent for each received), ``most`` (B on another day), ``chance``.
    """
    role = roles(comparison.baseline)
    past, now = comparison.baseline["hours"], comparison.summary["hours"]
    hours = _judged(past, now, lambda samples: Usual(samples, role).judge)
    keys = ["source", "day"]
    past, now = (
        each.groupby(keys, as_index=False)[["bytes_out", "bytes_in"]].sum() for each in (past, now)
    )
    days = _judged(past, now, lambda samples: UsualDays(samples, role).judge)
    days = days.assign(begin=days.day * DAY, end=(days.day + 1) * DAY)
    # An hour is the likeliest of a day's two dozen to be unlikely.
    hours = hours.assign(
        chance=of_several(hours.chance, _HOURS),
        begin=hours.day * DAY + hours.hour * HOUR,
        end=hours.day * DAY + (hours.hour + 1) * HOUR,
    )
    most = past.groupby("source").bytes_out.max().rename("most").reset_index()
    both = pd.concat([days, hours], ignore_index=True).merge(most, how="left", on="source")
    both = both[
        (both.sent >= parameters.floor)
        & (both.sent > both.received)
        & ~(both.sent < parameters.factor * both.most)
    ]
    both = both.sort_values([*keys, "chance", "begin"], kind="stable").groupby(keys).head(1)
    # Two spans were looked at.
    return both.assign(chance=of_several(both.chance, 2)).reset_index(drop=True)


def _judged(
    past: pd.DataFrame,
    now: pd.DataFrame,
    judge: Callable[[pd.DataFrame], Callable[[pd.DataFrame], Any]],
) -> pd.DataFrame:
    keys = [name for name in ("source", "day", "hour") if name in now]
    sent = judge(past[keys].assign(value=past.bytes_out))(now[keys].assign(value=now.bytes_out))
    ratio = judge(past[keys].assign(value=_ratio(past)))(now[keys].assign(value=_ratio(now)))
    return now[keys].assign(
        day=now.day.astype(float),
        sent=now.bytes_out,
        received=now.bytes_in,
        usual=sent.expected,
        usual_ratio=ratio.expected / _PERCENT,
        chance=np.maximum(sent.above, ratio.above),
    )


def _ratio(rows: pd.DataFrame) -> pd.Series[float]:
    return (rows.bytes_out + _SMALL) / (rows.bytes_in + _SMALL) * _PERCENT


def _balance(sent: float, received: float) -> float:
    """The producer-consumer ratio."""
    return (sent - received) / max(sent + received, 1.0)


def _detection(
    row: dict[Any, Any], met: pd.DataFrame, comparison: Comparison, parameters: Parameters
) -> Detection:
    source, sent, received = row["source"], row["sent"], row["received"]
    sums = met.groupby(["peer", "port", "proto", "outside"], as_index=False).agg(
        bytes_out=("bytes_out", "sum"),
        first=("first", "min"),
        last=("last", "max"),
        connections=("connections", "sum"),
    )
    sums = sums.sort_values(["bytes_out", "peer", "port"], ascending=[False, True, True])
    largest = sums.iloc[0]
    alone = largest.bytes_out >= _MOST * sent
    shown = sums.head(1) if alone else sums
    usual = row["usual_ratio"]
    span = "a day" if row["end"] - row["begin"] >= DAY else "an hour"
    peers = sums.peer.nunique()
    toward = (
        f", most of it to {largest.peer}"
        if alone or peers == 1
        else (f", to {peers:,} hosts, most to {largest.peer}")
    )
    return Detection(
        source=source,
        destination=str(largest.peer) if alone else None,
        port=int(largest.port) if alone and largest.proto != "icmp" else None,
        proto=str(largest.proto) if alone else None,
        first=float(shown["first"].min()),
        last=float(shown["last"].max()),
        score=held_back(score_of_chance(row["chance"], parameters.false_alarm), comparison),
        message=(
            f"{source} sent {quantity(sent, 'B')} within {span} and received "
            f"{quantity(received, 'B')}, usually {quantity(row['usual'], 'B')}{toward}"
        ),
        evidence=(
            Evidence(
                "sent", sent, expected=round(row["usual"]), threshold=parameters.floor, unit="B"
            ),
            Evidence("received", received, unit="B"),
            Evidence(
                "producer-consumer ratio",
                round(_balance(sent, received), 3),
                expected=round(_balance(usual, 1.0), 3),
            ),
            Evidence(
                "most sent on another day", row["most"] if row["most"] >= 0 else "none", unit="B"
            ),
            Evidence(
                "to outside hosts", float(met.bytes_out[met.outside.astype(bool)].sum()), unit="B"
            ),
            *chance_evidence(row["chance"], parameters.false_alarm, comparison),
        ),
        connections=int(shown.connections.sum()),
        technique="T1048" if largest.outside else "T1074.002",
        best="bytes",
    )


DETECTOR = Detector("producer_consumer", Parameters, find, compares=True)
