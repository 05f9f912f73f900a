"""The loop over datagrams: finds or opens the connection of each, and lets it act on that.

Zeek src/packet_analysis/protocol/ip/IPBasedAnalyzer.cc (AnalyzePacket, NewConn).
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import (
    Halves,
    Numbers,
    SegmentBatch,
    Times,
)
from analyzer.parsers.pcap.connection_keys import find, insert, tuple_hash
from analyzer.parsers.pcap.connection_state import (
    DNS,
    ICMP,
    ICMP6,
    SPILL,
    TCP,
    UDP,
    Record,
    Records,
)
from analyzer.parsers.pcap.datagrams import add_payload, counterpart, udp_datagram
from analyzer.parsers.pcap.expiry_chains import (
    DNS_QUEUE,
    DNS_SESSION_TIMEOUT,
    NEVER,
    TCP_AGAIN,
    TCP_FIRST,
    TCP_SESSION_TIMER,
    TCP_SYN_TIMEOUT,
    advance,
    start_timer,
)
from analyzer.parsers.pcap.lifetimes import (
    end_connection,
    is_over,
    let_idle_longer,
    may_be_over,
    open_connection,
)
from analyzer.parsers.pcap.parts import inlined, loop, wide
from analyzer.parsers.pcap.roles import (
    DNS_SERVER,
    FTP_SERVER,
    attach_analyzers,
    flip,
    is_broadcast,
    is_reversed,
)
from analyzer.parsers.pcap.tcp import is_reuse, segment
from analyzer.parsers.pcap.tcp_sequences import ACK, SYN
from analyzer.parsers.pcap.tcp_states import CLOSING, JUST_ESTABLISHED
from analyzer.parsers.pcap.tracking_arrays import State
from analyzer.parsers.pcap.tunnel_parents import identify_carrier, note_carrier

DONE, NEED_SLOTS, NEED_EVENTS, NEED_SWEEP, NEED_BLOCKS, NEED_SPILL = range(6)
"""Why the loop returns: all rows are done, or something has to be made larger or emptied first."""

_SPARE_EVENTS, _SPARE_LETTERS, _SPARE_GROUPS, _SPARE_BLOCKS = 8, 32, 4, 2


@inlined
def _lacks(state_events: Records, groups: Records, ledger: Record) -> int:
    """What there is no room left for, before a datagram."""
    need = DONE
    if state_events.size - ledger.events < _SPARE_EVENTS:
        need = NEED_EVENTS
    elif ledger.free_slots == 0:
        need = NEED_SLOTS
    elif groups.size - ledger.groups < _SPARE_GROUPS or ledger.until_sweep <= 0:
        need = NEED_SWEEP
    elif ledger.free_blocks < _SPARE_BLOCKS:
        need = NEED_BLOCKS
    elif SPILL - ledger.spilled < _SPARE_LETTERS or ledger.parents == SPILL:
        need = NEED_SPILL
    return need


@loop
def follow(
    rows: SegmentBatch,
    packet_times: Times,
    identity_high: Numbers,
    identity_low: Halves,
    key: np.uint64,
    state: State,
) -> int:
    """Go through rows, from where the ledger says, until something has to be done outside.

    Args:
        rows: the datagrams.
        packet_times: when each packet came, of those without a datagram too: all move the clock.
        identity_high: for each row, if this is as long, the upper half of its flow's identity.
        identity_low: likewise the lower 64.
        key: of the hash.
        state: all else; changed.

    Returns:
        Why it returned.
    """
    (
        data, times, source_highs, source_lows, destination_highs, destination_lows, protocols,
        source_ports, destination_ports, ip_lengths, payload_starts, payload_captured,
        payload_lengths, sequences, acknowledgements, tcp_flags, windows, carriers, is_carrier,
    ) = rows  # fmt: skip
    connections, endpoints, buckets, free_slots, blocks, groups, timers, ports, events, ledgers = (
        state
    )
    ledger = ledgers[0]
    for row in range(ledger.row, times.size):
        ledger.row = row
        time = times[row]
        advance(packet_times, time, groups, timers, ledger)
        now = ledger.network_time
        source_high, source_low = source_highs[row], source_lows[row]
        destination_high, destination_low = destination_highs[row], destination_lows[row]
        if is_carrier[row]:
            identify_carrier(
                row, source_high, source_low, destination_high, destination_low,
                identity_high, identity_low,
            )  # fmt: skip
            continue
        need = _lacks(events, groups, ledger)
        if need != DONE:
            return need
        protocol = wide(protocols[row])
        source_port = wide(source_ports[row])
        destination_port = wide(destination_ports[row])
        one_way = False
        if protocol == ICMP or protocol == ICMP6:
            answer = counterpart(protocol, source_port)
            one_way = answer < 0
            if not one_way:
                destination_port = answer
        flags = wide(tcp_flags[row])
        sequence = wide(sequences[row])
        hashed = tuple_hash(
            source_high, source_low, source_port,
            destination_high, destination_low, destination_port, protocol, key,
        )  # fmt: skip
        found = find(
            buckets, connections, hashed,
            source_high, source_low, source_port,
            destination_high, destination_low, destination_port, protocol, one_way,
        )  # fmt: skip
        if found >= 0:
            slot = found >> 1
            connection = connections[slot]
            place = 2 * slot + connection.originator_side
            originator, responder = endpoints[place], endpoints[4 * slot + 1 - place]
            if events.size - ledger.events < _SPARE_EVENTS + originator.blocks + responder.blocks:
                return NEED_EVENTS
            if (
                may_be_over(connection, now)
                and is_over(connection, originator, responder, now, groups)
            ) or (
                protocol == TCP
                and ip_lengths[row] >= 0
                and is_reuse(originator, responder, sequence, flags)
            ):
                end_connection(slot, connections, endpoints, buckets, key, blocks, events, ledger)
                found = -1
        ledger.until_sweep -= 1
        if found < 0:
            ledger.free_slots -= 1
            slot = free_slots[ledger.free_slots]
            found = 2 * slot
            connection = connections[slot]
            connection.originator_high = source_high
            connection.originator_low = source_low
            connection.responder_high = destination_high
            connection.responder_low = destination_low
            connection.originator_port = source_port
            connection.responder_port = destination_port
            connection.protocol = protocol
            open_connection(connection, time, ledger)
            insert(buckets, hashed, slot)
            if is_reversed(
                protocol, source_port, destination_port, flags & SYN, flags & ACK, ports
            ) and not is_broadcast(destination_high, destination_low):
                flip(connection, ledger)
                found += 1
            attach_analyzers(connection, ports)
            if protocol == TCP:
                connection.expiry_group = start_timer(
                    TCP_FIRST, now + TCP_SYN_TIMEOUT, groups, timers, ledger
                )
            elif connection.flags & DNS:
                connection.expiry_group = start_timer(
                    DNS_QUEUE, now + DNS_SESSION_TIMEOUT, groups, timers, ledger
                )
        if identity_low.size:
            identity_high[row] = connection.uid_high
            identity_low[row] = connection.uid_low
            carrier = carriers[row]
            if carrier >= 0:
                note_carrier(
                    connection, wide(identity_high[carrier]), identity_low[carrier], ledger
                )
        connection.seen_at = now
        ip_length = ip_lengths[row]
        if ip_length < 0:
            continue  # a TCP header that is cut or broken: counted nowhere
        start, captured = payload_starts[row], payload_captured[row]
        length = payload_lengths[row]
        dns_port = wide((ports[source_port] | ports[destination_port]) & (DNS_SERVER | FTP_SERVER))
        place = 2 * slot + (connection.originator_side ^ (found & 1))
        endpoint, peer = endpoints[place], endpoints[4 * slot + 1 - place]
        counted = endpoint
        if protocol == TCP:
            done = segment(
                connection, endpoint, peer, slot,
                sequence, wide(acknowledgements[row]), flags, wide(windows[row]),
                data, start, captured, length, time, dns_port,
                blocks, events, ledger,
            )  # fmt: skip
            if done & CLOSING:
                connection.closing_group = start_timer(
                    TCP_AGAIN, now + TCP_SESSION_TIMER, groups, timers, ledger
                )
            if done & JUST_ESTABLISHED:
                let_idle_longer(connection, endpoints[2 * slot + connection.originator_side], ports)
        elif protocol == UDP:
            if udp_datagram(
                connection, endpoint, peer, slot,
                data, start, captured, length, time, dns_port, events, ledger,
            ):  # fmt: skip
                # Counted by the role it had when it came (UDP.cc, ConnSize.cc).
                counted = peer
        else:
            connection.last_time = time
            if protocol == ICMP or protocol == ICMP6:
                add_payload(endpoint, length)
                if captured < length:
                    continue  # ICMP.cc does not count what is cut
        counted.packets += 1
        counted.ip_bytes += ip_length
    ledger.row = times.size
    advance(packet_times, NEVER, groups, timers, ledger)
    return DONE
