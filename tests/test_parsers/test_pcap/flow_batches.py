"""Batches of flow events and the connections they belong to, made by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.parsers.pcap.batches import ENDED, GAP, PAYLOAD, FlowBatch
from analyzer.parsers.pcap.services import ServiceIdentifier

TCP, UDP = 6, 17


class Slots:
    """Connections: what :class:`ServiceIdentifier` asks the connection table for."""

    def __init__(self, capacity: int = 64) -> None:
        self.protocol = np.full(capacity, TCP, np.uint8)
        self.responder_port = np.zeros(capacity, np.uint16)
        self.originator_high = np.zeros(capacity, np.uint64)
        self.originator_low = np.full(capacity, 1, np.uint64)
        self.responder_high = np.zeros(capacity, np.uint64)
        self.responder_low = np.full(capacity, 2, np.uint64)
        self.first_time = np.zeros(capacity, np.float64)
        self.is_partial = np.zeros(capacity, np.uint8)


@dataclass
class Happening:
    """One event."""

    kind: int
    slot: int
    is_originator: int = 0
    data: bytes = b""
    offset: int = 0
    missing: int = 0
    time: float = 0.0


class Flow:
    """Events, one after another; offsets into streams are counted here.

    Args:
        slots: the connections.
    """

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.happened: list[Happening] = []
        self._offsets: dict[tuple[int, int], int] = {}

    def client(self, slot: int, *data: bytes, time: float = 0.0) -> Flow:
        """The originator of a connection sends."""
        return self._send(slot, 1, data, time)

    def server(self, slot: int, *data: bytes, time: float = 0.0) -> Flow:
        """The responder sends."""
        return self._send(slot, 0, data, time)

    def at(
        self, slot: int, offset: int, data: bytes, *, is_originator: int, missing: int = 0
    ) -> Flow:
        """A segment stands somewhere in a stream."""
        self.happened.append(Happening(PAYLOAD, slot, is_originator, data, offset, missing))
        return self

    def gap(self, slot: int, offset: int, length: int, *, is_originator: int) -> Flow:
        """Bytes were never seen."""
        self.happened.append(Happening(GAP, slot, is_originator, b"", offset, length))
        return self

    def end(self, *slots: int, time: float = 1e9) -> Flow:
        """Connections end."""
        self.happened += [Happening(ENDED, slot, time=time) for slot in slots]
        return self

    def _send(self, slot: int, is_originator: int, data: tuple[bytes, ...], time: float) -> Flow:
        for piece in data:
            key = (slot, is_originator)
            offset = self._offsets.get(key, 0)
            is_stream = self.slots.protocol[slot] == TCP
            self._offsets[key] = offset + len(piece) if is_stream else 0
            happening = Happening(PAYLOAD, slot, is_originator, piece, offset, time=time)
            self.happened.append(happening)
        return self

    def batches(self, size: int | None = None) -> list[FlowBatch]:
        """The events in batches of a size, by default in one."""
        size = size or max(1, len(self.happened))
        starts = range(0, max(1, len(self.happened)), size)
        return [batch(self.happened[start : start + size]) for start in starts]

    def observed(self, size: int | None = None) -> ServiceIdentifier:
        """What becomes of all of them. With `size` connections had better end in the last batch."""
        identifier = ServiceIdentifier()
        for events in self.batches(size):
            identifier.observe(events, self.slots)
        return identifier


def batch(happened: list[Happening]) -> FlowBatch:
    """Events as the arrays they come in."""
    data = b"".join(event.data for event in happened)
    sizes = np.array([len(event.data) for event in happened], np.int64)
    missing = np.array([event.missing for event in happened], np.int64)
    ended = [event.slot for event in happened if event.kind == ENDED]
    return FlowBatch(
        data=np.frombuffer(data, np.uint8).copy(),
        kinds=np.array([event.kind for event in happened], np.uint8),
        slots=np.array([event.slot for event in happened], np.int64),
        from_originator=np.array([event.is_originator for event in happened], np.uint8),
        times=np.array([event.time for event in happened], np.float64),
        starts=np.cumsum(sizes) - sizes,
        captured=sizes,
        lengths=sizes + missing,
        stream_offsets=np.array([event.offset for event in happened], np.int64),
        ended=np.array(ended, np.int64),
    )


def services(identifier: ServiceIdentifier, *slots: int) -> list[str | None]:
    """The services of connections."""
    return list(identifier.services(np.array(slots, np.int64)))


def names(identifier: ServiceIdentifier, *slots: int) -> list[str | None]:
    """The servers' names of connections."""
    return identifier.server_names(np.array(slots, np.int64))
