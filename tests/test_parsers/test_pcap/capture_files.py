"""Captures made byte by byte, and read back as plain Python."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import strategies as st

from analyzer.parsers.pcap.batches import PacketBatch
from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.container import BATCH_SIZE, Capture

MICROSECONDS, NANOSECONDS, PATCHED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34


class Packet(NamedTuple):
    """A packet: its time in whole seconds and microseconds, its bytes, how many it once had."""

    seconds: int
    microseconds: int
    data: bytes
    wire: int
    link: int = 1

    @property
    def time(self) -> float:
        return self.seconds + self.microseconds / 1e6


PACKETS = st.lists(
    st.builds(
        Packet,
        st.integers(0, 2**32 - 1),
        st.integers(0, 999_999),
        st.binary(max_size=200),
        st.integers(0, 2**32 - 1),
        st.just(1),
    ),
    max_size=20,
)


def rows(batches: Iterable[PacketBatch]) -> list[tuple[float, bytes, int, int]]:
    """Time, bytes, original length and link type of every packet."""
    return [
        (time, batch.data[start : start + captured].tobytes(), wire, link)
        for batch in batches
        for time, start, captured, wire, link in zip(
            batch.times.tolist(),
            batch.starts.tolist(),
            batch.captured.tolist(),
            batch.wire.tolist(),
            batch.links.tolist(),
            strict=True,
        )
    ]


def expected(packets: Iterable[Packet]) -> list[tuple[float, bytes, int, int]]:
    return [(packet.time, packet.data, packet.wire, packet.link) for packet in packets]


def read(data: bytes, size: int = BATCH_SIZE) -> tuple[list[tuple[float, bytes, int, int]], str]:
    """What a capture has, as `rows` has it, and its fault."""
    capture = Capture("capture", ByteStream(io.BytesIO(data)))
    batches = []
    while batch := capture.read(size):
        batches.append(batch)
    found = rows(batches)
    assert capture.packets == len(found)
    return found, capture.fault


def header(
    order: str = "<",
    magic: int = MICROSECONDS,
    *,
    version: tuple[int, int] = (2, 4),
    snap: int = 65535,
    link: int = 1,
) -> bytes:
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, snap, link)


def record(packet: Packet, order: str = "<", magic: int = MICROSECONDS) -> bytes:
    # 999 nanoseconds too many, which are to be cut off.
    fraction = packet.microseconds * 1000 + 999 if magic == NANOSECONDS else packet.microseconds
    lengths = (len(packet.data), packet.wire)
    more = b"\1\2\3\4\5\6\7\0" if magic == PATCHED else b""
    return struct.pack(order + "IIII", packet.seconds, fraction, *lengths) + more + packet.data


def classic(packets: Iterable[Packet], order: str = "<", magic: int = MICROSECONDS) -> bytes:
    return header(order, magic) + b"".join(record(packet, order, magic) for packet in packets)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<", version: tuple[int, int] = (1, 0)) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(
    order: str = "<",
    *,
    link: int = 1,
    snap: int = 0,
    resolution: int | None = None,
    offset: int | None = None,
) -> bytes:
    options = option(2, b"eth0", order)
    if resolution is not None:
        options += option(9, bytes([resolution]), order)
    if offset is not None:
        options += option(14, struct.pack(order + "q", offset), order)
    return block(1, struct.pack(order + "HHI", link, 0, snap) + options + option(0, b""), order)


def enhanced(
    ticks: int, data: bytes, wire: int, order: str = "<", *, number: int = 0, options: bytes = b""
) -> bytes:
    fields = (number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire)
    padded = data + bytes(-len(data) % 4)
    return block(6, struct.pack(order + "5I", *fields) + padded + options, order)


def obsolete(ticks: int, data: bytes, wire: int, order: str = "<", *, number: int = 0) -> bytes:
    fields = (number, 7, ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire)
    return block(2, struct.pack(order + "HH4I", *fields) + data, order)


def simple(data: bytes, wire: int, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", wire) + data, order)


def pcapng(packets: Iterable[Packet], order: str = "<") -> bytes:
    """One section and one interface that counts microseconds."""
    ticks = [(packet.seconds * 10**6 + packet.microseconds, packet) for packet in packets]
    blocks = [enhanced(tick, packet.data, packet.wire, order) for tick, packet in ticks]
    return section(order) + interface(order) + b"".join(blocks)
