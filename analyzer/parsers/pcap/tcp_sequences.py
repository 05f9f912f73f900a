"""Sequence numbers of TCP segments, and what they say of an endpoint's stream.

Zeek src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc (init_endpoint, get_relative_seq,
init_peer, update_ack_seq, update_last_seq).
"""

from __future__ import annotations

from analyzer.parsers.pcap.connection_history import add_scaled
from analyzer.parsers.pcap.connection_state import (
    ESTABLISHED,
    INACTIVE,
    MIDSTREAM,
    RESET,
    SYN_ACK_SENT,
    Record,
)
from analyzer.parsers.pcap.parts import expanded, inlined, number, part

FIN, SYN, RST, ACK = 1, 2, 4, 16
"""Bits of TCP's flags (RFC 9293)."""

TOO_LARGE_DELTA = 1048576
"""Bytes of a jump above which SYN, RST and zero acknowledgements are not trusted: ibid."""

WORD = 0xFFFFFFFF
_HALF = 0x80000000

_RETRANSMISSION = number(ord("T"))


@expanded
def sequence_delta(left: int, right: int) -> int:
    """How far one 32-bit sequence number is ahead of another, as a signed number."""
    return ((left - right + _HALF) & WORD) - _HALF


@inlined
def initialize(endpoint: Record, sequence: int, past: int, flags: int) -> None:
    """Begin to count an endpoint's bytes, or begin again at another SYN (init_endpoint)."""
    state = endpoint.state
    if state == INACTIVE:
        if flags & SYN:
            endpoint.start = sequence
            endpoint.acknowledged = sequence
            endpoint.last = past
        else:
            # As if there had been a SYN, so that the first byte is number 1.
            endpoint.start = (sequence - 1) & WORD
            endpoint.acknowledged = (sequence - 1) & WORD
            endpoint.last = sequence
    elif flags & SYN and (
        state == ESTABLISHED
        or state == MIDSTREAM
        or (state <= SYN_ACK_SENT and sequence != endpoint.start)
        or (state == RESET and endpoint.previous_state == INACTIVE)
    ):
        endpoint.start = sequence
        endpoint.acknowledged = sequence
        endpoint.last = past


@part
def relative(start: int, sequence: int, last: int, wraps: int) -> int:
    """How far a sequence number is from an endpoint's start (get_relative_seq).

    Below zero where it is ahead of the start, which Zeek calls an underflow.
    """
    delta = sequence_delta(sequence, last)
    if delta < 0:
        if wraps and sequence > last:
            wraps -= 1
    elif delta > 0 and sequence < last:
        wraps += 1
    if wraps == 0:
        return sequence_delta(sequence, start)
    return sequence + (wraps << 32) - start


@inlined
def take_acknowledgement(endpoint: Record, number: int, flags: int) -> int:
    """Note what the peer acknowledges; the relative number, 0 where it makes no sense."""
    result = 1
    if endpoint.state == INACTIVE:
        endpoint.start = (number - 1) & WORD
        endpoint.acknowledged = (number - 1) & WORD
        endpoint.last = (number - 1) & WORD
    else:
        result = relative(
            endpoint.start, number, endpoint.acknowledged, endpoint.acknowledged_wraps
        )
        if result < 0:
            result = 0
        elif not flags & RST:
            delta = sequence_delta(number, endpoint.acknowledged)
            if delta > 0 and not (number == 0 and delta > TOO_LARGE_DELTA):
                if number < endpoint.acknowledged:
                    endpoint.acknowledged_wraps += 1
                endpoint.acknowledged = number
    return result


@inlined
def update_last(
    connection: Record, endpoint: Record, past: int, flags: int, length: int, ledger: Record
) -> int:
    """Note how far an endpoint has come; how far ahead of that the segment went, below 0 if not."""
    delta = sequence_delta(past, endpoint.last)
    untrusted = flags & (SYN | RST) and (delta > TOO_LARGE_DELTA or delta < -TOO_LARGE_DELTA)
    if not untrusted:
        # A stream of which only SYN and FIN are there can be longer than half the numbers.
        only_ends = flags & FIN and endpoint.last == (endpoint.start + 1) & WORD
        if only_ends or (endpoint.state != RESET and delta > 0):
            if past < endpoint.last:
                endpoint.last_wraps += 1
            endpoint.last = past
        elif endpoint.state != RESET and length > 0:
            endpoint.retransmissions += 1
            add_scaled(connection, endpoint, _RETRANSMISSION, endpoint.retransmissions, ledger)
    return delta
