"""Captures in the classic pcap format.

Source: draft-ietf-opsawg-pcap, and libpcap's ``sf-pcap.c`` for what files hold in fact. Times are
cut to microseconds, as libpcap does for a program that does not ask for more; Zeek does not.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from analyzer.parsers.pcap.batches import Bytes
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.magic import CLASSIC, NANOSECONDS, PATCHED
from analyzer.parsers.pcap.records import PACKET_LIMIT, Packets, Rows, number

HEADER_SIZE = 24
"""Bytes before the first record."""

_ETHERNET = 1
# What patched kernels put in front of packets captured without their Ethernet header.
_COOKED = 14
# DG/UX tcpdump's, like those before 2.3, put the original length first.
_MAJOR, _LATEST_MINOR, _DG_UX = 2, 4, 543
_LENGTHS_IN_ORDER = (2, 4)


class Classic:
    """Finds the packets in the records of a pcap file.

    Args:
        header: its first :data:`HEADER_SIZE` bytes.

    Raises:
        ValueError: no version that is known.
    """

    def __init__(self, header: bytes) -> None:
        order, magic = CLASSIC[header[:4]]
        major, minor = struct.unpack_from(order + "HH", header, 4)
        snap, link = struct.unpack_from(order + "II", header, 16)
        if not (major == _MAJOR and minor <= _LATEST_MINOR) and (major, minor) != (_DG_UX, 0):
            raise ValueError(f"pcap version {major}.{minor} is not known")
        # The upper bits of the link type tell of frame check sequences.
        link &= 0xFFFF
        if not 0 < snap < 1 << 31:
            snap = PACKET_LIMIT
        if magic == PATCHED and link == _ETHERNET:
            snap += _COOKED
        self._layout = _Layout(
            big=order == ">",
            in_order=(major, minor) == _LENGTHS_IN_ORDER,
            header=24 if magic == PATCHED else 16,
            divisor=1000 if magic == NANOSECONDS else 1,
            snap=snap,
            link=link,
        )

    def walk(self, data: Bytes, position: int, end: int, packets: Packets) -> tuple[int, str]:
        """See :meth:`Walk.walk`."""
        packets.count, position, length = _walk_records(
            data, position, end, self._layout, packets.rows, packets.count
        )
        return position, f"a captured length of {length}" if length > PACKET_LIMIT else ""


class _Layout(NamedTuple):
    """What the records of a file look like.

    Attributes:
        big: most significant byte first.
        in_order: the captured length always stands before the original one.
        header: bytes before a packet.
        divisor: fractions of seconds make microseconds divided by this.
        snap: most bytes of a packet.
        link: the LINKTYPE number.
    """

    big: bool
    in_order: bool
    header: int
    divisor: int
    snap: int
    link: int


@compiled
def _walk_records(
    data: Bytes, position: int, end: int, layout: _Layout, rows: Rows, count: int
) -> tuple[int, int, int]:
    """Walk from record to record.

    Returns:
        Packets now, where the record stands that is not whole, and its captured length, which is
        -1 if not even its header is whole.
    """
    while position + layout.header <= end:
        length = number(data, position + 8, layout.big)
        original = number(data, position + 12, layout.big)
        if not layout.in_order and length > original:
            length, original = original, length
        start = position + layout.header
        if length > PACKET_LIMIT or start + length > end:
            return count, position, length
        rows.starts[count] = start
        # Whatever a file has beyond its own snap length, libpcap cuts off.
        rows.captured[count] = min(length, layout.snap)
        rows.wire[count] = original
        fraction = number(data, position + 4, layout.big) // layout.divisor
        rows.times[count] = number(data, position, layout.big) + fraction / 1e6
        rows.links[count] = layout.link
        count += 1
        position = start + length
    return count, position, -1
