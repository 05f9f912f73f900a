"""Rows of a TSV log into its table, as a whole or line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

from analyzer.engine import Engine, column_type, identifier, literal, sql_type
from analyzer.parsers.account import FileAccount
from analyzer.parsers.header import Header
from analyzer.parsers.loading import OUTSIDE, Inserted, RowLoader, elements_fit, is_record
from analyzer.parsers.scanning import Measure, measure, scan
from analyzer.parsers.spool import Spool
from analyzer.parsers.validation import Refusal, check_tsv
from analyzer.records import Column
from analyzer.zeek_format import unescape

# Past so many rejected lines they are handled a group at a time.
_MANY_REJECTED = 10_000

# Past so many columns a scan spends its time on those that are not used.
_MANY_COLUMNS = 500


class TsvLoader(RowLoader):
    """Loads rows that stand under one TSV header.

    DuckDB scans a file as a whole where that accounts for every line: inserted and rejected lines
    together must be all lines there are. Where they are not, the scan is undone and the lines are
    loaded as numbered texts, by the same casts.

    Args:
        engine: where to.
        account: the books.
        header: the header; it must be one of our logs', and have no fault.
        unfinished: whether its connections had not ended when it was written.
    """

    def __init__(
        self, engine: Engine, account: FileAccount, header: Header, *, unfinished: bool = False
    ) -> None:
        super().__init__(engine, account)
        self._header = header
        self._log = header.log or ""
        self._columns = engine.columns[self._log]
        self._table = "open_conn" if self._log == "conn" and unfinished else self._log
        self._sources = {
            column.name: header.fields.index(column.name)
            for column in self._columns
            if column.name in header.fields
        }

    @property
    def _has_free_text(self) -> bool:
        """Whether a column may hold escapes."""
        return any(column.free and column.name in self._sources for column in self._columns)

    def load_file(self, path: Path, above: int, start: int) -> bool:
        """Load a file in place whose rows begin below `above` header lines, at byte `start`.

        Returns:
            Whether the books balanced; if not, nothing was loaded or counted.
        """
        content = measure(path, self._header.separator, start)
        # Escapes are undone in Python, block by block, so that only a few are held at a time.
        if content.escaped and self._has_free_text:
            return False
        return self._load_whole(path, content, lambda index: index + 1, skip=above)

    def load_spool(self, spool: Spool) -> None:
        """Load what a spool holds, as a whole if possible."""
        content = measure(spool.path, self._header.separator)
        if not self._load_whole(spool.path, content, spool.source_line):
            super().load_spool(spool)

    def _check(self, line: str) -> None:
        check_tsv(line, self._header, self._columns)

    def _clean(self, line: bytes) -> str:
        # A byte that is no UTF-8 becomes \xhh, which is how Zeek would have written it.
        return line.decode("utf-8", "backslashreplace")

    def _load_whole(
        self, path: Path, content: Measure, source_line: Callable[[int], int], *, skip: int = 0
    ) -> bool:
        if content.returns or len(self._header.fields) > _MANY_COLUMNS:
            return False
        try:
            with self._transaction() as commit:
                inserted = self._insert(
                    self._scan(path, skip),
                    self._scan(path, skip, keep_rejected=False) if content.escaped else None,
                )
                refusals = self._rejected(content, inserted)
                if refusals is None:
                    return False
                commit()
        except OUTSIDE:
            raise
        except duckdb.Error:
            return False
        finally:
            for table in ("rejected", "rejected_scan"):
                self._engine.connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._book(Inserted(Counter({self._log: inserted})))
        for line, refusal in refusals:
            # A comment is no row.
            if refusal.reason:
                self._skip(refusal, source_line(line - 1))
        return True

    def _rejected(self, content: Measure, inserted: int) -> list[tuple[int, Refusal]] | None:
        """Why each rejected line is no record; None if that does not account for everything."""
        rejected = self._engine.connection.execute(
            "SELECT line, coalesce(min(csv_line), ''), "
            "bool_or(error_type IN ('LINE SIZE OVER MAXIMUM', 'INVALID ENCODING')) "
            f"FROM rejected GROUP BY line ORDER BY line LIMIT {_MANY_REJECTED + 1}"
        ).fetchall()
        # DuckDB takes a row with too many columns if what is too much is unset.
        separators = inserted * (len(self._header.fields) - 1)
        separators += sum(text.count(self._header.separator) for _, text, _ in rejected)
        if (inserted + len(rejected), separators) != (content.lines, content.separators):
            return None
        refusals = []
        for line, text, distorted in rejected:
            # DuckDB puts a question mark for what is no UTF-8.
            refusal = None if distorted or "?" in text else self._refusal(text)
            if refusal is None:
                return None
            refusals.append((line, refusal))
        return refusals if len(refusals) <= _MANY_REJECTED else None

    def _refusal(self, text: str) -> Refusal | None:
        if not text.startswith("#"):
            return super()._refusal(text)
        # A header line that changes how rows are read asks for another reading.
        return Refusal("") if self._header.updated(text) == self._header else None

    def _scan(self, path: Path, skip: int, *, keep_rejected: bool = True) -> str:
        # Only what is used is converted: other columns may hold anything.
        types = ["VARCHAR"] * len(self._header.fields)
        for column in self._columns:
            if column.name in self._sources and not column.is_container:
                types[self._sources[column.name]] = sql_type(column)
        return scan(
            path,
            types,
            separator=self._header.separator,
            unset=self._header.unset,
            skip=skip,
            keep_rejected=keep_rejected,
        )

    def _insert(self, rows: str, texts: str | None) -> int:
        """Insert rows, given the SQL for them, and again for their escaped texts, if any."""
        names = ", ".join(identifier(column.name) for column in self._columns)
        # A header line among the rows may have as many columns as they have.
        first_is_number = "ts" in self._sources and self._sources["ts"] == 0
        condition = "true" if first_is_number else "NOT starts_with(f0, '#')"
        ((inserted,),) = self._engine.connection.execute(
            self._engine.insertion(
                self._table, f"SELECT {names} FROM ({self._records(rows, texts, condition)})"
            )
        ).fetchall()
        return int(inserted)

    def _insert_lines(self, count: int) -> Inserted:
        rows, fit = self._split_rows()
        connection = self._engine.connection
        records = self._records(rows, rows, fit, extra="number")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE tsv_rows AS {records}")
        names = ", ".join(identifier(column.name) for column in self._columns)
        ((inserted,),) = connection.execute(
            self._engine.insertion(self._table, f"SELECT {names} FROM tsv_rows")
        ).fetchall()
        unexplained: list[tuple[int]] = []
        if inserted != count:
            unexplained = connection.execute(
                "SELECT number FROM numbered WHERE number NOT IN (SELECT number FROM tsv_rows)"
            ).fetchall()
        return Inserted(
            Counter({self._log: inserted}), unexplained=[number for (number,) in unexplained]
        )

    def _split_rows(self) -> tuple[str, str]:
        """SQL for the rows that numbered lines make, and a condition for their values to fit."""
        unset, separator = literal(self._header.unset), literal(self._header.separator)
        texts, values, fit = [], ["number"], ["true"]
        for column in self._columns:
            if column.name not in self._sources:
                continue
            source = self._sources[column.name]
            texts.append(f"nullif(parts[{source + 1}], {unset}) AS t{source}")
            kind = "VARCHAR" if column.is_container else sql_type(column)
            values.append(f"t{source}, TRY_CAST(t{source} AS {kind}) AS f{source}")
            fit.append(f"(t{source} IS NULL OR f{source} IS NOT NULL)")
        rows = (
            f"(SELECT {', '.join(values)} FROM (SELECT number, {', '.join(texts)} FROM "
            f"(SELECT number, string_split(line, {separator}) AS parts FROM numbered) "
            f"WHERE len(parts) = {len(self._header.fields)}))"
        )
        return rows, " AND ".join(fit)

    def _records(self, rows: str, texts: str | None, condition: str, *, extra: str = "") -> str:
        """SQL query for the records among rows."""
        unescaped = self._unescaped(texts) if texts else {}
        values = [
            f"{self._value(column, unescaped)} AS {identifier(column.name)}"
            for column in self._columns
        ]
        conditions = [
            elements_fit(self._elements(column), column)
            for column in self._columns
            if column.name in self._sources and column.is_container
        ]
        joins = " ".join(
            f"LEFT JOIN {table} ON {source} = {table}.raw" for source, table in unescaped.items()
        )
        return (
            f"SELECT * FROM (SELECT {', '.join([extra, *values] if extra else values)} "
            f"FROM {rows} {joins} WHERE {' AND '.join([condition, *conditions])}) "
            f"WHERE {is_record(self._columns)}"
        )

    def _elements(self, column: Column) -> str:
        """SQL for the texts of the elements of a set or vector."""
        source = f"f{self._sources[column.name]}"
        empty, unset = literal(self._header.empty), literal(self._header.unset)
        element = f"nullif(e, {unset})"
        if column.element_type == "string":
            element = f"CASE WHEN e = {empty} THEN '' ELSE {element} END"
        split = f"string_split({source}, {literal(self._header.set_separator)})"
        return (
            f"CASE WHEN {source} IS NULL THEN NULL WHEN {source} = {empty} THEN [] "
            f"ELSE list_transform({split}, lambda e: {element}) END"
        )

    def _value(self, column: Column, unescaped: dict[str, str]) -> str:
        """SQL for a column's value."""
        kind = column_type(column)
        if column.name not in self._sources:
            return f"NULL::{kind}"
        source = f"f{self._sources[column.name]}"
        value = source
        if column.is_container:
            value = f"TRY_CAST({self._elements(column)} AS {kind})"
        elif column.type == "string":
            value = f"CASE WHEN {source} = {literal(self._header.empty)} THEN '' ELSE {source} END"
        return f"coalesce({unescaped[source]}.plain, {value})" if source in unescaped else value

    def _unescaped(self, texts: str) -> dict[str, str]:
        """For each column with escapes, the name of a table from raw text to plain text."""
        tables = {}
        for column in self._columns:
            if column.name not in self._sources or not column.free:
                continue
            source = f"f{self._sources[column.name]}"
            raw = self._engine.connection.execute(
                f"SELECT DISTINCT {source} FROM {texts} WHERE contains({source}, '\\')"
            ).fetchall()
            if raw:
                tables[source] = f"unescaped_{source}"
                self._keep_unescaped(tables[source], [text for (text,) in raw], column)
        return tables

    def _keep_unescaped(self, name: str, raw: list[str], column: Column) -> None:
        plain: list[str] | list[list[str | None]]
        if column.is_container:
            plain = [
                [None if element == self._header.unset else unescape(element) for element in split]
                for split in (text.split(self._header.set_separator) for text in raw)
            ]
        else:
            plain = [unescape(text) for text in raw]
        connection = self._engine.connection
        connection.register("unescaped_rows", pa.table({"raw": raw, "plain": plain}))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM unescaped_rows")
        connection.unregister("unescaped_rows")
