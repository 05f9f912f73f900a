"""How connections begin and end.

Zeek src/packet_analysis/protocol/ip/IPBasedAnalyzer.cc (NewConn), src/session/Session.cc
(InactivityTimer), src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc (AttemptTimer,
ExpireTimer), src/analyzer/protocol/dns/DNS.cc (ExpireTimer).
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Counts, Flags
from analyzer.parsers.pcap.connection_keys import mixed, record_hash, remove
from analyzer.parsers.pcap.connection_state import (
    ACTIVE,
    DID_CLOSE,
    INACTIVE,
    OPEN,
    OVER,
    RESET,
    SYN_ACK_SENT,
    TCP,
    TIMED,
    Record,
    Records,
)
from analyzer.parsers.pcap.expiry_chains import DNS_SESSION_TIMEOUT, NEVER, last_acted
from analyzer.parsers.pcap.flow_events import ENDED, note_event
from analyzer.parsers.pcap.parts import expanded, loop, number, part, wide
from analyzer.parsers.pcap.roles import LONG_LIVED, TCP_SERVER
from analyzer.parsers.pcap.stream_blocks import clear_blocks
from analyzer.parsers.pcap.tcp_states import set_inactivity
from analyzer.parsers.pcap.tracking_arrays import State

UDP_INACTIVITY_TIMEOUT = 60.0
CONNECTION_LINGER = 5.0
DNS_IDLE = DNS_SESSION_TIMEOUT - 1.0
"""Seconds: udp_, icmp_ and unknown_ip_inactivity_timeout, also of TCP until its handshake is over,
and tcp_connection_linger of Zeek's scripts/base/init-bare.zeek; DNS.cc, ibid."""

LONG_INACTIVITY_TIMEOUT = 3600.0
"""Seconds: scripts/base/protocols/conn/inactivity.zeek."""

_SALT, _PORT_SHIFT, _HALF_SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(48), np.uint64(32)
_MICROSECONDS = 1e6
_NONE = number(0)


@part
def is_over(
    connection: Record, originator: Record, responder: Record, now: float, groups: Records
) -> bool:
    """Whether a timer has ended a connection since its last packet."""
    if connection.inactivity_due <= now:
        if connection.last_time + connection.inactivity <= now:
            return True
        connection.inactivity_due = connection.last_time + connection.inactivity
    if connection.delete_due <= now:
        return True
    if connection.attempt_due <= now and connection.flags & ACTIVE:
        if INACTIVE < originator.state <= SYN_ACK_SENT and responder.state == INACTIVE:
            return True
        connection.attempt_due = NEVER
    if not connection.flags & TIMED:
        return False
    last = last_acted(wide(connection.expiry_group), groups)
    if connection.protocol != TCP:
        return bool(last > connection.seen_at and last - connection.last_time >= DNS_IDLE)
    if not connection.flags & ACTIVE or not (
        originator.flags & responder.flags & DID_CLOSE
        or originator.state == RESET
        or responder.state == RESET
        or originator.state == INACTIVE
        or responder.state == INACTIVE
    ):
        return False
    closing = last_acted(wide(connection.closing_group), groups)
    if closing > last:
        last = closing
    return bool(last > connection.seen_at and last > connection.last_time + CONNECTION_LINGER)


@expanded
def may_be_over(connection: Record, now: float) -> bool:
    """Whether it is worth asking whether it is over."""
    worth_it: bool = (
        connection.inactivity_due <= now
        or connection.delete_due <= now
        or connection.attempt_due <= now
        or connection.flags & TIMED != 0
    )
    return worth_it


@part
def end_connection(
    slot: int, connections: Records, endpoints: Records, buckets: Counts, key: np.uint64,
    blocks: Records, events: Records, ledger: Record,
) -> None:  # fmt: skip
    """Take a connection out of the table; its slot stays as it is until it is freed."""
    connection = connections[slot]
    remove(buckets, record_hash(connection, key), slot)
    clear_blocks(endpoints[2 * slot], blocks, ledger)
    clear_blocks(endpoints[2 * slot + 1], blocks, ledger)
    connection.occupied = OVER
    ledger.live -= 1
    note_event(
        ENDED, slot, connection, endpoints[2 * slot], ledger.network_time,
        _NONE, _NONE, _NONE, _NONE, events, ledger,
    )  # fmt: skip


@loop
def end_all(state: State, key: np.uint64, slots: Counts, until: float) -> None:
    """End those connections that timers have ended by a time; all, if it is :data:`NEVER`.

    There has to be room for as many events.
    """
    connections, endpoints, buckets, groups = (
        state.connections, state.endpoints, state.buckets, state.groups,
    )  # fmt: skip
    blocks, events, ledger = state.blocks, state.events, state.ledger[0]
    for at in range(slots.size):
        slot = slots[at]
        connection = connections[slot]
        place = 2 * slot + connection.originator_side
        if until == NEVER or is_over(
            connection, endpoints[place], endpoints[4 * slot + 1 - place], until, groups
        ):
            end_connection(slot, connections, endpoints, buckets, key, blocks, events, ledger)


@part
def open_connection(connection: Record, time: float, ledger: Record) -> None:
    """Begin a connection whose ends and protocol are filled in, with its first datagram.

    All else in its record and in those of its endpoints has to be as it was at first.
    """
    connection.first_time = time
    connection.last_time = time
    set_inactivity(connection, UDP_INACTIVITY_TIMEOUT)
    connection.serial = ledger.serial
    connection.flags = ACTIVE
    connection.occupied = OPEN
    ledger.serial += 1
    ledger.live += 1
    # Numbers that no other connection has, and that every run gives it.
    ends = mixed(
        mixed(connection.originator_low + np.uint64(connection.originator_port))
        + (connection.originator_high ^ connection.responder_high) * _SALT
        + connection.responder_low
        + (np.uint64(connection.responder_port) << _PORT_SHIFT)
    )
    connection.uid_low = mixed(ends + np.uint64(connection.serial))
    instant = np.uint64(wide(time * _MICROSECONDS))
    connection.uid_high = mixed(connection.uid_low ^ ends ^ instant) >> _HALF_SHIFT


@part
def let_idle_longer(connection: Record, originator: Record, ports: Flags) -> None:
    """Let a connection idle longer whose service is known for that (inactivity.zeek)."""
    service = connection.responder_port
    if (
        originator.state == INACTIVE
        and not ports[service] & TCP_SERVER
        and ports[connection.originator_port] & TCP_SERVER
    ):
        service = connection.originator_port
    if ports[service] & LONG_LIVED:
        set_inactivity(connection, LONG_INACTIVITY_TIMEOUT)
