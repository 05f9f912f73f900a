"""ICMP tunnels: echoes that carry more than echoes need.

A ping sends one request a second with 32 to 64 bytes of payload, and its reply is the same bytes
(RFC 792), so all that an honest exchange of echoes carries is known beforehand. What lies beyond
counts: payload above 64 bytes a request, and replies beyond one of 64 bytes a second. It counts
twenty times where the exchange is no echo at all: more comes back than was sent, replies are of
another size, or sizes change within one run, as they do when packets of another protocol are
carried (ptunnel, hans, icmptunnel, icmpsh). It counts a fifth where it is just a large ping: one
size, the same size back, no more than one a second; path-MTU probes and line monitors look so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    prevalence_modifier,
    score_on,
    shared_local_hosts,
)
from analyzer.features import HALF_DAY
from analyzer.findings import Evidence, Severity, quantity
from analyzer.networks import is_group
from analyzer.parameters import Bytes

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from analyzer.records import Records

# Echo requests, and replies that nobody asked for (RFC 792, 4443): both carry what one likes.
_ECHOES = (0, 8, 128, 129)
_REPLIES = (0, 129)

# Payload bytes of an ordinary echo: 32 on Windows, 56 elsewhere, up to 64 with a time stamp
# (ping(8)); what comes with it is one a second.
_ORDINARY = 64.0
_A_SECOND, _HANDFUL = 1.1, 5.0
# Duplicated replies happen; a fifth more than was sent is no duplicate.
_MORE = 1.2
# The fewest requests of a run that are no accident: several short runs to one host within a minute
# are one connection to Zeek, and two sizes in it are no change of size.
_RUN = 50
_IRREGULAR, _TEXTBOOK = 20.0, 0.2
# Inside, whoever watches a line watches it with large packets.
_INSIDE = 10.0

# What counts, over the threshold -> score.
_CURVE = ((0.0, 0.0), (1.0, 0.7), (5.0, 0.8), (50.0, 0.9), (500.0, 0.95), (1e5, 0.99))
_STEADY = 0.5
# A monitor sends as much in every hour of at least six: the busiest no more than half above the
# middle one.
_HOUR, _HOURS, _EVEN = 3600.0, 6, 1.5
_LEAST_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """How much more than echoes need."""

    carried: Bytes = field(
        default=50e3,
        metadata={"meaning": "bytes beyond what pings carry from which a pair is reported"},
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Pairs whose echoes of half a day carry more than pings do."""
    if not records.counts.get("conn"):
        return
    pairs = _pairs(records)
    heavy = pairs.filter(pairs.counted >= parameters.carried * _LEAST_SCORE)
    rows = heavy.order_by("orig_h", "resp_h", "half_day").to_pandas()
    if rows.empty:
        return
    local_orig = records.local.are_local(rows.orig_h, rows.local_orig)
    local_resp = records.local.are_local(rows.resp_h, rows.local_resp)
    rows = rows.assign(inside=local_orig & local_resp, inward=local_resp & ~local_orig)
    rows = rows[local_orig | local_resp]
    steady = _steady(records, rows[["orig_h", "resp_h"]].drop_duplicates())
    pinged = pairs.group_by("resp_h").aggregate(sources=pairs.orig_h.nunique()).to_pandas()
    sources = dict(zip(pinged.resp_h, pinged.sources, strict=True))
    hosts = shared_local_hosts(records, shared)
    for row in rows.to_dict("records"):
        around = _Around(
            hosts=hosts,
            sources=1 if row["inward"] else int(sources[row["resp_h"]]),
            steady=(row["orig_h"], row["resp_h"]) in steady,
        )
        detection = _detection(row, around, parameters)
        if detection.score >= _LEAST_SCORE:
            yield detection


def _pairs(records: Records) -> ir.Table:
    """What each pair's echoes carried in each half day, and how much of it counts."""
    conn = records.conn
    echoes = conn.filter(
        (conn.proto == "icmp") & conn.orig_p.isin(_ECHOES).fill_null(False) & ~is_group(conn.resp_h)
    )
    echoes = echoes.mutate(
        packets=ibis.greatest(echoes.orig_pkts.cast("int64").fill_null(1), 1),
        sent=echoes.orig_bytes.fill_null(0),
        received=echoes.resp_bytes.fill_null(0),
        lasted=echoes.duration.cast("float64").fill_null(0.0),
    )
    size = echoes.sent / echoes.packets
    # A request a second, and a handful at once.
    slow = echoes.lasted * _A_SECOND + _HANDFUL
    beyond = ibis.greatest(echoes.sent - _ORDINARY * echoes.packets, 0.0) + ibis.greatest(
        echoes.received - _ORDINARY * ibis.least(echoes.packets.cast("float64"), slow), 0.0
    )
    # Replies that were lost leave a multiple of the size.
    whole = (echoes.sent % echoes.packets == 0) & (
        echoes.received % ibis.greatest(size.floor().cast("int64"), 1) == 0
    )
    more = echoes.received > _MORE * echoes.sent
    irregular = (echoes.packets >= _RUN) & (~whole | more)
    textbook = ~irregular & (echoes.packets <= slow)
    weight = ibis.cases((irregular, _IRREGULAR), (textbook, _TEXTBOOK), else_=1.0)
    echoes = echoes.mutate(
        beyond=beyond, counted=beyond * weight, odd=ibis.ifelse(irregular, echoes.packets, 0)
    )
    table = echoes.group_by(
        "orig_h", "resp_h", half_day=(echoes.ts / HALF_DAY).floor().cast("int64")
    ).aggregate(
        first=echoes.ts.min(),
        last=echoes.ts.max(),
        lasted=echoes.lasted.sum(),
        packets=echoes.packets.sum().cast("int64"),
        odd=echoes.odd.sum().cast("int64"),
        sent=echoes.sent.sum().cast("int64"),
        received=echoes.received.sum().cast("int64"),
        beyond=echoes.beyond.sum(),
        counted=echoes.counted.sum(),
        connections=echoes.count().cast("int64"),
        requests=(~echoes.orig_p.isin(_REPLIES)).any(),
        local_orig=echoes.local_orig.any(),
        local_resp=echoes.local_resp.any(),
    )
    return records.keep(table, "icmp_tunnel_pairs")


def _steady(records: Records, pairs: pd.DataFrame) -> set[tuple[str, str]]:
    """Pairs that exchange as much in every hour, for hours: a monitor and what it watches."""
    if pairs.empty:
        return set()
    wanted = records.keep(pa.Table.from_pandas(pairs, preserve_index=False), "icmp_tunnel_heavy")
    conn = records.conn.filter(records.conn.proto == "icmp").semi_join(wanted, ["orig_h", "resp_h"])
    hours = conn.group_by(
        "orig_h", "resp_h", hour=(conn.ts / _HOUR).floor().cast("int64")
    ).aggregate(sent=conn.orig_bytes.fill_null(0).sum().cast("int64"))
    frame = hours.order_by("orig_h", "resp_h", "hour").to_pandas()
    found = set()
    for (source, destination), group in frame.groupby(["orig_h", "resp_h"]):
        # The first and the last hour are rarely whole ones.
        sent, hour = group.sent.to_numpy()[1:-1], group.hour.to_numpy()
        whole = hour[-1] - hour[0] + 1 == hour.size
        if sent.size >= _HOURS and whole and sent.max() <= _EVEN * np.median(sent):
            found.add((str(source), str(destination)))
    return found


@dataclass(frozen=True, slots=True)
class _Around:
    """What a pair is judged beside.

    Attributes:
        hosts: local hosts there are.
        sources: hosts that send echoes to that destination.
        steady: whether it exchanges as much in every hour.
    """

    hosts: int
    sources: int
    steady: bool


def _detection(row: dict[Any, Any], around: _Around, parameters: Parameters) -> Detection:
    threshold = parameters.carried * (_INSIDE if row["inside"] else 1.0)
    score = score_on(row["counted"] / threshold, _CURVE)
    odd = row["odd"] / row["packets"]
    if around.steady and not row["odd"]:
        score = min(score, _STEADY)
    elif not row["inside"]:
        modifier = prevalence_modifier(around.sources, around.hosts)
        # A rare destination makes louder what is loud already, and what is no echo is none however
        # many do it.
        louder, quieter = score >= Severity.MEDIUM.bound, not row["odd"]
        score += modifier if (louder if modifier > 0 else quieter) else 0.0
    source, destination = row["orig_h"], row["resp_h"]
    if row["inward"]:
        source, destination = destination, source
    size = row["sent"] / row["packets"]
    rate = row["packets"] / max(row["lasted"], 1.0)
    what = "echo requests" if row["requests"] else "echo replies that nobody asked for"
    return Detection(
        source=source,
        destination=destination,
        proto="icmp",
        first=row["first"],
        last=row["last"],
        score=min(score, _CURVE[-1][1]),
        message=(
            f"{row['orig_h']} sent {row['resp_h']} {row['packets']:,} {what} with "
            f"{quantity(float(row['sent']), 'B')} and got {quantity(float(row['received']), 'B')} "
            f"back, {quantity(row['beyond'], 'B')} more than pings carry"
        ),
        evidence=(
            Evidence(
                "bytes beyond what pings carry",
                round(row["beyond"]),
                expected=0,
                threshold=round(threshold),
                unit="B",
            ),
            Evidence("of them after weighing", round(row["counted"]), unit="B"),
            Evidence("payload of a request", round(size, 1), expected=_ORDINARY, unit="B"),
            Evidence(
                "payload received for each request",
                round(row["received"] / row["packets"], 1),
                expected=round(size, 1),
                unit="B",
            ),
            Evidence("requests a second", round(rate, 2), expected=1.0),
            Evidence("share of requests in runs that are no echo", round(odd, 3), expected=0.0),
            Evidence("time that runs lasted", round(row["lasted"]), unit="s"),
            Evidence("hosts that send it echoes", around.sources, expected=around.hosts),
            Evidence("as much in every hour", "yes" if around.steady else "no"),
        ),
        connections=int(row["connections"]),
        best="bytes",
    )


DETECTOR = Detector("icmp_tunnel", Parameters, find)
