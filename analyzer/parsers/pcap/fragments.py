"""IP datagrams made whole from their fragments, as Zeek does: src/Frag.cc, src/Reassem.cc."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.parsers.pcap.internet import IPV6_HEADER, extension_size

TIMEOUT = 300.0
"""Seconds for which the first fragment of a datagram waits for the rest (Zeek: frag_timeout)."""

MEMORY_LIMIT = 1 << 28
"""Bytes of fragments held at most; beyond, the datagrams that have waited longest are given up."""

# What a fragment costs besides its bytes.
_OVERHEAD = 256

_IPV6_FRAGMENT = 8


class Fragment(NamedTuple):
    """A fragment as captured.

    Attributes:
        key: what it shares with the other fragments of its datagram: source and destination
            address, identification. Zeek asks for no more, not even the protocol.
        header: the IP header without IPv6's fragment header.
        protocol: of the payload; IPv6's comes from the fragment that has the start of it.
        offset: bytes of the payload that come before it.
        more: whether it says that others follow it.
        payload: the bytes of it; None where the header says less than the header's own length.
    """

    key: tuple[bytes, bytes, int]
    header: bytes
    protocol: int
    offset: int
    more: bool
    payload: bytes | None


class Datagram(NamedTuple):
    """A datagram made whole.

    Attributes:
        header: as the fragment had it that came first, with the length of the whole; IPv6's leads
            to what its fragment header led to.
        payload: the rest.
        total: bytes by the header; what has more than its field can say has too few.
    """

    header: bytes
    payload: bytes
    total: int


def read_fragment(
    data: memoryview, start: int, *, header: int, total: int, addresses: tuple[int, int]
) -> Fragment:
    """A fragment that is there, to its end.

    Args:
        data: the bytes that hold it.
        start: where it begins.
        header: bytes of its headers.
        total: bytes of it by its header.
        addresses: where source and destination stand.
    """
    payload = bytes(data[start + header : start + total]) if total else None
    is_ipv4 = data[start] >> 4 == 4
    size = 4 if is_ipv4 else 16
    source, destination = (bytes(data[at : at + size]) for at in addresses)
    if is_ipv4:
        identification, field = _number(data, start + 4, 2), _number(data, start + 6, 2)
        key = source, destination, identification
        own = bytes(data[start : start + header])
        return Fragment(key, own, own[9], (field & 0x1FFF) * 8, field & 0x2000 != 0, payload)
    at = start + header - _IPV6_FRAGMENT
    key = source, destination, _number(data, at + 4, 4)
    field = _number(data, at + 2, 2)
    return Fragment(key, bytes(data[start:at]), data[at], field & 0xFFF8, field & 1 != 0, payload)


def _number(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size])


@dataclass(slots=True)
class _Parts:
    """What has come of a datagram: pieces that do not overlap, and the stretches they cover."""

    header: bytes
    protocol: int
    since: float
    size: int = 0
    fragments: int = 0
    memory: int = 0
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def insert(self, start: int, payload: bytes) -> None:
        """Keep what is new of the bytes; where they overlap, those that came first stay."""
        end = start + len(payload)
        first = bisect_left(self.ends, start)
        last = bisect_right(self.starts, end)
        at = start
        for low, high in zip(self.starts[first:last], self.ends[first:last], strict=True):
            if at < low:
                self._keep(at, payload[at - start : low - start])
            at = max(at, high)
        if at < end:
            self._keep(at, payload[at - start :])
        if first < last:
            start, end = min(start, self.starts[first]), max(end, self.ends[last - 1])
        self.starts[first:last], self.ends[first:last] = [start], [end]

    def _keep(self, start: int, payload: bytes) -> None:
        if payload:
            self.pieces.append((start, payload))
            self.memory += len(payload)

    def whole(self) -> bytes | None:
        """The payload, once it is there without a hole.

        A stretch without a hole that goes beyond the size that the last fragment said is whole too,
        with all it has.
        """
        if not self.size or self.starts[0] > 0 or self.ends[0] < self.size:
            return None
        end = self.ends[0]
        return b"".join(piece for start, piece in sorted(self.pieces) if start < end)


class Reassembler:
    """Holds fragments until their datagrams are whole.

    Attributes:
        pending: fragments that wait, and those that waited in vain.
    """

    def __init__(self, memory_limit: int = MEMORY_LIMIT) -> None:
        self.pending = 0
        self._memory_limit = memory_limit
        self._memory = 0
        # A plain dict is slow to find its oldest entry once many have been taken out.
        self._waiting: OrderedDict[tuple[bytes, bytes, int], _Parts] = OrderedDict()

    def add(self, fragment: Fragment, now: float) -> Datagram | None:
        """Add a fragment captured at `now`; the datagram, if that completes it."""
        self._expire(now)
        parts = self._waiting.get(fragment.key)
        if parts is None:
            parts = _Parts(fragment.header, fragment.protocol, now)
            self._waiting[fragment.key] = parts
        held = parts.memory
        parts.memory += _OVERHEAD
        parts.fragments += 1
        self.pending += 1
        payload = self._insert(parts, fragment)
        self._memory += parts.memory - held
        if payload is None:
            return None
        self._forget(fragment.key)
        self.pending -= parts.fragments
        return _datagram(bytearray(parts.header), parts.protocol, payload)

    @staticmethod
    def _insert(parts: _Parts, fragment: Fragment) -> bytes | None:
        if fragment.payload is None:
            return None
        end = fragment.offset + len(fragment.payload)
        if not fragment.offset:
            parts.protocol = fragment.protocol
        if parts.size or not fragment.more:
            parts.size = max(parts.size, end)
        if not fragment.payload:
            return None
        parts.insert(fragment.offset, fragment.payload)
        return parts.whole()

    def _expire(self, now: float) -> None:
        while self._waiting:
            key, oldest = next(iter(self._waiting.items()))
            if now - oldest.since < TIMEOUT and self._memory <= self._memory_limit:
                return
            self._forget(key)

    def _forget(self, key: tuple[bytes, bytes, int]) -> None:
        self._memory -= self._waiting.pop(key).memory


def _datagram(header: bytearray, protocol: int, payload: bytes) -> Datagram:
    if header[0] >> 4 == 4:
        total = len(header) + len(payload) & 0xFFFF
        header[2:4] = total.to_bytes(2)
        return Datagram(bytes(header), payload, total)
    beyond = len(header) - IPV6_HEADER + len(payload) & 0xFFFF
    header[4:6] = beyond.to_bytes(2)
    header[_next_field_of_last(header)] = protocol
    return Datagram(bytes(header), payload, IPV6_HEADER + beyond)


def _next_field_of_last(header: bytearray) -> int:
    """Where the last of IPv6's headers says what follows it."""
    field, at = 6, IPV6_HEADER
    while at < len(header):
        kind, field = header[field], at
        at += extension_size(kind, header[at + 1])
    return field
