"""Rows of a stream gathered in a temporary file until there are enough to load at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analyzer.parsers.blocks import BLOCK_SIZE, Rows


class Spool:
    """A temporary file of rows that all stand under one header.

    Args:
        path: where to keep it; overwritten.
        load: called with the spool whenever it is full or flushed, before it is emptied.

    Attributes:
        lines: lines held, blank ones included.
        escaped: whether a backslash is among them.
    """

    def __init__(self, path: Path, load: Callable[[Spool], None]) -> None:
        self.path = path
        self.lines = 0
        self.escaped = False
        self._load = load
        self._file = path.open("wb")
        self._size = 0
        # (lines held before the run, number of its first line): runs of rows need not follow each
        # other in the source, a header line or an overlong one may stand between.
        self._runs: list[tuple[int, int]] = []

    def add(self, rows: Rows) -> None:
        """Hold these rows too, and load if that makes it full."""
        self._runs.append((self.lines, rows.line))
        self._file.write(rows.data)
        self._size += len(rows.data)
        self.lines += rows.count
        self.escaped = self.escaped or b"\\" in rows.data
        if self._size >= BLOCK_SIZE:
            self.flush()

    def source_line(self, index: int) -> int:
        """The number in the source of the line at `index` (from 0) of the spool."""
        before, line = max(run for run in self._runs if run[0] <= index)
        return line + index - before

    def flush(self) -> None:
        """Load what is held, if anything, and start anew."""
        if not self.lines:
            return
        self._file.flush()
        self._load(self)
        self._file.seek(0)
        self._file.truncate()
        self._size = self.lines = 0
        self.escaped = False
        self._runs.clear()

    def close(self) -> None:
        """Drop the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)
