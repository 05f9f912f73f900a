"""Long connections: one local host stays connected with one outside service for hours.

RITA reports connections from an hour on and raises them at 4, 8 and 12 hours
(``long_connection_score_thresholds``). Most of them are honest: shells, VPNs, IMAP IDLE, push
services, WebSockets. So length alone is at most a hint here, however great, and three things must
come together for more:

- *length*: the time a pair stays connected, joined over connections that follow each other at once,
  as those of an implant do behind a proxy or a firewall that cuts them. Only connections that
  themselves last count, or a web application's many short ones would add up to a day.
- *an unusual port*, where no service that honest programs keep open listens.
- *a rare destination*, which hardly any other local host meets, and *answers going out*: the
  originator, who is the client, sends at least as much as it gets, both of it little. That is the
  shape of a shell served the wrong way round, whose commands come in and whose output goes out (the
  byte asymmetry of interactive traffic: Zhang and Paxson, "Detecting Backdoors", USENIX Security
  2000).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis
from ibis import _

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    prevalence_modifier,
    score_on,
    shared_local_hosts,
)
from analyzer.detectors.outward import (
    HELD_OPEN,
    KEYS,
    is_ordinary,
    is_reachable,
    met_by,
    outward,
    port_of,
    service,
    technique,
)
from analyzer.findings import Evidence, duration
from analyzer.parameters import Bytes, Seconds, Share

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# Time connected over the threshold (8 h by default) -> score: RITA's base, low, medium and high at
# 1, 4, 8 and 12 hours, drawn into what alone is no more than a hint.
_LENGTHS = ((0.125, 0.5), (0.5, 0.65), (1.0, 0.7), (1.5, 0.75), (3.0, 0.79))
# What an unusual port, and answers that go out, add; as much as a rare destination does.
_UNUSUAL = 0.05
_OUTGOING = 0.05
# What a port that honest programs hold open takes, as much as a common destination does.
_EXPECTED = -0.15
_HINT = 0.79
# Outside addresses met on unusual ports from which a source is a peer among peers.
_PEERS = 20


@dataclass(frozen=True, slots=True)
class Parameters:
    """How long, and what counts as one connection."""

    length: Seconds = field(
        default=28_800.0, metadata={"meaning": "time connected from which it is reported"}
    )
    least: Seconds = field(
        default=600.0, metadata={"meaning": "shortest connection that is joined with others"}
    )
    gap: Seconds = field(
        default=60.0, metadata={"meaning": "longest pause between connections that are joined"}
    )
    connected_share: Share = field(
        default=0.9, metadata={"meaning": "least share of the time that it was connected"}
    )
    quiet_rate: Bytes = field(
        default=10_000.0,
        metadata={"meaning": "bytes a second, both ways, up to which a person may be typing"},
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Pairs that stayed connected for hours, the longest stay of each."""
    rows = _stays(records, parameters, shared)
    rows = [row for row in rows if is_reachable(row["resp_h"])]
    if not rows:
        return
    met = met_by((row["resp_h"] for row in rows), records, shared)
    hosts = shared_local_hosts(records, shared)
    peers = _peers(records, {row["orig_h"] for row in rows}, shared)
    for row in rows:
        around = _Around(met.get(row["resp_h"], 1), hosts, peers.get(row["orig_h"], 0))
        yield _detection(row, around, parameters)


def _stays(records: Records, parameters: Parameters, shared: Shared) -> list[dict[str, Any]]:
    """The longest stay of each pair that may be worth keeping."""
    out = outward(records, shared)
    shortest = parameters.length * _LENGTHS[0][0]
    pairs = out.group_by(*KEYS).aggregate(longest=out.longest.max(), lasted=out.lasted.sum())
    pairs = pairs.filter(
        (pairs.longest >= parameters.least)
        & (pairs.lasted >= shortest * parameters.connected_share)
    )
    pairs = records.keep(pairs.select(*KEYS), "long_connection_pairs")
    conn = records.conn
    rows = conn.filter(conn.request & (conn.duration >= parameters.least)).select(
        *("orig_h", "resp_h", "proto", "ts", "orig_bytes", "resp_bytes"),
        resp_p="tried_p",
        end=conn.ts + conn.duration.cast("float64"),
    )
    rows = rows.semi_join(pairs, KEYS)
    order = ["ts", "end"]
    earlier = ibis.window(group_by=KEYS, order_by=order, rows=(None, -1))
    rows = rows.mutate(reached=rows.end.max().over(earlier))
    apart = (rows.ts > rows.reached + parameters.gap).fill_null(True)
    rows = rows.mutate(
        begins=apart.cast("int64"),
        # What of it is not yet covered by an earlier connection.
        added=ibis.greatest(rows.end - ibis.greatest(rows.ts, rows.reached.fill_null(rows.ts)), 0),
    )
    chain = ibis.cumulative_window(group_by=KEYS, order_by=order)
    rows = rows.mutate(stay=rows.begins.sum().over(chain))
    return _longest(rows, shortest, parameters)


def _longest(rows: ir.Table, shortest: float, parameters: Parameters) -> list[dict[str, Any]]:
    stays = rows.group_by(*KEYS, "stay").aggregate(
        first=rows.ts.min(),
        last=rows.ts.max(),
        end=rows.end.max(),
        connected=rows.added.sum(),
        connections=rows.count(),
        bytes_out=rows.orig_bytes.sum().fill_null(0),
        bytes_in=rows.resp_bytes.sum().fill_null(0),
    )
    stays = stays.filter(
        (stays.connected >= shortest)
        & (stays.connected >= parameters.connected_share * (stays.end - stays["first"]))
    )
    best = ibis.row_number().over(
        group_by=KEYS, order_by=[(stays.end - stays["first"]).desc(), stays["first"]]
    )
    stays = stays.mutate(rank=best).filter(_["rank"] == 0).order_by(*KEYS)
    return list(stays.to_pyarrow().to_pylist())


def _peers(records: Records, sources: set[str], shared: Shared) -> dict[str, int]:
    """Of each source, how many outside addresses it meets on ports above the system's."""
    out = outward(records, shared)
    own = out.filter(out.orig_h.isin(sorted(sources)))
    met = own.group_by("orig_h", "resp_p", "proto").aggregate(
        addresses=own.resp_h.nunique().cast("int64")
    )
    counts: dict[str, int] = dict.fromkeys(sources, 0)
    for row in met.order_by("orig_h", "resp_p", "proto").to_pyarrow().to_pylist():
        if row["proto"] in {"tcp", "udp"} and not is_ordinary(row["resp_p"], row["proto"]):
            counts[row["orig_h"]] += row["addresses"]
    return counts


@dataclass(frozen=True, slots=True)
class _Around:
    """How many local hosts meet the destination, of how many, and how many peers the source has."""

    met: int
    hosts: int
    peers: int


def _detection(row: dict[str, Any], around: _Around, parameters: Parameters) -> Detection:
    source, destination = row["orig_h"], row["resp_h"]
    port, proto = row["resp_p"], row["proto"]
    connected = float(round(row["connected"]))
    sent, received = int(row["bytes_out"]), int(row["bytes_in"])
    rate = (sent + received) / connected
    outgoing = sent >= received > 0 and rate <= parameters.quiet_rate
    unusual = not is_ordinary(port, proto)
    alone = proto == "tcp" and unusual and around.peers < _PEERS
    score = score_on(connected / parameters.length, _LENGTHS)
    score += prevalence_modifier(around.met, around.hosts)
    score += _OUTGOING * outgoing + _UNUSUAL * alone + _EXPECTED * (port in HELD_OPEN)
    score = min(score, 1.0 if alone else _HINT)
    count = row["connections"]
    through = "one connection" if count == 1 else f"{count:,} connections in a row"
    return Detection(
        source=source,
        destination=destination,
        port=port_of(port, proto),
        proto=proto,
        first=float(row["first"]),
        last=float(row["last"]),
        score=round(max(score, 0.0), 6),
        message=(
            f"{source} stayed connected to {destination} {service(port, proto)} for "
            f"{duration(connected)}, in {through}"
        ),
        evidence=(
            Evidence("time connected", connected, threshold=parameters.length, unit="s"),
            Evidence("connections joined", count, expected=1),
            Evidence("bytes out", sent, unit="B"),
            Evidence("bytes in", received, unit="B"),
            Evidence("bytes a second", round(rate, 1), threshold=parameters.quiet_rate, unit="B"),
            Evidence("more out than in", "yes" if outgoing else "no", expected="no"),
            Evidence("a port that programs use everywhere", "no" if unusual else "yes"),
            Evidence("local hosts that met it", around.met, expected=around.hosts),
            Evidence("outside addresses on unusual ports", around.peers, threshold=_PEERS),
        ),
        connections=count,
        technique=technique(port, proto),
        alone=True,
        best="bytes",
    )


DETECTOR = Detector("long_connection", Parameters, find)
