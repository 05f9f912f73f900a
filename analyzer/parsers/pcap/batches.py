"""What the stages of reading a capture hand on: packets, then IP datagrams, then flow events.

Every batch is a structure of arrays over one run of bytes, so that no packet becomes a Python
object. Times are UTC epoch seconds, lengths are in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.uint8]
Ports: TypeAlias = npt.NDArray[np.uint16]
Numbers: TypeAlias = npt.NDArray[np.uint32]
Halves: TypeAlias = npt.NDArray[np.uint64]
"""Halves of addresses: the upper or the lower 64 bits."""
Counts: TypeAlias = npt.NDArray[np.int64]
Times: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PacketBatch:
    """Packets as captured, in the order in which they are to be seen.

    Attributes:
        data: the bytes that hold them.
        starts: where in `data` each begins.
        captured: bytes present of each.
        wire: bytes each had on the wire.
        times: when each was captured.
        links: LINKTYPE number of each.
    """

    data: Bytes
    starts: Counts
    captured: Counts
    wire: Counts
    times: Times
    links: Ports


class SegmentBatch(NamedTuple):
    """IP datagrams, whole again if they were in fragments; inner ones follow their carriers.

    A tuple, since that is what compiled code takes.

    Attributes:
        data: the bytes that hold them.
        times: when each was captured (the last fragment of it).
        source_high: upper 64 bits of the source address; IPv4 is mapped, as ``::ffff:a.b.c.d``.
        source_low: lower 64 bits.
        destination_high: likewise of the destination.
        destination_low: likewise.
        protocols: IP protocol number of the payload after extension headers.
        source_ports: port of TCP, UDP and SCTP; type of ICMP; 0 otherwise.
        destination_ports: port of TCP, UDP and SCTP; code of ICMP; 0 otherwise.
        ip_lengths: IPv4's total length, IPv6's payload length plus 40.
        payload_starts: where in `data` the transport's payload begins; for other protocols than
            TCP, UDP and ICMP (8 bytes of header) the IP payload.
        payload_captured: bytes present of it.
        payload_lengths: bytes of it by the headers.
        sequences: TCP sequence numbers.
        acknowledgements: TCP acknowledgement numbers.
        tcp_flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
        windows: TCP windows, not scaled.
        carriers: row of the datagram whose tunnel carried this one, -1 if none did.
        is_carrier: 1 for the outside of a tunnel that is no connection of its own (GRE, IP in IP).
    """

    data: Bytes
    times: Times
    source_high: Halves
    source_low: Halves
    destination_high: Halves
    destination_low: Halves
    protocols: Flags
    source_ports: Ports
    destination_ports: Ports
    ip_lengths: Counts
    payload_starts: Counts
    payload_captured: Counts
    payload_lengths: Counts
    sequences: Numbers
    acknowledgements: Numbers
    tcp_flags: Ports
    windows: Ports
    carriers: Counts
    is_carrier: Flags


PAYLOAD, ENDED, GAP = 0, 1, 2
"""Kinds of events: bytes of a stream or datagram, the end of a connection, bytes never seen."""

DNS_PORTS = (53, 137, 5353, 5355)
"""DNS, NetBIOS name service, mDNS, LLMNR: Zeek ``base/protocols/dns/main.zeek``."""


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """What happened on connections, in order of time.

    Attributes:
        data: the bytes that hold payloads.
        kinds: :data:`PAYLOAD`, :data:`ENDED` or :data:`GAP`.
        slots: which connection, by its place in the connection table; valid until the next batch.
        from_originator: 1 for what the originator sent, 0 for the responder.
        times: when.
        starts: where in `data` the payload begins.
        captured: bytes present of it.
        lengths: bytes of it by the headers; for a gap, bytes that are missing.
        stream_offsets: for TCP, how far into its direction's stream it begins; 0 otherwise.
        ended: slots of the connections that ended, in order.
    """

    data: Bytes
    kinds: Flags
    slots: Counts
    from_originator: Flags
    times: Times
    starts: Counts
    captured: Counts
    lengths: Counts
    stream_offsets: Counts
    ended: Counts
