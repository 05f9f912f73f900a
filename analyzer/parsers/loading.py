"""Lines into tables, with balanced books: what the TSV and the JSON loader share.

Lines are loaded as numbered texts, whole groups at once, and no value becomes a Python object:
DuckDB alone decides which lines are records, and Python explains why the others are none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.engine import Engine, identifier, sql_type
from analyzer.parsers.account import FileAccount
from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.spool import Spool
from analyzer.parsers.validation import (
    COUNT_LIMIT,
    NOT_UNDERSTOOD,
    OTHER_LOG,
    OVERLONG,
    TIME_LIMIT,
    Refusal,
)
from analyzer.records import Column

_BATCH_LINES = 1 << 13

OUTSIDE = (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException)
"""Not the rows' doing. Anything else that DuckDB raises means that it tripped over some row."""


def is_record(columns: Sequence[Column]) -> str:
    """SQL condition for a row to be a record: what is required is set, no number is absurd."""
    conditions = ["true"]
    for column in columns:
        name = identifier(column.name)
        if column.required:
            conditions.append(f"{name} IS NOT NULL")
        if column.type == "time":
            conditions.append(f"coalesce({name}, 0) >= 0 AND coalesce({name}, 0) < {TIME_LIMIT}")
        elif column.dtype == "float64":
            conditions.append(f"abs(coalesce({name}, 0)) < {TIME_LIMIT}")
        elif column.dtype == "array<float64>":
            absurd = f"list_filter({name}, lambda e: NOT abs(e) < {TIME_LIMIT})"
            conditions.append(f"({name} IS NULL OR len({absurd}) = 0)")
        elif column.type == "count":
            conditions.append(f"coalesce({name}, 0) BETWEEN 0 AND {COUNT_LIMIT - 1}")
    return " AND ".join(conditions)


def elements_fit(elements: str, column: Column) -> str:
    """SQL condition for the texts of a container's elements to fit its type; null is no text."""
    if sql_type(column) == "VARCHAR":
        return "true"
    misfit = f"e IS NOT NULL AND TRY_CAST(e AS {sql_type(column)}) IS NULL"
    return f"coalesce(len(list_filter({elements}, lambda e: {misfit})), 0) = 0"


@dataclass(frozen=True, slots=True)
class Inserted:
    """What one load put in.

    Attributes:
        rows: rows by log.
        others: rows of logs that are not used.
        other_lines: number of the line and name of the log of the first few of `others`.
        unexplained: numbers of the lines that are neither; only numbered lines have them.
    """

    rows: Counter[str]
    others: int = 0
    other_lines: Sequence[tuple[int, str]] = ()
    unexplained: Sequence[int] = ()

    @property
    def accounted(self) -> int:
        """Lines that became rows or are another log's."""
        return self.rows.total() + self.others


class RowLoader(ABC):
    """Loads runs of rows of one format and keeps the books about them."""

    def __init__(self, engine: Engine, account: FileAccount) -> None:
        self._engine = engine
        self._account = account

    @abstractmethod
    def _insert_lines(self, count: int) -> Inserted:
        """Insert rows from `count` texts in the view ``numbered``.

        Its columns are ``number`` and ``line``; ``number`` is what :class:`Inserted` refers to.
        """

    @abstractmethod
    def _check(self, line: str) -> None:
        """Raise a :class:`Refusal` if a line is no record."""

    @abstractmethod
    def _clean(self, line: bytes) -> str:
        """A line as text, with what is no UTF-8 replaced."""

    def load_spool(self, spool: Spool) -> None:
        """Load what a spool holds."""
        numbers = pa.array(spool.source_lines(0, spool.lines))
        lines = pa.table({"number": numbers, "line": self._texts(spool.path.read_bytes())})
        sizes = pc.binary_length(lines["line"])
        if pc.max(sizes).as_py() > LINE_LIMIT:
            overlong = pc.greater(sizes, LINE_LIMIT)
            for number, size in zip(
                lines["number"].filter(overlong).to_pylist(),
                sizes.filter(overlong).to_pylist(),
                strict=True,
            ):
                self._skip(Refusal(OVERLONG, f"{size:,} bytes"), number)
            lines = lines.filter(pc.invert(overlong))
        self._load_numbered(lines)

    def _texts(self, data: bytes) -> pa.Array:
        """The texts of all lines, without their ends."""
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
        if not data.endswith(b"\n"):
            ends = np.append(ends, len(data))
        offsets = np.insert(ends, 0, 0).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        texts = pa.Array.from_buffers(pa.string(), len(ends), buffers)
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            raw = data.removesuffix(b"\n").split(b"\n")
            texts = pa.array([self._clean(line) for line in raw], pa.string())
        return pc.utf8_rtrim(texts, "\r\n")

    def _load_numbered(self, lines: pa.Table) -> None:
        if not len(lines):
            return
        inserted = self._inserted(lines)
        if inserted is None:
            # A line spoils it for the other lines of its half only.
            half = len(lines) // 2
            if half:
                self._load_numbered(lines.slice(0, half))
                self._load_numbered(lines.slice(half))
            else:
                self._skip(Refusal(NOT_UNDERSTOOD), lines["number"][0].as_py())
            return
        self._book(inserted)
        if inserted.unexplained:
            unexplained = pa.array(inserted.unexplained, pa.int64())
            for row in lines.filter(pc.is_in(lines["number"], unexplained)).to_pylist():
                self._skip(self._refusal(row["line"]) or Refusal(NOT_UNDERSTOOD), row["number"])

    def _inserted(self, lines: pa.Table) -> Inserted | None:
        """Insert numbered lines; None, and nothing inserted, if DuckDB tripped over one."""
        connection = self._engine.connection
        # DuckDB reads batches in parallel.
        batches = lines.to_batches(_BATCH_LINES)
        connection.register("numbered", pa.Table.from_batches(batches, lines.schema))
        try:
            with self._transaction() as commit:
                inserted = self._insert_lines(len(lines))
                commit()
        except OUTSIDE:
            raise
        except duckdb.Error:
            return None
        finally:
            connection.unregister("numbered")
        return inserted

    def _book(self, inserted: Inserted) -> None:
        self._account.read += inserted.rows
        self._account.lines += inserted.accounted
        for line, log in inserted.other_lines:
            self._account.skip(OTHER_LOG, line, detail=log)
        self._account.skip(OTHER_LOG, None, inserted.others - len(inserted.other_lines))

    def _skip(self, refusal: Refusal, line: int) -> None:
        self._account.lines += 1
        self._account.skip(refusal.reason, line, detail=refusal.detail)

    def _refusal(self, text: str) -> Refusal | None:
        """Why a line that DuckDB refused is no record; None if only a closer look can tell."""
        try:
            self._check(text)
        except Refusal as refusal:
            return refusal
        return None

    @contextmanager
    def _transaction(self) -> Iterator[Callable[[], None]]:
        """A transaction that leaves no trace unless the function it gives is called."""
        connection = self._engine.connection
        committed = False

        def commit() -> None:
            nonlocal committed
            connection.execute("COMMIT")
            committed = True

        connection.execute("BEGIN")
        try:
            yield commit
        finally:
            if not committed:
                connection.execute("ROLLBACK")
