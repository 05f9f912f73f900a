"""Of what the breadth of a host's day consists: whom it met, on which ports, who answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.detectors.administration import PROTOCOLS
from analyzer.detectors.detection import Shared, shared_contacts

if TYPE_CHECKING:
    from analyzer.records import Records

INSIDE, OUTSIDE, SILENT, NEW, PORTS = "inside", "outside", "failed", "new", "ports"
"""What is counted: hosts met inside and outside, attempts without an answer, hosts inside that were
never met before, ports tried."""

_ADMINISTRATION = frozenset(port for protocol in PROTOCOLS for port in protocol.ports)
_MOST = 0.5
_TECHNIQUES = {INSIDE: "T1018", OUTSIDE: "T1046", SILENT: "T1046", NEW: "T1018", PORTS: "T1046"}
_TAKEN = "T1021"


@dataclass(frozen=True, slots=True)
class Breadth:
    """What made a day of a host broad.

    Attributes:
        hosts: how many hosts it met there.
        ports: the ports on which it met most of them, the commonest first.
        port: the port on which it met at least half of them; None if there is none.
        proto: its protocol.
        destination: the host of at least half of the ports, where ports are counted.
        answered: share of the hosts that answered.
        first: time of the first connection.
        last: start of the last.
        connections: how many there were.
        technique: ATT&CK technique that fits: taking charge of hosts where most had sessions on
            ports of administration, discovery else.
    """

    hosts: int
    ports: tuple[str, ...]
    port: int | None
    proto: str | None
    destination: str | None
    answered: float
    first: float
    last: float
    connections: int
    technique: str


def met_on(
    days: Collection[tuple[str, int]], records: Records, shared: Shared
) -> dict[tuple[str, int], pd.DataFrame]:
    """Whom some hosts tried to reach on some days: rows of the contacts of each."""
    if not days:
        return {}
    met = shared_contacts(records, shared)
    halves = sorted({2 * day + half for _, day in days for half in (0, 1)})
    sources = sorted({source for source, _ in days})
    own = met.filter(met.orig_h.isin(sources) & met.half_day.isin(halves)).to_pandas()
    own = own.assign(day=own.half_day // 2, pair=list(zip(own.proto, own.resp_p, strict=True)))
    return {(source, day): own[(own.orig_h == source) & (own.day == day)] for source, day in days}


def breadth(rows: pd.DataFrame, measure: str, new: Collection[str]) -> Breadth:
    """What a measure of one host's day consists of.

    Args:
        rows: its contacts of that day.
        measure: what was counted.
        new: the hosts that it never met before, inside and outside.
    """
    counted = {
        INSIDE: rows.is_local,
        OUTSIDE: ~rows.is_local,
        SILENT: rows.failed > 0,
        NEW: rows.is_local & rows.resp_h.isin(set(new)),
        PORTS: rows.connections > 0,
    }[measure]
    rows = rows[counted]
    hosts = rows.resp_h.nunique()
    by_port = rows.groupby("pair").resp_h.nunique().reset_index(name="hosts")
    by_port = by_port.sort_values(["hosts", "pair"], ascending=[False, True])
    common = by_port[by_port.hosts >= _MOST * hosts].pair.tolist()
    proto, port = common[0] if common else (None, None)
    by_host = rows.groupby("resp_h").pair.nunique().sort_values(ascending=False, kind="stable")
    is_one = by_host.iloc[0] >= _MOST * rows.pair.nunique()
    held = rows[(rows.bytes_out > 0) & (rows.bytes_in > 0) & rows.resp_p.isin(_ADMINISTRATION)]
    taken = held.resp_h.nunique() >= _MOST * hosts and not rows.is_local.eq(False).any()
    is_ports = measure == PORTS
    return Breadth(
        hosts=hosts,
        ports=tuple(f"{number}/{name}" for name, number in common),
        port=None if is_ports or port is None else int(port),
        proto=None if is_ports or proto is None else str(proto),
        destination=str(by_host.index[0]) if is_ports and is_one else None,
        answered=rows[rows.answered].resp_h.nunique() / hosts,
        first=float(rows["first"].min()),
        last=float(rows["last"].max()),
        connections=int(rows.connections.sum()),
        technique=_TAKEN if taken and measure in (INSIDE, NEW) else _TECHNIQUES[measure],
    )
