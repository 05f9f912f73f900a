"""Bytes at the end of a file, all of them on the disk or none; and who may write them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from analyzer.errors import Location, OutputError

_BLOCK = 1 << 16


def sync(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk.

    Raises:
        OSError: the system refuses.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_whole(descriptor: int, content: bytes) -> None:
    """Append bytes with one write and bring them to the disk.

    A reader sees either nothing of them or all, unless the disk is full: then the part that went
    in is taken away again.

    Args:
        descriptor: a file opened with ``O_APPEND``.
        content: what to append.

    Raises:
        OSError: the system refuses; the file is as it was.
    """
    before = os.fstat(descriptor).st_size
    try:
        written = os.write(descriptor, content)
        while written < len(content):
            # A regular file takes less than it is given when there is no more room; asked again,
            # the system says why.
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            cut(descriptor, before)
        raise


def cut(descriptor: int, size: int) -> None:
    """Take away what stands beyond a size, and bring that to the disk."""
    os.ftruncate(descriptor, size)
    os.fsync(descriptor)


def whole_lines(descriptor: int) -> int:
    """The size of a file in bytes up to the end of its last whole line."""
    return _line_start(descriptor, os.fstat(descriptor).st_size)


def last_line(descriptor: int) -> bytes:
    """The last line of a file of whole lines, without its line feed; empty if there is none."""
    size = os.fstat(descriptor).st_size
    if not size:
        return b""
    start = _line_start(descriptor, size - 1)
    return os.pread(descriptor, size - 1 - start, start)


def _line_start(descriptor: int, end: int) -> int:
    """Where the line begins that the byte before `end` belongs to."""
    while end:
        start = max(0, end - _BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def claim(log: Path) -> int:
    """Make a log this process's alone to append to, until it closes the descriptor.

    Returns:
        A descriptor that holds the claim. It ends with the process, however that ends.

    Raises:
        OutputError: somebody has the claim already.
        OSError: the system refuses.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(_lock_file(log), flags, 0o600)
    try:
        _lock(descriptor, fcntl.LOCK_EX, log)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def refuse_claimed(log: Path) -> None:
    """Refuse to replace a log that a running process appends to.

    Raises:
        OutputError: somebody has the claim on it.
    """
    try:
        descriptor = os.open(_lock_file(log), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        # Nobody ever had it, or whoever writes there will say what is wrong.
        return
    try:
        _lock(descriptor, fcntl.LOCK_SH, log)
    finally:
        os.close(descriptor)


def _lock_file(log: Path) -> Path:
    # Beside the log, which is renamed and made anew.
    return log.with_name(f".{log.stem}.lock")


def _lock(descriptor: int, kind: int, log: Path) -> None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            "another zeek-analyzer is writing it; choose a directory of its own for each",
            Location(str(log)),
        ) from None
