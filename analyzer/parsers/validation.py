"""Why a line is no record: DuckDB says which lines are none, and this says what is wrong there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.header import Header, column_name, json_fields, log_of
from analyzer.records import Column

OVERLONG = f"line longer than {LINE_LIMIT >> 20} MiB"
BLANK = "blank line"
CUT_OFF = "line cut off where the file broke"
OTHER_LOG = "row of a log that is not used"
NOT_UNDERSTOOD = "line not understood"

TIME_LIMIT = 1e11
"""No time or interval in seconds gets here: it would be in the year 5138, or last as long."""

COUNT_LIMIT = 1 << 53
"""No count gets here (8 PiB); below, sums fit 64 bits and every count is exact as a float, too."""

_EXPECTED = {
    "time": "a time in seconds since 1970",
    "interval": "an interval in seconds",
    "port": "a port, 0 to 65535",
    "count": "a count below 2^53",
    "bool": "T or F",
}


class Refusal(Exception):  # noqa: N818 - not an error: how the checks below say no
    """A line is no record.

    Attributes:
        reason: the kind of fault; refused lines are counted by it.
        detail: what was found in this line, empty where the reason says it all.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


def check_tsv(line: str, header: Header, columns: tuple[Column, ...]) -> None:
    """Say why a data line of a TSV log is no record.

    Raises:
        Refusal: it is not; the reason names the column and what was expected there.
    """
    if not line.strip("\0\r\n "):
        raise Refusal(BLANK)
    values = line.split(header.separator)
    if len(values) != len(header.fields):
        raise Refusal(
            f"expected the {len(header.fields)} columns of #fields",
            f"found {len(values)}",
        )
    given = dict(zip(header.fields, values, strict=True))
    for column in columns:
        text = given.get(column.name, header.unset)
        if text == header.unset:
            _check_texts(None, column, "")
        elif not column.is_container:
            _check_texts([text], column, text)
        elif text != header.empty:
            elements = text.split(header.set_separator)
            _check_texts([e for e in elements if e != header.unset], column, text)


def _check_texts(texts: list[str] | None, column: Column, found: str) -> None:
    """Check the texts of a value, one unless it is a container's; None if it is unset."""
    if texts is None:
        if column.required:
            raise Refusal(f"{column.zeek_name} is not set")
        return
    kind = column.element_type
    if not all(_fits(text, kind) for text in texts):
        raise Refusal(f"{column.zeek_name} is not {_EXPECTED[kind]}", f"found {found[:40]!r}")


def _fits(text: str, kind: str) -> bool:
    if kind not in _EXPECTED:
        return True
    if kind == "bool":
        return text.lower() in {"t", "f", "true", "false", "1", "0"}
    try:
        number = float(text) if text.isascii() else math.nan
    except ValueError:
        return False
    lowest, limit = {
        "time": (0, TIME_LIMIT),
        "interval": (-TIME_LIMIT, TIME_LIMIT),
        "port": (0, 1 << 16),
        "count": (0, COUNT_LIMIT),
    }[kind]
    return lowest <= number < limit


def check_json(line: str, logs: Mapping[str, tuple[Column, ...]]) -> None:
    """Say why a line of a JSON log is no record of any of `logs`.

    Raises:
        Refusal: it is not; the reason names the field and what was expected there.
    """
    if not line.strip("\0\r\n\t "):
        raise Refusal(BLANK)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        detail = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise Refusal("not a JSON object", detail) from None
    if not isinstance(row, dict):
        raise Refusal("not a JSON object", f"found {line[:40]!r}")
    log = log_of(json_fields(row))
    if log is None:
        path = str(row.get("_path", ""))[:40]
        if path or "ts" in row:
            raise Refusal(OTHER_LOG, path)
        raise Refusal("no row of a Zeek log")
    values = _json_values(row)
    for column in logs[log]:
        value = values.get(column.name)
        texts = None if value is None else [_json_text(value)]
        if column.is_container and isinstance(value, list):
            texts = [_json_text(element) for element in value if element is not None]
        if column.type == "time" and texts and _is_iso(texts[0]):
            continue
        _check_texts(texts, column, _json_text(value))


def _json_values(row: Mapping[str, Any]) -> dict[str, Any]:
    nested = row.get("id")
    values = dict(nested) if isinstance(nested, Mapping) else {}
    return values | {column_name(key): value for key, value in row.items() if value is not None}


def _json_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
