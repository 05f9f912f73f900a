"""What a crash has left of a log that was being appended to."""

from __future__ import annotations

import os

from analyzer.writers.durable import cut, last_line, whole_lines
from analyzer.zeek_format import parse_header_time

# More than a header has.
_BEGINNING = 1 << 16
_OPEN, _CLOSE, _TYPES = b"#open\t", b"#close\t", b"#types\t"


def is_closed(descriptor: int) -> bool:
    """Whether a log of whole lines ends with ``#close``."""
    return last_line(descriptor).startswith(_CLOSE)


def is_tsv(descriptor: int) -> bool:
    """Whether a log of ours is TSV, not JSON; an empty one is neither."""
    return os.pread(descriptor, 1, 0) == b"#"


def without_torn_line(descriptor: int) -> int:
    """Take away a line without its end, and a header without its.

    Returns:
        The size of what is left, in bytes.

    Raises:
        OSError: the system refuses.
    """
    size = whole_lines(descriptor)
    if is_tsv(descriptor):
        lines = os.pread(descriptor, min(size, _BEGINNING), 0).splitlines()
        rows = any(not line.startswith(b"#") for line in lines)
        if not rows and not any(line.startswith(_TYPES) for line in lines):
            size = 0
    if size < os.fstat(descriptor).st_size:
        cut(descriptor, size)
    return size


def opening_time(descriptor: int) -> float | None:
    """The time in a TSV log's ``#open``, UTC epoch seconds; None if it has none."""
    for line in os.pread(descriptor, _BEGINNING, 0).splitlines():
        if line.startswith(_OPEN):
            return parse_header_time(line.removeprefix(_OPEN).decode("ascii", "replace"))
    return None
