"""Numbers in network byte order, for compiled code; all of their bytes have to be there."""

from __future__ import annotations

from analyzer.parsers.pcap.batches import Bytes
from analyzer.parsers.pcap.compiled import compiled


@compiled
def read16(data: Bytes, at: int) -> int:
    """16 bits."""
    return int(data[at]) * 0x100 + int(data[at + 1])


@compiled
def read32(data: Bytes, at: int) -> int:
    """32 bits."""
    return read16(data, at) * 0x10000 + read16(data, at + 2)


@compiled
def read64(data: Bytes, at: int) -> int:
    """64 bits, as the signed number that has the same."""
    return (read32(data, at) << 32) | read32(data, at + 4)
