"""IP's protocol numbers, and IPv6 headers with extensions as Zeek reads them.

Source: RFC 8200 and Zeek's ``src/IP.h`` and ``src/IP.cc``.
"""

from __future__ import annotations

from typing import NamedTuple

ICMP, IPV4, TCP, UDP, IPV6, GRE, ICMPV6 = 1, 4, 6, 17, 41, 47, 58
HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AH = 0, 43, 44, 50, 51
NO_NEXT, DESTINATION, MOBILITY = 59, 60, 135
"""IP protocol numbers (IANA); the last two lines are IPv6's extensions, and nothing further."""

IPV4_HEADER, IPV6_HEADER = 20, 40
"""Bytes of a header without options or extensions."""

EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AH, DESTINATION, MOBILITY)
"""What Zeek takes for an extension header (IP.cc, isIPv6ExtHeader)."""

_LAST = frozenset({FRAGMENT, ESP, MOBILITY})
_LENGTH_NEEDED = 2
_ADDRESS = 16
_HOME_ADDRESS_OPTION = 201


class ExtensionChain(NamedTuple):
    """What IPv6's chain of headers comes to.

    Attributes:
        size: bytes of all headers, the first included.
        following: protocol of what comes after them.
        last: type of the last header; 41 is IPv6's own.
        source: where the address stands that counts as the source: that of a Home Address option
            (RFC 6275) if there is one.
        destination: likewise the destination: the last address of a routing header of type 0
            (RFC 2460) or 2 (RFC 6275) with segments left.
    """

    size: int
    following: int
    last: int
    source: int
    destination: int


def extension_chain(data: memoryview, start: int, end: int) -> ExtensionChain:
    """Walk the headers of an IPv6 datagram, of which at least 40 bytes are there."""
    home = final = -1
    last, following, at = IPV6, data[start + 6], start + IPV6_HEADER
    while following in EXTENSIONS and last not in _LAST and end - at >= _LENGTH_NEEDED:
        size = extension_size(following, data[at + 1])
        if size > end - at:
            break
        last, following = following, NO_NEXT if following == ESP else data[at]
        if last == ROUTING and final < 0:
            final = _final_destination(data, at, size)
        elif last == DESTINATION and home < 0:
            home = _home_address(data, at + 2, at + size)
        at += size
    return ExtensionChain(
        size=at - start,
        following=following,
        last=last,
        source=start + 8 if home < 0 else home,
        destination=start + 24 if final < 0 else final,
    )


def extension_size(kind: int, length: int) -> int:
    """Bytes of an extension header of which `length` is the second byte."""
    if kind in (FRAGMENT, ESP):
        return 8
    return 8 + length * (4 if kind == AH else 8)


def _final_destination(data: memoryview, at: int, size: int) -> int:
    """Where the last address of a routing header stands, -1 if Zeek takes it for none."""
    length, kind, left = data[at + 1 : at + 4]
    # In units of 8 bytes: type 2 holds one address, type 0 any number.
    holds_addresses = length == 2 or (kind == 0 and length > 0 and length % 2 == 0)
    return at + size - _ADDRESS if left and kind in (0, 2) and holds_addresses else -1


def _home_address(data: memoryview, at: int, end: int) -> int:
    """Where the address of a Home Address option stands, -1 if there is none."""
    while at < end:
        if data[at] == 0:  # Pad1 has no length.
            at += 1
            continue
        if end - at < _LENGTH_NEEDED or end - at < _LENGTH_NEEDED + data[at + 1]:
            return -1
        if data[at] == _HOME_ADDRESS_OPTION and data[at + 1] == _ADDRESS:
            return at + 2
        at += 2 + data[at + 1]
    return -1
