"""Captures, whatever they are kept in: a file or a stream as batches of packets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, PacketBatch
from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.classic import HEADER_SIZE, Classic
from analyzer.parsers.pcap.magic import is_classic, is_pcapng
from analyzer.parsers.pcap.pcapng import Pcapng
from analyzer.parsers.pcap.records import Packets, Walk

BATCH_SIZE = 1 << 24
"""Bytes of a capture that are looked at together."""

SMALLEST_BATCH = 1 << 19
"""Fewest that will do: the longest block that is looked into has to fit."""


class Capture:
    """One capture: its packets, in its own order, and what became of them.

    It can end early, where it is cut off or damaged. What came before counts, and :attr:`fault`
    says where it ended and why.

    Args:
        name: as the user would name it.
        source: a file, which is opened when its packets are first asked for, or a stream.
        on_progress: told of every run of bytes that has been read of a file.

    Attributes:
        name: as given.
        packets: how many there were so far.
        fault: why it ended early, empty if it has not.
    """

    def __init__(
        self,
        name: str,
        source: Path | ByteStream,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self.name = name
        self.packets = 0
        self.fault = ""
        self._source = source
        self._on_progress = on_progress
        self._resources = contextlib.ExitStack()
        self._stream: ByteStream | None = None
        self._walk: Walk | None = None
        self._left: Bytes = np.empty(0, np.uint8)
        self._offset = 0
        self._ended = False
        self._held: PacketBatch | None = None

    def __iter__(self) -> Iterator[PacketBatch]:
        with contextlib.closing(self):
            while batch := self.read():
                yield batch

    def first_time(self) -> float | None:
        """When the first packet was captured; None if there is none that can be read.

        To be asked before anything is read. A file is closed again; what cannot be read twice, a
        stream or a pipe, stays open.
        """
        if isinstance(self._source, Path) and self._source.is_file():
            first = Capture(self.name, self._source)
            batch = first.read(SMALLEST_BATCH)
            first.close()
        else:
            batch = self._held = self.read(SMALLEST_BATCH)
        return float(batch.times[0]) if batch else None

    def close(self) -> None:
        """Give back the file; nothing more is read."""
        self._ended = True
        self._left = np.empty(0, np.uint8)
        self._resources.close()

    def read(self, size: int = BATCH_SIZE) -> PacketBatch | None:
        """The next packets.

        Args:
            size: how many bytes of the capture to look at, at least :data:`SMALLEST_BATCH`.

        Returns:
            One packet at least; None at the end.
        """
        if held := self._held:
            self._held = None
            return held
        while not self._ended:
            packets = self._next(max(size, SMALLEST_BATCH))
            if packets and packets.count:
                return packets.batch()
        return None

    def _next(self, size: int) -> Packets | None:
        """The packets in the next `size` bytes, of which there may be none."""
        try:
            stream = self._stream = self._stream or self._opened()
        except OSError as error:
            self._finish(f"cannot be read: {error.strerror or error}")
            return None
        data = np.empty(size, np.uint8)
        data[: len(self._left)] = self._left
        end = len(self._left) + stream.fill(data, len(self._left))
        position = 0
        if self._walk is None:
            try:
                self._walk, position = _begun(data[: min(end, HEADER_SIZE)].tobytes())
            except ValueError as error:
                self._finish(str(error))
                return None
        packets = Packets(data[:end])
        position, complaint = self._walk.walk(data, position, end, packets)
        self.packets += packets.count
        self._left = data[position:end].copy()
        beyond = max(position - end, 0)
        skipped = stream.skip(beyond)
        self._offset += position
        if complaint:
            self._finish(f"{complaint} at byte {self._offset}, after packet {self.packets}")
        elif skipped < beyond or (len(self._left) and end < size):
            cut = self._offset + len(self._left) - beyond + skipped
            self._finish(f"cut off at byte {cut}, after packet {self.packets}")
        elif end < size:
            self._finish("")
        return packets

    def _opened(self) -> ByteStream:
        if isinstance(self._source, ByteStream):
            return self._source
        stream = self._resources.enter_context(self._source.open("rb"))
        return ByteStream(stream, self._on_progress)

    def _finish(self, fault: str) -> None:
        broken = self._stream.fault if self._stream else ""
        self.fault = "; ".join(filter(None, (broken, fault)))
        self.close()


def _begun(head: bytes) -> tuple[Walk, int]:
    """How to read a capture that starts with `head`, and where its first record or block stands.

    Raises:
        ValueError: not at all.
    """
    if is_pcapng(head):
        return Pcapng(), 0
    if not is_classic(head):
        raise ValueError("neither pcap nor pcapng")
    if len(head) < HEADER_SIZE:
        raise ValueError(f"cut off at byte {len(head)}, in the file's header")
    return Classic(head), HEADER_SIZE
