"""DuckDB's scan of a file of separated values, held to what Zeek's files are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.engine import literal
from analyzer.parsers.blocks import LINE_LIMIT

# Per thread; a buffer must hold the longest line twice.
_BUFFER = 8 * LINE_LIMIT


@dataclass(frozen=True, slots=True)
class Measure:
    """What is in a file: what a scan of it must account for, and what it cannot deal with.

    Attributes:
        lines: lines, blank ones included.
        separators: separators in all lines together.
        escaped: whether there is a backslash.
        returns: whether there is a carriage return, which would end a line, too.
    """

    lines: int
    separators: int
    escaped: bool
    returns: bool


def measure(path: Path, separator: str, start: int = 0) -> Measure:
    """Measure a file from byte `start` on."""
    lines, separators, escaped, returns, last = 0, 0, False, False, b"\n"
    buffer = bytearray(1 << 20)
    content = np.frombuffer(buffer, np.uint8)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while size := file.readinto(buffer):
            lines += int(np.count_nonzero(content[:size] == ord("\n")))
            separators += int(np.count_nonzero(content[:size] == ord(separator)))
            escaped = escaped or buffer.find(b"\\", 0, size) >= 0
            returns = returns or buffer.find(b"\r", 0, size) >= 0
            last = bytes(buffer[size - 1 : size])
    return Measure(lines + (last != b"\n"), separators, escaped, returns)


def scan(
    path: Path,
    types: Sequence[str],
    *,
    separator: str,
    unset: str | None = None,
    skip: int = 0,
    keep_rejected: bool = True,
) -> str:
    """SQL for a scan of a file of separated values; columns are named ``f0``, ``f1``, ...

    No character but the separator is special: Zeek's rows have neither quotes nor comments.

    Args:
        path: the file.
        types: DuckDB type of each column.
        separator: one character.
        unset: text that stands for null.
        skip: lines to leave out at the top.
        keep_rejected: keep lines that do not fit in the table ``rejected``; else pass them over.
    """
    names = ", ".join(f"'f{index}': '{kind}'" for index, kind in enumerate(types))
    options = [
        f"delim={literal(separator)}",
        "header=false",
        "quote=''",
        "escape=''",
        "comment=''",
        "auto_detect=false",
        "compression='none'",
        "hive_partitioning=false",
        f"skip={skip}",
        f"max_line_size={LINE_LIMIT + 1}",
        f"buffer_size={_BUFFER}",
        f"columns={{{names}}}",
    ]
    if keep_rejected:
        options += [
            "store_rejects=true",
            "rejects_table='rejected'",
            "rejects_scan='rejected_scan'",
            "rejects_limit=0",
        ]
    else:
        options.append("ignore_errors=true")
    if unset is not None:
        options.append(f"nullstr={literal(unset)}")
    # The user named this file and no other: nothing in its name is a pattern.
    pattern = "".join(f"[{char}]" if char in "*?[" else char for char in str(path))
    return f"read_csv({literal(pattern)}, {', '.join(options)})"
