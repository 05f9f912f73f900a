"""Fan-out: many new hosts on one port at once, even though they answer.

A scan or a worm whose targets answer leaves no failures to walk on. What is left is its breadth: a
source reaches many hosts that it never reached before, on one port, within minutes, and does not
come back. Two kinds of honest breadth are told apart. A host that looks for names first (browsing)
asks for about as many names as it meets outside hosts, and nearly all of them answer, while a
scanner takes addresses from thin air (Whyte, Kranakis and van Oorschot, "DNS-based Detection of Scanning Worms in an Enterprise
Network", NDSS 2005). A monitor or backup server meets many local hosts, but returns to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import binom

from analyzer.detectors.detection import Detection, Detector, Shared, score_on
from analyzer.features import contacts
from analyzer.findings import Evidence, duration
from analyzer.parameters import Seconds, Share

if TYPE_CHECKING:
    from analyzer.records import Records

# Resolvers and time servers meet as many hosts as there are, by nature.
_INFRASTRUCTURE_PORTS = (53, 123, 853)
_DNS_PORT = 53

# Chance of so many unanswered outside contacts in an honest window; below it, they speak.
_CHANCE = 1e-3

# New hosts over the threshold -> score.
_CURVE = ((0.0, 0.0), (0.75, 0.7), (1.0, 0.8), (2.0, 0.85), (5.0, 0.9), (20.0, 0.95), (1e4, 0.99))


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many new hosts, how fast."""

    proto: Literal["tcp", "icmp"] = field(
        default="tcp", metadata={"meaning": "protocol of the contacts"}
    )
    window: Seconds = field(default=300.0, metadata={"meaning": "time in which hosts are met"})
    hosts: int = field(
        default=20,
        metadata={"meaning": "new hosts on one port from which it is reported at medium"},
    )
    return_share: Share = field(
        default=0.2, metadata={"meaning": "share of hosts returned to from which it is a routine"}
    )
    honest_failure: Share = field(
        default=0.1,
        metadata={"meaning": "share of outside hosts that do not answer a host that looks them up"},
    )
    lookup_horizon: Seconds = field(
        default=3600.0, metadata={"meaning": "how long before a contact its name may be looked up"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Sources that met more new hosts on one port than their lookups and routine explain."""
    table = shared.get(contacts, lambda: contacts(records))
    met = table.filter(
        (table.proto == parameters.proto) & ~table.resp_p.isin(_INFRASTRUCTURE_PORTS)
    )
    keys = ("orig_h", "resp_p", "resp_h")
    met = met.group_by(*keys).aggregate(
        first=met["first"].min(),
        last=met["last"].max(),
        connections=met.connections.sum(),
        answered=met.answered.any(),
        local_orig=met.local_orig.any(),
        local_resp=met.local_resp.any(),
    )
    bucket = (met["first"] / parameters.window).floor().cast("int64")
    crowded = met.group_by("orig_h", "resp_p", bucket=bucket).aggregate(hosts=met.count())
    # The best window lies in two neighbouring buckets, one of which holds half of it.
    suspects = crowded.filter(crowded.hosts >= parameters.hosts * 3 / 8)
    frame = (
        met.semi_join(suspects.select("orig_h", "resp_p").distinct(), ["orig_h", "resp_p"])
        .order_by("orig_h", "resp_p", "first", "resp_h")
        .to_pandas()
    )
    if frame.empty:
        return
    local = records.local.are_local(frame.orig_h, frame.local_orig)
    frame = frame[local].assign(
        is_local=records.local.are_local(frame.resp_h, frame.local_resp)[local]
    )
    lookups = _lookups(records, sorted(frame.orig_h.unique()))
    for (source, port), group in frame.groupby(["orig_h", "resp_p"], sort=True):
        for inside in (True, False):
            side = group[group.is_local == inside]
            if len(side) >= parameters.hosts / 2:
                times = None if inside else lookups.get(source)
                yield from _widest(str(source), int(port), side, times, parameters)


def _lookups(records: Records, sources: list[str]) -> dict[str, Any]:
    """When each source asked a resolver, sorted."""
    conn = records.conn
    asked = conn.filter((conn.resp_p == _DNS_PORT) & conn.orig_h.isin(sources))
    frame = asked.select("orig_h", "ts").to_pandas()
    return {source: np.sort(group.ts.to_numpy()) for source, group in frame.groupby("orig_h")}


def _widest(
    source: str, port: int, met: pd.DataFrame, lookups: Any, parameters: Parameters
) -> Iterator[Detection]:
    """The window with most new hosts, if it is too wide; `lookups` is None for local hosts."""
    inside = bool(met.is_local.iloc[0])
    if not inside and lookups is None:
        # Where no lookup of the source is seen (a proxy, an encrypted resolver), breadth says
        # nothing about the outside.
        return
    first = met["first"].to_numpy()
    start = np.searchsorted(first, first - parameters.window, side="left")
    count = np.arange(1, first.size + 1) - start
    end = int(np.argmax(count))
    window = met.iloc[start[end] : end + 1]
    asked = 0
    if lookups is not None:
        since = np.searchsorted(lookups, first[start[end]] - parameters.lookup_horizon)
        asked = int(np.searchsorted(lookups, first[end], side="right") - since)
    new = len(window)
    failed = int((~window.answered).sum())
    if failed > new / 2:
        # Where most fail, the walk of the scan detector has more to say.
        return
    if not inside and binom.sf(failed - 1, new, parameters.honest_failure) > _CHANCE:
        # Looked up where we cannot see it (an encrypted resolver, another address of the host).
        return
    unexplained = max(0, new - asked)
    returned = float((window["last"] - window["first"] > parameters.window).mean())
    score = score_on(unexplained / parameters.hosts, _CURVE)
    if returned >= parameters.return_share:
        score = min(score, 0.5)
    span = float(first[end] - first[start[end]])
    where = "local hosts" if inside else "outside hosts"
    icmp = parameters.proto == "icmp"
    how = "with ICMP requests" if icmp else f"on {port}/tcp"
    yield Detection(
        source=source,
        port=None if icmp else port,
        proto=parameters.proto,
        first=float(first[start[end]]),
        last=float(window["last"].max()),
        score=score,
        message=(
            f"{source} reached {new} new {where} {how} within {duration(span)}"
            + ("" if inside else f", having looked up {asked} names")
        ),
        evidence=(
            Evidence(f"new {where}", new, expected=asked or None, threshold=parameters.hosts),
            *([] if inside else [Evidence("name lookups in the hour before", asked)]),
            Evidence("hosts returned to", round(returned, 3), threshold=parameters.return_share),
            Evidence("of them without an answer", failed),
        ),
        connections=int(window.connections.sum()),
        technique="T1018" if icmp else None,
    )


DETECTOR = Detector("fan_out", Parameters, find)
