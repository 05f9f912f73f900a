"""What the loop over packets and :mod:`batch_decoding` tell each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.parsers.pcap.batches import Counts, Flags, Halves, Numbers, Ports, Times

DONE, NO_ROOM, RARE_LAYER, EXTENDED, FRAGMENTED, TUNNELLED = range(6)
"""Why the loop stopped: no packets left; too few rows left; a layer to be read in Python; IPv6 with
extension headers; a fragment that is all there; something carried by the row just written."""

(
    PACKET,
    STOP,
    ROW,
    LAYER,
    START,
    END,
    WIRE_END,
    CAPTURED_END,
    CARRIER,
    DEPTH,
    LAST_TUNNEL,
    VERSION,
    HEADER,
    IP_LENGTH,
    PROTOCOL,
    LAST_HEADER,
    SOURCE,
    DESTINATION,
    WHOLE,
    TAKEN,
    ENTERED,
    CAREFUL,
    STATE_SIZE,
) = range(23)
"""Places in the state, which is one array of numbers.

Packet at hand, the one to stop before, rows written. Layer (of :mod:`links`), where it starts and
ends, and where its packet ends on the wire and as captured. Row of the datagram that carries it,
how many carry each other, and the kind of the innermost tunnel. Of the IP header: version, bytes of
all headers, length of the datagram, protocol of its payload, type of the last header, where source
and destination stand. 1 for a datagram made whole; 1 if Zeek took the last frame for good; 1 if it
was in a tunnel that Zeek takes for good whatever is in it; 1 if any connection's tunnel was broken.
"""

UNCOUNTED = -1
"""As `ip_lengths`: Zeek finds or opens the connection of a TCP segment whose header is broken or
not all there, and counts no packet (src/packet_analysis/protocol/tcp/TCP.cc, ExtractTCP_Header)."""

TOO_DEEP_FLAG = 0x100
"""In `tcp_flags` of a UDP datagram: it has a tunnel in it that Zeek does not go into because it is
too deep already, which it notes as ``X`` in the connection's history."""


class Rows(NamedTuple):
    """The columns of a :class:`analyzer.parsers.pcap.batches.SegmentBatch`, to be filled."""

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


def empty_rows(count: int) -> Rows:
    """Room for as many rows."""
    return Rows(
        times=np.empty(count, np.float64),
        source_high=np.empty(count, np.uint64),
        source_low=np.empty(count, np.uint64),
        destination_high=np.empty(count, np.uint64),
        destination_low=np.empty(count, np.uint64),
        protocols=np.empty(count, np.uint8),
        source_ports=np.empty(count, np.uint16),
        destination_ports=np.empty(count, np.uint16),
        ip_lengths=np.empty(count, np.int64),
        payload_starts=np.empty(count, np.int64),
        payload_captured=np.empty(count, np.int64),
        payload_lengths=np.empty(count, np.int64),
        sequences=np.empty(count, np.uint32),
        acknowledgements=np.empty(count, np.uint32),
        tcp_flags=np.empty(count, np.uint16),
        windows=np.empty(count, np.uint16),
        carriers=np.empty(count, np.int64),
        is_carrier=np.empty(count, np.uint8),
    )
