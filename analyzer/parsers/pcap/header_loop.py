"""The loop over packets that finds IP datagrams and their transport headers.

What is common is read here, compiled; where anything rare turns up the loop stops and leaves it to
:mod:`batch_decoding`, which changes the state and lets the loop go on. The rules are those of
Zeek's ``src/packet_analysis/protocol/{ip,tcp,udp,icmp,unknown_ip_transport}``, checksums ignored.
"""

from __future__ import annotations

from analyzer.parsers.pcap import decoding_state as place
from analyzer.parsers.pcap import internet
from analyzer.parsers.pcap.batches import Bytes, Counts, Ports, Times
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.decoding_state import UNCOUNTED, Rows
from analyzer.parsers.pcap.internet import IPV4, IPV4_HEADER, IPV6, IPV6_HEADER, TCP, UDP
from analyzer.parsers.pcap.links import (
    ARP,
    BROKEN,
    ENCRYPTED,
    FIRST_REASON,
    IP,
    NEXT_FRAME,
    NO_TRANSPORT,
    NOT_IP,
    PARSED,
    TRUNCATED,
)
from analyzer.parsers.pcap.network_order import read16, read32, read64
from analyzer.parsers.pcap.tunnel_entries import (
    GRE,
    GTP,
    IP_IN_IP,
    MAX_DEPTH,
    UNSURE,
    enter_tunnel,
    udp_tunnel,
)

_MAPPED = 0xFFFF00000000
_PORTS_OF_TABLE = 0x10000


@compiled
def find_datagrams(
    data: Bytes,
    starts: Counts,
    captured: Counts,
    wire: Counts,
    times: Times,
    links: Ports,
    steps: Counts,
    following: Bytes,
    ports: Bytes,
    rows: Rows,
    skipped: Counts,
    state: Counts,
) -> int:
    """Write a row for every datagram up to what has to be asked about.

    Args:
        data: bytes of the batch, followed by those of datagrams made whole.
        starts: of each packet; this and the next four are those of a
            :class:`analyzer.parsers.pcap.batches.PacketBatch`.
        captured: bytes present of each.
        wire: bytes each had on the wire.
        times: when each was captured.
        links: LINKTYPE number of each.
        steps: of :func:`analyzer.parsers.pcap.links.link_tables`.
        following: likewise.
        ports: of :func:`analyzer.parsers.pcap.tunnel_entries.udp_ports`.
        rows: to be filled.
        skipped: counts what is passed over, by reason.
        state: as :mod:`decoding_state` has it; changed.

    Returns:
        Why the loop stopped.
    """
    packet, stop, row = int(state[place.PACKET]), int(state[place.STOP]), int(state[place.ROW])
    layer, start, end = int(state[place.LAYER]), int(state[place.START]), int(state[place.END])
    wire_end, captured_end = int(state[place.WIRE_END]), int(state[place.CAPTURED_END])
    carrier, depth, last_tunnel = (
        int(state[place.CARRIER]),
        int(state[place.DEPTH]),
        int(state[place.LAST_TUNNEL]),
    )
    version, header, ip_length = (
        int(state[place.VERSION]),
        int(state[place.HEADER]),
        int(state[place.IP_LENGTH]),
    )
    protocol, last_header = int(state[place.PROTOCOL]), int(state[place.LAST_HEADER])
    source, destination = int(state[place.SOURCE]), int(state[place.DESTINATION])
    whole, taken, entered = (
        int(state[place.WHOLE]),
        int(state[place.TAKEN]),
        int(state[place.ENTERED]),
    )
    action = place.DONE
    while True:
        if layer == NEXT_FRAME:
            packet += 1
            if packet >= stop:
                break
            start = int(starts[packet])
            end = captured_end = start + int(captured[packet])
            wire_end = start + int(wire[packet])
            layer = int(following[links[packet]])
            carrier = -1
            depth = whole = 0
        while layer < IP:
            if end - start <= steps[4 * layer]:
                layer = TRUNCATED
                break
            key = read16(data, start + int(steps[4 * layer + 1]))
            start += int(steps[4 * layer + 2])
            layer = int(following[(layer + 1) * _PORTS_OF_TABLE + key])
        if layer > PARSED:
            if layer < FIRST_REASON:
                action = place.RARE_LAYER
                break
            skipped[layer - FIRST_REASON] += 1
            taken = 1 if layer == ARP or layer == ENCRYPTED else 0
            layer = NEXT_FRAME
            continue
        # This datagram's row, and one for GRE in it if it is UDP.
        if row + 2 > rows.times.size:
            action = place.NO_ROOM
            break
        if layer == IP:
            if end - start < IPV4_HEADER:
                layer = TRUNCATED
                continue
            version = int(data[start]) >> 4
            if version == 4:
                header = (int(data[start]) & 0x0F) * 4
                ip_length = read16(data, start + 2)
                protocol = int(data[start + 9])
                source, destination = start + 12, start + 16
                last_header = IPV4
            elif version == 6:
                if end - start < IPV6_HEADER:
                    layer = TRUNCATED
                    continue
                header = IPV6_HEADER
                ip_length = read16(data, start + 4) + IPV6_HEADER
                protocol = int(data[start + 6])
                source, destination = start + 8, start + 24
                last_header = IPV6
                if (
                    protocol == internet.HOP_BY_HOP
                    or protocol == internet.ROUTING
                    or protocol == internet.FRAGMENT
                    or protocol == internet.ESP
                    or protocol == internet.AH
                    or protocol == internet.DESTINATION
                    or protocol == internet.MOBILITY
                ):
                    action = place.EXTENDED
                    break
            else:
                layer = NOT_IP
                continue
        # Segmentation offloading leaves 0 for the network card to fill in.
        total = ip_length if ip_length or whole else captured_end - start
        remaining = end - start - header
        if wire_end - start < total:
            layer = TRUNCATED
            continue
        if header > total or header < IPV4_HEADER:
            layer = BROKEN
            continue
        if remaining < 0:
            layer = TRUNCATED
            continue
        if whole == 0:
            offset = 0
            is_fragment = last_header == internet.FRAGMENT
            if version == 4:
                offset = read16(data, start + 6) & 0x3FFF
                is_fragment = offset != 0
                offset &= 0x1FFF
            elif is_fragment:
                offset = read16(data, start + header - 6) & 0xFFF8
            if is_fragment:
                if remaining + header >= total:
                    action = place.FRAGMENTED
                    break
                if offset:
                    layer = TRUNCATED
                    continue
        if last_header == internet.ESP:
            layer = ENCRYPTED
            continue
        if last_header == internet.MOBILITY or protocol == internet.NO_NEXT:
            layer = NO_TRANSPORT
            continue
        at = start + header
        by_header = (ip_length - header) & 0xFFFF if ip_length else 0
        payload = by_header or remaining
        size = 0
        if protocol == TCP:
            size = 20
        elif protocol == UDP or protocol == internet.ICMP or protocol == internet.ICMPV6:
            size = 8
        if by_header and by_header < size:
            layer = BROKEN
            continue
        if remaining < size:
            layer = TRUNCATED
            continue
        source_port = destination_port = sequence = acknowledgement = flags = window = 0
        taken = 1 if size else 0
        if protocol == TCP or protocol == UDP:
            source_port = read16(data, at)
            destination_port = read16(data, at + 2)
        elif size:
            source_port = int(data[at])
            destination_port = int(data[at + 1])
        if protocol == TCP:
            sequence = read32(data, at + 4)
            acknowledgement = read32(data, at + 8)
            size = (int(data[at + 12]) >> 4) * 4
            flags = int(data[at + 13])
            window = read16(data, at + 14)
            if size < 20 or size > payload or size > remaining:
                ip_length = UNCOUNTED
                size = min(payload, remaining)
        at += size
        available = min(payload, remaining) - size
        kind = 0
        if protocol == UDP:
            kind = udp_tunnel(data, ports, source_port, destination_port, at, available)
        elif protocol == IPV4 or protocol == IPV6:
            kind = IP_IN_IP
        elif protocol == internet.GRE:
            kind = GRE
        rows.times[row] = times[packet]
        if version == 4:
            rows.source_high[row] = 0
            rows.source_low[row] = _MAPPED + read32(data, source)
            rows.destination_high[row] = 0
            rows.destination_low[row] = _MAPPED + read32(data, destination)
        else:
            rows.source_high[row] = read64(data, source)
            rows.source_low[row] = read64(data, source + 8)
            rows.destination_high[row] = read64(data, destination)
            rows.destination_low[row] = read64(data, destination + 8)
        rows.protocols[row] = protocol
        rows.source_ports[row] = source_port
        rows.destination_ports[row] = destination_port
        rows.ip_lengths[row] = ip_length
        rows.payload_starts[row] = at
        rows.payload_captured[row] = available
        rows.payload_lengths[row] = payload - size
        rows.sequences[row] = sequence
        rows.acknowledgements[row] = acknowledgement
        rows.tcp_flags[row] = flags
        rows.windows[row] = window
        rows.carriers[row] = carrier
        rows.is_carrier[row] = 1 if kind and protocol != UDP else 0
        row += 1
        layer = NEXT_FRAME
        if kind:
            inner = at
            layer = UNSURE
            inner_end = at + available if protocol == UDP else end
            if (
                state[place.CAREFUL] == 0
                and depth < MAX_DEPTH
                and not (kind == GRE and protocol == UDP)
                and not (kind == GTP and depth and last_tunnel == GTP)
            ):
                layer, inner = enter_tunnel(data, kind, protocol, at, inner_end)
            if layer == UNSURE:
                layer = NEXT_FRAME
                action = place.TUNNELLED
                break
            # On the wire, only what UDP carries has what was not captured of it.
            missing = wire_end - captured_end if protocol == UDP else 0
            start, end, captured_end, wire_end = inner, inner_end, inner_end, inner_end + missing
            carrier = row - 1
            depth += 1
            whole = 0
            last_tunnel = kind
            if kind != IP_IN_IP:
                entered = 1
    state[place.PACKET], state[place.ROW], state[place.LAYER] = packet, row, layer
    state[place.START], state[place.END] = start, end
    state[place.WIRE_END], state[place.CAPTURED_END] = wire_end, captured_end
    state[place.CARRIER], state[place.DEPTH], state[place.LAST_TUNNEL] = carrier, depth, last_tunnel
    state[place.VERSION], state[place.HEADER], state[place.IP_LENGTH] = version, header, ip_length
    state[place.PROTOCOL], state[place.LAST_HEADER] = protocol, last_header
    state[place.SOURCE], state[place.DESTINATION] = source, destination
    state[place.WHOLE], state[place.TAKEN], state[place.ENTERED] = whole, taken, entered
    return action
