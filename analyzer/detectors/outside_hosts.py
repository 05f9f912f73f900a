"""New outside hosts: far more of them on a day than a host ever meets for the first time.

Somebody who browses meets new servers every day, a printer none in years. What a host's day would
bring is known from the servers that it met on one day and on no other: the same count for the days
learned and for the day that is judged, where a list of first meetings would be long at first and
shorter every day (:mod:`analyzer.baseline.unseen`). A host that meets more hosts than a baseline
remembers meets strangers all the time; nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from analyzer.baseline.baseline import MOST_PEERS
from analyzer.baseline.roles import roles
from analyzer.baseline.unseen import comparable
from analyzer.baseline.usual_days import UsualDays
from analyzer.detectors.behind import connections_behind, of_days
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.findings import Evidence, few_of
from analyzer.parameters import Probability

if TYPE_CHECKING:
    from analyzer.records import Records

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many are too many."""

    false_alarm: Probability = field(
        default=1e-3, metadata={"meaning": "share of ordinary host days that may be reported"}
    )
    hosts: int = field(default=20, metadata={"meaning": "least outside hosts never met before"})


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Host days with far more new outside hosts than usual."""
    for comparison in shared_comparisons(records, shared):
        days = host_days(comparison, parameters.hosts)
        days = days[days.chance <= parameters.false_alarm].reset_index(drop=True)
        behind = connections_behind(records, of_days(days))
        past = comparison.baseline["peers"]
        for place, row in enumerate(days.to_dict("records")):
            met = behind[(behind.candidate == place) & behind.outside.astype(bool)]
            known = past.peer[past.source == row["source"]]
            new = met[~met.peer.isin(known)]
            if len(new):
                yield _detection(row, new, comparison, parameters)


def host_days(comparison: Comparison, least: int) -> pd.DataFrame:
    """Each source's days with at least so many new outside hosts.

    Columns: ``source day value`` (how many), ``expected``, ``most`` (of the days learned), ``days``
    (how many those are), ``chance``.
    """
    baseline, summary = comparison.baseline, comparison.summary
    past = baseline["peers"]
    past = past[past.outside]
    known = past.groupby("source").size()
    forgetful = known.index[known >= MOST_PEERS]
    past = past[~past.source.isin(forgetful)]
    there = baseline["hours"][["source", "day"]].drop_duplicates()
    there = comparable(there[~there.source.isin(forgetful)])
    single = past[past.first_day == past.last_day].rename(columns={"first_day": "day"})
    counts = single.groupby(["source", "day"]).size().rename("value").reset_index()
    samples = there.merge(counts, how="left", on=["source", "day"]).fillna({"value": 0.0})

    now = summary["peers"]
    now = now[now.outside & ~now.source.isin(forgetful)].merge(
        past[["source", "peer"]].assign(met=True), "left", ["source", "peer"]
    )
    new = now[now.met.isna()].rename(columns={"first_day": "day"})
    judged = new.groupby(["source", "day"]).size().rename("value").reset_index()
    judgement = UsualDays(samples, roles(baseline), counted=True).judge(judged)
    judged = judged.assign(
        expected=judgement.expected,
        most=judgement.most,
        days=judgement.days,
        chance=judgement.above,
    )
    return judged[judged.value >= least].reset_index(drop=True)


def _detection(
    row: dict[Any, Any], new: pd.DataFrame, comparison: Comparison, parameters: Parameters
) -> Detection:
    source, count = row["source"], int(row["value"])
    everyone = set(comparison.baseline["peers"].peer)
    by_port = new.groupby(["proto", "port"], as_index=False).agg(peer=("peer", "nunique"))
    by_port = by_port.sort_values(["peer", "proto", "port"], ascending=[False, True, True])
    most = by_port.iloc[0]
    one_port = len(by_port) == 1 and most.proto != "icmp"
    every = by_port.to_dict("records")
    ports = [f"{each['port']}/{each['proto']} {each['peer']}" for each in every]
    on = "icmp" if most.proto == "icmp" else f"{most.port}/{most.proto}"
    return Detection(
        source=source,
        port=int(most.port) if one_port else None,
        proto=str(most.proto) if len(by_port) == 1 else None,
        first=float(new["first"].min()),
        last=float(new["last"].max()),
        score=held_back(score_of_chance(row["chance"], parameters.false_alarm), comparison),
        message=(
            f"{source} met {count:,} outside hosts that it never met before, "
            f"usually {row['expected']:,.0f} on such a day, {'most' if len(every) > 1 else 'all'} "
            f"of them on {on}"
        ),
        evidence=(
            Evidence(
                "new outside hosts",
                count,
                expected=round(row["expected"], 1),
                threshold=parameters.hosts,
            ),
            Evidence("most on another day", "none" if pd.isna(row["most"]) else row["most"]),
            Evidence(
                "never met by anybody here", int((~new.peer.drop_duplicates().isin(everyone)).sum())
            ),
            Evidence("by port", few_of(ports, _SHOWN)),
            Evidence("days of the host", row["days"]),
            *chance_evidence(row["chance"], parameters.false_alarm, comparison),
        ),
        connections=int(new.connections.sum()),
    )


DETECTOR = Detector("outside_hosts", Parameters, find, compares=True)
