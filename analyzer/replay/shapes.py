"""What the rows of a log look like: which log it is, in which format, with which columns."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from analyzer.parsers.header import log_of
from analyzer.parsers.validation import TIME_LIMIT
from analyzer.zeek_format import (
    EMPTY,
    SEPARATOR,
    SET_SEPARATOR,
    UNSET,
    LogFormat,
    escape,
    header_time,
)

Moment = Callable[[bytes], float | None]
"""When Zeek logged a row (UTC epoch seconds); None if the row does not say."""

# Log names become file names, and logs are written by whoever sends packets.
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# conn.log, conn.2026-01-19-12-00-00.log, conn__20260119.log, conn_20260119_120000.log.gz
_NAME_IN_FILE = re.compile(r"(?:json_streaming_)?([A-Za-z][A-Za-z0-9-]*(?:_[A-Za-z]+)*)(?=[._]|$)")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a log's rows look like. Rows of one shape can stand in one file.

    Attributes:
        name: the log's name, as in ``#path``, fit for a file name.
        format: ``tsv`` or ``json``.
        fields: columns as the header names them, in order; none in JSON, where every row names its
            own.
        types: their Zeek types; fewer or none if the header does not say.
        separator: between columns.
        set_separator: between the elements of a set or vector.
        empty: what an empty string or container looks like.
        unset: what an absent value looks like.
    """

    name: str
    format: LogFormat
    fields: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    separator: str = SEPARATOR
    set_separator: str = SET_SEPARATOR
    empty: str = EMPTY
    unset: str = UNSET

    def header(self, opened: float) -> bytes:
        """What stands before the rows of a file that was opened then (UTC epoch seconds)."""
        if self.format == "json":
            return b""
        lines = [
            f"#separator {_printable(self.separator)}",
            self._line("#set_separator", _printable(self.set_separator)),
            self._line("#empty_field", self.empty),
            self._line("#unset_field", self.unset),
            self._line("#path", self.name),
            self._line("#open", header_time(opened)),
            self._line("#fields", *self.fields),
        ]
        if self.types:
            lines.append(self._line("#types", *self.types))
        return encoded("".join(f"{line}\n" for line in lines))

    def footer(self, closed: float) -> bytes:
        """What stands after the rows of a file that was closed then (UTC epoch seconds)."""
        if self.format == "json":
            return b""
        return encoded(self._line("#close", header_time(closed)) + "\n")

    def _line(self, *values: str) -> str:
        return self.separator.join(values)

    def moment(self) -> Moment:
        """A function that says when Zeek logged a row of this shape, which is TSV.

        Zeek logs a connection when it is over (``base/protocols/conn/main.zeek``: on
        ``connection_state_remove``), so that is ``ts`` and ``duration``; other rows when they
        happen, ``ts``.
        """
        if "ts" not in self.fields:
            return lambda _: None
        begin = self.fields.index("ts")
        lasted = None
        if log_of(self.fields) == "conn" and "duration" in self.fields:
            lasted = self.fields.index("duration")
        return _tsv_moment(encoded(self.separator), begin, lasted)


def log_name(*candidates: str) -> str:
    """The first of some names that may be a file's, ``log`` if none may."""
    return next((name for name in candidates if _SAFE_NAME.fullmatch(name)), "log")


def name_in_file(file: str) -> str:
    """The log's name in the name of a file, without its directories; empty if there is none."""
    match = _NAME_IN_FILE.match(file)
    return match[1] if match else ""


def encoded(text: str) -> bytes:
    """Text that came of bytes, as those bytes."""
    return text.encode("utf-8", "surrogateescape")


def decoded(data: bytes) -> str:
    """Bytes as text, none lost."""
    return data.decode("utf-8", "surrogateescape")


def json_row(data: bytes) -> dict[str, Any] | None:
    """A row of JSON, None if it is none."""
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def json_seconds(value: Any) -> float | None:  # noqa: ANN401 - whatever stands there
    """A time of a JSON log in UTC epoch seconds: seconds, milliseconds or ISO 8601."""
    if isinstance(value, str) and "-" in value[1:]:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    number = _number(value)
    return number / 1000 if number is not None and number >= TIME_LIMIT else number


def json_moment(row: Mapping[str, Any], *, lasts: bool) -> float | None:
    """When Zeek logged a JSON row (UTC epoch seconds), None if the row does not say.

    Args:
        row: the row.
        lasts: whether it is logged at the end of its ``duration``, as a connection is.
    """
    begin = json_seconds(row.get("ts"))
    if begin is None or not 0 <= begin < TIME_LIMIT:
        return None
    return begin + (max(_number(row.get("duration")) or 0.0, 0.0) if lasts else 0.0)


def _tsv_moment(separator: bytes, begin: int, lasted: int | None) -> Moment:
    furthest = max(begin, lasted or 0) + 1

    def moment(data: bytes) -> float | None:
        values = data.split(separator, furthest)
        if len(values) <= begin:
            return None
        start = _number(values[begin])
        if start is None or not 0 <= start < TIME_LIMIT:
            return None
        if lasted is None or len(values) <= lasted:
            return start
        return start + max(_number(values[lasted]) or 0.0, 0.0)

    return moment


def _number(value: Any) -> float | None:  # noqa: ANN401 - whatever stands there
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _printable(text: str) -> str:
    r"""A separator as a header has it: ``\x09``, but ``,`` as it is."""
    return text if text.isprintable() and text != " " else escape(text)
