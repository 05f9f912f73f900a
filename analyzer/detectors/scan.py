"""Address, port and block scans: threshold random walk over first contacts.

Each host that a source tries for the first time either answers or does not. Most first contacts of
an honest host are answered, most of a scanner's are not, so the likelihood ratio between the two
hypotheses walks up with every failure and down with every answer (Jung, Paxson, Berger and
Balakrishnan, "Fast Portscan Detection Using Sequential Hypothesis Testing", IEEE S&P 2004). The
walk stops at zero going down, so an honest past does not hide a scan (a CUSUM test: Page 1954).

One walk runs over the hosts that a source tried on one port (address scan), one over the ports it
tried on one host (port scan), one over all pairs of both (block scan), each within 24 hours and
within the hour. A contact counts as failed only if no try within the window was answered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import ibis

from analyzer.derived import FIRST_USER_PORT, UNKNOWN_TRANSPORT
from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_contacts,
)
from analyzer.findings import Evidence, duration
from analyzer.parameters import Probability, Seconds

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from analyzer.records import Records

Shape = Literal["address", "port", "block"]

# What a walk runs over, beside window, source and protocol.
_KEYS: dict[Shape, tuple[str, ...]] = {
    "address": ("resp_p",),
    "port": ("resp_h",),
    "block": (),
}

# log10 of how unlikely an honest source's walk is to get that far -> score. The first figure is
# where a walk is worth a line, the second a thousandth of it; 15 net failures and 30.
_CURVE = ((0.0, 0.0), (4.2, 0.7), (6.0, 0.8), (9.0, 0.9), (18.0, 0.95), (600.0, 0.99))

# A peer-to-peer client tries many outside hosts, nearly each on a port of its own, and many are
# gone (Collins and Reiter, "Finding Peer-to-Peer File-Sharing Using Coarse Network Behaviors",
# ESORICS 2006); a scanner tries many hosts a port or many ports a host.
_PEER_PORTS = 20
_PEER_HOSTS_PER_PORT = 2.0

_MILLION = 1_000_000
# The shorter, the fewer honest sources are walked in vain, and the more slots there are to sort.
_SLOT = 300.0

# Failures per host and per port from which they fill a block, rather than lie about in it.
_DENSITY = 1.5
_OUTSIDE_ONLY = 0.9


@dataclass(frozen=True, slots=True)
class Parameters:
    """How to walk, and which scans to report."""

    shape: Literal["address", "port", "block", "any"] = field(
        default="any", metadata={"meaning": "what is swept: hosts, ports of a host, or both"}
    )
    origin: Literal["local", "outside", "any"] = field(
        default="any", metadata={"meaning": "where the scanner stands"}
    )
    honest_success: Probability = field(
        default=0.8, metadata={"meaning": "chance that an honest host's first contact is answered"}
    )
    scanner_success: Probability = field(
        default=0.2, metadata={"meaning": "chance that a scanner's is"}
    )
    false_alarm: Probability = field(
        default=6.2e-5, metadata={"meaning": "bound on honest walks that get reported"}
    )
    fast: Seconds = field(
        default=3600.0, metadata={"meaning": "a scan done within this is called fast"}
    )


@dataclass(frozen=True, slots=True)
class Scan:
    """One rise of a walk that went too far.

    `failed` and `answered` count distinct targets (hosts, ports or pairs); `hosts` and `ports` are
    those of the failed ones.
    """

    shape: Shape
    source: str
    proto: str
    port: int | None
    destination: str | None
    failed: int
    answered: int
    hosts: int
    ports: int
    evidence: float
    """log10 of the likelihood ratio at the walk's highest point."""
    first: float
    last: float
    connections: int
    local: bool
    dense: bool
    """Whether the failures fill a block: several ports a host and several hosts a port."""
    outside_only: bool
    """Whether nearly all failures are outside."""
    window: int


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Scans of the shape and origin asked for, the quieter walks inside a block scan left out."""
    walk = (parameters.honest_success, parameters.scanner_success, parameters.false_alarm)
    scans = shared.get((__name__, walk), lambda: list(_scans(records, shared, parameters)))
    for scan in scans:
        if parameters.shape in ("any", scan.shape) and (
            parameters.origin == "any" or (parameters.origin == "local") == scan.local
        ):
            yield _detection(scan, parameters)


def _scans(records: Records, shared: Shared, parameters: Parameters) -> Iterator[Scan]:
    table = shared_contacts(records, shared)
    tries = _first_tries(table, records, parameters)
    if not tries.count().execute():
        return
    found = {shape: _walks(tries, shape, records, parameters) for shape in _KEYS}
    if not any(found.values()):
        return
    peers = _peer_to_peer(tries, {scan.source for scans in found.values() for scan in scans})
    blocks = []
    for block in found["block"]:
        key = (block.source, block.proto, block.window)
        lines = [s for s in found["address"] if (s.source, s.proto, s.window) == key]
        columns = [s for s in found["port"] if (s.source, s.proto, s.window) == key]
        both = len(lines) > 1 and len(columns) > 1
        neither = not lines and not columns
        if block.dense and (both or neither):
            blocks.append(block)
    swept = {(block.source, block.proto, block.window) for block in blocks}
    yield from blocks
    for scan in (*found["address"], *found["port"]):
        peer = scan.outside_only and (scan.source, scan.proto) in peers
        held_back = peer and scan.shape == "address" and (scan.port or 0) >= FIRST_USER_PORT
        if (scan.source, scan.proto, scan.window) not in swept and not held_back:
            yield scan


def _step(parameters: Parameters) -> tuple[int, int]:
    """How far a failure takes the walk up and an answer down.

    In millionths of log10 of the likelihood ratio: whole numbers, so that a walk comes out the same
    in whatever order a database adds them up.
    """
    up = math.log10((1 - parameters.scanner_success) / (1 - parameters.honest_success))
    down = math.log10(parameters.scanner_success / parameters.honest_success)
    return round(up * _MILLION), round(down * _MILLION)


def _bound(parameters: Parameters) -> int:
    return round(-math.log10(parameters.false_alarm) * _MILLION)


def _least_steps(parameters: Parameters) -> int:
    """The fewest failures that can take a walk to its bound."""
    return math.ceil(_bound(parameters) / _step(parameters)[0])


def _first_tries(table: ir.Table, records: Records, parameters: Parameters) -> ir.Table:
    """Contacts of sources with enough failures, told whether the target is new (`is_first`)."""
    failures = (
        table.filter(~table.answered).group_by("orig_h").aggregate(failed=lambda t: t.count())
    )
    suspects = failures.filter(failures.failed >= _least_steps(parameters))
    target = ibis.window(group_by=("orig_h", "resp_h", "proto", "resp_p"))
    kept = table.semi_join(suspects, "orig_h")
    tried = kept.mutate(is_first=kept.half_day == kept.half_day.min().over(target))
    return records.keep(tried, "scan_tries")


def _windows(tries: ir.Table) -> ir.Table:
    """Contacts in windows of 24 hours that start every 12, a row per target and window."""
    doubled = tries.mutate(window=tries.half_day).union(tries.mutate(window=tries.half_day - 1))
    # A window must not reach beyond the data, or it would only repeat its neighbour.
    bounds = tries.aggregate(start=tries.half_day.min(), end=tries.half_day.max())
    start, end = bounds.start.as_scalar(), bounds.end.as_scalar()
    inside = doubled.filter(
        (doubled.window >= start) & (doubled.window <= ibis.greatest(start, end - 1))
    )
    return inside.group_by("window", "orig_h", "proto", "resp_p", "resp_h").aggregate(
        first=inside["first"].min(),
        last=inside["last"].max(),
        connections=inside.connections.sum().cast("int64"),
        answered=inside.answered.any(),
        local_orig=inside.local_orig.any(),
        is_local=inside.is_local.any(),
    )


def _suspects(tries: ir.Table, keys: tuple[str, ...], parameters: Parameters) -> ir.Table:
    """The keys whose walk may reach the bound in some window, found without walking it.

    Within a slot of time the walk is highest if all failures come first, and carries most into the
    next if they come last: with f failures and a answers in a slot, the carry is at most
    max(f, carry + f - a), which a running maximum gives, and the peak at most the carry before it
    plus f. Answers count only where the target is new, since in no window do they count more often.
    Most hosts fail now and then, between many answers, and are done with here.
    """
    up, down = _step(parameters)
    failures = tries.filter(~tries.answered).group_by(*keys).aggregate(failed=lambda t: t.count())
    enough = failures.filter(failures.failed >= _least_steps(parameters))
    slotted = tries.semi_join(enough, keys)
    slot = (slotted["first"] / _SLOT).floor().cast("int64")
    slots = slotted.group_by(*keys, slot=slot).aggregate(
        up=(~slotted.answered).sum().cast("int64") * up,
        down=(slotted.answered & slotted.is_first).sum().cast("int64") * down,
    )
    order = ibis.window(group_by=keys, order_by="slot", preceding=None, following=0)
    slots = slots.mutate(walk=(slots.up + slots.down).sum().over(order).cast("int64"))
    slots = slots.mutate(carry=slots.walk + (slots.up - slots.walk).max().over(order))
    before = ibis.window(group_by=keys, order_by="slot")
    slots = slots.mutate(peak=slots.carry.lag().over(before).fill_null(0) + slots.up)
    return slots.filter(slots.peak >= _bound(parameters)).select(*keys).distinct()


def _walks(tries: ir.Table, shape: Shape, records: Records, parameters: Parameters) -> list[Scan]:
    """The walks of one shape that reach the bound."""
    about = ("orig_h", "proto", *_KEYS[shape])
    suspects = records.keep(_suspects(tries, about, parameters), "scan_suspects")
    if not suspects.count().execute():
        return []
    keys = ("window", *about)
    up, down = _step(parameters)
    steps = records.keep(_windows(tries.semi_join(suspects, about)), "scan_windows")
    steps = steps.mutate(step=ibis.ifelse(steps.answered, down, up))
    order = ibis.window(
        group_by=keys, order_by=["first", "resp_h", "resp_p"], preceding=None, following=0
    )
    height = steps.mutate(walk=steps.step.sum().over(order))
    height = height.mutate(low=height.walk.min().over(order))
    height = height.mutate(above=height.walk - ibis.least(height.low, 0.0))
    # An episode is what lies between two touches of the floor; it is told up to its peak, so that
    # the honest contacts before and after a scan are no part of it.
    height = height.mutate(episode=(height.above == 0).sum().over(order))
    episodes = ibis.window(group_by=(*keys, "episode"))
    height = height.filter(height.above > 0).mutate(top=lambda t: t.above.max().over(episodes))
    height = height.filter(height.top >= _bound(parameters))
    height = height.mutate(peak=height.first.min(where=height.above == height.top).over(episodes))
    rise = height.filter(height["first"] <= height.peak)
    told = rise.group_by(*keys, "episode").aggregate(
        evidence=rise.top.max(),
        failed=(~rise.answered).sum(),
        succeeded=rise.answered.sum(),
        hosts=rise.resp_h.nunique(where=~rise.answered),
        ports=rise.resp_p.nunique(where=~rise.answered),
        first=rise["first"].min(),
        last=rise["first"].max(),
        connections=rise.connections.sum().cast("int64"),
        destination=rise.resp_h.min(),
        port=rise.resp_p.min(),
        local_orig=rise.local_orig.any(),
        outside=(~rise.answered & ~rise.is_local).sum(),
    )
    return _as_scans(told.order_by(*keys, "episode").to_pandas(), shape, records)


def _as_scans(frame: pd.DataFrame, shape: Shape, records: Records) -> list[Scan]:
    local = records.local.are_local(frame.orig_h, frame.local_orig)
    return [
        Scan(
            shape=shape,
            source=row["orig_h"],
            proto=row["proto"],
            port=row["port"] if shape == "address" else None,
            destination=row["destination"] if shape == "port" else None,
            failed=row["failed"],
            answered=row["succeeded"],
            hosts=row["hosts"],
            ports=row["ports"],
            evidence=row["evidence"] / _MILLION,
            first=row["first"],
            last=row["last"],
            connections=row["connections"],
            local=bool(is_local),
            dense=row["failed"] >= _DENSITY * max(row["hosts"], row["ports"]),
            outside_only=row["outside"] >= _OUTSIDE_ONLY * row["failed"],
            window=row["window"],
        )
        for row, is_local in zip(frame.to_dict("records"), local, strict=True)
    ]


def _peer_to_peer(tries: ir.Table, sources: set[str]) -> set[tuple[str, str]]:
    """Those of the sources, by protocol, whose failures look like a peer-to-peer client's."""
    high = tries.filter(~tries.answered & (tries.resp_p >= FIRST_USER_PORT))
    high = high.filter(high.orig_h.isin(sorted(sources)))
    spread = high.group_by("orig_h", "proto").aggregate(
        ports=high.resp_p.nunique(), hosts=high.resp_h.nunique()
    )
    peers = spread.filter(
        (spread.ports >= _PEER_PORTS)
        & (spread.hosts < _PEER_HOSTS_PER_PORT * spread.ports)
        & (spread.ports < _PEER_HOSTS_PER_PORT * spread.hosts)
    ).to_pandas()
    return set(zip(peers.orig_h, peers.proto, strict=True))


def _detection(scan: Scan, parameters: Parameters) -> Detection:
    span = scan.last - scan.first
    pace = "fast" if span <= parameters.fast else "slow"
    tried = scan.failed + scan.answered
    port = "ICMP requests" if scan.proto == "icmp" else f"{scan.port}/{scan.proto}"
    match scan.shape:
        case "address":
            what, unit = f"{tried} hosts on {port}", "hosts"
        case "port" if scan.proto == UNKNOWN_TRANSPORT:
            what, unit = f"{tried} IP protocols of {scan.destination}", "protocols"
        case "port":
            what, unit = f"{tried} {scan.proto} ports of {scan.destination}", "ports"
        case "block":
            what = f"{scan.ports} {scan.proto} ports on {scan.hosts} hosts, {tried} targets in all,"
            unit = "targets"
    if scan.proto == "icmp":
        what = f"{tried} hosts with ICMP requests"
    return Detection(
        source=scan.source,
        destination=scan.destination,
        port=None if scan.proto in ("icmp", UNKNOWN_TRANSPORT) else scan.port,
        proto=scan.proto,
        first=scan.first,
        last=scan.last,
        score=score_on(scan.evidence, _CURVE),
        message=(
            f"{scan.source} tried {what} within {duration(span)}, {scan.failed} without an answer"
        ),
        evidence=(
            Evidence(
                f"failed {unit}",
                scan.failed,
                expected=round(tried * (1 - parameters.honest_success), 1),
                threshold=_least_steps(parameters),
            ),
            Evidence(f"answering {unit}", scan.answered),
            Evidence("pace", f"{pace}, {duration(span)}"),
            Evidence(
                "walk, log10 of the likelihood ratio",
                round(scan.evidence, 2),
                expected=0.0,
                threshold=round(_bound(parameters) / _MILLION, 2),
            ),
            *([Evidence("hosts", scan.hosts)] if scan.shape == "block" else []),
        ),
        connections=scan.connections,
        technique="T1018" if scan.proto == "icmp" else None,
        best="failed",
    )


DETECTOR = Detector("scan", Parameters, find)
