"""What a TCP segment tells of its connection.

Zeek src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc (Process, IsReuse), step by step in its
order: what comes out, letter by letter of the history, depends on that.
"""

from __future__ import annotations

from analyzer.parsers.pcap.batches import Bytes
from analyzer.parsers.pcap.connection_history import LOWER, add_code, add_scaled, check_history
from analyzer.parsers.pcap.connection_state import (
    CLOSED,
    DID_CLOSE,
    DNS,
    FIN_SEEN,
    INACTIVE,
    ORIGINATOR_SEEN,
    PARTIAL,
    RESET,
    RESPONDER_SEEN,
    STREAM_LOST,
    SYN_ACK_SENT,
    Record,
    Records,
)
from analyzer.parsers.pcap.flow_events import PAYLOAD, note_event
from analyzer.parsers.pcap.message_roles import dns_stream
from analyzer.parsers.pcap.parts import expanded, inlined, number, part, wide
from analyzer.parsers.pcap.reassembly import acknowledge, data_sent
from analyzer.parsers.pcap.roles import flip
from analyzer.parsers.pcap.tcp_sequences import (
    ACK,
    FIN,
    RST,
    SYN,
    WORD,
    initialize,
    relative,
    take_acknowledgement,
    update_last,
)
from analyzer.parsers.pcap.tcp_states import (
    CLOSING,
    JUST_ESTABLISHED,
    REPORTED,
    check_end,
    close_side,
    update_states,
)

STREAM_HEAD = 4096
"""Bytes at the start of each direction whose payload events are given out."""

_SEEN_SYN, _SEEN_FIN, _SEEN_RST, _SEEN_FIN_RST = map(number, (0x1, 0x2, 0x4, 0x8))
_SEEN_DATA, _SEEN_ACK, _SEEN_MULTIPLE = map(number, (0x10, 0x20, 0x40))

_S, _H, _F, _R, _I, _Q, _D, _A = map(number, b"SHFRIQDA")
_WINDOW, _FLIPPED = map(number, b"W^")


@inlined
def is_reuse(originator: Record, responder: Record, sequence: int, flags: int) -> bool:
    """Whether a segment opens a new connection between the ends of one that is still known."""
    reuse = False
    if flags & SYN and not (flags & ACK and originator.state != INACTIVE):
        start = responder.start if flags & ACK else originator.start
        # SYN and SYN-ACK in the wrong order are one connection.
        swapped = (
            not flags & ACK
            and originator.state == SYN_ACK_SENT
            and responder.state == INACTIVE
            and sequence == responder.start
        )
        reuse = (originator.flags | responder.flags) & DID_CLOSE != 0 or (
            sequence != start and not swapped
        )
    return reuse


@part
def _note_control(
    connection: Record, endpoint: Record, flags: int, number: int, length: int, ledger: Record
) -> None:
    """Write a segment with SYN, FIN or RST into the history (update_history)."""
    control = flags & (SYN | FIN | RST)
    if control == SYN:
        seen, last = _SEEN_SYN, endpoint.last_syn
        code = _H if flags & ACK else _S
        endpoint.last_syn = number
    elif control == FIN:
        seen, code, last = _SEEN_FIN, _F, endpoint.last_fin
        number += length
        endpoint.last_fin = number
    elif control == RST:
        seen, code, last = _SEEN_RST, _R, endpoint.last_rst
        endpoint.last_rst = number
    elif flags & FIN and flags & RST:
        seen, code, last = _SEEN_FIN_RST, _I, number
    else:
        seen, code, last = _SEEN_MULTIPLE, _Q, number
    # Where its sequence number is another than last time, it is written again.
    if check_history(connection, endpoint, seen, code, ledger) and number != last:
        add_code(connection, endpoint, code, ledger)


@inlined
def _note_data(
    connection: Record, endpoint: Record, flags: int, length: int, ledger: Record
) -> None:
    """Write a segment without SYN, FIN and RST into the history (update_history)."""
    if length or flags & ACK:
        if connection.history_length == 1 and connection.history[0] == _H:
            # A SYN-ACK came first, and then no reset: that was the responder (TCP_Endpoint.cc).
            flip(connection, ledger)
            connection.history[0] = _FLIPPED
            connection.history[1] = _H + LOWER
            connection.flags |= ORIGINATOR_SEEN
        if length:
            check_history(connection, endpoint, _SEEN_DATA, _D, ledger)
        else:
            check_history(connection, endpoint, _SEEN_ACK, _A, ledger)


@expanded
def _note_partial(connection: Record, is_originator: bool, flags: int) -> None:
    """See whether the first segment of an end is no handshake's (SetPartialStatus)."""
    seen = ORIGINATOR_SEEN if is_originator else RESPONDER_SEEN
    if not connection.flags & seen:
        if not flags & SYN or (is_originator and flags & ACK):
            connection.flags |= PARTIAL
        elif is_originator:
            connection.flags &= ~PARTIAL


@part
def segment(
    connection: Record, endpoint: Record, peer: Record, slot: int,
    sequence: int, acknowledgement: int, flags: int, window: int,
    data: Bytes, start: int, captured: int, length: int, time: float, dns_port: int,
    blocks: Records, events: Records, ledger: Record,
) -> int:  # fmt: skip
    """Let a segment act on its connection.

    Args:
        connection: the connection.
        endpoint: the end that sent it.
        peer: the other end.
        slot: place of the connection.
        sequence: its sequence number.
        acknowledgement: its acknowledgement number.
        flags: its flags.
        window: its window, not scaled.
        data: the bytes that hold it.
        start: where its payload begins.
        captured: bytes present of its payload.
        length: bytes of its payload.
        time: when it came.
        dns_port: not 0 if all of its payload is of interest.
        blocks: blocks above holes; two have to be free.
        events: where payload and gaps are noted; there has to be room for two and one for each
            block of both ends.
        ledger: the counters.

    Returns:
        :data:`JUST_ESTABLISHED` where it completed a handshake, and :data:`CLOSING` where one more
        repeated timer has to be set.
    """
    is_originator = endpoint.side == connection.originator_side
    _note_partial(connection, is_originator, flags)
    consumed = 0 if flags & RST else length
    if flags & SYN:
        consumed += 1
    if flags & FIN:
        consumed += 1
    past = (sequence + consumed) & WORD
    initialize(endpoint, sequence, past, flags)
    number = relative(endpoint.start, sequence, endpoint.last, endpoint.last_wraps)
    if flags & (SYN | FIN | RST):
        _note_control(connection, endpoint, flags, number, length, ledger)
    else:
        _note_data(connection, endpoint, flags, length, ledger)
    if window == 0 and not flags & RST and peer.state != CLOSED and endpoint.state != RESET:
        endpoint.zero_windows += 1
        add_scaled(connection, endpoint, _WINDOW, endpoint.zero_windows, ledger)
    if not endpoint.flags & peer.flags & DID_CLOSE:
        connection.last_time = time
    if flags & FIN:
        endpoint.flags |= FIN_SEEN
        endpoint.fin_sequence = number + consumed
    acknowledged = 0
    if flags & ACK:
        acknowledged = take_acknowledgement(peer, acknowledgement, flags)
    ahead = update_last(connection, endpoint, past, flags, length, ledger)
    done = wide(0)
    if flags & (SYN | FIN | RST) or endpoint.state == INACTIVE:
        done = update_states(
            connection, endpoint, peer, sequence, flags, length, time, is_originator, ledger
        )
    again = False
    if flags & ACK and acknowledge(
        acknowledged, slot, connection, peer, endpoint, blocks, events, ledger
    ):
        again = check_end(connection, peer, endpoint, ledger)
    connection.flags |= (
        ORIGINATOR_SEEN if endpoint.side == connection.originator_side else RESPONDER_SEEN
    )
    if length > 0 and number >= 0 and not flags & RST:
        first = number + 1 if flags & SYN else number
        skipped = endpoint.delivered - first
        new = ahead > 0
        if captured >= length:
            new = data_sent(first, length, endpoint, peer, blocks, ledger)
            if (
                new
                and connection.flags & DNS
                and not endpoint.flags & STREAM_LOST
                and 0 <= skipped < length
            ):
                dns_stream(connection, endpoint, data, start + skipped, start + length, ledger)
        if new and captured > 0 and (dns_port or first <= STREAM_HEAD):
            if captured > length:
                captured = length
            note_event(
                PAYLOAD, slot, connection, endpoint, time,
                start, captured, length, first - 1, events, ledger,
            )  # fmt: skip
    if check_end(connection, endpoint, peer, ledger):
        again = True
    if done & CLOSING and close_side(connection, endpoint, peer, done & REPORTED, ledger):
        again = True
    return (done & JUST_ESTABLISHED) | (CLOSING if again else 0)
