"""The two streams of a TCP connection, in order, out of segments that need not be.

Segments come as :class:`~.batches.FlowBatch` has them: never wholly seen before, but out of order,
overlapping, cut off by the capture, and with holes.
"""

from __future__ import annotations

from collections.abc import Iterator

_MOST_HELD, _MOST_HELD_BYTES = 32, 16 * 1024
"""Segments held back of one direction, and bytes in them; then the hole before them is given up."""


class OrderedStream:
    """One direction's stream.

    Attributes:
        position: how far it was handed out.
    """

    __slots__ = ("_held", "position")

    def __init__(self) -> None:
        self.position = 0
        self._held: dict[int, bytes] = {}

    def begin_anywhere(self) -> None:
        """Take the next segment for the beginning, wherever it stands."""
        self.position = -1

    def goes_on(self, offset: int, length: int) -> bool:
        """Whether a whole segment can be handed out as it is; then it is taken to have been."""
        if offset != self.position or self._held:
            return False
        self.position += length
        return True

    def add(self, offset: int, data: bytes, missing: int = 0) -> Iterator[bytes | None]:
        """What can be handed out with one more segment: bytes, or None where some are missing.

        Args:
            offset: how far into the stream the segment begins.
            data: what is present of it.
            missing: how many bytes of it the capture cut off.
        """
        if self.position < 0:
            self.position = offset
        if offset > self.position:
            held = len(data) + sum(map(len, self._held.values()))
            if len(self._held) < _MOST_HELD and held <= _MOST_HELD_BYTES:
                self._held[offset] = max(data, self._held.get(offset, b""), key=len)
                return
            yield from self.skip_to(min((offset, *self._held)))
            yield from self.add(offset, data, missing)
            return
        if offset + len(data) > self.position:
            yield data[self.position - offset :]
            self.position = offset + len(data)
        if missing and offset + len(data) == self.position:
            self.position += missing
            yield None
        yield from self._release()

    def skip_to(self, offset: int) -> Iterator[bytes | None]:
        """Give up waiting for what comes before `offset`."""
        if offset > self.position:
            yield None
            self.position = offset
        yield from self._release()

    def _release(self) -> Iterator[bytes]:
        while self._held and (first := min(self._held)) <= self.position:
            data = self._held.pop(first)
            if first + len(data) > self.position:
                yield data[self.position - first :]
                self.position = first + len(data)
