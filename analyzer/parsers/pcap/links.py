"""From the first byte of a captured frame to the IP header in it, one header at a time.

Nearly every header below IP has a fixed size and says at a fixed place what follows it, so tables
describe them; the few that do not are read by :mod:`radio_links` and :func:`llc`. What follows what
is as Zeek's ``scripts/base/packet-protocols/*/main.zeek`` register it, sizes are as in Zeek's
``src/packet_analysis/protocol``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, Counts

# Layers that tables describe.
(
    ETHERNET,
    VLAN,
    VNTAG,
    BACKBONE,
    MPLS,
    COOKED,
    COOKED_2,
    PPPOE,
    PPP,
    PPP_FRAMED,
    PPP_SERIAL,
    NULL,
    NULL_FAMILY,
    LOOP,
    LOOP_FAMILY,
    FDDI,
    FABRIC_PATH,
) = range(17)

IP, PARSED, NEXT_FRAME = 32, 33, 34
"""An IP header; one whose fields are known already; the next packet of the batch."""

# Layers for which plain Python is asked.
(
    ETHERNET_LENGTH,
    VLAN_LENGTH,
    WIRELESS,
    RADIOTAP,
    PRISM,
    AVS,
    PER_PACKET_INFORMATION,
    NETFILTER_LOG,
    UNKNOWN_LINK,
) = range(40, 49)

REASONS = (
    "truncated",
    "broken header",
    "not IP",
    "ARP",
    "encrypted",
    "no transport",
    "broken tunnel",
    "tunnels too deep",
)
"""Why a frame or datagram is passed over."""

FIRST_REASON = 200
(TRUNCATED, BROKEN, NOT_IP, ARP, ENCRYPTED, NO_TRANSPORT, BROKEN_TUNNEL, TOO_DEEP) = range(
    FIRST_REASON, FIRST_REASON + 8
)
"""The same as layers: nothing follows."""

INTERNET = {0x0800: IP, 0x86DD: IP, 0x0806: ARP, 0x8035: ARP}
_TAGGED = {**INTERNET, 0x8100: VLAN, 0x8847: MPLS, 0x8864: PPPOE, 0x88E7: BACKBONE}
# IEEE 802.3: up to 1,500 it is a length, from 1,536 on a type.
_LENGTHS, _NEITHER = range(1501), dict.fromkeys(range(1501, 1536), BROKEN)
_ETHER_TYPES = {
    **dict.fromkeys(_LENGTHS, ETHERNET_LENGTH),
    **_NEITHER,
    **_TAGGED,
    0x88A8: VLAN,
    0x9100: VLAN,
    0x8926: VNTAG,
}
_POINT_TO_POINT = {0x0021: IP, 0x0057: IP}
_POINT_TO_POINT_MPLS = {**_POINT_TO_POINT, 0x0281: MPLS}
# Address families of BSDs and macOS: Zeek packet-protocols/null/main.zeek.
_FAMILIES = (2, 24, 28, 30)

LINKS = {
    0: NULL,
    1: ETHERNET,
    9: PPP,
    10: FDDI,
    12: IP,
    14: IP,
    50: PPP_SERIAL,
    101: IP,
    105: WIRELESS,
    108: LOOP,
    113: COOKED,
    119: PRISM,
    127: RADIOTAP,
    163: AVS,
    192: PER_PACKET_INFORMATION,
    228: IP,
    229: IP,
    239: NETFILTER_LOG,
    276: COOKED_2,
}


class _Step(NamedTuple):
    """A header of fixed size.

    Attributes:
        more_than: bytes of which more have to be there, as Zeek asks.
        key: where the 16 bits stand that say what follows.
        size: bytes of it.
        following: what follows, by key.
        otherwise: what follows where the key is not in `following`.
    """

    more_than: int
    key: int
    size: int
    following: Mapping[int, int]
    otherwise: int = NOT_IP


_STEPS = {
    ETHERNET: _Step(16, 12, 14, {**_ETHER_TYPES, 0x8903: FABRIC_PATH}),
    VLAN: _Step(4, 2, 4, {**dict.fromkeys(_LENGTHS, VLAN_LENGTH), **_NEITHER, **_TAGGED}),
    VNTAG: _Step(6, 4, 6, {0x8100: VLAN, 0x88A8: VLAN, 0x9100: VLAN}),
    BACKBONE: _Step(18, 0, 4, {}, ETHERNET),
    MPLS: _Step(4, 2, 4, {key: IP for key in range(0x10000) if key & 0x100}, MPLS),
    COOKED: _Step(16, 14, 16, INTERNET),
    COOKED_2: _Step(20, 0, 20, INTERNET),
    PPPOE: _Step(8, 6, 8, _POINT_TO_POINT),
    PPP: _Step(2, 0, 2, {**_POINT_TO_POINT_MPLS, 0xFF03: PPP_FRAMED}),
    PPP_FRAMED: _Step(2, 0, 2, _POINT_TO_POINT_MPLS),
    PPP_SERIAL: _Step(4, 2, 4, _POINT_TO_POINT_MPLS),
    # The family has 32 bits: its upper half, which has to be zero, then its lower half.
    NULL: _Step(4, 2, 0, {0: NULL_FAMILY}),
    NULL_FAMILY: _Step(4, 0, 4, {family << 8: IP for family in _FAMILIES}),
    LOOP: _Step(4, 0, 0, {0: LOOP_FAMILY}),
    LOOP_FAMILY: _Step(4, 2, 4, dict.fromkeys(_FAMILIES, IP)),
    FDDI: _Step(21, 0, 21, {}, IP),
    # Cisco's: 16 bytes before an Ethernet header, which the type just read belonged to.
    FABRIC_PATH: _Step(16, 14, 16, _ETHER_TYPES),
}


class LinkTables(NamedTuple):
    """The same as arrays.

    Attributes:
        steps: `more_than`, `key`, `size` of each layer, four numbers a layer.
        following: 65,536 layers a table; the first is by link type, that of layer n is n + 1.
    """

    steps: Counts
    following: Bytes


def link_tables() -> LinkTables:
    """The tables for the loop over packets."""
    steps = np.zeros(4 * len(_STEPS), np.int64)
    following = np.full((len(_STEPS) + 1, 0x10000), UNKNOWN_LINK, np.uint8)
    following[0, list(LINKS)] = list(LINKS.values())
    for layer, step in _STEPS.items():
        steps[4 * layer : 4 * layer + 3] = step.more_than, step.key, step.size
        table = following[layer + 1]
        table[:] = step.otherwise
        table[list(step.following)] = list(step.following.values())
    return LinkTables(steps, following.ravel())
