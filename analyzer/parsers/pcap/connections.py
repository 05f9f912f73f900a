"""Follows the connections of a capture: what Zeek would log of each, and what they carry."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import ENDED, Bytes, Counts, FlowBatch, SegmentBatch, Times
from analyzer.parsers.pcap.connection_columns import Columns, connection_columns
from analyzer.parsers.pcap.connection_state import CARRIED, EVENT, OPEN, TIMED
from analyzer.parsers.pcap.connection_storage import (
    SWEEP_INTERVAL,
    clear_slots,
    new_records,
    new_state,
    taken,
    with_blocks,
    with_events,
    with_groups,
    with_slots,
)
from analyzer.parsers.pcap.expiry_chains import NEVER, compact
from analyzer.parsers.pcap.identities import identity_texts
from analyzer.parsers.pcap.lifetimes import end_all
from analyzer.parsers.pcap.tracking import (
    DONE,
    NEED_BLOCKS,
    NEED_EVENTS,
    NEED_SLOTS,
    NEED_SWEEP,
    follow,
)

_NO_TIMES = np.empty(0, np.float64)
_MORE_EVENTS = 4096


class ConnectionTable:
    """The open connections of a capture, in the order of its packets.

    A connection is known by its *slot*, a small number that is used again after it ended: a slot
    stays as it was when its connection ended until the next :meth:`add`. Memory grows with the
    number of connections open at a time. What comes out does not depend on how the packets were cut
    into batches.

    Args:
        slots: how many connections there is room for at first; the room is doubled as needed.
    """

    def __init__(self, slots: int = 4096) -> None:
        self._key = np.uint64(int.from_bytes(os.urandom(8), "little"))
        self._state = new_state(slots)
        self._ended: Counts = np.empty(0, np.int64)
        self._long_histories: dict[int, bytearray] = {}
        self._further_parents: dict[int, list[tuple[int, int]]] = {}

    @property
    def open(self) -> int:
        """How many connections are open, or over without a packet having shown that."""
        return int(self._state.ledger["live"][0])

    def add(self, segments: SegmentBatch, packet_times: Times | None = None) -> FlowBatch:
        """Let datagrams act on their connections.

        Args:
            segments: the datagrams, in order.
            packet_times: when each packet came that they were found in, and those that held none:
                Zeek's timers act at every packet. Without them only datagrams move the clock.

        Returns:
            What happened, in order.
        """
        self._free_ended()
        self._state.ledger["row"] = self._state.ledger["packet"] = 0
        carried = bool((segments.carriers >= 0).any() or segments.is_carrier.any())
        size = segments.times.size if carried else 0
        identities = np.zeros(size, np.uint32), np.zeros(size, np.uint64)
        self._new_events(segments.times.size // 2 + _MORE_EVENTS)
        times = _NO_TIMES if packet_times is None else packet_times
        while (need := follow(segments, times, *identities, self._key, self._state)) != DONE:
            self._provide(need)
        return self._flow(segments.data)

    def finish(self) -> FlowBatch:
        """End all connections, as Zeek does at the end of a capture."""
        self._free_ended()
        self._new_events(0)
        self._end(np.flatnonzero(self._state.connections["occupied"] == OPEN), NEVER)
        return self._flow(np.empty(0, np.uint8))

    def columns(self, slots: Counts) -> Columns:
        """What conn.log says of connections; see :class:`~.connection_columns.Columns`."""
        connections = taken(self._state.connections, slots)
        places = 2 * slots + connections["originator_side"]
        return connection_columns(
            connections,
            taken(self._state.endpoints, places),
            taken(self._state.endpoints, 4 * slots + 1 - places),
            self._long_histories,
        )

    def uids(self, slots: Counts) -> npt.NDArray[np.bytes_]:
        """Identities of connections as Zeek writes them: ``C`` and 17 base-62 characters."""
        connections = self._state.connections
        return identity_texts(connections["uid_high"][slots], connections["uid_low"][slots])

    def tunnel_parents(self, slots: Counts) -> dict[int, list[str]]:
        """For those of the connections that tunnels carried, by place in `slots`: who, in order."""
        connections = taken(self._state.connections, slots)
        places = np.flatnonzero(connections["flags"] & CARRIED)
        parents = {}
        for place in places.tolist():
            connection = connections[place]
            known = [(connection["parent_high"], connection["parent_low"])]
            known += self._further_parents.get(int(connection["serial"]), [])
            highs, lows = zip(*known, strict=True)
            texts = identity_texts(np.array(highs, np.uint32), np.array(lows, np.uint64))
            parents[place] = [text.decode() for text in dict.fromkeys(texts.tolist())]
        return parents

    def field(self, name: str) -> npt.NDArray[np.generic]:
        """A field of :data:`~.connection_state.CONNECTION` for every slot, as it is now."""
        column: npt.NDArray[np.generic] = self._state.connections[name]
        return column

    def _free_ended(self) -> None:
        slots, state = self._ended, self._state
        if self._long_histories or self._further_parents:
            for serial in state.connections["serial"][slots].tolist():
                self._long_histories.pop(serial, None)
                self._further_parents.pop(serial, None)
        clear_slots(state, slots)
        free = int(state.ledger["free_slots"][0])
        state.free_slots[free : free + slots.size] = slots[::-1]
        state.ledger["free_slots"] += slots.size
        self._ended = slots[:0]

    def _new_events(self, size: int) -> None:
        self._state = self._state._replace(events=new_records(size, EVENT))
        self._state.ledger["events"] = 0

    def _provide(self, need: int) -> None:
        if need == NEED_EVENTS:
            self._state = with_events(self._state, _MORE_EVENTS)
        elif need == NEED_SLOTS:
            self._state = with_slots(self._state)
        elif need == NEED_SWEEP:
            self._sweep()
        elif need == NEED_BLOCKS:
            self._state = with_blocks(self._state)
        else:
            self._empty_spill()

    def _sweep(self) -> None:
        """End what is over, so that memory is for what is open; then make room for timers."""
        state = self._state
        now = state.ledger["network_time"][0]
        connections = state.connections
        due = (connections["flags"] & TIMED) != 0
        for deadline in ("inactivity_due", "attempt_due", "delete_due"):
            due |= connections[deadline] <= now
        self._end(np.flatnonzero(due & (connections["occupied"] == OPEN)), now)
        # As many steps as this took, so that it costs each datagram no more than a few.
        state.ledger["until_sweep"] = SWEEP_INTERVAL + self.open
        compact(state.connections, state.groups, state.timers, state.ledger)
        if 2 * state.ledger["groups"][0] > state.groups.size:
            self._state = with_groups(self._state)

    def _end(self, slots: Counts, until: float) -> None:
        """End what is over in the order in which it began: slots depend on the batches."""
        slots = slots[np.argsort(self._state.connections["serial"][slots])]
        self._state = with_events(self._state, int(slots.size) + _MORE_EVENTS)
        end_all(self._state, self._key, slots, until)

    def _empty_spill(self) -> None:
        ledger = self._state.ledger[0]
        count = ledger["spilled"]
        for serial, letter in zip(
            ledger["spilled_serials"][:count].tolist(),
            ledger["spilled_letters"][:count].tolist(),
            strict=True,
        ):
            self._long_histories.setdefault(serial, bytearray()).append(letter)
        count = ledger["parents"]
        for serial, high, low in zip(
            ledger["parent_serials"][:count].tolist(),
            ledger["parent_highs"][:count].tolist(),
            ledger["parent_lows"][:count].tolist(),
            strict=True,
        ):
            self._further_parents.setdefault(serial, []).append((high, low))
        ledger["spilled"] = ledger["parents"] = 0

    def _flow(self, data: Bytes) -> FlowBatch:
        self._empty_spill()
        events = self._state.events[: self._state.ledger["events"][0]]
        kinds, slots = (np.ascontiguousarray(events[name]) for name in ("kind", "slot"))
        self._ended = slots[kinds == ENDED]
        return FlowBatch(
            data=data,
            kinds=kinds,
            slots=slots,
            from_originator=np.ascontiguousarray(events["from_originator"]),
            times=np.ascontiguousarray(events["time"]),
            starts=np.ascontiguousarray(events["start"]),
            captured=np.ascontiguousarray(events["captured"]),
            lengths=np.ascontiguousarray(events["length"]),
            stream_offsets=np.ascontiguousarray(events["stream_offset"]),
            ended=self._ended,
        )
