"""What the walks over captures have in common: where they put packets, how they read numbers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, Counts, PacketBatch, Ports, Times
from analyzer.parsers.pcap.compiled import compiled

PACKET_LIMIT = 1 << 18
"""Most bytes that are captured of a packet; more is damage. libpcap ``pcap-int.h``
MAXIMUM_SNAPLEN, which its readers hold all link types of networks to."""

SMALLEST_RECORD = 16
"""Bytes that a packet takes up at least: a record header of pcap, or a Simple Packet Block."""


class Rows(NamedTuple):
    """Room for packets: the arrays of a :class:`PacketBatch`, longer."""

    starts: Counts
    captured: Counts
    wire: Counts
    times: Times
    links: Ports


class Packets:
    """The packets of a batch as they are found.

    Args:
        data: the bytes that hold them.

    Attributes:
        rows: where they are put down.
        count: how many there are so far.
    """

    def __init__(self, data: Bytes) -> None:
        room = len(data) // SMALLEST_RECORD
        self._data = data
        self.rows = Rows(
            np.empty(room, np.int64),
            np.empty(room, np.int64),
            np.empty(room, np.int64),
            np.empty(room, np.float64),
            np.empty(room, np.uint16),
        )
        self.count = 0

    def batch(self) -> PacketBatch:
        """The packets there are."""
        found, n = self.rows, self.count
        return PacketBatch(
            data=self._data,
            starts=found.starts[:n],
            captured=found.captured[:n],
            wire=found.wire[:n],
            times=found.times[:n],
            links=found.links[:n],
        )


class Walk(Protocol):
    """One capture's format: finds packets in runs of its bytes."""

    def walk(self, data: Bytes, position: int, end: int, packets: Packets) -> tuple[int, str]:
        """Find the packets that stand whole in ``data[position:end]``.

        Returns:
            How far that goes, and what is wrong there if anything is. Bytes up to `end` that are
            left belong to something that goes on behind it. A position behind `end` means that
            nothing of interest stands before it.
        """


@compiled
def number(data: Bytes, at: int, big: bool) -> int:
    """The unsigned 32-bit number at ``data[at:at + 4]``, most significant byte first if `big`."""
    value = np.int64(0)
    for i in range(4):
        value |= np.int64(data[at + i]) << (24 - 8 * i if big else 8 * i)
    return int(value)
