"""What IP datagrams and UDP payloads carry inside them, as Zeek's tunnel analyzers read it.

Source: Zeek's ``src/packet_analysis/protocol/{gre,iptunnel,vxlan,geneve,teredo,ayiya,gtpv1}`` and
``scripts/base/packet-protocols/{udp,gre,vxlan,geneve,teredo,ayiya,gtpv1}/main.zeek``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analyzer.parsers.pcap.internet import (
    IPV4,
    IPV4_HEADER,
    IPV6,
    IPV6_HEADER,
    NO_NEXT,
    extension_chain,
)
from analyzer.parsers.pcap.links import BROKEN_TUNNEL, ETHERNET, INTERNET, IP, NOT_IP, WIRELESS
from analyzer.parsers.pcap.rare_links import Layer
from analyzer.parsers.pcap.tunnel_entries import AYIYA, GENEVE, GRE, GTP, TEREDO, VXLAN


class BrokenTunnelError(Exception):
    """What is there is not what the tunnel has to be; Zeek never tries that connection again."""


def inside(kind: int, data: memoryview, start: int, end: int) -> Layer:
    """What a UDP payload carries; a reason of :mod:`links` if it is nothing to go into.

    Raises:
        BrokenTunnelError: it breaks the rules of the tunnel.
    """
    return _READERS[kind](data, start, end)


def detect(data: memoryview, start: int, end: int) -> int:
    """The tunnel that a UDP payload looks like whatever its ports, 0 for none."""
    if end - start >= 3 and data[start + 1 : start + 3] == _AYIYA_MARK:
        return AYIYA
    return TEREDO if _looks_like_teredo(data[start:end]) else 0


def ip_in_ip(data: memoryview, protocol: int, start: int, end: int) -> Layer:
    """A datagram right after another's header: it has to fill it, to the byte."""
    version, header = (6, IPV6_HEADER) if protocol == IPV6 else (4, IPV4_HEADER)
    if end - start < header or data[start] >> 4 != version:
        return Layer(BROKEN_TUNNEL, start, end)
    total = _number(data, start + 4) + IPV6_HEADER if version == 6 else _number(data, start + 2)
    return Layer(IP if total == end - start else BROKEN_TUNNEL, start, end)


def gre(data: memoryview, start: int, end: int) -> Layer:
    """Generic routing encapsulation, versions 0 (RFC 2784, 2890) and 1 (PPTP, RFC 2637).

    What it carries may be IP, bridged Ethernet, ERSPAN of any type, or Aruba's 802.11.
    """
    broken = Layer(BROKEN_TUNNEL, start, end)
    length = end - start
    if length < 4:
        return broken
    flags, protocol = _number(data, start), _number(data, start + 2)
    # Checksum, key, sequence number, acknowledgement.
    size = 4 + 4 * sum(flags & bit != 0 for bit in (0x8000, 0x2000, 0x1000, 0x0080))
    version = flags & 7
    if version > 1 or flags & 0x4078:  # Routing and reserved bits.
        return broken
    if version == 1:
        return _pptp(data, protocol, start + size, end)
    kind, more_than = IP, -1
    if protocol == _BRIDGED:
        kind, more_than = ETHERNET, size + 14
    elif protocol == _ERSPAN:
        kind, more_than = ETHERNET, size + 14
        size += 8 if flags & 0x1000 else 0
        more_than = max(more_than, size + 13)
    elif protocol == _ERSPAN_3:
        kind, more_than = ETHERNET, size + 14 + 12
        if length > more_than and data[start + size + 11] & 1:
            size, more_than = size + 8, more_than + 8
        size += 12
    elif _is_aruba(protocol):
        kind, more_than = WIRELESS, size
    if length <= more_than or length < size:
        return broken
    return Layer(kind, start + size, end)


def _pptp(data: memoryview, protocol: int, at: int, end: int) -> Layer:
    carried = _number(data, at + 2) if end - at >= 4 else 0
    if protocol != _PPTP or carried not in (0x0021, 0x0057):
        return Layer(BROKEN_TUNNEL, at, end)
    return ip_in_ip(data, IPV4 if carried == 0x0021 else IPV6, at + 4, end)


def _is_aruba(protocol: int) -> bool:
    return protocol & 0x820F == 0x8200 or protocol == 0x9000


def _vxlan(data: memoryview, start: int, end: int) -> Layer:
    """RFC 7348."""
    if end - start < 8 or not data[start] & 0x08:
        raise BrokenTunnelError
    return Layer(ETHERNET, start + 8, end)


def _geneve(data: memoryview, start: int, end: int) -> Layer:
    """RFC 8926."""
    if end - start < 8:
        raise BrokenTunnelError
    if data[start] >> 6:
        return Layer(BROKEN_TUNNEL, start, end)
    size = 8 + (data[start] & 0x3F) * 4
    if end - start < size:
        raise BrokenTunnelError
    protocol = _number(data, start + 2)
    kind = ETHERNET if protocol == _BRIDGED else INTERNET.get(protocol, NOT_IP)
    return Layer(kind, start + size, end)


def _teredo(data: memoryview, start: int, end: int) -> Layer:
    """RFC 4380: IPv6 after an authentication header, an origin indication, both or neither."""
    tag = _number(data, start) if end - start >= 2 else -1
    if tag == 1:
        size = 13 + data[start + 2] + data[start + 3] if end - start >= 4 else end
        start += size
        tag = _number(data, start) if end - start >= 2 else -1
    if tag == 0 and end - start >= 8:
        start += 8
        tag = _number(data, start) if end - start >= 2 else -1
    if tag >> 12 != 6 or end - start < IPV6_HEADER:
        raise BrokenTunnelError
    missing = _number(data, start + 4) + IPV6_HEADER - (end - start)
    # A bubble has nothing in it, but may have something behind it.
    bubble = missing < 0 and extension_chain(data, start, end).following == NO_NEXT
    if missing and not (bubble and _payload_size(data, start, end) == 0):
        raise BrokenTunnelError
    return Layer(IP, start, end)


def _payload_size(data: memoryview, start: int, end: int) -> int:
    return _number(data, start + 4) + IPV6_HEADER - extension_chain(data, start, end).size


def _looks_like_teredo(payload: memoryview) -> bool:
    """Zeek's rule: IPv6 with an address of Teredo's, or Teredo's own headers before IPv6."""
    if len(payload) < IPV6_HEADER or (payload[0] >> 4 != 6 and (payload[0] or payload[1] > 1)):
        return False
    if payload[0] >> 4 == 6 and _TEREDO_PREFIX in (payload[8:12], payload[24:28]):
        return True
    value, at = payload[1], 0
    if value == 1:
        at = 13 + payload[2] + payload[3]
        if len(payload) - at < IPV6_HEADER:
            return False
        value = _number(payload, at)
    return value == 0 and len(payload) - at >= 8 + IPV6_HEADER and payload[at + 8] >> 4 == 6


def _ayiya(data: memoryview, start: int, end: int) -> Layer:
    """draft-massar-v6ops-ayiya-02."""
    if end - start < 8:
        raise BrokenTunnelError
    size = 8 + (1 << (data[start] >> 4)) + (data[start + 1] >> 4) * 4
    if end - start < size:
        raise BrokenTunnelError
    forwards = data[start + 2] & 0x0F == 1 and data[start + 3] in (IPV4, IPV6)
    return Layer(IP if forwards and end - start > size else NOT_IP, start + size, end)


def _gtp(data: memoryview, start: int, end: int) -> Layer:
    """3GPP TS 29.060: user data of version 1."""
    nothing = Layer(NOT_IP, start, end)
    if end - start < 8:
        return nothing
    flags = data[start]
    if flags >> 5 != 1 or not flags & 0x10 or data[start + 1] != _USER_DATA:
        return nothing
    at = start + 8
    if flags & 7:
        at += 4
        following = flags & 4
        while following:
            size = data[at] * 4 if at < end else 0
            if not size or end - at < size:
                return nothing
            at += size
            following = data[at - 1]
    version = data[at] >> 4 if end - at >= IPV4_HEADER else 0
    if version not in (4, 6):
        return nothing
    return ip_in_ip(data, IPV6 if version == 6 else IPV4, at, end)


def _number(data: memoryview, at: int) -> int:
    return data[at] << 8 | data[at + 1]


_PPTP = 0x880B
_BRIDGED = 0x6558
_ERSPAN, _ERSPAN_3 = 0x88BE, 0x22EB
_USER_DATA = 255
_AYIYA_MARK = b"\x52\x11"
_TEREDO_PREFIX = b"\x20\x01\0\0"

_READERS: Mapping[int, Callable[[memoryview, int, int], Layer]] = {
    GRE: gre,
    VXLAN: _vxlan,
    GENEVE: _geneve,
    TEREDO: _teredo,
    AYIYA: _ayiya,
    GTP: _gtp,
}
