"""What is known of an open connection, and of each of its two ends."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.parts import number

Record: TypeAlias = Any
"""One connection, one endpoint: an element of an array of :data:`CONNECTION`, :data:`ENDPOINT`."""

Records: TypeAlias = npt.NDArray[Any]

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
"""IP protocol numbers (IANA)."""

HISTORY_INLINE = 24
"""Letters of the history kept in the record itself; what is beyond goes to the spill."""

CONNECTION = np.dtype(
    [
        # What every datagram needs stands together: memory comes in pieces of 64 bytes.
        ("originator_high", "u8"),
        ("originator_low", "u8"),
        ("responder_high", "u8"),
        ("responder_low", "u8"),
        ("originator_port", "u2"),
        ("responder_port", "u2"),
        ("protocol", "u1"),
        ("occupied", "u1"),  # FREE, OPEN, OVER
        ("originator_side", "u1"),  # which of the two endpoints the originator is
        ("carrier_changes", "u1"),
        ("flags", "i4"),
        ("history_seen", "i4"),  # letters that stand only once, Zeek's hist_seen
        ("last_time", "f8"),
        ("seen_at", "f8"),  # how far the capture's clock was at the last packet
        ("inactivity_due", "f8"),  # when it is looked at next whether it idled for too long
        ("attempt_due", "f8"),  # when an unanswered SYN is given up, inf: never
        ("delete_due", "f8"),  # when a closed connection is forgotten, inf: never
        ("history_length", "u2"),
        ("history", "u1", HISTORY_INLINE),
        ("first_time", "f8"),
        ("inactivity", "f8"),  # seconds without a packet after which it is over
        ("serial", "i8"),  # how many connections were opened before it
        ("missed_bytes", "i8"),
        ("uid_low", "u8"),
        ("parent_low", "u8"),  # the first tunnel that carried it
        ("carrier_low", "u8"),  # the latest
        ("uid_high", "u4"),
        ("parent_high", "u4"),
        ("expiry_group", "i4"),  # repeated timers, expiry_chains.py; -1: none
        ("closing_group", "i4"),
    ],
    align=True,
)
"""A connection. Its endpoints stand at twice its place in the array of endpoints, and after it."""

ENDPOINT = np.dtype(
    [
        ("state", "u1"),
        ("previous_state", "u1"),
        ("flags", "u1"),
        ("side", "u1"),
        ("payloads", "u1"),  # payload events of it, at most 255
        ("message_seen", "u1"),  # DNS over TCP, message_roles.py
        ("message_flags", "u1"),
        ("start", "i8"),  # TCP: sequence number of the SYN
        ("last", "i8"),  # one past the last sequence number seen
        ("acknowledged", "i8"),  # what the peer acknowledged last
        ("last_wraps", "i8"),  # how often the sequence numbers wrapped around
        ("acknowledged_wraps", "i8"),
        ("delivered", "i8"),  # relative to start: where the contiguous bytes end, last_reassem_seq
        ("trimmed", "i8"),  # relative: what is acknowledged and forgotten, trim_seq
        ("packets", "i8"),
        ("ip_bytes", "i8"),
        ("payload_bytes", "i8"),  # UDP and ICMP, by role and not by end; -1: nothing sent
        ("buffered_to", "i8"),  # relative: where the last block ends
        ("first_block", "i4"),  # blocks above a hole, stream_blocks.py; -1: none
        ("last_block", "i4"),
        ("held", "i8"),  # bytes above a hole
        ("fin_sequence", "i8"),  # relative: one past the FIN
        ("last_syn", "i8"),  # relative sequence numbers, for the history
        ("last_fin", "i8"),
        ("last_rst", "i8"),
        ("retransmissions", "i8"),
        ("zero_windows", "i8"),
        ("gaps", "i8"),
        ("blocks", "i4"),
        ("message_left", "i4"),
        ("message_questions", "i4"),
    ],
    align=True,
)
"""One end of a connection."""

FREE, OPEN, OVER = 0, 1, 2
"""Values of ``occupied``."""

PARTIAL, ACTIVE, CLOSE_DEFERRED, DEFERRED_REPORT = 1, 2, 4, 8
ORIGINATOR_SEEN, RESPONDER_SEEN = 16, 32
DNS, NTP, FIRST_MESSAGE_SEEN, DNS_GONE = 64, 128, 256, 512
NTP_ORIGINATOR_FLIPPED, NTP_RESPONDER_FLIPPED = 1024, 2048
CARRIED, TIMED = 4096, 8192
"""Flags of a connection; the first six are those of Zeek's TCPSessionAdapter. TIMED ones can be
ended by the timers in expiry_chains.py."""

DID_CLOSE, FIN_SEEN, SKIPPING, AT_END, STREAM_LOST = 1, 2, 4, 8, 16
"""Flags of an endpoint: did_close, FIN_cnt > 0, skip_deliveries, did_EOF; no longer in step with
the messages in its stream."""

INACTIVE, SYN_SENT, SYN_ACK_SENT, MIDSTREAM, ESTABLISHED, CLOSED, RESET = map(number, range(7))
"""States of a TCP endpoint (Zeek src/analyzer/protocol/tcp/TCP_Endpoint.h; there PARTIAL is what
is MIDSTREAM here)."""

EVENT = np.dtype(
    [
        ("time", "f8"),
        ("slot", "i8"),
        ("start", "i8"),
        ("captured", "i8"),
        ("length", "i8"),
        ("stream_offset", "i8"),
        ("kind", "u1"),
        ("from_originator", "u1"),
    ],
    align=True,
)
"""A flow event, as :class:`~analyzer.parsers.pcap.batches.FlowBatch` describes its columns."""

BLOCK = np.dtype([("start", "i8"), ("end", "i8"), ("next", "i4"), ("previous", "i4")], align=True)
"""Bytes of a TCP stream that came before those in front of them."""

GROUP = np.dtype([("acted", "f8"), ("parent", "i4")], align=True)
"""Repeated timers that act together: when they did last, and the group they were merged into."""

TIMER = np.dtype([("due", "f8"), ("group", "i4")], align=True)
"""A place in a queue of groups."""

QUEUES = 3
SPILL = 512

LEDGER = np.dtype(
    [
        ("network_time", "f8"),  # the latest time of any packet so far
        ("next_due", "f8"),  # when the next repeated timer acts
        ("row", "i8"),  # the datagram that comes next
        ("packet", "i8"),  # the packet whose time comes next
        ("events", "i8"),  # how many there are
        ("serial", "i8"),  # connections opened so far
        ("live", "i8"),  # connections in the table
        ("until_sweep", "i8"),  # datagrams until ended connections are looked for
        ("free_slots", "i8"),
        ("free_block", "i8"),  # the first of a list
        ("free_blocks", "i8"),
        ("groups", "i8"),
        ("heads", "i8", QUEUES),
        ("tails", "i8", QUEUES),
        ("spilled", "i8"),  # letters of histories that are too long for their records
        ("spilled_serials", "i8", SPILL),
        ("spilled_letters", "u1", SPILL),
        ("parents", "i8"),  # further tunnels that carried a connection
        ("parent_serials", "i8", SPILL),
        ("parent_highs", "u4", SPILL),
        ("parent_lows", "u8", SPILL),
    ],
    align=True,
)
"""Where the loop over datagrams stands, and what it cannot keep in the other arrays."""
