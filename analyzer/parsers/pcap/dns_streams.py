"""DNS over TCP: messages out of streams, each after its length in two bytes.

Sources: RFC 1035 section 4.2.2, and ``Contents_DNS`` in Zeek's
``src/analyzer/protocol/dns/DNS.cc``: what is missing from a stream is left out, and reading goes on
with what follows, wrong as that may be.
"""

from __future__ import annotations

import heapq

MAX_WAITING_BYTES = 1 << 20
"""Most bytes of a direction kept that came ahead of others; past it the others count as lost. Zeek
waits for ever by default, or until somebody acknowledges them."""

MAX_WAITING_SEGMENTS = 4096
"""Most segments kept likewise."""

_LENGTH_SIZE = 2


class DnsStream:
    """One direction of a connection that carries DNS over TCP."""

    def __init__(self) -> None:
        self._partial = bytearray()
        self._next = 0
        self._waiting: list[tuple[int, int, int, bytes]] = []
        self._waiting_bytes = 0
        self._count = 0

    @property
    def unfinished(self) -> bytes:
        """The beginning of a message that has not come to its end."""
        return bytes(self._partial[_LENGTH_SIZE:])

    def add(self, offset: int, length: int, content: bytes) -> list[bytes]:
        """Take a segment; returns the messages that it completes.

        Args:
            offset: where in the stream it begins.
            length: its length by the headers.
            content: what was captured of it, its beginning.
        """
        if offset > self._next:
            self._count += 1
            heapq.heappush(self._waiting, (offset, self._count, length, content))
            self._waiting_bytes += len(content)
            if (
                self._waiting_bytes <= MAX_WAITING_BYTES
                and len(self._waiting) <= MAX_WAITING_SEGMENTS
            ):
                return []
            self._next = self._waiting[0][0]
        else:
            self._append(offset, length, content)
        return self._messages()

    def skip(self, offset: int, length: int) -> list[bytes]:
        """Take note of bytes that will never come; returns the messages that this completes.

        Args:
            offset: where in the stream they are missing.
            length: how many.
        """
        if offset <= self._next:
            self._next = max(self._next, offset + length)
        return self._messages()

    def _append(self, offset: int, length: int, content: bytes) -> None:
        if offset + length > self._next:
            self._partial += content[self._next - offset :]
            self._next = offset + length

    def _messages(self) -> list[bytes]:
        while self._waiting and self._waiting[0][0] <= self._next:
            offset, _, length, content = heapq.heappop(self._waiting)
            self._waiting_bytes -= len(content)
            self._append(offset, length, content)
        messages = []
        start = 0
        while len(self._partial) - start >= _LENGTH_SIZE:
            begin = start + _LENGTH_SIZE
            end = begin + int.from_bytes(self._partial[start:begin])
            if end > len(self._partial):
                break
            messages.append(bytes(self._partial[begin:end]))
            start = end
        del self._partial[:start]
        return messages
