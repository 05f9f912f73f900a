"""A batch of packets on its way to IP datagrams: :mod:`header_loop`, and what it stops for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from analyzer.parsers.pcap import decoding_state as place
from analyzer.parsers.pcap.batches import Bytes, Counts, PacketBatch, SegmentBatch
from analyzer.parsers.pcap.decoding_state import empty_rows
from analyzer.parsers.pcap.fragments import Datagram, Reassembler, read_fragment
from analyzer.parsers.pcap.header_loop import find_datagrams
from analyzer.parsers.pcap.internet import GRE as GRE_PROTOCOL
from analyzer.parsers.pcap.internet import IPV4, UDP, ExtensionChain, extension_chain
from analyzer.parsers.pcap.links import (
    BROKEN_TUNNEL,
    NEXT_FRAME,
    PARSED,
    REASONS,
    TOO_DEEP,
    UNKNOWN_LINK,
    WIRELESS,
    link_tables,
)
from analyzer.parsers.pcap.rare_links import Layer, rare_layer, subframes
from analyzer.parsers.pcap.tunnel_entries import GRE, GTP, IP_IN_IP, MAX_DEPTH, udp_ports
from analyzer.parsers.pcap.tunnel_sessions import TunnelSessions
from analyzer.parsers.pcap.tunnels import BrokenTunnelError, gre, inside, ip_in_ip

_TABLES = link_tables()
_UDP_PORTS = udp_ports()


@dataclass
class Memory:
    """What outlives a batch."""

    skipped: Counts = field(default_factory=lambda: np.zeros(len(REASONS), np.int64))
    unknown_links: Counter[int] = field(default_factory=Counter)
    reassembler: Reassembler = field(default_factory=Reassembler)
    sessions: TunnelSessions = field(default_factory=TunnelSessions)


class BatchDecoding:
    """A batch on its way.

    Args:
        batch: packets.
        memory: of the batches before; changed.
    """

    def __init__(self, batch: PacketBatch, memory: Memory) -> None:
        self._batch = batch
        self._memory = memory
        count = batch.starts.size
        self._rows = empty_rows(count + 2)
        self._use(batch.data)
        self._used = batch.data.size
        self._state: Counts = np.zeros(place.STATE_SIZE, np.int64)
        self._state[place.PACKET] = -1
        self._state[place.STOP] = count
        self._state[place.LAYER] = NEXT_FRAME
        self._state[place.CAREFUL] = memory.sessions.broken > 0

    def _use(self, data: Bytes) -> None:
        self._data, self._view = data, data.data
        # Compiled code is another one for arrays that can be written to: here it is one for all.
        self._read_only = data.view()
        self._read_only.flags.writeable = False

    def run(self) -> SegmentBatch:
        """All of its datagrams."""
        self._follow()
        count = int(self._state[place.ROW])
        columns = {name: column[:count] for name, column in self._rows._asdict().items()}
        data = self._data[: self._used]
        data.flags.writeable = self._batch.data.flags.writeable
        return SegmentBatch(data=data, **columns)

    def _follow(self) -> None:
        answers = {
            place.NO_ROOM: self._make_room,
            place.RARE_LAYER: self._rare_layer,
            place.EXTENDED: self._extended,
            place.FRAGMENTED: self._fragmented,
            place.TUNNELLED: self._tunnelled,
        }
        batch = self._batch
        while action := find_datagrams(
            self._read_only,
            batch.starts,
            batch.captured,
            batch.wire,
            batch.times,
            batch.links,
            _TABLES.steps,
            _TABLES.following,
            _UDP_PORTS,
            self._rows,
            self._memory.skipped,
            self._state,
        ):
            answers[action]()

    def _make_room(self) -> None:
        used = int(self._state[place.ROW])
        rows = empty_rows(2 * self._rows.times.size)
        for name, column in self._rows._asdict().items():
            getattr(rows, name)[:used] = column[:used]
        self._rows = rows

    def _go_on(self, layer: Layer) -> None:
        self._state[place.LAYER], self._state[place.START], self._state[place.END] = layer

    def _rare_layer(self) -> None:
        state = self._state
        layer = Layer(int(state[place.LAYER]), int(state[place.START]), int(state[place.END]))
        following = rare_layer(self._view, layer)
        if following.kind == WIRELESS:
            self._aggregated(following)
        elif following.kind == UNKNOWN_LINK:
            self._memory.unknown_links[int(self._batch.links[state[place.PACKET]])] += 1
            state[place.LAYER] = NEXT_FRAME
        else:
            self._go_on(following)

    def _aggregated(self, aggregate: Layer) -> None:
        """Follow every frame of an A-MSDU, up to one that Zeek does not take for good."""
        state, before = self._state, self._state.copy()
        for frame in subframes(self._view, aggregate.start, aggregate.end):
            self._return_to(before)
            state[place.STOP] = before[place.PACKET] + 1
            state[place.TAKEN] = state[place.ENTERED] = 0
            self._go_on(frame)
            self._follow()
            if not (state[place.TAKEN] or state[place.ENTERED]):
                break
        taken = state[place.TAKEN]
        self._return_to(before)
        state[place.TAKEN], state[place.LAYER] = taken, NEXT_FRAME

    def _return_to(self, before: Counts) -> None:
        row, careful = self._state[place.ROW], self._state[place.CAREFUL]
        self._state[:] = before
        self._state[place.ROW], self._state[place.CAREFUL] = row, careful

    def _extended(self) -> None:
        start, end = int(self._state[place.START]), int(self._state[place.END])
        self._parsed(extension_chain(self._view, start, end))

    def _parsed(self, chain: ExtensionChain) -> None:
        state = self._state
        state[place.LAYER] = PARSED
        state[place.HEADER] = chain.size
        state[place.PROTOCOL] = chain.following
        state[place.LAST_HEADER] = chain.last
        state[place.SOURCE], state[place.DESTINATION] = chain.source, chain.destination

    def _fragmented(self) -> None:
        state = self._state
        state[place.LAYER], state[place.TAKEN] = NEXT_FRAME, 1
        fragment = read_fragment(
            self._view,
            int(state[place.START]),
            header=int(state[place.HEADER]),
            total=int(state[place.IP_LENGTH]),
            addresses=(int(state[place.SOURCE]), int(state[place.DESTINATION])),
        )
        now = float(self._batch.times[state[place.PACKET]])
        datagram = self._memory.reassembler.add(fragment, now)
        if datagram:
            self._made_whole(datagram)

    def _made_whole(self, datagram: Datagram) -> None:
        state = self._state
        start = self._append(datagram.header + datagram.payload)
        if state[place.VERSION] == 4:
            header, protocol = len(datagram.header), datagram.header[9]
            self._parsed(ExtensionChain(header, protocol, IPV4, start + 12, start + 16))
        else:
            self._parsed(extension_chain(self._view, start, self._used))
        state[place.START], state[place.IP_LENGTH] = start, datagram.total
        state[place.END] = start + datagram.total
        state[place.CAPTURED_END] = state[place.WIRE_END] = state[place.END]
        state[place.WHOLE] = 1

    def _append(self, datagram: bytes) -> int:
        """Put a datagram behind the batch's data."""
        start = self._used
        self._used += len(datagram)
        if self._used > self._data.size:
            data: Bytes = np.empty(self._used + max(1 << 20, self._used >> 2), np.uint8)
            data[:start] = self._data[:start]
            self._use(data)
        self._data[start : self._used] = np.frombuffer(datagram, np.uint8)
        return start

    def _tunnelled(self) -> None:
        state, row = self._state, int(self._state[place.ROW]) - 1
        protocol = int(state[place.PROTOCOL])
        if protocol == UDP:
            self._inside_udp(row)
            return
        start, end = int(self._rows.payload_starts[row]), int(state[place.END])
        kind = GRE if protocol == GRE_PROTOCOL else IP_IN_IP
        if state[place.DEPTH] >= MAX_DEPTH:
            layer = Layer(TOO_DEEP, start, end)
        elif kind == GRE:
            layer = gre(self._view, start, end)
        else:
            layer = ip_in_ip(self._view, protocol, start, end)
        if layer.kind in (TOO_DEEP, BROKEN_TUNNEL):
            state[place.ROW] = row  # Zeek knows of no tunnel then.
            state[place.ENTERED] |= kind == GRE
            self._go_on(layer)
        else:
            self._enter(row, kind, layer)

    def _enter(self, row: int, kind: int, layer: Layer, missing: int = 0) -> None:
        state = self._state
        self._go_on(layer)
        state[place.CAPTURED_END] = layer.end
        state[place.WIRE_END] = layer.end + missing
        state[place.CARRIER], state[place.LAST_TUNNEL] = row, kind
        state[place.DEPTH] += 1
        state[place.WHOLE] = 0
        state[place.ENTERED] |= kind != IP_IN_IP

    def _inside_udp(self, row: int) -> None:
        state, rows, sessions = self._state, self._rows, self._memory.sessions
        start = int(rows.payload_starts[row])
        end = start + int(rows.payload_captured[row])
        kind = sessions.tunnel(rows, row, self._view[start:end])
        state[place.CAREFUL] = sessions.broken > 0
        within_gtp = state[place.DEPTH] and state[place.LAST_TUNNEL] == GTP
        if not kind or (kind == GTP and within_gtp):  # GTP never carries GTP.
            return
        if state[place.DEPTH] >= MAX_DEPTH:
            rows.tcp_flags[row] = place.TOO_DEEP_FLAG if kind not in (GRE, GTP) else 0
            state[place.LAYER] = TOO_DEEP
            return
        try:
            layer = inside(kind, self._view, start, end)
        except BrokenTunnelError:
            sessions.give_up(rows, row, kind)
            state[place.CAREFUL] = 1
            state[place.LAYER] = BROKEN_TUNNEL
            return
        if kind == GRE:
            if layer.kind != BROKEN_TUNNEL:
                self._enter(self._gre_carrier(row), kind, layer)
            return
        missing = int(state[place.WIRE_END] - state[place.CAPTURED_END])
        self._enter(row, kind, layer, missing)

    def _gre_carrier(self, row: int) -> int:
        """GRE in UDP is a tunnel between two addresses, not part of the connection it comes by."""
        for column in self._rows._asdict().values():
            column[row + 1] = column[row]
        self._rows.protocols[row + 1] = GRE_PROTOCOL
        self._rows.is_carrier[row + 1] = 1
        self._state[place.ROW] = row + 2
        return row + 1
