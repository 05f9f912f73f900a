"""Which findings stand in a log that is appended to: written down before they are.

A row of notice.log has no place for a finding's identifier, and a crash may come between a notice
and whatever the writer's caller keeps of it. So the journal says first what is going to stand
where; after a crash the log's size says how much of that came true. A line of it is JSON: the
first has the findings of the log that was rotated last, each further one what one append means to
write, as ``[identifier, end]`` with the end of its line as an offset into the log.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analyzer.atomic import atomic_write
from analyzer.writers.durable import append_whole


class Journal:
    """The journal of one log.

    Args:
        path: the journal's file. What of it cannot be read is as if it had never been there.

    Attributes:
        inode: of the log that the entries are about; None without entries.
        opened: when that log was opened, UTC epoch seconds, as JSON has no ``#open``.
        rotated: the identifiers that the log rotated last holds, in order.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.inode: int | None = None
        self.opened = 0.0
        self.rotated: tuple[str, ...] = ()
        self._current: list[tuple[str, int]] = []
        with contextlib.suppress(OSError):
            self._load(path.read_bytes())

    @property
    def current(self) -> tuple[str, ...]:
        """The identifiers that the log holds, in order."""
        return tuple(identifier for identifier, _ in self._current)

    def settle(self, size: int) -> None:
        """Forget what the log does not hold, and write the rest anew.

        Args:
            size: the log's size in bytes; 0 if it is gone.

        Raises:
            OutputError: the journal cannot be written.
        """
        self.forget(size)
        self._rewrite()

    def intend(
        self, inode: int, opened: float, start: int, ends: Sequence[tuple[str, int]]
    ) -> None:
        """Note what is going to be written; when this returns, it may be.

        Args:
            inode: the log's.
            opened: when the log was opened, UTC epoch seconds.
            start: the log's size before; what was meant to stand there and did not is forgotten.
            ends: for each line its finding's identifier and where it will end.

        Raises:
            OSError: the system refuses; nothing is noted.
        """
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
        append_whole(self._descriptor, _entry(inode, opened, start, ends).encode())
        self._note(inode, opened, start, ends)

    def forget(self, start: int) -> None:
        """Take back what was meant to stand from an offset on: it does not."""
        self._current = [(identifier, end) for identifier, end in self._current if end <= start]
        if not self._current:
            self.inode = None

    def rotate(self) -> None:
        """The log was rotated, whole.

        Raises:
            OutputError: the journal cannot be written.
        """
        # Of a log that it knows nothing of, the one before is the last.
        self.rotated = self.current or self.rotated
        self.settle(0)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _note(self, inode: int, opened: float, start: int, ends: Sequence[tuple[str, int]]) -> None:
        self.forget(start if inode == self.inode else 0)
        self.inode, self.opened = inode, opened
        self._current.extend((identifier, end) for identifier, end in ends)

    def _load(self, content: bytes) -> None:
        *lines, _torn = content.split(b"\n")
        for line in lines:
            try:
                self._read(json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError):
                # Damaged from here on: what follows cannot be trusted to follow.
                return

    def _read(self, entry: dict[str, Any]) -> None:
        if "rotated" in entry:
            self.rotated = tuple(str(identifier) for identifier in entry["rotated"])
        else:
            ends = [(str(identifier), int(end)) for identifier, end in entry["notices"]]
            opened, start = float(entry["opened"]), int(entry["start"])
            self._note(int(entry["log"]), opened, start, ends)

    def _rewrite(self) -> None:
        self.close()
        with atomic_write(self._path, mode=0o600) as stream:
            stream.write(json.dumps({"rotated": list(self.rotated)}) + "\n")
            if self.inode is not None:
                stream.write(_entry(self.inode, self.opened, 0, self._current))


def _entry(inode: int, opened: float, start: int, ends: Sequence[tuple[str, int]]) -> str:
    notices = [list(pair) for pair in ends]
    return json.dumps({"log": inode, "opened": opened, "start": start, "notices": notices}) + "\n"
