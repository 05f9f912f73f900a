"""Whose log is it: ours may be replaced, a sensor's own may not.

Zeek truncates and overwrites its live logs as it likes, and whoever replaces one takes it away from
Zeek, from the shipper that follows it, and from the archive.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from analyzer.errors import Location, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTICE_PREFIX = "ZeekAnalyzer::"
"""What the notes of all our notices begin with."""

INDICATOR_SOURCE = "zeek-analyzer"
"""What all our indicators give as their source."""

_OURS = ("notice.", "analyzer_stats.")
_LOOKED_AT = 1 << 20
# More than `#separator` and than `#close` with its time.
_MAGIC_SIZE, _CLOSE_SIZE = 16, 64
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


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
    try:
        live = _is_live(path)
    except OSError:
        # Whoever writes it will say what is wrong.
        return
    if live:
        raise OutputError(
            "is a log that is still being written; choose another directory", Location(str(path))
        )


def refuse_zeek_directory(directory: Path) -> None:
    """Refuse to write where a sensor keeps its own logs.

    Such a place is the directory that ZeekControl runs Zeek in (its ``run-zeek`` leaves
    ``.cmdline`` there), its archive, where the link ``current`` points to the live logs, a day of
    that archive, or any that holds a TSV log, other than notices, that nobody has closed. What we
    write ourselves is none of this. Where a sensor that writes JSON was started by hand there is
    nothing to know it by; its notice.log is refused by :func:`refuse_foreign_notices`.

    Raises:
        OutputError: `directory` is such a place; the message says by what it is known.
    """
    try:
        sign = _sign_of_zeek(directory)
    except OSError:
        # Whoever writes there will say what is wrong.
        return
    if sign is not None:
        raise OutputError(
            f"is a directory of Zeek's own ({sign}); choose another one", Location(str(directory))
        )


def _sign_of_zeek(directory: Path) -> str | None:
    if not directory.is_dir():
        return None
    if (directory / ".cmdline").is_file():
        return "ZeekControl runs Zeek in it"
    real = directory.resolve()
    for archive in (real, real.parent) if _DAY.fullmatch(real.name) else (real,):
        if (archive / "current").is_symlink():
            return f"{archive / 'current'} is ZeekControl's link to the live logs"
    for log in sorted(directory.glob("*.log")):
        if not log.name.startswith(_OURS) and _is_live(log):
            return f"{log.name} is still being written"
    return None


def _is_live(log: Path) -> bool:
    """Whether a file is a TSV log without ``#close``."""
    if not log.is_file():
        return False
    with log.open("rb") as file:
        if not file.read(_MAGIC_SIZE).startswith(b"#separator"):
            return False
        file.seek(max(0, log.stat().st_size - _CLOSE_SIZE))
        end = file.read()
    return not end.rstrip(b"\n").rpartition(b"\n")[2].startswith(b"#close")


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
    """The notes of a notice log, TSV, JSON or ECS."""
    yield from filter(None, map(_note, start.splitlines()))
    yield from _columns(start, "note")


def _columns(start: str, name: str) -> Iterator[str]:
    """The values of a column of a TSV log."""
    place = None
    # What follows the last line feed is a row that was cut off.
    for line in start.split("\n")[:-1]:
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
        # Not every line that begins with a brace is JSON.
        return ""
    if not isinstance(row, dict):
        return ""
    rule = row.get("rule")
    note = rule.get("name") if isinstance(rule, dict) else row.get("note")
    return note if isinstance(note, str) else ""
