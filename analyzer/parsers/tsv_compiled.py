"""Large TSV files, read by compiled loops instead of DuckDB's scan.

What is derived of a connection depends on few of its values, of which there are few combinations:
it is worked out once for each, by the same expressions as everywhere else. Lines that the loops do
not understand are loaded one by one as numbered texts, by the loader that this one extends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.derived import (
    MOST_PACKETS,
    NOT_KEPT,
    OUTCOME,
    OUTCOMES,
    SHORTENED,
    outcome_key,
    tried_ports,
)
from analyzer.engine import Engine, identifier
from analyzer.parsers.account import FileAccount
from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.header import Header
from analyzer.parsers.loading import OUTSIDE, Inserted
from analyzer.parsers.row_chunks import Chunk, Layout, OverlongLineError, chunks
from analyzer.parsers.row_loops import Integers, Offsets
from analyzer.parsers.tsv_rows import TsvLoader
from analyzer.parsers.validation import OVERLONG, Refusal

SMALLEST = 8 << 20
"""Bytes from which it pays to load the compiled loops, or to compile them the first time."""

# What is odd waits in memory for the rest; past this the file is not what Zeek writes.
_MOST_ODD = 64 << 20

_BATCH_ROWS = 1 << 14

# Kinds of connections that are remembered; there are some thousands in honest logs.
_MOST_KNOWN = 100_000


class _UnfitError(Exception):
    """The file is better read in another way."""


class CompiledLoader(TsvLoader):
    """Loads rows that stand under one TSV header, by compiled loops where there are many.

    Args:
        engine: where to.
        account: the books.
        header: the header; it must be one of our logs', and have no fault.
        unfinished: whether its connections had not ended when it was written.
    """

    def __init__(
        self, engine: Engine, account: FileAccount, header: Header, *, unfinished: bool = False
    ) -> None:
        super().__init__(engine, account, header, unfinished=unfinished)
        # Kinds of connections, by what tells them apart, and how they went.
        self._known: dict[tuple[bytes | int | None, ...], dict[str, Any]] = {}

    def _load_whole(
        self, path: Path, start: int, source_line: Callable[[int], int], *, skip: int = 0
    ) -> bool:
        large = path.stat().st_size - start >= SMALLEST
        if large and self._is_regular and self._load_compiled(path, start, source_line, skip):
            return True
        return super()._load_whole(path, start, source_line, skip=skip)

    @property
    def _is_regular(self) -> bool:
        """Whether the header is one that rows of ours can be read under."""
        needed = {column.name for column in self._columns if column.required}
        texts = (self._header.unset, self._header.empty)
        return needed <= self._sources.keys() and all(text.isascii() and text for text in texts)

    def _load_compiled(
        self, path: Path, start: int, source_line: Callable[[int], int], skip: int
    ) -> bool:
        layout = Layout(
            columns={
                self._sources[column.name]: column
                for column in self._columns
                if column.name in self._sources
            },
            width=len(self._header.fields),
            separator=self._header.separator,
            unset=self._header.unset,
            empty=self._header.empty,
        )
        inserted, lines, held = 0, 0, 0
        odd: list[tuple[int, bytes]] = []
        try:
            with self._transaction() as commit:
                for chunk in chunks(path, start, layout):
                    news = self._odd(chunk)
                    odd += [(lines + line, text) for line, text in news]
                    held += sum(len(text) for _, text in news)
                    if held > _MOST_ODD:
                        return False
                    self._insert_chunk(chunk)
                    inserted += chunk.rows
                    lines += chunk.line_count
                commit()
        except OUTSIDE:
            raise
        except (_UnfitError, OverlongLineError, duckdb.Error):
            return False
        finally:
            for view in ("chunk_rows", "numbered"):
                self._engine.connection.unregister(view)
        self._book(Inserted(Counter({self._log: inserted})))
        self._load_odd(odd, lambda index: source_line(skip + index))
        return True

    def _odd(self, chunk: Chunk) -> list[tuple[int, bytes]]:
        """The odd lines of a chunk that are not mere comments.

        Raises:
            _UnfitError: one of them changes how rows are read.
        """
        odd = chunk.odd_lines()
        for _, line in odd:
            if line.startswith(b"#") and self._header.updated(self._clean(line)) != self._header:
                raise _UnfitError
        return [(number, line) for number, line in odd if not line.startswith(b"#")]

    def _load_odd(self, odd: list[tuple[int, bytes]], source_line: Callable[[int], int]) -> None:
        for number, line in odd:
            if len(line) - 1 > LINE_LIMIT:
                self._skip(Refusal(OVERLONG, f"{len(line) - 1:,} bytes"), source_line(number))
        rest = [(number, line) for number, line in odd if len(line) - 1 <= LINE_LIMIT]
        if rest:
            numbers = pa.array([source_line(number) for number, _ in rest], pa.int64())
            texts = self._texts(b"".join(line for _, line in rest))
            self._load_numbered(pa.table({"number": numbers, "line": texts}))

    def _insert_chunk(self, chunk: Chunk) -> None:
        """Insert the rows of a chunk.

        Raises:
            _UnfitError: not all of them went in.
        """
        if not chunk.rows:
            return
        condensed = self._table == "conn" and self._engine.is_condensed
        rows = self._condensed(chunk) if condensed else self._plain(chunk)
        statement = "INSERT INTO conn BY NAME FROM chunk_rows"
        if not condensed:
            names = ", ".join(identifier(column.name) for column in self._columns)
            records = self._records("chunk_rows", None, "true")
            statement = self._engine.insertion(self._table, f"SELECT {names} FROM ({records})")
        # DuckDB reads batches in parallel.
        batches = pa.Table.from_batches(rows.to_batches(_BATCH_ROWS), rows.schema)
        connection = self._engine.connection
        connection.register("chunk_rows", batches)
        ((inserted,),) = connection.execute(statement).fetchall()
        if inserted != chunk.rows:
            raise _UnfitError

    def _plain(self, chunk: Chunk) -> pa.Table:
        """The columns that are needed, under the names of a scan's."""
        return pa.table(
            {
                f"f{self._sources[column.name]}": chunk.column(column.name)
                for column in self._columns
                if column.name in self._sources
            }
        )

    def _condensed(self, chunk: Chunk) -> pa.Table:
        """The columns of the table of connections."""
        key = outcome_key(
            *map(chunk.number, ("orig_p", "resp_p", "resp_bytes", "resp_pkts", "ip_proto"))
        )
        kinds, examples = chunk.distinct(OUTCOME, key)
        outcomes = self._outcomes(chunk, examples, key)
        kept = [
            column.name
            for column in self._columns
            if column.name in self._sources and column.name not in {*NOT_KEPT, "proto"}
        ]
        columns = {name: chunk.column(name) for name in kept}
        if "orig_pkts" in columns:
            columns["orig_pkts"] = pc.min_element_wise(
                columns["orig_pkts"], MOST_PACKETS, skip_nulls=False
            )
            columns["orig_pkts"] = columns["orig_pkts"].cast(SHORTENED["orig_pkts"])
        if "duration" in columns:
            columns["duration"] = columns["duration"].cast("float32", safe=False)
        columns |= {name: outcomes[name].take(kinds) for name in outcomes}
        ports = chunk.number("resp_p")
        tried = tried_ports(ports, ports[examples][kinds], columns["tried_p"].to_numpy())
        columns["tried_p"] = pa.array(tried, columns["tried_p"].type)
        return pa.table(columns)

    def _outcomes(self, chunk: Chunk, examples: Offsets, key: Integers) -> dict[str, pa.Array]:
        """How the connections of some rows went, by column; most kinds have been seen before."""
        texts = chunk.texts(OUTCOME, examples)
        seen = list(zip(*texts, key[examples].tolist(), strict=True))
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        news = [index for index, kind in enumerate(seen) if kind not in self._known]
        if news:
            rows = self._derived(chunk.lines(examples[news])).to_pylist()
            self._known.update(zip((seen[index] for index in news), rows, strict=True))
        found = [self._known[kind] for kind in seen]
        types = self._engine.table("conn").schema().to_pyarrow()
        return {
            name: pa.array([row[name] for row in found], types.field(name).type)
            for name in ("proto", *OUTCOMES)
        }

    def _derived(self, lines: list[str]) -> pa.Table:
        """What is derived of the connections of some lines, in their order."""
        connection = self._engine.connection
        connection.register("numbered", pa.table({"number": range(len(lines)), "line": lines}))
        rows, fit = self._split_rows()
        records = self._records(rows, rows, fit, extra="number")
        query = self._engine.derivation(records)
        derived = connection.sql(f"FROM ({query}) ORDER BY number").to_arrow_table()
        if len(derived) != len(lines):
            raise _UnfitError
        return derived.drop_columns("number")
