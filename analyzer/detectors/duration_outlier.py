"""Connections that last longer than any the host, its like, or the service ever has.

Whoever holds a connection open for hours, where its connections last seconds, has a tunnel, a
shell or a large transfer. Durations have heavy tails (Paxson and Floyd, "Wide area traffic: the
failure of Poisson modeling", IEEE/ACM Transactions on Networking 3, 1995), so how unlikely one is,
is read beyond the largest seen from how the tail falls (peaks over threshold): of the host's own
connections, of those of its role, and of those to the same port. Whatever of the three makes it
likeliest explains it. The longest of a day is the longest of so many draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer.baseline.bins import UNKNOWN_BIN, value_of
from analyzer.baseline.roles import roles
from analyzer.baseline.value_tails import chance_of, histogram_tail
from analyzer.detectors.behind import connections_behind, of_days
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.unusual import chance_evidence, held_back, of_several, score_of_chance
from analyzer.findings import Evidence, duration
from analyzer.parameters import Probability, Seconds

if TYPE_CHECKING:
    from analyzer.records import Records

_METRIC = "duration"


@dataclass(frozen=True, slots=True)
class Parameters:
    """How long and how unlikely."""

    false_alarm: Probability = field(
        default=1e-3, metadata={"meaning": "share of ordinary host days that may be reported"}
    )
    floor: Seconds = field(default=600.0, metadata={"meaning": "least duration"})
    factor: float = field(
        default=2.0, metadata={"meaning": "least multiple of the longest on other days"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Host days with a connection that lasted without example."""
    for comparison in shared_comparisons(records, shared):
        days = host_days(comparison, parameters)
        days = days[days.chance <= parameters.false_alarm].reset_index(drop=True)
        behind = connections_behind(records, of_days(days))
        services = comparison.baseline["service_shapes"]
        for place, row in enumerate(days.to_dict("records")):
            met = behind[behind.candidate == place]
            # Ties go to what comes first in the order of the table.
            longest = met.sort_values("longest", ascending=False, kind="stable").head(1)
            if longest.empty:
                continue
            one = longest.iloc[0]
            if one.longest < parameters.floor:
                continue
            at_port = _of_service(services, str(one.proto), int(one.port))
            single = float(chance_of(histogram_tail(at_port, _METRIC), one.longest))
            of_port = _of_draws(single, float(at_port.connections.sum()), row["draws"])
            chance = max(row["chance"], of_port)
            if chance <= parameters.false_alarm:
                yield _detection(row | {"chance": chance}, one, comparison, parameters)


def _of_service(services: pd.DataFrame, proto: str, port: int) -> pd.DataFrame:
    chosen = (services.metric == _METRIC) & (services.proto == proto) & (services.port == port)
    return services[chosen]


def _of_draws(single: float, learned: float, draws: float) -> float:
    """Chance of the longest of so many connections; 0 where a port says nothing.

    A port that nobody used has no tail; then the host's own and its role's decide.
    """
    return float(of_several(single, draws)) if learned and single < 1.0 else 0.0


def host_days(comparison: Comparison, parameters: Parameters) -> pd.DataFrame:
    """Each source's days with a long connection, longer than any before.

    Columns: ``source day longest`` (s, of the bin), ``before`` (s, on other days; nan if none),
    ``draws`` (connections of that day), ``chance``.
    """
    past, now = (
        each[(each.metric == _METRIC) & (each.bin != UNKNOWN_BIN)]
        for each in (comparison.baseline["shapes"], comparison.summary["shapes"])
    )
    days = now.groupby(["source", "day"], as_index=False).agg(
        bin=("bin", "max"), draws=("connections", "sum")
    )
    before = past.groupby("source").bin.max().reindex(days.source)
    days = days.assign(
        longest=value_of(days.bin, _METRIC), before=value_of(before.to_numpy(float), _METRIC)
    )
    new = (days.longest >= parameters.floor) & ~(days.longest < parameters.factor * days.before)
    days = days[new].reset_index(drop=True)
    role = roles(comparison.baseline)
    by_role = role.reindex(past.source).fillna("").set_axis(past.index)
    chances = [_chance(row, past, role, by_role) for row in days.to_dict("records")]
    return days.assign(chance=np.array(chances, dtype=float))


def _chance(
    row: dict[Any, Any], past: pd.DataFrame, role: pd.Series[str], by_role: pd.Series[str]
) -> float:
    """Chance by the host's own tail or its role's, whichever makes it likelier."""
    own = histogram_tail(past[past.source == row["source"]], _METRIC)
    mine = str(role.get(row["source"], ""))
    alike = past[by_role == mine]
    like = histogram_tail(alike if len(alike) else past, _METRIC)
    known = [float(chance_of(tail, row["longest"])) for tail in (own, like) if tail is not None]
    return float(of_several(max(known, default=1.0), row["draws"]))


def _detection(
    row: dict[Any, Any], one: pd.Series[Any], comparison: Comparison, parameters: Parameters
) -> Detection:
    before = row["before"]
    usual = "none learned" if pd.isna(before) else round(before)
    port = int(one.port) if one.proto != "icmp" else None
    return Detection(
        source=row["source"],
        destination=str(one.peer),
        port=port,
        proto=str(one.proto),
        first=float(one["first"]),
        last=float(one["last"]),
        score=held_back(score_of_chance(row["chance"], parameters.false_alarm), comparison),
        message=(
            f"{row['source']} held a connection with {one.peer} for {duration(one.longest)}, "
            "longer than any of its connections before"
        ),
        evidence=(
            Evidence("duration", float(one.longest), threshold=parameters.floor, unit="s"),
            Evidence("longest on other days", usual, unit="s"),
            Evidence("connections that day", int(row["draws"])),
            Evidence("sent", float(one.bytes_out), unit="B"),
            Evidence("received", float(one.bytes_in), unit="B"),
            *chance_evidence(row["chance"], parameters.false_alarm, comparison),
        ),
        connections=int(one.connections),
        technique="T1572" if one.outside else "T1021",
    )


DETECTOR = Detector("duration_outlier", Parameters, find, compares=True)
