"""Rows of one format in the other, and rows of different columns in one file.

TSV to JSON goes by the types of the header; JSON to TSV by the types of the logs that we know, and
by what the values are in others. What is written is as Zeek's writers would
(``src/threading/formatters/Ascii.cc``, ``JSON.cc``), but for numbers, which keep the digits they
have.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from analyzer.records import LOGS
from analyzer.replay.shapes import (
    Shape,
    decoded,
    encoded,
    json_row,
    json_seconds,
)
from analyzer.zeek_format import (
    EMPTY,
    SEPARATOR,
    SET_SEPARATOR,
    UNSET,
    LogFormat,
    escape_canonical,
    format_row,
    format_value,
    replace_undecodable,
    unescape,
)

_NUMBERS = frozenset({"time", "interval", "double", "count", "int", "port"})
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Conversion:
    """Rows as they are to be written, learned from all rows before the first is written.

    Args:
        format: ``tsv``, ``json``, or None to leave every row as it is.
    """

    def __init__(self, format: LogFormat | None) -> None:  # noqa: A002 - the option's word
        self._format = format
        self._columns: dict[str, dict[str, str]] = {}
        self._named_by_rows: set[str] = set()
        self._seen: set[Shape] = set()

    def learn(self, shape: Shape, data: bytes) -> None:
        """Take notice of the columns of a row, if they matter."""
        if self._format != "tsv" or shape in self._seen:
            return
        columns = self._columns.setdefault(shape.name, {})
        if shape.format == "tsv":
            self._seen.add(shape)
            for field, kind in zip(shape.fields, _types(shape), strict=True):
                columns.setdefault(field, kind)
            return
        self._named_by_rows.add(shape.name)
        known = _known(shape.name)
        for field, value in _flat(json_row(data) or {}).items():
            kind = known.get(field) or _kind(field, value)
            before = columns.get(field)
            if kind and before != kind:
                columns[field] = _wider(before, kind)

    def shape(self, shape: Shape) -> Shape:
        """The shape in which rows of a shape are written."""
        if self._format is None:
            return shape
        if self._format == "json":
            return Shape(shape.name, "json")
        columns = self._columns[shape.name]
        if shape.name in self._named_by_rows:
            # Rows leave out what is unset, so their order is not that of the columns.
            place = {field: number for number, field in enumerate(_known(shape.name))}
            columns = dict(sorted(columns.items(), key=lambda each: place.get(each[0], len(place))))
        return Shape(shape.name, "tsv", tuple(columns), tuple(columns.values()))

    def convert(self, shape: Shape, written: Shape, data: bytes) -> bytes:
        """A row of one shape in the shape in which it is written."""
        if shape == written or (shape.format == written.format == "json"):
            return data
        if written.format == "json":
            return _as_json(shape, data)
        if shape.format == "tsv":
            return _rearranged(shape, written, data)
        return _as_tsv(written, data)


def _known(name: str) -> dict[str, str]:
    """The columns of a log that we know, and their types."""
    return {column.zeek_name: column.type for column in LOGS.get(name, ())}


def _types(shape: Shape) -> list[str]:
    missing = len(shape.fields) - len(shape.types)
    return [*shape.types[: len(shape.fields)], *["string"] * missing]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the fields of nested objects in it, as ``id.orig_h``."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    return flat


def _kind(field: str, value: Any) -> str:  # noqa: ANN401 - JSON is whatever JSON is
    """The Zeek type of a value of a log that we do not know; empty if it does not show."""
    if field in {"ts", "_write_ts"}:
        return "time"
    match value:
        case None:
            kind = ""
        case bool():
            kind = "bool"
        case int():
            kind = "count" if value >= 0 else "int"
        case float():
            kind = "double"
        case list():
            kinds = {_kind("", each) for each in value} - {""}
            kind = f"vector[{kinds.pop() if len(kinds) == 1 else 'string'}]"
        case _:
            kind = "string"
    return kind


def _wider(one: str | None, other: str) -> str:
    """A type that holds the values of both."""
    order = ["count", "int", "double"]
    if one is None or one == other:
        return other
    if one in order and other in order:
        return max(one, other, key=order.index)
    if one.startswith("vector[") and other.startswith("vector["):
        return "vector[string]"
    return "string"


def _rearranged(shape: Shape, written: Shape, data: bytes) -> bytes:
    """A TSV row with other columns, or other separators."""
    values = decoded(data).split(shape.separator)
    row = dict(zip(shape.fields, values, strict=False))
    kinds = dict(zip(written.fields, written.types, strict=True))
    cells = [_cell(shape, row.get(field), kinds[field]) for field in written.fields]
    return encoded(format_row(cells))[:-1]


def _cell(shape: Shape, value: str | None, kind: str) -> str:
    if value is None or value == shape.unset:
        return UNSET
    if value == shape.empty:
        return EMPTY
    if "[" in kind and shape.set_separator != SET_SEPARATOR:
        return value.replace(SET_SEPARATOR, "\\x2c").replace(shape.set_separator, SET_SEPARATOR)
    return value.replace(SEPARATOR, "\\x09")


def _as_json(shape: Shape, data: bytes) -> bytes:
    values = decoded(data).split(shape.separator)
    members = [
        f"{json.dumps(field)}:{_json_value(shape, value, kind)}"
        for field, value, kind in zip(shape.fields, values, _types(shape), strict=False)
        if value != shape.unset
    ]
    return f"{{{','.join(members)}}}".encode()


def _json_value(shape: Shape, value: str, kind: str) -> str:
    container, _, element = kind.partition("[")
    if not element:
        return _json_scalar("" if value == shape.empty else value, container)
    elements = [] if value == shape.empty else value.split(shape.set_separator)
    inner = element.removesuffix("]")
    return f"[{','.join(_json_scalar(each, inner) for each in elements)}]"


def _json_scalar(value: str, kind: str) -> str:
    if kind in _NUMBERS and _JSON_NUMBER.fullmatch(value):
        return value
    if kind == "bool" and value in {"T", "F"}:
        return "true" if value == "T" else "false"
    if value == UNSET and kind in _NUMBERS:
        return "null"
    return json.dumps(replace_undecodable(unescape(value)), ensure_ascii=False)


def _as_tsv(written: Shape, data: bytes) -> bytes:
    row = _flat(json_row(data) or {})
    cells = [
        _tsv_value(row.get(field), kind)
        for field, kind in zip(written.fields, written.types, strict=True)
    ]
    return encoded(format_row(cells))[:-1]


def _tsv_value(value: Any, kind: str) -> str:  # noqa: ANN401 - JSON is whatever JSON is
    container, _, element = kind.partition("[")
    if value is None:
        return UNSET
    if not element:
        return _tsv_scalar(value, container, in_container=False)
    elements = value if isinstance(value, list) else [value]
    inner = element.removesuffix("]")
    cells = [
        UNSET if each is None else _tsv_scalar(each, inner, in_container=True) for each in elements
    ]
    return SET_SEPARATOR.join(cells) or EMPTY


def _tsv_scalar(value: Any, kind: str, *, in_container: bool) -> str:  # noqa: ANN401
    if kind == "time":
        value = json_seconds(value) if json_seconds(value) is not None else value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and math.isfinite(value) and kind in _NUMBERS:
        return format_value(value, kind)
    if isinstance(value, bool) and kind == "bool":
        return format_value(value, kind)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape_canonical(replace_undecodable(text), in_container=in_container)
