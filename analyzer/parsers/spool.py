"""Rows of a stream gathered in a temporary file until there are enough to load at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analyzer.errors import ResourceError
from analyzer.parsers.blocks import BLOCK_SIZE, Rows


class Spool:
    """A temporary file of rows that all stand under one header.

    Args:
        path: where to keep it; overwritten.
        load: called with the spool whenever it is full or flushed, before it is emptied.

    Attributes:
        lines: lines held, blank ones included.
    """

    def __init__(self, path: Path, load: Callable[[Spool], None]) -> None:
        self.path = path
        self.lines = 0
        self._load = load
        with _written():
            self._file = path.open("wb")
        self._size = 0
        # (lines held before the run, number of its first line): runs of rows need not follow each
        # other in the source, a header line or an overlong one may stand between.
        self._runs: list[tuple[int, int]] = []

    def add(self, rows: Rows) -> None:
        """Hold these rows too, and load if that makes it full."""
        self._runs.append((self.lines, rows.line))
        with _written():
            self._file.write(rows.data)
        self._size += len(rows.data)
        self.lines += rows.count
        if self._size >= BLOCK_SIZE:
            self.flush()

    def source_line(self, index: int) -> int:
        """The number in the source of the line at `index` (from 0) of the spool."""
        return int(self.source_lines(index, 1)[0])

    def source_lines(self, index: int, count: int) -> npt.NDArray[np.int64]:
        """The numbers in the source of `count` lines from `index` on."""
        before, line = np.array(self._runs, np.int64).T
        indices = np.arange(index, index + count)
        run = np.searchsorted(before, indices, "right") - 1
        lines: npt.NDArray[np.int64] = line[run] + indices - before[run]
        return lines

    def flush(self) -> None:
        """Load what is held, if anything, and start anew."""
        if not self.lines:
            return
        with _written():
            self._file.flush()
        self._load(self)
        with _written():
            self._file.seek(0)
            self._file.truncate()
        self._size = self.lines = 0
        self._runs.clear()

    def close(self) -> None:
        """Drop the file."""
        # What is still unwritten is not wanted any more, whether or not there is room for it.
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def _written() -> Iterator[None]:
    """Tell a full disk of ours from an input that cannot be read.

    Raises:
        ResourceError: instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"temporary files cannot be written ({error.strerror or error}); "
            "point TMPDIR at a disk with more room"
        ) from error
