"""What datagrams of UDP, ICMP and other protocols than TCP tell of their connection.

Zeek src/packet_analysis/protocol/{udp/UDP.cc,icmp/ICMP.cc,unknown_ip_transport/} (DeliverPacket).
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Bytes
from analyzer.parsers.pcap.connection_history import check_history
from analyzer.parsers.pcap.connection_state import DNS, ICMP, NTP, Record, Records
from analyzer.parsers.pcap.flow_events import PAYLOAD, note_event
from analyzer.parsers.pcap.message_roles import dns_datagram, ntp_datagram
from analyzer.parsers.pcap.parts import expanded, number, part, wide

DATAGRAM_HEAD = 8
"""Datagrams at the start of each direction whose payload events are given out."""

UDP_HEADER = 8

_NO_OFFSET = number(0)
_SEEN_DATA = number(0x1)
_D = number(ord("D"))

_ICMP_PAIRS = ((0, 8), (9, 10), (13, 14), (15, 16), (17, 18))
_ICMP6_PAIRS = ((128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145))


def _counterparts() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    table = np.full(512, -1, np.int16)
    for base, pairs in ((0, _ICMP_PAIRS), (256, _ICMP6_PAIRS)):
        for one, other in pairs:
            table[base + one], table[base + other] = other, one
    return table


_COUNTERPARTS = _counterparts()


@expanded
def counterpart(protocol: int, kind: int) -> int:
    """The ICMP type that answers a type, or asks for it; -1 if there is none."""
    return wide(_COUNTERPARTS[kind & 255 if protocol == ICMP else 256 + (kind & 255)])


@expanded
def add_payload(endpoint: Record, length: int) -> None:
    """Count bytes of payload (UpdateLength)."""
    if endpoint.payload_bytes < 0:
        endpoint.payload_bytes = length
    else:
        endpoint.payload_bytes += length


@part
def udp_datagram(
    connection: Record, endpoint: Record, peer: Record, slot: int,
    data: Bytes, start: int, captured: int, length: int, time: float, dns_port: int,
    events: Records, ledger: Record,
) -> bool:  # fmt: skip
    """Let a UDP datagram act on its connection.

    Args:
        connection: the connection.
        endpoint: the end that sent it.
        peer: the other end.
        slot: place of the connection.
        data: the bytes that hold it, its header among them.
        start: where its payload begins.
        captured: bytes present of its payload.
        length: bytes of its payload.
        time: when it came.
        dns_port: not 0 if all payload is of interest.
        events: where payload is noted; there has to be room for one.
        ledger: the counters.

    Returns:
        Whether it flipped the connection.
    """
    is_originator = wide(endpoint.side == connection.originator_side)
    connection.last_time = time
    check_history(connection, endpoint, _SEEN_DATA, _D, ledger)
    # What its own header says, which need not be what IP's says.
    claimed = wide(data[start - 4]) * 256 + data[start - 3] - UDP_HEADER
    add_payload(endpoint, claimed)
    flipped = False
    if connection.flags & DNS:
        flipped = dns_datagram(connection, data, start, captured, is_originator, ledger)
    elif connection.flags & NTP:
        flipped = ntp_datagram(connection, data, start, captured, is_originator, ledger)
    if flipped:
        size = endpoint.payload_bytes
        endpoint.payload_bytes = peer.payload_bytes
        peer.payload_bytes = size
    if captured > 0 and (dns_port or endpoint.payloads < DATAGRAM_HEAD):
        if endpoint.payloads < DATAGRAM_HEAD:
            endpoint.payloads += 1
        note_event(
            PAYLOAD, slot, connection, endpoint, time,
            start, captured, length, _NO_OFFSET, events, ledger,
        )  # fmt: skip
    return flipped
