"""The plain bytes of a capture, put where they are to stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Protocol, cast

import numpy as np

from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.pcap.batches import Bytes

_SCRATCH = 1 << 20


class _Readable(Protocol):
    """What every binary stream of Python's can do, though its abstract type does not say so."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class ByteStream:
    """Fills arrays from a stream, compressed or not.

    Plain streams are read straight into the arrays, so that each byte is copied but once.

    Args:
        stream: at its beginning; or, if `plain` is given, where that has left it.
        on_progress: told of every run of bytes that this has read.
        plain: the same stream where somebody has begun to read it, to see what it is.
        head: the plain bytes that were read of it.
        chunks: the rest of `plain`, an iterator of it that gave `head`.
    """

    def __init__(
        self,
        stream: IO[bytes],
        on_progress: Callable[[int], None] | None = None,
        *,
        plain: PlainBytes | None = None,
        head: bytes = b"",
        chunks: Iterator[bytes] | None = None,
    ) -> None:
        self._stream = stream
        self._on_progress = on_progress
        self._plain = plain or PlainBytes(stream, on_progress)
        self._chunks = chunks if plain and chunks is not None else iter(self._plain)
        if not plain:
            head = next(self._chunks, b"")
        self._pending = memoryview(head)
        self._fault = ""
        self._consumed = 0

    @property
    def fault(self) -> str:
        """Where and how the stream broke, empty while it has not."""
        return self._fault or self._plain.fault

    @property
    def consumed(self) -> int:
        """Bytes taken from the underlying stream so far."""
        return self._plain.consumed + self._consumed

    def fill(self, array: Bytes, start: int = 0) -> int:
        """Put the next bytes into `array` from `start` on; fewer than it holds only at the end.

        Returns:
            How many there were.
        """
        filled = start
        while filled < len(array):
            if self._pending:
                piece = self._pending[: len(array) - filled]
                array[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
                self._pending = self._pending[len(piece) :]
                filled += len(piece)
            elif self._plain.codec is not None:
                self._pending = memoryview(next(self._chunks, b""))
                if not self._pending:
                    break
            elif count := self._read(array[filled:]):
                filled += count
            else:
                break
        return filled - start

    def skip(self, count: int) -> int:
        """Pass over the next `count` bytes; over fewer only at the end.

        Returns:
            How many there were.
        """
        scratch = np.empty(min(count, _SCRATCH), np.uint8)
        left = count
        while left and (filled := self.fill(scratch[: min(left, len(scratch))])):
            left -= filled
        return count - left

    def _read(self, array: Bytes) -> int:
        try:
            count = cast("_Readable", self._stream).readinto(array.data) or 0
        except OSError as error:
            self._fault = f"cannot be read past byte {self.consumed}: {error.strerror or error}"
            return 0
        self._consumed += count
        if self._on_progress and count:
            self._on_progress(count)
        return count
