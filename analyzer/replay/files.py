"""Log files that grow, rotate and end as those of a living Zeek do.

Source: Zeek's ``src/logging/writers/ascii/Ascii.cc`` (header with the first row, ``#close`` and
renaming at rotation, a new file with the next row), ``base/frameworks/logging/main.zeek`` (names of
rotated logs), ``src/util.cc`` ``calc_next_rotate`` (rotation at multiples of the interval since
midnight) and ZeekControl's ``archive-log`` (names in the archive). All times are UTC.
"""

from __future__ import annotations

import gzip
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from analyzer.atomic import atomic_write_bytes
from analyzer.errors import Location, OutputError
from analyzer.replay.shapes import Shape
from analyzer.zeek_format import header_time

Compression = Literal["gz", "none"]

_DAY = 86400.0
_PIECE = 1 << 20
"""Bytes gathered before they are written, so that a fast replay does not call for every row."""


@dataclass(slots=True)
class _Log:
    """A log: its file, if there is one at the moment."""

    began: float
    """Since when it is the present one: its first row, or the last rotation."""
    shape: Shape | None = None
    descriptor: int = -1
    pending: list[bytes] = field(default_factory=list)
    held: int = 0


class LogFiles:
    """The logs of a directory.

    Args:
        directory: where they grow.
        rotate: seconds between rotations, at multiples of it since midnight; None for none.
        archive: where rotated files go, as in ZeekControl's archive; None to leave them beside the
            others under Zeek's own names.
        compress: whether rotated files are compressed.

    Raises:
        OutputError: there are logs in the directory already.
    """

    def __init__(
        self,
        directory: Path,
        *,
        rotate: float | None = None,
        archive: Path | None = None,
        compress: Compression = "none",
    ) -> None:
        self._directory = directory
        self._rotate = rotate
        self._archive = archive
        self._compress = compress
        self._logs: dict[str, _Log] = {}
        self._boundary = math.inf
        self.rotations = 0
        with _output(directory):
            directory.mkdir(parents=True, exist_ok=True)
            if any(directory.glob("*.log*")):
                raise OutputError(
                    "holds logs already; choose an empty directory", Location(str(directory))
                )

    @property
    def next_rotation(self) -> float:
        """When the next rotation is due (UTC epoch seconds); infinite if none is."""
        return self._boundary

    def write(self, moment: float, shape: Shape, data: bytes) -> None:
        """Append a row that Zeek logs at a moment (UTC epoch seconds), no earlier than any before.

        Raises:
            OutputError: it cannot be written.
        """
        self.advance(moment)
        log = self._logs.get(shape.name)
        if log is None:
            log = self._logs[shape.name] = _Log(began=moment)
        if log.shape != shape:
            # A Zeek that logs other columns is one that was started anew.
            if log.shape is not None:
                self._finish(shape.name, log, moment)
            log.shape = shape
            log.pending.append(shape.header(moment))
        log.pending.append(data + b"\n")
        log.held += len(data) + 1
        if log.held >= _PIECE:
            self._flush(shape.name, log)

    def advance(self, moment: float) -> None:
        """Let time pass up to a moment, with the rotations that are due until then.

        Raises:
            OutputError: a file cannot be written, renamed or compressed.
        """
        if self._rotate is None:
            return
        if moment >= self._boundary:
            self._rotate_all(self._boundary)
            # Whatever passes without a row has nothing to rotate.
            began = max(self._boundary, _multiple(moment, self._rotate, math.floor))
            for log in self._logs.values():
                log.began = began
            self._boundary = math.inf
        if not math.isfinite(self._boundary):
            self._boundary = _multiple(moment, self._rotate, lambda n: math.floor(n) + 1)

    def flush(self) -> None:
        """Let readers see all rows so far.

        Raises:
            OutputError: a file cannot be written.
        """
        for name, log in self._logs.items():
            self._flush(name, log)

    def close(self, moment: float) -> None:
        """End all files at a moment: with ``#close``, and rotated if they are rotated at all.

        Raises:
            OutputError: a file cannot be written, renamed or compressed.
        """
        if self._rotate is None:
            for name, log in self._logs.items():
                self._end(name, log, moment)
        else:
            self._rotate_all(moment)

    def _rotate_all(self, moment: float) -> None:
        for name, log in self._logs.items():
            if log.shape is not None:
                self._finish(name, log, moment)
            log.began = moment

    def _finish(self, name: str, log: _Log, moment: float) -> None:
        """End a file and give it its name for good."""
        self._end(name, log, moment)
        live = self._path(name)
        target = self._target(name, log.began, moment)
        log.began = moment
        self.rotations += 1
        with _output(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if self._compress == "none":
                # Into another file system, too.
                shutil.move(live, target)
                return
            with live.open("rb") as plain, atomic_write_bytes(target) as stream:
                _compress(plain, stream)
            live.unlink()

    def _target(self, name: str, begin: float, end: float) -> Path:
        ending = ".log.gz" if self._compress == "gz" else ".log"
        if self._archive is None:
            target = self._directory / f"{name}.{header_time(begin)}{ending}"
        else:
            first, last = _clock(begin), _clock(end)
            day = f"{datetime.fromtimestamp(begin, tz=UTC):%Y-%m-%d}"
            target = self._archive / day / f"{name}.{first}-{last}{ending}"
        # Two files of one second, as after a change of columns.
        number = 1
        free = target
        while free.exists():
            number += 1
            free = target.with_name(f"{target.name.removesuffix(ending)}-{number}{ending}")
        return free

    def _end(self, name: str, log: _Log, moment: float) -> None:
        if log.shape is None:
            return
        log.pending.append(log.shape.footer(moment))
        self._flush(name, log)
        with _output(self._path(name)):
            os.close(log.descriptor)
        log.descriptor, log.shape = -1, None

    def _flush(self, name: str, log: _Log) -> None:
        if not log.pending:
            return
        data = memoryview(b"".join(log.pending))
        log.pending, log.held = [], 0
        path = self._path(name)
        with _output(path):
            if log.descriptor < 0:
                log.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            while data:
                data = data[os.write(log.descriptor, data) :]

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.log"


def _multiple(moment: float, interval: float, choose: Callable[[float], int]) -> float:
    """A multiple of an interval since the midnight before a moment."""
    midnight = math.floor(moment / _DAY) * _DAY
    return midnight + choose((moment - midnight) / interval) * interval


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%H:%M:%S}"


def _compress(plain: IO[bytes], stream: IO[bytes]) -> None:
    # Neither name nor time in the header: the same rows give the same bytes.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=stream, mtime=0) as packed:
        shutil.copyfileobj(plain, packed, _PIECE)


@contextmanager
def _output(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot be written: {reason}", Location(str(path))) from error
