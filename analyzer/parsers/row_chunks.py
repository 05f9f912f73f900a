"""A file of separated values, chunk by chunk as Arrow columns, read ahead by a second thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from analyzer.parsers import row_loops
from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.row_loops import NULL, UNSET_TEXT, Integers, Octets, Offsets
from analyzer.records import Column

CHUNK = 8 << 20
"""Bytes of a chunk: enough rows to be worth a query, few enough to hold three of them."""

_KINDS = {
    "time": row_loops.TIME,
    "interval": row_loops.TIME,
    "count": row_loops.COUNT,
    "port": row_loops.PORT,
    "bool": row_loops.FLAG,
}
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Layout:
    """Where which column stands in a row, and how values are written.

    Attributes:
        columns: the columns to read, by their place in a row.
        width: how many columns a row has.
        separator: between columns, one character.
        unset: what stands for null.
        empty: what stands for an empty string or container.
    """

    columns: Mapping[int, Column]
    width: int
    separator: str
    unset: str
    empty: str

    @property
    def kinds(self) -> Integers:
        """What to make of each column, see :mod:`analyzer.parsers.row_loops`."""
        kinds = np.zeros(self.width, np.int64)
        for place, column in self.columns.items():
            text = row_loops.FREE if column.free or column.is_container else row_loops.PLAIN
            # Containers are split later, and an empty one says so.
            kinds[place] = text if column.is_container else _KINDS.get(column.type, text)
        return kinds


class Chunk:
    """Rows of one chunk.

    Args:
        data: whole lines.
        layout: what is in them.

    Attributes:
        rows: how many rows were read.
        line_count: how many lines there are.
        odd: number (from 0), beginning and end of each line that was not understood.
    """

    def __init__(self, data: Octets, layout: Layout) -> None:
        kinds = layout.kinds
        is_text = kinds >= row_loops.PLAIN
        is_number = (kinds != row_loops.SKIPPED) & ~is_text
        slots = np.where(is_text, np.cumsum(is_text), np.cumsum(is_number)) - 1
        needed = np.zeros(layout.width, np.bool_)
        for place, column in layout.columns.items():
            needed[place] = column.required
        room = int(np.count_nonzero(data == ord("\n")))
        numbers = np.empty((int(is_number.sum()), room), np.int64)
        starts, lengths = (np.empty((int(is_text.sum()), room), np.int32) for _ in range(2))
        lines, odd = (np.empty((3, room), np.int32) for _ in range(2))
        self.rows, odd_lines, self.line_count = row_loops.split_rows(
            data,
            ord(layout.separator),
            np.frombuffer(layout.unset.encode(), np.uint8),
            np.frombuffer(layout.empty.encode(), np.uint8),
            kinds,
            slots,
            needed,
            numbers,
            starts,
            lengths,
            lines,
            odd,
        )
        self.odd = odd[:, :odd_lines]
        self._data, self._layout = data, layout
        self._slots = {column.name: int(slots[place]) for place, column in layout.columns.items()}
        self._columns = {column.name: column for column in layout.columns.values()}
        self._numbers = numbers[:, : self.rows]
        self._starts, self._lengths = starts[:, : self.rows], lengths[:, : self.rows]
        self._lines = lines[:, : self.rows]

    def number(self, name: str) -> Integers:
        """The numbers of a column, microseconds for times; NULL throughout if there is none."""
        if name not in self._slots:
            return np.full(self.rows, NULL)
        numbers: Integers = self._numbers[self._slots[name]]
        return numbers

    def column(self, name: str) -> pa.Array:
        """A column as Arrow holds it: times as float64 seconds."""
        column = self._columns[name]
        if column.is_container or column.type not in _KINDS:
            return self._text(self._slots[name])
        values = self.number(name)
        unset = values == NULL
        if column.type in {"time", "interval"}:
            # A whole number of microseconds below 2^53, divided once: the nearest float there is.
            return pa.array(values / _MICROSECONDS, mask=unset)
        kind = {"port": np.uint16, "bool": np.bool_}.get(column.type, np.int64)
        return pa.array(np.where(unset, 0, values).astype(kind), mask=unset)

    def _text(self, slot: int) -> pa.Array:
        starts, lengths = self._starts[slot], self._lengths[slot]
        offsets = np.zeros(self.rows + 1, np.int32)
        np.cumsum(np.maximum(lengths, 0), out=offsets[1:])
        gathered = np.empty(int(offsets[-1]), np.uint8)
        row_loops.gather(self._data, starts, lengths, offsets, gathered)
        unset = lengths == UNSET_TEXT
        present = pa.py_buffer(np.packbits(~unset, bitorder="little")) if unset.any() else None
        buffers = [present, pa.py_buffer(offsets), pa.py_buffer(gathered)]
        return pa.StringArray.from_buffers(self.rows, buffers[1], buffers[2], buffers[0])

    def distinct(self, texts: Sequence[str], keys: Integers) -> tuple[Offsets, Offsets]:
        """Tell rows apart by some of their texts and a number.

        Args:
            texts: names of the columns of the texts; those that are not there do not count.
            keys: the number of each row.

        Returns:
            The kind of each row, from 0 on, and a row of each kind.
        """
        slots = np.array([self._slots[name] for name in texts if name in self._slots], np.int64)
        table = np.full(1 << (2 * self.rows).bit_length(), -1, np.int32)
        kinds, examples = (np.empty(self.rows, np.int32) for _ in range(2))
        found = row_loops.distinct_rows(
            self._data, self._starts, self._lengths, slots, keys, table, kinds, examples
        )
        return kinds, examples[:found]

    def lines(self, rows: Offsets) -> list[str]:
        """The lines that some rows were read from."""
        return [
            self._data[begin : end - 1].tobytes().decode("ascii", "replace")
            for begin, end in self._lines[1:, rows].T.tolist()
        ]

    def texts(self, names: Sequence[str], rows: Offsets) -> list[list[bytes | None]]:
        """The texts of some columns in some rows, a list a column; those not there are unset."""
        found: list[list[bytes | None]] = []
        for name in names:
            if name not in self._slots:
                found.append([None] * len(rows))
                continue
            slot = self._slots[name]
            starts, lengths = self._starts[slot, rows], self._lengths[slot, rows]
            found.append(
                [
                    None if length == UNSET_TEXT else self._data[start : start + length].tobytes()
                    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
                ]
            )
        return found

    def odd_lines(self) -> list[tuple[int, bytes]]:
        """Number in the chunk and content of each line that was not understood."""
        return [
            (number, self._data[begin:end].tobytes()) for number, begin, end in self.odd.T.tolist()
        ]


def chunks(path: Path, start: int, layout: Layout) -> Iterator[Chunk]:
    """The rows of a file from byte `start` on, each chunk read while the one before is used.

    Raises:
        OSError: the file cannot be read.
        OverlongLineError: a line is longer than any that is read.
    """
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(1) as pool:
        file.seek(start)
        pieces = _pieces(file)

        def read() -> Chunk | None:
            data = next(pieces, None)
            return None if data is None else Chunk(data, layout)

        ahead = pool.submit(read)
        while (chunk := ahead.result()) is not None:
            ahead = pool.submit(read)
            yield chunk


class OverlongLineError(Exception):
    """A line is longer than any that is read; only a stream of lines can pass over it."""


def _pieces(file: FileIO) -> Iterator[Octets]:
    """Whole lines of a file, in pieces of about :data:`CHUNK`; the last line gets a line feed."""
    held = b""
    while True:
        buffer = bytearray(len(held) + CHUNK)
        buffer[: len(held)] = held
        size = len(held) + (file.readinto(memoryview(buffer)[len(held) :]) or 0)
        if size == len(held):
            break
        end = buffer.rfind(b"\n", 0, size) + 1
        held = bytes(memoryview(buffer)[end:size])
        if len(held) > LINE_LIMIT:
            raise OverlongLineError
        if end:
            yield np.frombuffer(buffer, np.uint8, end)
    if held:
        yield np.frombuffer(held + b"\n", np.uint8)
