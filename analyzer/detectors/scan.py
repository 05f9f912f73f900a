"""Address, port and block scans: walks over first contacts that went too far, and which are told.

The walks are those of :mod:`analyzer.detectors.scan_walks`. One over a block is told where it fills
the block, instead of those over its lines; a peer-to-peer client's are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from analyzer.derived import FIRST_USER_PORT, UNKNOWN_TRANSPORT
from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_contacts,
)
from analyzer.detectors.scan_walks import KEYS, Scan, Walk, first_tries, walks
from analyzer.findings import Evidence, duration
from analyzer.parameters import Probability, Seconds

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# log10 of how unlikely an honest source's walk is to get that far -> score. The first figure is
# where a walk is worth a line, the second a thousandth of it; 15 net failures and 30.
_CURVE = ((0.0, 0.0), (4.2, 0.7), (6.0, 0.8), (9.0, 0.9), (18.0, 0.95), (600.0, 0.99))

# A peer-to-peer client tries many outside hosts, nearly each on a port of its own, and many are
# gone (Collins and Reiter, "Finding Peer-to-Peer File-Sharing Using Coarse Network Behaviors",
# ESORICS 2006); a scanner tries many hosts a port or many ports a host.
_PEER_PORTS = 20
_PEER_HOSTS_PER_PORT = 2.0


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


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Scans of the shape and origin asked for, the quieter walks inside a block scan left out."""
    walk = Walk.of(parameters.honest_success, parameters.scanner_success, parameters.false_alarm)
    scans = shared.get((__name__, walk), lambda: list(_scans(records, shared, walk)))
    for scan in scans:
        if parameters.shape in ("any", scan.shape) and (
            parameters.origin == "any" or (parameters.origin == "local") == scan.local
        ):
            yield _detection(scan, walk, parameters)


def _scans(records: Records, shared: Shared, walk: Walk) -> Iterator[Scan]:
    table = shared_contacts(records, shared)
    tries = first_tries(table, records, walk)
    if not tries.count().execute():
        return
    found = {shape: walks(tries, shape, records, walk) for shape in KEYS}
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


def _detection(scan: Scan, walk: Walk, parameters: Parameters) -> Detection:
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
                threshold=walk.least_steps,
            ),
            Evidence(f"answering {unit}", scan.answered),
            Evidence("pace", f"{pace}, {duration(span)}"),
            Evidence(
                "walk, log10 of the likelihood ratio",
                round(scan.evidence, 2),
                expected=0.0,
                threshold=round(walk.evidence, 2),
            ),
            *([Evidence("hosts", scan.hosts)] if scan.shape == "block" else []),
        ),
        connections=scan.connections,
        technique="T1018" if scan.proto == "icmp" else None,
        best="failed",
    )


DETECTOR = Detector("scan", Parameters, find)
