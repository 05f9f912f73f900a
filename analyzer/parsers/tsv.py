"""Zeek's TSV logs into tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa

from analyzer.engine import Engine, column_type, identifier, literal, sql_type
from analyzer.parsers.account import FileAccount
from analyzer.parsers.blocks import HeaderLine, Overlong, Rows, pieces
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.header import BOM, Header
from analyzer.parsers.loading import Inserted, RowLoader, is_record, scan
from analyzer.parsers.spool import Spool
from analyzer.parsers.validation import CUT_OFF, OVERLONG, Refusal, check_tsv
from analyzer.records import Column
from analyzer.zeek_format import unescape


def load_file(
    path: Path,
    head: bytes,
    engine: Engine,
    account: FileAccount,
    *,
    unfinished: bool = False,
) -> bool:
    """Load a plain TSV file where it stands, if it is as Zeek writes it: one header, then rows.

    Args:
        path: the file.
        head: its first bytes.
        engine: where to.
        account: the books.
        unfinished: whether its connections had not ended when it was written.

    Returns:
        Whether it was; if not, nothing has been loaded or counted.
    """
    lines = head.split(b"\n")[:-1]
    above = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), 0)
    if not above or head.startswith(BOM):
        return False
    header = Header()
    for number, line in enumerate(lines[:above], start=1):
        header = header.updated(line.rstrip(b"\r").decode("utf-8", "replace"), number)
    if header.fault() or header.log is None:
        return False
    loader = TsvLoader(engine, account, header, unfinished=unfinished)
    count, escaped = _measure(path, sum(len(line) + 1 for line in lines[:above]))
    # Escapes are undone in Python, block by block, so that only a few are held at a time.
    if escaped and loader.has_free_text:
        return False
    return loader.load(path, count, skip=above)


def _measure(path: Path, start: int) -> tuple[int, bool]:
    """Lines in a file from byte `start` on, and whether a backslash is among them."""
    count, escaped, last = 0, False, b"\n"
    buffer = np.empty(1 << 20, np.uint8)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while size := file.readinto(view):
            chunk = buffer[:size]
            count += int(np.count_nonzero(chunk == ord("\n")))
            escaped = escaped or bool((chunk == ord("\\")).any())
            last = bytes(view[size - 1 : size])
    return count + (last != b"\n"), escaped


def load_stream(
    plain: PlainBytes,
    chunks: Iterable[bytes],
    engine: Engine,
    account: FileAccount,
    *,
    unfinished: bool = False,
) -> None:
    """Load a TSV stream of any shape: compressed, concatenated with other headers, broken."""
    header = Header()

    def load(spool: Spool) -> None:
        if fault := header.fault():
            account.lines += spool.lines
            account.skip(fault, spool.source_line(0), spool.lines)
        elif header.log is None:
            account.ignore(header.path or "unnamed")
        else:
            TsvLoader(
                engine, account, header, unfinished=unfinished, escaped=spool.escaped
            ).load_spool(spool)

    with closing(Spool(engine.directory / "rows.tsv", load)) as spool:
        for piece in pieces(chunks, headers=True):
            match piece:
                case HeaderLine(text, line):
                    updated = header.updated(text, line)
                    if updated != header:
                        spool.flush()
                        header = updated
                case Overlong(line, length):
                    account.lines += 1
                    account.skip(OVERLONG, line, detail=f"{length:,} bytes")
                case Rows() if plain.fault and not piece.data.endswith(b"\n"):
                    account.lines += 1
                    account.skip(CUT_OFF, piece.line)
                case Rows():
                    spool.add(piece)
        spool.flush()


class TsvLoader(RowLoader):
    """Loads rows that stand under one TSV header.

    Args:
        engine: where to.
        account: the books.
        header: the header; it must be one of our logs', and have no fault.
        unfinished: whether its connections had not ended when it was written.
        escaped: whether a backslash is among the rows.
    """

    def __init__(
        self,
        engine: Engine,
        account: FileAccount,
        header: Header,
        *,
        unfinished: bool = False,
        escaped: bool = False,
    ) -> None:
        super().__init__(engine, account)
        self._header = header
        self._escaped = escaped
        log = header.log or ""
        self._columns = engine.columns[log]
        self._log = log
        self._table = "open_conn" if log == "conn" and unfinished else log

    @property
    def has_free_text(self) -> bool:
        """Whether a column may hold escapes."""
        return any(column.free and column.name in self._header.fields for column in self._columns)

    def _check(self, line: str) -> None:
        # A close or open stamp is no row; a header that changes the columns needs another reading.
        if line.startswith("#"):
            if self._header.updated(line, 0) == self._header or line.startswith("#types"):
                raise Refusal("")
            return
        check_tsv(line, self._header, self._columns)

    def _clean(self, line: bytes) -> str:
        # A byte that is no UTF-8 becomes \xhh, which is how Zeek would have written it.
        return line.decode("utf-8", "backslashreplace").replace("\r", "\\x0d")

    def _insert(self, path: Path, skip: int) -> Inserted:
        rows = self._scan(path, skip)
        unescaped = self._unescaped(path, skip) if self._escaped else {}
        names = ", ".join(identifier(column.name) for column in self._columns)
        values = ", ".join(
            f"{self._value(column, unescaped)} AS {identifier(column.name)}"
            for column in self._columns
        )
        joins = " ".join(
            f"LEFT JOIN {table} ON {source} = {table}.raw" for source, table in unescaped.items()
        )
        ((inserted,),) = self._engine.connection.execute(
            f"INSERT INTO {identifier(self._table)} ({names}) "
            f"SELECT * FROM (SELECT {values} FROM {rows} {joins}) WHERE {is_record(self._columns)}"
        ).fetchall()
        return Inserted(Counter({self._log: inserted}))

    def _scan(self, path: Path, skip: int, *, keep_rejected: bool = True) -> str:
        wanted = {column.name: column for column in self._columns}
        types = [
            # Only what is used is converted: other columns may hold anything.
            sql_type(wanted[name])
            if name in wanted and not wanted[name].is_container
            else "VARCHAR"
            for name in self._header.fields
        ]
        return scan(
            path,
            types,
            separator=self._header.separator,
            unset=self._header.unset,
            skip=skip,
            keep_rejected=keep_rejected,
        )

    def _source(self, column: Column) -> str | None:
        fields = self._header.fields
        return f"f{fields.index(column.name)}" if column.name in fields else None

    def _value(self, column: Column, unescaped: dict[str, str]) -> str:
        """SQL for a column's value."""
        source = self._source(column)
        kind = column_type(column)
        if source is None:
            return f"NULL::{kind}"
        empty, unset = literal(self._header.empty), literal(self._header.unset)
        if column.is_container:
            elements = f"string_split({source}, {literal(self._header.set_separator)})"
            value = (
                f"CASE WHEN {source} IS NULL THEN NULL WHEN {source} = {empty} THEN [] ELSE "
                f"list_transform({elements}, lambda e: nullif(e, {unset})) END::{kind}"
            )
        elif column.type == "string":
            value = f"CASE WHEN {source} = {empty} THEN '' ELSE {source} END"
        else:
            value = source
        return f"coalesce({unescaped[source]}.plain, {value})" if source in unescaped else value

    def _unescaped(self, path: Path, skip: int) -> dict[str, str]:
        """For each column with escapes, the name of a table from raw text to plain text."""
        tables = {}
        for column in self._columns:
            source = self._source(column)
            if source is None or not column.free:
                continue
            rows = self._scan(path, skip, keep_rejected=False)
            raw = self._engine.connection.execute(
                f"SELECT DISTINCT {source} FROM {rows} WHERE contains({source}, '\\')"
            ).fetchall()
            if raw:
                tables[source] = f"unescaped_{source}"
                self._keep_unescaped(tables[source], [text for (text,) in raw], column)
        return tables

    def _keep_unescaped(self, name: str, raw: list[str], column: Column) -> None:
        plain: list[str] | list[list[str]]
        if column.is_container:
            between = self._header.set_separator
            plain = [[unescape(element) for element in text.split(between)] for text in raw]
        else:
            plain = [unescape(text) for text in raw]
        connection = self._engine.connection
        connection.register("unescaped_rows", pa.table({"raw": raw, "plain": plain}))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM unescaped_rows")
        connection.unregister("unescaped_rows")
