"""New services: a host answers on a port on which it never answered.

A back door that listens, a remote desktop that was switched on, a file share on a workstation, a
machine that somebody plugged in: all are ports that answer where none did. Ports that come and go
by themselves (dynamic ones: RFC 6335; passive transfers, calls, peer-to-peer) are no services until
several hosts use them, and what was merely opened, with nothing said, was found by a scan and may
have been there all along. What is usual for hosts of its role is no news, and where something new
comes up every day it is less so (:mod:`analyzer.baseline.novel_days`).

A host that was never seen before is told apart: that it answers at all may be why it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.baseline.novel_days import Novelty
from analyzer.baseline.roles import roles
from analyzer.derived import FIRST_USER_PORT
from analyzer.detectors.administration import PROTOCOLS
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared, shared_contacts
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.findings import Evidence, Severity, few_of
from analyzer.parameters import Probability

if TYPE_CHECKING:
    from analyzer.records import Records

_FIRST_DYNAMIC_PORT = 49152
_ADMINISTRATION = frozenset(port for protocol in PROTOCOLS for port in protocol.ports)
_SHOWN = 8
_HINT = 0.69


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a service is, and how unlikely a new one must be."""

    false_alarm: Probability = field(
        default=3e-3, metadata={"meaning": "share of a host's ordinary days that may be reported"}
    )
    days: int = field(default=3, metadata={"meaning": "least days learned"})
    clients: int = field(
        default=3, metadata={"meaning": "hosts that make a service of a dynamic port"}
    )
    together: int = field(
        default=3, metadata={"meaning": "hosts that begin on one day, from which it is a roll-out"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Hosts that answer on ports on which neither they nor their like did."""
    for comparison in shared_comparisons(records, shared):
        rows = unusual_services(comparison, parameters)
        if rows.empty:
            continue
        used = _used(rows, records, shared)
        used = used.assign(together=used.groupby(["proto", "port"]).source.transform("nunique"))
        for _, own in used.groupby("source", sort=True):
            yield _detection(own, comparison, parameters)


def unusual_services(comparison: Comparison, parameters: Parameters) -> pd.DataFrame:
    """Ports that a host began to answer on, a row each.

    Columns: ``source proto port first_day last_day clients chance own_days users``.
    """
    baseline = comparison.baseline
    known = _services(baseline["offered"], parameters)
    offered = _services(comparison.summary["offered"], parameters)
    keys = ["source", "proto", "port"]
    before = baseline["offered"][keys].drop_duplicates()
    both = offered.merge(before, on=keys, how="left", indicator="before")
    new = both[both.before == "left_only"].drop(columns="before")
    if len(baseline.days) < parameters.days or new.empty:
        return new.iloc[:0]
    days = _days(comparison)
    usual = Novelty(_spread_over(known, baseline.days), ("proto", "port"), days, roles(baseline))
    judged = usual.judge(new)
    rows = new.assign(
        chance=judged.chance,
        own_days=judged.own_days,
        users=judged.users,
    )
    return rows[rows.chance <= parameters.false_alarm]


def _used(rows: pd.DataFrame, records: Records, shared: Shared) -> pd.DataFrame:
    """The services that somebody used, with ``first last connections client``.

    What was merely opened was found by a scan, and may have been there all along. The client is who
    sent and received most.
    """
    keys = pa.table(
        {
            "resp_h": pa.array(rows.source, pa.string()),
            "proto": pa.array(rows.proto, pa.string()),
            "resp_p": pa.array(rows.port, pa.uint16()),
        }
    )
    wanted = records.keep(keys, "new_services")
    met = shared_contacts(records, shared)
    met = met.filter((met.bytes_out > 0) & (met.bytes_in > 0))
    met = met.semi_join(wanted, ["resp_h", "proto", "resp_p"])
    both = met.group_by("resp_h", "proto", "resp_p", "orig_h").aggregate(
        first=met["first"].min(),
        last=met["last"].max(),
        connections=met.connections.sum().cast("int64"),
        size=(met.bytes_out + met.bytes_in).sum().cast("float64"),
    )
    frame = both.to_pandas().sort_values(["size", "orig_h"], ascending=[False, True])
    named = frame.groupby(["resp_h", "proto", "resp_p"], as_index=False).agg(
        first=("first", "min"),
        last=("last", "max"),
        connections=("connections", "sum"),
        client=("orig_h", "first"),
    )
    named = named.rename(columns={"resp_h": "source", "resp_p": "port"})
    return rows.merge(named, on=["source", "proto", "port"])


def _services(offered: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """The ports that are services."""
    port, proto, clients = offered.port, offered.proto, offered.clients
    is_known = (port < FIRST_USER_PORT) | port.isin(_ADMINISTRATION)
    registered = (port < _FIRST_DYNAMIC_PORT) & (proto == "tcp")
    is_used = clients >= parameters.clients
    return offered[(port > 0) & proto.isin(("tcp", "udp")) & (is_known | registered | is_used)]


def _days(comparison: Comparison) -> pd.Series[int]:
    """How many days of each host were learned: since it was first seen to ask or to answer."""
    hours, offered = comparison.baseline["hours"], comparison.baseline["offered"]
    asked = hours.groupby("source").day.min()
    answered = offered.groupby("source").first_day.min()
    first = pd.concat([asked, answered]).groupby(level=0).min()
    learned = np.array(comparison.baseline.days)
    since = learned.size - np.searchsorted(learned, first.to_numpy(int))
    return pd.Series(since, index=first.index)


def _spread_over(offered: pd.DataFrame, learned: list[int]) -> pd.DataFrame:
    """A row for each service and each day learned between its first and last."""
    days = np.array(learned)
    begin = np.searchsorted(days, offered.first_day.to_numpy(int))
    end = np.searchsorted(days, offered.last_day.to_numpy(int), side="right")
    times = np.maximum(end - begin, 0)
    rows = offered.loc[offered.index.repeat(times), ["source", "proto", "port"]]
    place = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return rows.assign(day=days[np.repeat(begin, times) + place] if len(rows) else 0)


def _detection(rows: pd.DataFrame, comparison: Comparison, parameters: Parameters) -> Detection:
    remote = rows.port.isin(_ADMINISTRATION) & (rows.proto == "tcp")
    ordered = rows.assign(remote=remote)
    ordered = ordered.sort_values(
        ["together", "chance", "remote", "clients", "proto", "port"],
        ascending=[True, True, False, False, True, True],
    )
    worst = ordered.iloc[0]
    chance = float(worst.chance)
    score = score_of_chance(chance, parameters.false_alarm)
    is_new_host = not worst.own_days
    if worst.together >= parameters.together:
        # A roll-out; or somebody goes from host to host, which other rules tell.
        score = min(score, _HINT)
    elif is_new_host:
        score = min(score, Severity.LOW.highest)
    pairs = zip(ordered.port, ordered.proto, strict=True)
    ports = [f"{port}/{proto}" for port, proto in pairs]
    who = "which was never seen before" if is_new_host else "where it never did"
    return Detection(
        source=str(worst.source),
        port=int(worst.port),
        proto=str(worst.proto),
        first=float(ordered["first"].min()),
        last=float(ordered["last"].max()),
        score=held_back(score, comparison),
        message=f"{worst.source} answers on {few_of(ports, _SHOWN)}, {who}",
        evidence=(
            Evidence("hosts it answered on a day", float(worst.clients)),
            Evidence("most with", str(worst.client)),
            Evidence("new services of the host", len(rows)),
            Evidence("days of the host learned", float(worst.own_days)),
            Evidence("hosts that offered it then", float(worst.users)),
            Evidence(
                "hosts that begin with it", int(worst.together), threshold=parameters.together
            ),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=int(ordered.connections.sum()),
        technique="T1021" if worst.remote else "T1571",
    )


DETECTOR = Detector("new_service", Parameters, find, compares=True)
