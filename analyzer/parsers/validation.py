"""Why a line is no record: the careful, line by line reading of what the fast one refused."""

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

MILLISECONDS = 1e11
"""A time from here on is in milliseconds: as seconds it would be in the year 5138 or later."""

_EXPECTED = {
    "float64": "a finite number",
    "uint16": "a port, 0 to 65535",
    "int64": "a count",
    "boolean": "T or F",
    "string": "text",
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
    for column in columns:
        if column.name not in header.fields:
            continue
        text = values[header.fields.index(column.name)]
        _check_value(None if text == header.unset else text, column, header.set_separator)


def _check_value(text: str | None, column: Column, set_separator: str) -> None:
    if text is None:
        if column.required:
            raise Refusal(f"{column.zeek_name} is not set")
        return
    scalar = column.dtype.removeprefix("array<").removesuffix(">")
    if scalar == "string":
        return
    if column.is_container:
        values = [value for value in text.split(set_separator) if value not in {"(empty)", "-"}]
    else:
        values = [text]
    if not all(_fits(value, scalar) for value in values):
        raise Refusal(f"{column.zeek_name} is not {_EXPECTED[scalar]}", f"found {text[:40]!r}")


def _fits(text: str, scalar: str) -> bool:
    if scalar == "boolean":
        return text.lower() in {"t", "f", "true", "false", "1", "0"}
    try:
        if scalar == "float64":
            return math.isfinite(float(text))
        value = int(text)
    except ValueError:
        return False
    return 0 <= value < (1 << 16 if scalar == "uint16" else 1 << 63)


def check_json(line: str, logs: Mapping[str, tuple[Column, ...]]) -> None:
    """Say why a line of a JSON log is no record of any of `logs`.

    Raises:
        Refusal: it is not; the reason names the field and what was expected there.
    """
    if not line.strip("\0\r\n "):
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
        _check_json_value(values.get(column.name), column)


def _json_values(row: Mapping[str, Any]) -> dict[str, Any]:
    nested = row.get("id")
    values = dict(nested) if isinstance(nested, Mapping) else {}
    return values | {column_name(key): value for key, value in row.items()}


def _check_json_value(value: Any, column: Column) -> None:
    if value is None or column.is_container:
        if value is None and column.required:
            raise Refusal(f"{column.zeek_name} is not set")
        return
    text = value if isinstance(value, str) else json.dumps(value)
    if column.type == "time" and _is_iso(text):
        return
    _check_value(text, column, ",")


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
