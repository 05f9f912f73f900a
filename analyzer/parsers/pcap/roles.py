"""Who opened a connection, where ports tell better than who was seen first.

Zeek src/packet_analysis/protocol/{tcp/TCP.cc,udp/UDP.cc} (WantConnection), src/Conn.cc (FlipRoles).
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import DNS_PORTS, Flags
from analyzer.parsers.pcap.connection_history import add_letter
from analyzer.parsers.pcap.connection_state import (
    DNS,
    NTP,
    ORIGINATOR_SEEN,
    PARTIAL,
    RESPONDER_SEEN,
    TCP,
    TIMED,
    UDP,
    Record,
)
from analyzer.parsers.pcap.parts import expanded, inlined, number, part

TCP_SERVER, UDP_SERVER, DNS_SERVER, NTP_SERVER, LONG_LIVED, DNS_TCP_SERVER = 1, 2, 4, 8, 16, 32
FTP_SERVER = 64
"""Bits of a port in the table of :func:`port_table`."""

_TCP_SERVER_PORTS = (
    21, 22, 25, 53, 80, 81, 88, 110, 135, 139, 143, 443, 445, 502, 563, 585, 587, 614, 631, 636,
    989, 990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3306, 3389, 5222, 5223, 5269, 6666, 6667,
    6668, 6669, 8000, 8080, 8888, 20000,
)  # fmt: skip
_UDP_SERVER_PORTS = (
    53, 67, 88, 123, 137, 161, 162, 443, 1812, 2123, 2152, 3389, 3544, 4789, 5060, 5072, 5353, 5355,
    6081, 20000,
)  # fmt: skip
_LONG_LIVED_PORTS = (21, 22, 23, 513)

_FLIP_CODE = number(ord("^"))
_ZERO, _BROADCAST = np.uint64(0), np.uint64(0xFFFFFFFFFFFF)
_CLASS_SHIFT, _MAPPED_MULTICAST = np.uint64(28), np.uint64(0xFFFFE)
_BYTE_SHIFT, _MULTICAST_BYTE = np.uint64(56), np.uint64(0xFF)


def port_table() -> Flags:
    """What Zeek makes of a port: 65,536 sets of bits.

    Servers are Zeek 8.2's ``likely_server_ports``: the ports of the analyzers in
    scripts/base/protocols and scripts/base/packet-protocols, but for those written in Spicy, which
    a Zeek need not have. Long-lived are those in scripts/base/protocols/conn/inactivity.zeek.
    """
    table = np.zeros(1 << 16, np.uint8)
    for bit, ports in (
        (TCP_SERVER, _TCP_SERVER_PORTS),
        (UDP_SERVER, _UDP_SERVER_PORTS),
        (DNS_SERVER, DNS_PORTS),
        (DNS_TCP_SERVER, (53,)),
        (FTP_SERVER, (21, 2811)),
        (NTP_SERVER, (123,)),
        (LONG_LIVED, _LONG_LIVED_PORTS),
    ):
        table[list(ports)] |= bit
    return table


@inlined
def is_reversed(
    protocol: int, source_port: int, destination_port: int, syn: int, ack: int, ports: Flags
) -> bool:
    """Whether a first datagram, by its ports, comes from the responder (WantConnection)."""
    likely = False
    if protocol == UDP:
        likely = ports[source_port] & UDP_SERVER > ports[destination_port] & UDP_SERVER
    elif protocol == TCP and not (syn and not ack) and ports[source_port] & TCP_SERVER:
        if ports[destination_port] & TCP_SERVER:
            likely = syn == 0 and source_port < destination_port
        else:
            likely = True
    return likely


@expanded
def is_broadcast(high: np.uint64, low: np.uint64) -> bool:
    """Whether an address is 255.255.255.255."""
    return bool(high == _ZERO and low == _BROADCAST)


@expanded
def is_multicast(high: np.uint64, low: np.uint64) -> bool:
    """Whether an address is in 224.0.0.0/4 or ff00::/8."""
    return bool(
        (high == _ZERO and low >> _CLASS_SHIFT == _MAPPED_MULTICAST)
        or high >> _BYTE_SHIFT == _MULTICAST_BYTE
    )


@part
def flip(connection: Record, ledger: Record) -> None:
    """Make the responder the originator; what was counted for an end stays with it."""
    high, low = connection.originator_high, connection.originator_low
    connection.originator_high = connection.responder_high
    connection.originator_low = connection.responder_low
    connection.responder_high = high
    connection.responder_low = low
    port = connection.originator_port
    connection.originator_port = connection.responder_port
    connection.responder_port = port
    connection.originator_side = 1 - connection.originator_side
    flags = connection.flags & ~(ORIGINATOR_SEEN | RESPONDER_SEEN | PARTIAL)
    if connection.flags & ORIGINATOR_SEEN:
        flags |= RESPONDER_SEEN
    if connection.flags & RESPONDER_SEEN:
        flags |= ORIGINATOR_SEEN
    connection.flags = flags
    add_letter(connection, _FLIP_CODE, ledger)


@inlined
def attach_analyzers(connection: Record, ports: Flags) -> None:
    """Note whether Zeek would parse a new connection as DNS or NTP, by the responder's port."""
    known = ports[connection.responder_port]
    if connection.protocol == UDP:
        if known & DNS_SERVER:
            connection.flags |= DNS | TIMED
        elif known & NTP_SERVER:
            connection.flags |= NTP
    elif connection.protocol == TCP and known & DNS_TCP_SERVER:
        connection.flags |= DNS
