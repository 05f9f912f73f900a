r"""Records as the conn.log and dns.log that Zeek would have written, whole columns at a time.

Format: as in :mod:`analyzer.zeek_format` (TSV) or one flat object a line, unset fields left out
(JSON: Zeek ``src/threading/formatters/JSON.cc``). No value becomes a Python object unless it is a
text with something to escape.
"""

from __future__ import annotations

import contextlib
import json
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.atomic import atomic_write_bytes
from analyzer.writers.ownership import refuse_live_log
from analyzer.zeek_format import (
    EMPTY,
    SEPARATOR,
    SET_SEPARATOR,
    UNSET,
    LogFormat,
    escape_canonical,
    footer,
    format_interval,
    header,
    replace_undecodable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from analyzer.records import Column

_ROWS = 1 << 16
"""Rows made into lines at once."""

_MICROSECONDS = 1_000_000
# Beyond, a double does not hold microseconds any more, so that only its exact digits will do.
_EXACT = 2.0**52 / _MICROSECONDS

_SPECIAL = {
    "tsv": r"[\x00-\x1f\x7f\\]|^-$|^\(empty\)$|^$",
    "json": r'["\\\x00-\x1f]',
}

# With bytes that are no UTF-8, in canonical form, and nothing else with a backslash before it.
_UNDECODABLE = (
    r"^[^\\,\x00-\x1f\x7f]*\\x[89a-f][0-9a-f](?:[^\\,\x00-\x1f\x7f]|\\x[89a-f][0-9a-f])*$"
)
_NOT_ASCII = r"[^\x00-\x7f]"
_HEX = "backslashreplace"


class LogWriter:
    """Appends tables to one log.

    Only what hosts have chosen (:attr:`analyzer.records.Column.free`) is escaped; what else is text
    are addresses, names of Zeek's and ids, in which nothing is special.

    Args:
        stream: where to.
        name: the log's name, as in ``#path``.
        columns: its columns, in order.
        format: ``tsv`` or ``json``.
        written: the time to put into ``#open`` and ``#close``, UTC epoch seconds.
    """

    def __init__(
        self,
        stream: IO[bytes],
        name: str,
        columns: Sequence[Column],
        format: LogFormat,  # noqa: A002 - the word of the option it comes from
        written: float,
    ) -> None:
        self.rows = 0
        self._stream = stream
        self._columns = columns
        self._format = format
        self._written = written
        if format == "tsv":
            fields = [(column.zeek_name, column.type) for column in columns]
            stream.write(header(name, fields, written).encode())

    def append(self, table: pa.Table) -> None:
        """Append rows; a column that the table lacks is unset in all of them."""
        lines = _tsv_lines if self._format == "tsv" else _json_lines
        for start in range(0, len(table), _ROWS):
            part = table.slice(start, _ROWS).combine_chunks()
            texts = lines(part, self._columns)
            _, offsets, data = texts.buffers()
            ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
            self._stream.write(memoryview(data)[ends[0] : ends[-1]])
        self.rows += len(table)

    def close(self) -> None:
        """Write what stands at the end of a log."""
        if self._format == "tsv":
            self._stream.write(footer(self._written).encode())


@contextlib.contextmanager
def log_writer(
    path: Path,
    name: str,
    columns: Sequence[Column],
    *,
    format: LogFormat = "tsv",  # noqa: A002 - the word of the option it comes from
    written: float,
) -> Iterator[LogWriter]:
    """Open a log whose content replaces `path` when the block ends without an error.

    The arguments are those of :class:`LogWriter`.

    Raises:
        OutputError: the file cannot be written, or somebody else is still writing it.
    """
    refuse_live_log(path)
    with atomic_write_bytes(path) as stream:
        writer = LogWriter(stream, name, columns, format, written)
        yield writer
        writer.close()


def _tsv_lines(table: pa.Table, columns: Sequence[Column]) -> pa.Array:
    cells: list[pa.Array | pa.Scalar] = [
        pc.fill_null(_texts(_column(table, column.name), column, "tsv"), UNSET)
        if column.name in table.column_names
        else pa.scalar(UNSET)
        for column in columns
    ]
    cells[-1] = pc.binary_join_element_wise(cells[-1], "", "\n")
    if isinstance(cells[-1], pa.Scalar):
        cells[-1] = pa.repeat(cells[-1], len(table))
    return pc.binary_join_element_wise(*cells, SEPARATOR)


def _json_lines(table: pa.Table, columns: Sequence[Column]) -> pa.Array:
    # The first column is the time, which every record has.
    pieces: list[pa.Array | str] = []
    for column in columns:
        if column.name not in table.column_names:
            continue
        key = ("," if pieces else "{") + json.dumps(column.zeek_name) + ":"
        texts = _texts(_column(table, column.name), column, "json")
        pieces.append(pc.fill_null(pc.binary_join_element_wise(key, texts, ""), ""))
    return pc.binary_join_element_wise(*pieces, "}\n", "")


def _column(table: pa.Table, name: str) -> pa.Array:
    array = table[name].combine_chunks()
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _texts(array: pa.Array, column: Column, style: LogFormat) -> pa.Array:
    """The texts of a column's values, null where they are unset."""
    if not column.is_container:
        return _scalar_texts(array, column, style)
    elements = _scalar_texts(array.flatten(), column, style)
    unset, empty, around = (UNSET, EMPTY, ("", "")) if style == "tsv" else ("null", "", ("[", "]"))
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))).astype(np.int32))
    lists = pa.ListArray.from_arrays(offsets, pc.fill_null(elements, unset))
    joined = pc.binary_join(lists, SET_SEPARATOR)
    joined = pc.if_else(pc.equal(lengths, 0), empty, joined)
    texts = pc.binary_join_element_wise(around[0], joined, around[1], "")
    return pc.if_else(pc.is_valid(array), texts, pa.scalar(None, pa.string()))


def _scalar_texts(array: pa.Array, column: Column, style: LogFormat) -> pa.Array:
    kind = column.element_type
    if kind in {"time", "interval", "double"}:
        return _decimals(array)
    if kind in {"count", "int", "port"}:
        return pc.cast(array, pa.string())
    if kind == "bool":
        yes, no = ("T", "F") if style == "tsv" else ("true", "false")
        return pc.if_else(array, yes, no)
    if pa.types.is_dictionary(array.type):
        # Far fewer different texts than rows.
        return _plain_texts(array.dictionary, column, style).take(array.indices)
    return _plain_texts(array, column, style)


def _plain_texts(array: pa.Array, column: Column, style: LogFormat) -> pa.Array:
    if column.free:
        return _escaped(array, style, in_container=column.is_container)
    return array if style == "tsv" else pc.binary_join_element_wise('"', array, '"', "")


def _escaped(array: pa.Array, style: LogFormat, *, in_container: bool) -> pa.Array:
    def in_log(text: str) -> str:
        return escape_canonical(replace_undecodable(text), in_container=in_container)

    def in_json(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)[1:-1]

    special = pc.match_substring_regex(array, _SPECIAL[style])
    if style == "json":
        return pc.binary_join_element_wise('"', _replaced(array, special, in_json), '"', "")
    if in_container:
        special = pc.or_(special, pc.match_substring(array, SET_SEPARATOR))
    if pc.any(special).as_py():
        # Tunnels over DNS fill whole logs with bytes that are no UTF-8. They stand as they are to
        # be written, but what is UTF-8 by chance is not.
        undecodable = pc.match_substring_regex(array, _UNDECODABLE)
        special = pc.and_not(special, undecodable)
        mixed = pc.and_(undecodable, pc.match_substring_regex(array, _NOT_ASCII))
        array = _replaced(array, mixed, lambda text: text.encode().decode("ascii", _HEX))
    return _replaced(array, special, in_log)


def _replaced(array: pa.Array, special: pa.Array, replace: Callable[[str], str]) -> pa.Array:
    """Texts with those that are special replaced."""
    matches = pc.fill_null(special, fill_value=False)
    if not pc.any(matches).as_py():
        return array
    replaced = pa.array([replace(text) for text in array.filter(matches).to_pylist()], pa.string())
    return pc.replace_with_mask(array, matches, replaced)


def _decimals(array: pa.Array) -> pa.Array:
    """Numbers with six decimals."""
    values = array.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)
    if not np.all(np.abs(values) < _EXACT):
        plain = [None if value is None else format_interval(value) for value in array.to_pylist()]
        return pa.array(plain, pa.string())
    whole = np.rint(values * _MICROSECONDS).astype(np.int64)
    magnitude = np.abs(whole)
    seconds = pc.cast(pa.array(magnitude // _MICROSECONDS), pa.string())
    fraction = pc.utf8_lpad(pc.cast(pa.array(magnitude % _MICROSECONDS), pa.string()), 6, "0")
    texts = pc.binary_join_element_wise(seconds, fraction, ".")
    if (whole < 0).any():
        sign = pc.if_else(pa.array(whole < 0), "-", "")
        texts = pc.binary_join_element_wise(sign, texts, "")
    return pc.if_else(pc.is_valid(array), texts, pa.scalar(None, pa.string()))
