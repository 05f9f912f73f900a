"""Batches of packets made in tests, and rows as tests compare them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scapy.packet import Packet
from scapy.utils import RawPcapNgReader, RawPcapReader

from analyzer.parsers.pcap.batches import PacketBatch, SegmentBatch
from analyzer.parsers.pcap.headers import HeaderDecoder

ETHERNET, RAW = 1, 101
"""LINKTYPE numbers."""


class Row(NamedTuple):
    """A row of a :class:`SegmentBatch`: addresses as text, the payload as bytes."""

    source: str
    destination: str
    protocol: int
    source_port: int
    destination_port: int
    ip_length: int
    payload: bytes
    payload_length: int
    carrier: int
    is_carrier: int


def batch(
    *packets: bytes | Packet,
    link: int | Sequence[int] = ETHERNET,
    times: Sequence[float] | None = None,
    missing: int = 0,
) -> PacketBatch:
    """Packets one after another, a second apart unless told otherwise.

    Args:
        packets: each as captured.
        link: LINKTYPE number of all, or of each.
        times: when each was captured.
        missing: bytes of each that were on the wire and not captured.
    """
    contents = [bytes(packet) for packet in packets]
    captured = np.array([len(content) for content in contents], np.int64)
    links = [link] * len(contents) if isinstance(link, int) else link
    return PacketBatch(
        data=np.frombuffer(b"".join(contents), np.uint8).copy(),
        starts=np.cumsum(captured) - captured,
        captured=captured,
        wire=captured + missing,
        times=np.array(range(len(contents)) if times is None else times, np.float64),
        links=np.array(links, np.uint16),
    )


def part(packets: PacketBatch, first: int, last: int) -> PacketBatch:
    """Some of the packets of a batch."""
    return PacketBatch(
        packets.data,
        packets.starts[first:last],
        packets.captured[first:last],
        packets.wire[first:last],
        packets.times[first:last],
        packets.links[first:last],
    )


def rows(segments: SegmentBatch) -> list[Row]:
    """All rows of a batch."""
    return [_row(segments, row) for row in range(segments.times.size)]


def decoded(
    *packets: bytes | Packet, link: int | Sequence[int] = ETHERNET, missing: int = 0
) -> list[Row]:
    """The rows that a new decoder makes of packets."""
    return rows(HeaderDecoder().decode(batch(*packets, link=link, missing=missing)))


def skipped(*packets: bytes | Packet, link: int = ETHERNET, missing: int = 0) -> dict[str, int]:
    """What a new decoder passes over, if it makes no row."""
    decoder = HeaderDecoder()
    assert rows(decoder.decode(batch(*packets, link=link, missing=missing))) == []
    return dict(decoder.skipped)


def read_capture(path: Path) -> PacketBatch:
    """All packets of a capture, as scapy reads it."""
    contents, links, wire, times = [], [], [], []
    meta: Any
    with RawPcapReader(str(path)) as reader:
        for content, meta in reader:
            contents.append(content)
            wire.append(meta.wirelen)
            if isinstance(reader, RawPcapNgReader):
                links.append(meta.linktype)
                ticks = (meta.tshigh or 0) << 32 | (meta.tslow or 0)
                times.append(ticks / (meta.tsresol or 1e6))
            else:
                links.append(reader.linktype)
                times.append(meta.sec + meta.usec / (1e9 if reader.nano else 1e6))
    packets = batch(*contents, link=links, times=times)
    packets.wire[:] = wire
    return packets


def _row(segments: SegmentBatch, row: int) -> Row:
    start = int(segments.payload_starts[row])
    return Row(
        _address(int(segments.source_high[row]), int(segments.source_low[row])),
        _address(int(segments.destination_high[row]), int(segments.destination_low[row])),
        int(segments.protocols[row]),
        int(segments.source_ports[row]),
        int(segments.destination_ports[row]),
        int(segments.ip_lengths[row]),
        bytes(segments.data[start : start + int(segments.payload_captured[row])]),
        int(segments.payload_lengths[row]),
        int(segments.carriers[row]),
        int(segments.is_carrier[row]),
    )


def _address(high: int, low: int) -> str:
    if not high and low >> 32 == 0xFFFF:
        return str(ipaddress.IPv4Address(low & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(high << 64 | low))
