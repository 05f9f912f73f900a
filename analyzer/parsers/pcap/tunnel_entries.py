"""The usual ways into tunnels, compiled; :mod:`tunnels` has all of them, and the sources."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Bytes
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.internet import IPV4, IPV4_HEADER, IPV6, IPV6_HEADER
from analyzer.parsers.pcap.links import ETHERNET, IP
from analyzer.parsers.pcap.network_order import read16, read32
from analyzer.parsers.pcap.roles import UDP_SERVER, port_table

IP_IN_IP, GRE, VXLAN, GENEVE, TEREDO, AYIYA, GTP = range(1, 8)
"""Kinds of tunnels."""

UNSURE = 255
"""As a kind: there may be a tunnel. As a layer: there is one, unusual or broken."""

MAX_DEPTH = 4
"""Tunnels within tunnels that are followed (Zeek: Tunnel::max_depth)."""

TUNNEL_PORTS = {
    2123: GTP,
    2152: GTP,
    3544: TEREDO,
    4754: GRE,
    4789: VXLAN,
    5072: AYIYA,
    6081: GENEVE,
}
"""UDP ports that servers of tunnels have (packet-protocols/*/main.zeek)."""

_KIND = 7
_SERVER = 8

_TEREDO_PREFIX = 0x20010000
_TEREDO_SHORTEST = IPV6_HEADER
_AYIYA_MARK = 0x5211
_GTP_USER_DATA = 0x30FF
_BRIDGED, _ERSPAN = 0x6558, 0x88BE


def udp_ports() -> Bytes:
    """What is known of each UDP port: kind of tunnel, and whether a server is likely there."""
    ports: Bytes = np.where(port_table() & UDP_SERVER, _SERVER, 0).astype(np.uint8)
    ports[list(TUNNEL_PORTS)] = [_SERVER | kind for kind in TUNNEL_PORTS.values()]
    return ports


@compiled
def udp_tunnel(data: Bytes, ports: Bytes, source: int, destination: int, at: int, size: int) -> int:
    """The tunnel that a UDP payload is, by its ports.

    Zeek asks for the responder's port. That is the destination's unless only the source's is a
    likely server's, so that only two of those are left to :mod:`tunnel_sessions`, and what might be
    a tunnel on any port.

    Returns:
        The kind, 0 for none, :data:`UNSURE`.
    """
    kind = int(ports[destination]) & _KIND
    if kind and (ports[source] == 0 or source == destination):
        return kind
    if kind or ports[source] & _KIND:
        return UNSURE
    if size >= 3 and read16(data, at + 1) == _AYIYA_MARK:
        return UNSURE
    if size >= _TEREDO_SHORTEST and (data[at] == 0 or data[at] >> 4 == 6):
        if data[at + 1] == 1 or (data[at + 1] == 0 and data[at + 8] >> 4 == 6):
            return UNSURE
        if read32(data, at + 8) == _TEREDO_PREFIX or read32(data, at + 24) == _TEREDO_PREFIX:
            return UNSURE
    return 0


@compiled
def enter_tunnel(data: Bytes, kind: int, protocol: int, start: int, end: int) -> tuple[int, int]:
    """Step over the header of a tunnel.

    Args:
        data: bytes of the batch.
        kind: of the tunnel.
        protocol: IP protocol of what has the tunnel in it.
        start: where the tunnel's header begins.
        end: where what was captured of the payload ends.

    Returns:
        The layer that follows, or :data:`UNSURE`, and where it starts.
    """
    if kind == VXLAN:
        if end - start >= 8 and data[start] & 0x08:
            return ETHERNET, start + 8
    elif kind == GENEVE:
        if end - start >= 8 and data[start] >> 6 == 0 and read16(data, start + 2) == _BRIDGED:
            size = 8 + (int(data[start]) & 0x3F) * 4
            if end - start >= size:
                return ETHERNET, start + size
    elif kind == GRE:
        return _enter_gre(data, start, end)
    elif kind == IP_IN_IP:
        return _enter_datagram(data, protocol, start, end)
    elif kind == GTP and end - start >= 8 + IPV4_HEADER and read16(data, start) == _GTP_USER_DATA:
        inner = IPV6 if data[start + 8] >> 4 == 6 else IPV4
        return _enter_datagram(data, inner, start + 8, end)
    return UNSURE, start


@compiled
def _enter_gre(data: Bytes, start: int, end: int) -> tuple[int, int]:
    if end - start < 16 or data[start] & 0x40 or data[start + 1]:
        return UNSURE, start
    flags, carried = int(data[start]), read16(data, start + 2)
    at = start + 4 + ((flags >> 7) + (flags >> 5 & 1) + (flags >> 4 & 1)) * 4
    if (carried == 0x0800 or carried == 0x86DD) and at <= end:
        return IP, at
    if carried == _ERSPAN:
        at += (flags >> 4 & 1) * 8
    if (carried == _ERSPAN or carried == _BRIDGED) and end - at > 14:
        return ETHERNET, at
    return UNSURE, start


@compiled
def _enter_datagram(data: Bytes, protocol: int, start: int, end: int) -> tuple[int, int]:
    version = int(data[start]) >> 4 if end - start >= IPV4_HEADER else 0
    if version == 4 and protocol == IPV4 and read16(data, start + 2) == end - start:
        return IP, start
    if version == 6 and protocol == IPV6 and end - start >= IPV6_HEADER:
        if read16(data, start + 4) + IPV6_HEADER == end - start:
            return IP, start
    return UNSURE, start
