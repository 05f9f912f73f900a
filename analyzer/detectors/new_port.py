"""New ports: a host that uses a port which it, or nobody on the network, ever used before.

Some hosts use a new port every day (file sharing, calls, FTP), most never do. So a host's own rate
counts, drawn towards that of all hosts (:mod:`analyzer.baseline.unseen`), and how much the port is
used beside what new ports usually are: one connection to a web service on a port of its own is
next to nothing, fifteen of them to a port nobody knows are. Ports that many hosts use are no news
of one more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.unseen import Habit, at_least, comparable, singles
from analyzer.baseline.usual_days import is_weekend
from analyzer.detectors.behind import connections_behind, of_days
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.unusual import chance_evidence, held_back, of_several, score_of_chance
from analyzer.findings import Evidence, Severity, few_of
from analyzer.parameters import Probability, Share

if TYPE_CHECKING:
    from analyzer.records import Records

_PORT = ["proto", "port", "outside"]
# Ports that are named in a finding.
_SHOWN = 10
# ICMP and what is listed together have no port of their own; the latter is only "more of them".
_NO_PORT = 0
# However few hosts there are, what one of them does is not common.
_TWO = 2


@dataclass(frozen=True, slots=True)
class Parameters:
    """What counts as new, and as used."""

    false_alarm: Probability = field(
        default=1e-2, metadata={"meaning": "share of ordinary host days that may be reported"}
    )
    common: Share = field(
        default=0.1,
        metadata={"meaning": "share of hosts that use a port, from which one more is no news"},
    )
    connections: int = field(
        default=3, metadata={"meaning": "connections to new ports below which it is low at most"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Host days with new ports that are unlikely."""
    for comparison in shared_comparisons(records, shared):
        days = host_days(comparison, parameters.common)
        days = days[days.chance <= parameters.false_alarm].reset_index(drop=True)
        behind = connections_behind(records, of_days(days))
        for place, row in enumerate(days.to_dict("records")):
            met = behind[behind.candidate == place].merge(row["ports"], on=_PORT)
            if len(met):
                yield _detection(row, met, comparison, parameters)


def _used(ports: pd.DataFrame) -> pd.DataFrame:
    """Connections of each source and day to each port; what is listed together is left out."""
    listed = ports[(ports.port != _NO_PORT) | (ports.proto == "icmp")]
    by_port = listed.groupby(["source", "day", *_PORT], as_index=False)
    return by_port.agg(connections=("connections", "sum"))


@dataclass(frozen=True, slots=True)
class _News:
    """How often hosts had new ports, of one kind, and how much those were used.

    Attributes:
        habit: of all hosts.
        days: of each source (index) how many are ``known``, and on how many it ``had`` some.
        amounts: connections to each such port.
        counts: such ports of a host's day, where there were any.
    """

    habit: Habit
    days: pd.DataFrame
    amounts: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]

    @staticmethod
    def of(new: pd.DataFrame, days: pd.DataFrame) -> _News:
        """From the ports that only one day had, and the days that can be compared."""
        there = new.merge(days, on=["source", "day"])
        counts = there.groupby(["source", "day"]).size()
        had = counts.groupby("source").size()
        known = days.groupby("source").size().rename("known").to_frame()
        known["had"] = had.reindex(known.index).fillna(0)
        return _News(
            habit=Habit.of(known.known, known.had),
            days=known,
            amounts=there.connections.to_numpy(float),
            counts=counts.to_numpy().astype(float),
        )

    def of_source(self, source: str) -> tuple[int, int]:
        """How many days are known of a source, and on how many it had new ports."""
        own = self.days[self.days.index == source]
        return (int(own.known.iloc[0]), int(own.had.iloc[0])) if len(own) else (0, 0)

    def chance(self, source: str, ports: pd.DataFrame) -> float:
        """Chance of such ports on a day of the source, used as much."""
        known, had = self.of_source(source)
        several = float(at_least(self.counts, len(ports)))
        single = float(at_least(self.amounts, ports.connections.max()))
        # The most used of several is the most of so many draws, and two things are looked at.
        most = float(of_several(single, len(ports)))
        extent = min(1.0, 2.0 * min(several, most))
        return float(self.habit.chance(known, had)) * extent


def host_days(comparison: Comparison, common: float) -> pd.DataFrame:
    """Each source's days with new ports.

    Columns: ``source day``, ``chance``, ``had`` and ``known`` (days with new ports, of how many),
    ``ports`` (a frame of ``proto port outside anyone``: whether anyone used it before).
    """
    baseline = comparison.baseline
    past, now = _used(baseline["ports"]), _used(comparison.summary["ports"])
    days = comparable(past[["source", "day"]].drop_duplicates())
    users = past.groupby(_PORT, as_index=False).agg(
        users=("source", "nunique"), days=("day", "nunique")
    )
    hosts = max(past.source.nunique(), 1)
    is_common = users.users >= max(common * hosts, _TWO)
    rare = past.merge(users[~is_common], on=_PORT)
    first_time = _News.of(rare[rare.days == 1], days)
    # Of the host itself, a weekend says nothing of a working day.
    single, weekend = singles(rare, _PORT), is_weekend(days.day)
    own_first = {kind: _News.of(single, days[weekend == kind]) for kind in (False, True)}

    met = past[["source", *_PORT]].drop_duplicates().assign(own=True)
    judged = now.merge(users, how="left", on=_PORT).merge(met, how="left", on=["source", *_PORT])
    judged = judged.assign(anyone=judged.users.notna())
    judged = judged[judged.own.isna() & ~(judged.users >= max(common * hosts, _TWO))]
    rows = []
    for _, ports in judged.groupby(["source", "day"], sort=True):
        source, day = str(ports.source.iloc[0]), int(ports.day.iloc[0])
        unheard = ports[~ports.anyone]
        alike = own_first[bool(is_weekend(day))]
        known, had = alike.of_source(source)
        # Of a host that nobody knows on such days, everything is new.
        chances = [alike.chance(source, ports)] if known else []
        if len(unheard):
            chances.append(first_time.chance(source, unheard))
        if chances:
            chance = float(of_several(min(chances), len(chances)))
            rows.append((source, day, chance, known, had, ports[[*_PORT, "anyone"]]))
    columns = ["source", "day", "chance", "known", "had", "ports"]
    return pd.DataFrame(rows, columns=columns)


def _detection(
    row: dict[Any, Any], met: pd.DataFrame, comparison: Comparison, parameters: Parameters
) -> Detection:
    source, chance = row["source"], row["chance"]
    unheard = met[~met.anyone]
    # What nobody used before says more than what only this host did not.
    shown = unheard if len(unheard) else met
    ports = shown.groupby(_PORT, as_index=False).agg(connections=("connections", "sum"))
    ports = ports.sort_values(["connections", "proto", "port"], ascending=[False, True, True])
    names = [_name(each) for each in ports.to_dict("records")]
    alone = len(ports) == 1
    peers = sorted(shown.peer.unique())
    score = held_back(score_of_chance(chance, parameters.false_alarm), comparison)
    connections = int(shown.connections.sum())
    if connections < parameters.connections:
        score = min(score, Severity.LOW.highest)
    what = names[0] if alone else f"{len(names):,} ports"
    which = "" if alone else f": {few_of(names)}"
    whose = "nobody here" if len(unheard) else "it never"
    where = f" of {peers[0]}" if len(peers) == 1 else f" of {len(peers)} hosts"
    first = ports.iloc[0]
    return Detection(
        source=source,
        destination=peers[0] if len(peers) == 1 else None,
        port=int(first.port) if alone and first.proto != "icmp" else None,
        proto=str(first.proto) if alone else None,
        first=float(shown["first"].min()),
        last=float(shown["last"].max()),
        score=score,
        message=f"{source} used {what}{where}, which {whose} used before{which}",
        evidence=(
            Evidence("connections to new ports", connections, threshold=parameters.connections),
            Evidence("new ports", few_of(names, _SHOWN)),
            Evidence("never used on the network", len(unheard.groupby(_PORT)), expected=0),
            Evidence("other days on which it had new ports", row["had"], expected=0),
            Evidence("other days it is judged by", row["known"]),
            Evidence("sent", float(shown.bytes_out.sum()), unit="B"),
            Evidence("received", float(shown.bytes_in.sum()), unit="B"),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=connections,
        technique=_technique(first),
    )


def _name(port: dict[Any, Any]) -> str:
    where = "outside" if port["outside"] else "inside"
    number = "" if port["proto"] == "icmp" else f"{port['port']}/"
    return f"{number}{port['proto']} {where}"


def _technique(port: pd.Series[Any]) -> str:
    if port.proto == "icmp":
        return "T1095"
    return "T1571" if port.outside else "T1021"


DETECTOR = Detector("new_port", Parameters, find, compares=True)
