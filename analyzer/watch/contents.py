"""The plain bytes of a file from any place on, whether it is compressed or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.compression import PlainBytes, codec_of
from analyzer.watch.streams import HEAD_SIZE

_MAGIC_SIZE = 8


class Content:
    """An open file that may grow, be cut off, or be renamed meanwhile.

    Args:
        path: the file.

    Attributes:
        is_compressed: whether it is, as far as can be told.
        begun: its size and time when it was begun to be decompressed; None if it was not. What has
            come to it since may not be seen.
        fault: where and how its compressed data break; empty as far as they do not.
        is_whole: whether it is compressed, was read to its end, and nothing was wrong.

    Raises:
        OSError: it cannot be opened or read.
    """

    def __init__(self, path: str) -> None:
        # Somebody may have put a pipe there since it was looked at.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self.begun: tuple[int, int] | None = None
        self.fault = ""
        self.is_whole = False
        self._chunks: Iterator[bytes] = iter(())
        self._stream: IO[bytes] | None = None
        self._held = b""
        self._position = 0
        self.is_compressed = False
        try:
            self.recognise()
        except BaseException:
            self.close()
            raise

    def recognise(self) -> None:
        """See whether it is compressed, if it was not: it may have been empty before.

        Raises:
            OSError: it cannot be read.
        """
        if not self.is_compressed:
            magic = os.pread(self._descriptor, _MAGIC_SIZE, 0)
            self.is_compressed = codec_of(magic) is not None

    def close(self) -> None:
        """Let go of the file."""
        self._rewind()
        os.close(self._descriptor)

    @property
    def state(self) -> os.stat_result:
        """What the system says of the file, wherever it is by now."""
        return os.fstat(self._descriptor)

    def begins(self) -> bytes:
        """Its first plain bytes, as many as tell logs apart."""
        if not self.is_compressed:
            return os.pread(self._descriptor, HEAD_SIZE, 0)
        return self.read(0, HEAD_SIZE)

    def read(self, offset: int, size: int) -> bytes:
        """Plain bytes from an offset on; fewer than asked for only at the end of what is there.

        Raises:
            OSError: it cannot be read.
        """
        if not self.is_compressed:
            return self._read_plain(offset, size)
        if self._stream is None or self._position > offset:
            self._restart()
        while self._position + len(self._held) < offset + size:
            if self._position + len(self._held) <= offset:
                # What stands before the place is not held.
                self._position += len(self._held)
                self._held = b""
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._held += chunk
        self._ended()
        start = offset - self._position
        if start > 0:
            self._held, self._position = self._held[start:], min(offset, self._end)
        return self._held[:size] if self._position == offset else b""

    @property
    def _end(self) -> int:
        return self._position + len(self._held)

    def _read_plain(self, offset: int, size: int) -> bytes:
        read = bytearray()
        while len(read) < size and (
            piece := os.pread(self._descriptor, size - len(read), offset + len(read))
        ):
            read += piece
        return bytes(read)

    def _restart(self) -> None:
        self._rewind()
        state = self.state
        self.begun = (state.st_size, state.st_mtime_ns)
        self._stream = os.fdopen(os.dup(self._descriptor), "rb")
        self._stream.seek(0)
        self._plain = PlainBytes(self._stream)
        self._chunks = iter(self._plain)

    def _rewind(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._held, self._position = b"", 0
        self.fault, self.is_whole = "", False

    def _ended(self) -> None:
        """See whether the compressed data have ended, and how."""
        chunk = b"" if self._plain.fault else next(self._chunks, b"")
        if chunk:
            self._held += chunk
        else:
            self.fault = self._plain.fault
            self.is_whole = not self.fault

    def again(self) -> None:
        """Forget how the compressed data ended: the file has changed."""
        self._rewind()


def whole_lines(content: Content, offset: int, size: int) -> tuple[bytes, int]:
    """Whole lines from an offset on, some `size` bytes of them, and bytes to leave out before.

    A line beyond :data:`analyzer.parsers.blocks.LINE_LIMIT` is left out, once its end is there. The
    last line of compressed data that are whole needs no end.

    Raises:
        OSError: it cannot be read.
    """
    data = content.read(offset, max(size, LINE_LIMIT + 1))
    end = data.rfind(b"\n") + 1
    if end:
        return data[:end], 0
    if len(data) <= LINE_LIMIT:
        return (data, 0) if content.is_whole else (b"", 0)
    passed = len(data)
    while more := content.read(offset + passed, LINE_LIMIT):
        found = more.find(b"\n") + 1
        if found:
            return b"", passed + found
        passed += len(more)
    return b"", 0
