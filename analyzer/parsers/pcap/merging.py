"""Several captures as one, in order of time."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from analyzer.parsers.pcap.batches import PacketBatch, Times
from analyzer.parsers.pcap.container import BATCH_SIZE, SMALLEST_BATCH, Capture

MEMORY = 1 << 26
"""Bytes of all captures to hold together, or a smallest batch of each, should that be more."""


def merged(captures: Sequence[Capture]) -> Iterator[PacketBatch]:
    """The packets of all captures in order of time.

    Within a capture its own order is kept, as Zeek keeps it: a packet that is older than the one
    before it follows that one at once. Packets of the same time come in the order of their
    captures' first packets, then of their names, whatever the order in which captures are given.

    A file is opened when its first packet is due, so that any number of captures taken one after
    another can be read. Faults stay with the captures. One capture alone costs nothing more.
    """
    if len(captures) == 1:
        yield from captures[0]
        return
    with contextlib.ExitStack() as stack:
        for capture in captures:
            stack.enter_context(contextlib.closing(capture))
        begins = [(_first_time(capture), capture.name, capture) for capture in captures]
        begins.sort(key=lambda begin: begin[:2])
        yield from _interleaved(
            deque(_Lane(capture, (time, rank)) for rank, (time, _, capture) in enumerate(begins))
        )


def _first_time(capture: Capture) -> float:
    time = capture.first_time()
    return -np.inf if time is None else time


class _Lane:
    """A capture on its way into the merged stream.

    Args:
        capture: it.
        begins: when its first packet was captured, and its rank among packets of one time.

    Attributes:
        begins: as given.
        batch: the packets at hand, None when there are no more.
        keys: when each of them is due: its time, or that of a later one before it.
    """

    def __init__(self, capture: Capture, begins: tuple[float, int]) -> None:
        self._capture = capture
        self._latest = -np.inf
        self.begins = begins
        self.batch: PacketBatch | None = None
        self.keys: Times = np.empty(0)

    @property
    def ends(self) -> tuple[float, int]:
        """When the last of the packets at hand is due, and the rank."""
        return self._latest, self.begins[1]

    def advance(self, size: int) -> None:
        """Get the next packets, if those at hand are gone."""
        if len(self.keys):
            return
        self.batch = self._capture.read(size)
        if self.batch:
            self.keys = np.maximum(np.maximum.accumulate(self.batch.times), self._latest)
            self._latest = float(self.keys[-1])

    def take(self, until: tuple[float, int]) -> tuple[PacketBatch, Times] | None:
        """Hand over the packets that are due by then, and their keys."""
        time, rank = until
        count = int(np.searchsorted(self.keys, time, "right" if self.begins[1] <= rank else "left"))
        if not count or self.batch is None:
            return None
        taken = _part(self.batch, slice(count)), self.keys[:count]
        self.batch, self.keys = _part(self.batch, slice(count, None)), self.keys[count:]
        return taken


def _interleaved(waiting: deque[_Lane]) -> Iterator[PacketBatch]:
    lanes: list[_Lane] = []
    while lanes or waiting:
        while waiting and (not lanes or waiting[0].begins <= min(lane.ends for lane in lanes)):
            lane = waiting.popleft()
            lane.advance(SMALLEST_BATCH)
            if lane.batch:
                lanes.append(lane)
        if lanes:
            # No packet that is still to be read is due before the last one of any lane's.
            until = min(lane.ends for lane in lanes)
            yield _joined([taken for lane in lanes if (taken := lane.take(until))])
        size = max(SMALLEST_BATCH, min(BATCH_SIZE, MEMORY // max(len(lanes), 1)))
        for lane in lanes:
            lane.advance(size)
        lanes = [lane for lane in lanes if lane.batch]


def _part(batch: PacketBatch, rows: slice) -> PacketBatch:
    return PacketBatch(
        batch.data,
        batch.starts[rows],
        batch.captured[rows],
        batch.wire[rows],
        batch.times[rows],
        batch.links[rows],
    )


def _joined(taken: Sequence[tuple[PacketBatch, Times]]) -> PacketBatch:
    """Batches of several captures, in order of rank, as one in order of their keys."""
    batches = [batch for batch, _ in taken]
    if len(batches) == 1:
        return batches[0]
    order = np.argsort(np.concatenate([keys for _, keys in taken]), kind="stable")
    # Only what lies between the first and the last packet of each.
    pieces = [
        batch.data[batch.starts[0] : batch.starts[-1] + batch.captured[-1]] for batch in batches
    ]
    bases = np.cumsum([0, *map(len, pieces)])
    starts = [
        batch.starts - batch.starts[0] + base for batch, base in zip(batches, bases, strict=False)
    ]
    return PacketBatch(
        np.concatenate(pieces),
        np.concatenate(starts)[order],
        np.concatenate([batch.captured for batch in batches])[order],
        np.concatenate([batch.wire for batch in batches])[order],
        np.concatenate([batch.times for batch in batches])[order],
        np.concatenate([batch.links for batch in batches])[order],
    )
