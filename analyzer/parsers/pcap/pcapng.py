"""Captures in the pcapng format.

Source: draft-ietf-opsawg-pcapng, and libpcap's ``sf-pcapng.c`` for what to refuse and how times
are cut to microseconds. Unlike libpcap, this takes sections of differing byte order and interfaces
of differing link types and snap lengths.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import Bytes, Halves, Times
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.magic import BYTE_ORDERS
from analyzer.parsers.pcap.records import PACKET_LIMIT, Packets, Rows, number

_SECTION_HEADER, _INTERFACE_DESCRIPTION = 0x0A0D0D0A, 1
_OBSOLETE_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 2, 3, 6
_SMALLEST_BLOCK, _SMALLEST_SECTION, _SMALLEST_INTERFACE = 12, 28, 20
_VERSIONS = ((1, 0), (1, 2))

BLOCK_LIMIT = 1 << 24
"""Most bytes in a block: libpcap ``sf-pcapng.c`` INITIAL_MAX_BLOCKSIZE. Longer is damage."""

HELD_BLOCK_LIMIT = PACKET_LIMIT + (1 << 17) + 32
"""Most bytes in a block that is looked into: a packet, 128 KiB of options, the fields. libpcap
``sf-pcapng.c`` MAX_BLOCKSIZE_FOR_SNAPLEN."""

INTERFACE_LIMIT = 1 << 16
"""Most interfaces in a section: so many could an obsolete Packet Block tell apart."""

_END_OF_OPTIONS, _TIME_RESOLUTION, _TIME_OFFSET = 0, 9, 14
_BINARY = 0x80
# 10^19 and 2^63 still fit 64 bits.
_MOST_DIGITS, _MOST_BITS = 19, 63
_MICROSECOND_DIGITS = 6
# A fraction of so many bits times a million still fits 64.
_FRACTION_BITS = 40

# Columns of what is known of interfaces: ticks a second; what makes microseconds of those left
# over: shift them to the right, multiply, divide; snap length, 0 if there is none; link type.
_TICKS, _SHIFT, _FACTOR, _DIVISOR, _SNAP, _LINK = range(6)
Interfaces = npt.NDArray[np.uint64]

_NOT_WHOLE, _DEFINITION, _BROKEN_LENGTH, _BROKEN_TRAILER, _NO_INTERFACE, _TOO_LONG = range(6)
_COMPLAINTS = {
    _BROKEN_LENGTH: "a block with a length of {}",
    _BROKEN_TRAILER: "a block that does not end with its length of {}",
    _NO_INTERFACE: "a packet of interface {}, which is not described",
    _TOO_LONG: "a captured length of {}",
}


class Pcapng:
    """Finds the packets in the blocks of a pcapng file."""

    def __init__(self) -> None:
        self._order = "<"
        self._count = 0
        self._interfaces = np.zeros((1, 6), np.uint64)
        self._offsets = np.zeros(1)

    def walk(self, data: Bytes, position: int, end: int, packets: Packets) -> tuple[int, str]:
        """See :meth:`Walk.walk`."""
        while True:
            packets.count, position, status, value = _walk_blocks(
                data,
                position,
                end,
                self._order == ">",
                self._count,
                self._interfaces,
                self._offsets,
                packets.rows,
                packets.count,
            )
            if status != _DEFINITION:
                complaint = _COMPLAINTS[status].format(value) if status != _NOT_WHOLE else ""
                return position, complaint
            try:
                size = self._define(data[position:end])
            except ValueError as error:
                return position, str(error)
            if not size:
                return position, ""
            position += size

    def _define(self, data: Bytes) -> int:
        """Take in a Section Header or Interface Description Block that `data` starts with.

        Returns:
            Its length, 0 if it is not whole.

        Raises:
            ValueError: what is wrong with it.
        """
        head = data[:_SMALLEST_BLOCK].tobytes()
        section = head[:4] == b"\n\r\r\n"
        if section:
            if head[8:12] not in BYTE_ORDERS:
                raise ValueError("a section without a byte order")
            self._order = BYTE_ORDERS[head[8:12]]
        (length,) = struct.unpack_from(self._order + "I", head, 4)
        smallest = _SMALLEST_SECTION if section else _SMALLEST_INTERFACE
        if not smallest <= length <= HELD_BLOCK_LIMIT or length % 4:
            raise ValueError(_COMPLAINTS[_BROKEN_LENGTH].format(length))
        if length > len(data):
            return 0
        block = data[:length].tobytes()
        if block[4:8] != block[-4:]:
            raise ValueError(_COMPLAINTS[_BROKEN_TRAILER].format(length))
        if section:
            version = struct.unpack_from(self._order + "HH", block, 12)
            if version not in _VERSIONS:
                raise ValueError(f"pcapng version {version[0]}.{version[1]}, which is not known,")
            self._count = 0
        else:
            self._add_interface(block)
        return int(length)

    def _add_interface(self, block: bytes) -> None:
        if self._count == INTERFACE_LIMIT:
            raise ValueError(f"more than {INTERFACE_LIMIT} interfaces")
        link, snap = struct.unpack_from(self._order + "H2xI", block, 8)
        resolution, offset = self._time_options(block[16:-4])
        row = (*_scale(resolution), snap if snap < 1 << 31 else 0, link)
        if self._count == len(self._offsets):
            self._interfaces = np.concatenate([self._interfaces, self._interfaces])
            self._offsets = np.concatenate([self._offsets, self._offsets])
        self._interfaces[self._count] = row
        self._offsets[self._count] = offset
        self._count += 1

    def _time_options(self, options: bytes) -> tuple[int, int]:
        """The values of if_tsresol and if_tsoffset, or what they are by default."""
        resolution, offset = _MICROSECOND_DIGITS, 0
        at = 0
        while at + 4 <= len(options):
            code, size = struct.unpack_from(self._order + "HH", options, at)
            value = options[at + 4 : at + 4 + size]
            if code == _END_OF_OPTIONS:
                break
            if len(value) < size:
                raise ValueError("an interface whose description goes beyond its block")
            if code == _TIME_RESOLUTION and size == 1:
                resolution = value[0]
            elif code == _TIME_OFFSET and size == struct.calcsize("q"):
                (offset,) = struct.unpack(self._order + "q", value)
            at += 4 + -(-size // 4) * 4
        return resolution, offset


def _scale(resolution: int) -> tuple[int, int, int, int]:
    """The columns from :data:`_TICKS` to :data:`_DIVISOR` that belong to an if_tsresol.

    Raises:
        ValueError: a finer resolution than 64 bits hold.
    """
    power = resolution & ~_BINARY
    if resolution & _BINARY:
        if power > _MOST_BITS:
            raise ValueError(f"an interface that counts time in 2^-{power} s")
        return 1 << power, max(power - _FRACTION_BITS, 0), 10**6, 1 << min(power, _FRACTION_BITS)
    if power > _MOST_DIGITS:
        raise ValueError(f"an interface that counts time in 10^-{power} s")
    finer = power - _MICROSECOND_DIGITS
    return 10**power, 0, 10 ** max(-finer, 0), 10 ** max(finer, 0)


@compiled
def _walk_blocks(
    data: Bytes,
    position: int,
    end: int,
    big: bool,
    known: int,
    interfaces: Interfaces,
    offsets: Times,
    rows: Rows,
    count: int,
) -> tuple[int, int, int, int]:
    """Walk from block to block, up to one that defines a section or an interface.

    Returns:
        Packets now, how far that went, why no further, and the number that is to blame.
    """
    while position + _SMALLEST_BLOCK <= end:
        kind = number(data, position, big)
        if kind in (_SECTION_HEADER, _INTERFACE_DESCRIPTION):
            return count, position, _DEFINITION, 0
        length = number(data, position + 4, big)
        if length < _SMALLEST_BLOCK or length > BLOCK_LIMIT or length % 4 != 0:
            return count, position, _BROKEN_LENGTH, length
        if kind in (_ENHANCED_PACKET, _OBSOLETE_PACKET, _SIMPLE_PACKET):
            simple = kind == _SIMPLE_PACKET
            fields = 12 if simple else 28
            room = length - fields - 4
            if room < 0 or length > HELD_BLOCK_LIMIT:
                return count, position, _BROKEN_LENGTH, length
            if position + length > end:
                return count, position, _NOT_WHOLE, 0
            if number(data, position + length - 4, big) != length:
                return count, position, _BROKEN_TRAILER, length
            interface = 0 if simple else number(data, position + 8, big)
            if kind == _OBSOLETE_PACKET:  # which has a count of drops beside it
                interface = interface >> 16 if big else interface & 0xFFFF
            if interface >= known:
                return count, position, _NO_INTERFACE, interface
            original = number(data, position + fields - 4, big)
            captured = original
            ticks = np.uint64(0)
            if not simple:
                captured = number(data, position + 20, big)
                high = number(data, position + 12, big)
                ticks = np.uint64(high << 32 | number(data, position + 16, big))
            elif interfaces[0, _SNAP] > 0:
                captured = min(captured, int(np.int64(interfaces[0, _SNAP])))
            if captured > min(room, PACKET_LIMIT):
                return count, position, _TOO_LONG, captured
            rows.starts[count] = position + fields
            rows.captured[count] = captured
            rows.wire[count] = original
            rows.times[count] = _seconds(ticks, interfaces[interface], offsets[interface])
            rows.links[count] = np.uint16(interfaces[interface, _LINK])
            count += 1
        position += length
    return count, position, _NOT_WHOLE, 0


@compiled
def _seconds(ticks: np.uint64, interface: Halves, offset: float) -> float:
    """The time, cut to microseconds."""
    seconds = ticks // interface[_TICKS]
    rest = ticks - seconds * interface[_TICKS]
    rest = (rest >> interface[_SHIFT]) * interface[_FACTOR] // interface[_DIVISOR]
    return np.float64(seconds) + offset + np.float64(rest) / 1e6
