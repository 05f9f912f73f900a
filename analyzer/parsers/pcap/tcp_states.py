"""What a TCP segment makes of the states of its connection's endpoints, and when it is closed.

Zeek src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc (UpdateStateMachine, ConnectionClosed,
EndpointEOF) and src/analyzer/protocol/tcp/TCP_Endpoint.cc (SetState).
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.connection_state import (
    ACTIVE,
    AT_END,
    CLOSE_DEFERRED,
    CLOSED,
    DEFERRED_REPORT,
    DID_CLOSE,
    DNS,
    ESTABLISHED,
    FIN_SEEN,
    INACTIVE,
    MIDSTREAM,
    ORIGINATOR_SEEN,
    PARTIAL,
    RESET,
    RESPONDER_SEEN,
    SYN_ACK_SENT,
    SYN_SENT,
    TIMED,
    Record,
)
from analyzer.parsers.pcap.message_roles import flush_dns_stream
from analyzer.parsers.pcap.parts import inlined, part
from analyzer.parsers.pcap.reassembly import data_pending
from analyzer.parsers.pcap.roles import flip
from analyzer.parsers.pcap.tcp_sequences import ACK, FIN, RST, SYN

TCP_ATTEMPT_DELAY = 5.0
TCP_CLOSE_DELAY = 5.0
TCP_INACTIVITY_TIMEOUT = 300.0
"""Seconds: tcp_attempt_delay, tcp_close_delay, tcp_inactivity_timeout of Zeek's
scripts/base/init-bare.zeek."""

CLOSING, REPORTED, JUST_ESTABLISHED = 1, 2, 4
"""What a segment did: it closes its side (do_close), Zeek raises an event for it (gen_event), it
completed a handshake."""

_NEVER = np.inf


@part
def set_inactivity(connection: Record, timeout: float) -> None:
    """Let a connection be over after so many seconds without a packet."""
    if timeout != connection.inactivity:
        connection.inactivity = timeout
        connection.inactivity_due = connection.last_time + timeout


@part
def set_state(connection: Record, endpoint: Record, peer: Record, state: int) -> None:
    """Change the state of an endpoint; a connection that is past its handshake may idle longer."""
    before = endpoint.state
    if state != before:
        if state > SYN_ACK_SENT and before <= SYN_ACK_SENT and peer.state <= SYN_ACK_SENT:
            set_inactivity(connection, TCP_INACTIVITY_TIMEOUT)
        endpoint.previous_state = before
        endpoint.state = state


@part
def _from_inactive(
    connection: Record,
    endpoint: Record,
    peer: Record,
    sequence: int,
    flags: int,
    length: int,
    time: float,
    is_originator: bool,
    ledger: Record,
) -> int:
    """What the first segment of an endpoint does (UpdateInactiveState)."""
    done = 0
    if flags & SYN:
        if is_originator:
            set_state(connection, endpoint, peer, SYN_ACK_SENT if flags & ACK else SYN_SENT)
            connection.attempt_due = time + TCP_ATTEMPT_DELAY
        else:
            if not flags & ACK and peer.state == SYN_ACK_SENT and sequence == endpoint.start:
                # SYN and SYN-ACK came in the wrong order.
                connection.flags &= ~PARTIAL
                flip(connection, ledger)
                set_state(connection, peer, endpoint, ESTABLISHED)
                connection.flags |= ORIGINATOR_SEEN
            if peer.state == SYN_SENT:
                set_state(connection, peer, endpoint, ESTABLISHED)
            set_state(connection, endpoint, peer, ESTABLISHED)
            if peer.state != MIDSTREAM:
                done |= JUST_ESTABLISHED
    if flags & FIN:
        set_state(connection, endpoint, peer, CLOSED)
        done |= CLOSING | REPORTED
    if flags & RST:
        set_state(connection, endpoint, peer, RESET)
        if is_originator:
            rejected = peer.state == ESTABLISHED
        else:
            rejected = peer.state == SYN_SENT or peer.state == SYN_ACK_SENT
        done = (done & ~REPORTED) | CLOSING | (0 if rejected else REPORTED)
    if endpoint.state == INACTIVE:
        if not is_originator and length == 0 and peer.state == SYN_SENT:
            pass  # some acknowledge a SYN before they answer it
        elif flags & ACK and peer.state == ESTABLISHED:
            set_state(connection, endpoint, peer, ESTABLISHED)
            connection.flags &= ~PARTIAL
            connection.flags |= ORIGINATOR_SEEN if is_originator else RESPONDER_SEEN
        else:
            set_state(connection, endpoint, peer, MIDSTREAM)
    return done


@part
def update_states(
    connection: Record,
    endpoint: Record,
    peer: Record,
    sequence: int,
    flags: int,
    length: int,
    time: float,
    is_originator: bool,
    ledger: Record,
) -> int:
    """Let a segment act on the states of both ends; what it did, as bits.

    Whether it is the originator's is what was so when it came, before it flipped the connection.
    """
    state = endpoint.state
    done = 0
    if state == INACTIVE:
        done = _from_inactive(
            connection, endpoint, peer, sequence, flags, length, time, is_originator, ledger
        )
    elif state == SYN_SENT or state == SYN_ACK_SENT:
        if flags & FIN:
            set_state(connection, endpoint, peer, CLOSED)
            done = CLOSING | REPORTED
        if flags & RST:
            set_state(connection, endpoint, peer, RESET)
            connection.flags &= ~ACTIVE
            done |= CLOSING
    elif state == ESTABLISHED or state == MIDSTREAM:
        if flags & SYN and not flags & ACK and state == MIDSTREAM and peer.state == INACTIVE:
            set_state(connection, endpoint, peer, SYN_SENT)
        if flags & FIN and not flags & RST:
            set_state(connection, endpoint, peer, CLOSED)
            if peer.state == RESET and peer.previous_state == CLOSED:
                # FIN, then RST: that was an ordinary end after all.
                set_state(connection, peer, endpoint, CLOSED)
            done = CLOSING | REPORTED
        if flags & RST:
            set_state(connection, endpoint, peer, RESET)
            done |= CLOSING
            if peer.state != RESET or peer.previous_state != ESTABLISHED:
                connection.flags &= ~ACTIVE
    elif state == CLOSED and flags & RST and peer.state != CLOSED:
        set_state(connection, endpoint, peer, RESET)
        if not endpoint.flags & DID_CLOSE:
            done = CLOSING
    return done


@part
def close_side(
    connection: Record,
    endpoint: Record,
    peer: Record,
    reported: int,
    ledger: Record,
) -> bool:
    """Close an endpoint's side, once its bytes are all there (ConnectionClosed).

    Returns:
        Whether Zeek sets one more repeated timer, since the other side is still open.
    """
    if connection.flags & DNS:
        flush_dns_stream(connection, endpoint, ledger)
        flush_dns_stream(connection, peer, ledger)
    if data_pending(endpoint, peer):
        connection.flags |= CLOSE_DEFERRED
        if reported:
            connection.flags |= DEFERRED_REPORT
        return False
    connection.flags &= ~CLOSE_DEFERRED
    if endpoint.flags & DID_CLOSE:
        return False
    endpoint.flags |= DID_CLOSE
    connection.flags |= TIMED
    if endpoint.state != RESET and not peer.flags & DID_CLOSE and peer.state != INACTIVE:
        return bool(endpoint.previous_state != INACTIVE)
    if endpoint.previous_state != INACTIVE or peer.state != INACTIVE:
        if connection.flags & DEFERRED_REPORT:
            connection.flags &= ~DEFERRED_REPORT
            reported = REPORTED
        if reported:
            connection.flags &= ~ACTIVE
    connection.attempt_due = _NEVER
    connection.expiry_group = -1
    connection.closing_group = -1
    connection.delete_due = connection.last_time + TCP_CLOSE_DELAY
    return False


@inlined
def check_end(connection: Record, endpoint: Record, peer: Record, ledger: Record) -> bool:
    """See whether an endpoint that closed has nothing outstanding (CheckEOF); as close_side."""
    again = False
    if (
        (endpoint.flags & FIN_SEEN or endpoint.state >= CLOSED)
        and not endpoint.flags & AT_END
        and not data_pending(endpoint, peer)
    ):
        endpoint.flags |= AT_END
        if connection.flags & CLOSE_DEFERRED:
            reported = connection.flags & DEFERRED_REPORT
            again = close_side(connection, endpoint, peer, reported, ledger)
            connection.flags &= ~CLOSE_DEFERRED
    return again
