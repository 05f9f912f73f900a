"""Whose log is it: ours may be replaced, a sensor's own may not.

Zeek truncates and overwrites its live logs as it likes, and whoever replaces one takes it away from
Zeek, from the shipper that follows it, and from the archive.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analyzer.errors import Location, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTICE_PREFIX = "ZeekAnalyzer::"
"""What the notes of all our notices begin with."""

INDICATOR_SOURCE = "zeek-analyzer"
"""What all our indicators give as their source."""

_LOOKED_AT = 1 << 20


def refuse_foreign_notices(path: Path) -> None:
    """Refuse to replace a notice.log with notices that are not ours.

    Raises:
        OutputError: `path` is such a file.
    """
    for note in _notes(_start(path)):
        if not note.startswith(NOTICE_PREFIX):
            raise OutputError(
                f"holds notices of others ({note}); choose a directory of its own for ours",
                Location(str(path)),
            )


def refuse_foreign_indicators(path: Path) -> None:
    """Refuse to replace a file of indicators that somebody else has listed.

    Raises:
        OutputError: `path` is such a file, or no file of indicators at all.
    """
    start = _start(path)
    if start and not start.startswith("#fields\tindicator\t"):
        raise OutputError(
            "is no file of indicators; choose another name for ours", Location(str(path))
        )
    for source in _columns(start, "meta.source"):
        if source != INDICATOR_SOURCE:
            raise OutputError(
                f"holds indicators of others ({source}); choose a file of its own for ours",
                Location(str(path)),
            )


def refuse_live_log(path: Path) -> None:
    """Refuse to replace a TSV log that somebody is still writing: it has no ``#close``.

    Raises:
        OutputError: `path` is such a file.
    """
    if not _start(path).startswith("#separator"):
        return
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOOKED_AT))
        end = file.read()
    if not end.rstrip(b"\n").rpartition(b"\n")[2].startswith(b"#close"):
        raise OutputError(
            "is a log that is still being written; choose another directory", Location(str(path))
        )


def _start(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            data = file.read(_LOOKED_AT)
        # A value that is cut off would be somebody else's.
        whole = data.rfind(b"\n") + 1 if len(data) == _LOOKED_AT else len(data)
        return data[:whole].decode("utf-8", "replace")
    except OSError:
        # Whoever writes it will say what is wrong.
        return ""


def _notes(start: str) -> Iterator[str]:
    """The notes of a notice log, TSV or JSON."""
    yield from filter(None, map(_note, start.splitlines()))
    yield from _columns(start, "note")


def _columns(start: str, name: str) -> Iterator[str]:
    """The values of a column of a TSV log."""
    place = None
    for line in start.splitlines():
        if line.startswith("#fields\t"):
            fields = line.split("\t")[1:]
            place = fields.index(name) if name in fields else None
        elif not line.startswith("#") and place is not None:
            values = line.split("\t")
            if len(values) > place:
                yield values[place]


def _note(line: str) -> str:
    if not line.startswith("{"):
        return ""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        # The last line may be cut off.
        return ""
    note = row.get("note") if isinstance(row, dict) else None
    return note if isinstance(note, str) else ""
