"""Rows on disk into tables, with balanced books: what the TSV and the JSON loader share.

Rows never become Python objects: DuckDB scans them, and whatever it refuses comes back with its
line number. Inserted and refused lines together must be all lines there are; where they are not,
the attempt is undone and the rows are checked one by one before they are loaded again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from analyzer.engine import Engine, identifier, literal
from analyzer.parsers.account import FileAccount
from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.spool import Spool
from analyzer.parsers.validation import NOT_UNDERSTOOD, OTHER_LOG, OVERLONG, Refusal
from analyzer.records import Column

MANY_REFUSALS = 10_000
"""Past so many refused lines a file is read in blocks, so that they are held a few at a time."""

# Per thread; a buffer must hold the longest line twice.
_BUFFER = 8 * LINE_LIMIT

# What DuckDB raises when rows trip its parser as a whole; the careful reading then decides.
_TRIPPED = (
    duckdb.InvalidInputException,
    duckdb.ConversionException,
    duckdb.SerializationException,
)


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


def is_record(columns: Sequence[Column]) -> str:
    """SQL condition for a row to be a record: what is required is set, numbers are numbers."""
    conditions = ["true"]
    for column in columns:
        name = identifier(column.name)
        if column.required:
            conditions.append(f"{name} IS NOT NULL")
        if column.dtype == "float64":
            conditions.append(f"({name} IS NULL OR isfinite({name}))")
        elif column.type == "count":
            conditions.append(f"({name} IS NULL OR {name} >= 0)")
    return " AND ".join(conditions)


@dataclass(frozen=True, slots=True)
class Inserted:
    """What one load put in: rows by table, and rows of other logs that it passed over."""

    rows: Counter[str]
    others: int = 0

    @property
    def accounted(self) -> int:
        """Lines that this explains."""
        return self.rows.total() + self.others


class RowLoader(ABC):
    """Loads runs of rows of one format and keeps the books about them."""

    def __init__(self, engine: Engine, account: FileAccount) -> None:
        self._engine = engine
        self._account = account

    @abstractmethod
    def _insert(self, path: Path, skip: int) -> Inserted:
        """Insert the rows of a file into their tables."""

    @abstractmethod
    def _check(self, line: str) -> None:
        """Raise a :class:`Refusal` if a line is no record."""

    @abstractmethod
    def _clean(self, line: bytes) -> str:
        """A line as text that DuckDB reads, with what is no UTF-8 replaced."""

    def load(self, path: Path, lines: int, *, skip: int = 0) -> bool:
        """Load a file in place: `lines` rows below `skip` header lines.

        Returns:
            Whether the books balanced; if not, nothing was loaded or counted.
        """
        return self._attempt(path, lines, skip, lambda index: index + 1)

    def load_spool(self, spool: Spool) -> None:
        """Load what a spool holds, line by line where it must be."""
        if self._attempt(spool.path, spool.lines, 0, spool.source_line):
            return
        clean = spool.path.with_suffix(".clean")
        kept = 0
        with (
            spool.path.open("rb") as source,
            clean.open("w", encoding="utf-8", newline="") as file,
        ):
            for index, raw in enumerate(source):
                line = self._clean(raw.rstrip(b"\r\n"))
                try:
                    self._check(line)
                except Refusal as refusal:
                    self._skip(refusal, spool.source_line(index))
                else:
                    file.write(line + "\n")
                    kept += 1
        with self._transaction() as commit:
            inserted = self._insert(clean, 0)
            commit()
        self._book(inserted)
        for _ in range(kept - inserted.accounted):
            self._skip(Refusal(NOT_UNDERSTOOD), None)
        clean.unlink()

    def _attempt(self, path: Path, lines: int, skip: int, number: Callable[[int], int]) -> bool:
        with self._transaction() as commit:
            try:
                inserted = self._insert(path, skip)
                rejected = self._rejected()
            except _TRIPPED:
                return False
            if inserted.accounted + len(rejected) != lines or len(rejected) > MANY_REFUSALS:
                return False
            refusals = [(line, self._refusal(text)) for line, text in rejected]
            if any(refusal is None for _, refusal in refusals):
                return False
            commit()
        self._book(inserted)
        for line, refusal in refusals:
            if refusal is not None and refusal.reason:
                self._skip(refusal, number(line - 1))
        return True

    def _book(self, inserted: Inserted) -> None:
        self._account.read += inserted.rows
        self._account.lines += inserted.accounted
        if inserted.others:
            self._account.skip(OTHER_LOG, None, inserted.others)

    def _skip(self, refusal: Refusal, line: int | None) -> None:
        self._account.lines += 1
        self._account.skip(refusal.reason, line, detail=refusal.detail)

    def _refusal(self, text: str) -> Refusal | None:
        """Why a line that DuckDB refused is no record; None if only a closer look can tell."""
        if len(text) > LINE_LIMIT:
            return Refusal(OVERLONG)
        try:
            self._check(text)
        except Refusal as refusal:
            return refusal
        return None

    def _rejected(self) -> list[tuple[int, str]]:
        return self._engine.connection.execute(
            "SELECT line, coalesce(min(csv_line), '') FROM rejected "
            f"GROUP BY line ORDER BY line LIMIT {MANY_REFUSALS + 1}"
        ).fetchall()

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
            connection.execute("DROP TABLE IF EXISTS rejected")
            connection.execute("DROP TABLE IF EXISTS rejected_scan")
