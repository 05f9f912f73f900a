"""Zeek's JSON logs (one object a line) into tables.

One file may hold rows of several logs (a streaming sensor's standard output, say): each row goes
where its fields say.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import closing

from analyzer.engine import Engine, identifier, literal, sql_type
from analyzer.parsers.account import EXAMPLES_PER_REASON, FileAccount
from analyzer.parsers.blocks import HeaderLine, Overlong, Rows, pieces
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.header import CONN_ID_FIELDS, SIGNATURES, Signature
from analyzer.parsers.loading import Inserted, RowLoader, elements_fit, is_record
from analyzer.parsers.spool import Spool
from analyzer.parsers.validation import CUT_OFF, OVERLONG, TIME_LIMIT, check_json
from analyzer.records import Column


def load_stream(
    plain: PlainBytes,
    chunks: Iterable[bytes],
    engine: Engine,
    account: FileAccount,
    *,
    unfinished: bool = False,
) -> None:
    """Load a stream of JSON rows, broken or whole."""
    loader = JsonLoader(engine, account, unfinished=unfinished)
    with closing(Spool(engine.directory / "rows.json", loader.load_spool)) as spool:
        for piece in pieces(chunks, headers=False):
            match piece:
                case Overlong(line, length):
                    account.lines += 1
                    account.skip(OVERLONG, line, detail=f"{length:,} bytes")
                case Rows() if plain.fault and not piece.data.endswith(b"\n"):
                    account.lines += 1
                    account.skip(CUT_OFF, piece.line)
                case Rows():
                    spool.add(piece)
                case HeaderLine():
                    pass
        spool.flush()


class JsonLoader(RowLoader):
    """Loads JSON rows, each into the table of the log it belongs to."""

    def __init__(self, engine: Engine, account: FileAccount, *, unfinished: bool = False) -> None:
        super().__init__(engine, account)
        self._conn = "open_conn" if unfinished else "conn"
        held = [column for columns in engine.columns.values() for column in columns]
        # A container may come as anything; what it is, is seen later.
        containers = {column.name for column in held if column.is_container}
        named = {column.name for column in held} | {"_path"}
        for signature in SIGNATURES.values():
            named |= signature.needed | signature.one_of | signature.none_of
        spelled = {key for key, name in CONN_ID_FIELDS.items() if name in named}
        self._fields = sorted(named)
        self._structure = literal(
            json.dumps(
                {
                    field: "JSON" if field in containers else "VARCHAR"
                    for field in sorted(named | spelled)
                }
                | {"id": dict.fromkeys(sorted(set(CONN_ID_FIELDS.values())), "VARCHAR")}
            )
        )

    def _check(self, line: str) -> None:
        check_json(line, self._engine.columns)

    def _clean(self, line: bytes) -> str:
        # What is no UTF-8 becomes the text \xhh, so its backslash is escaped once more for JSON.
        text = line.decode("utf-8", "surrogateescape")
        return re.sub("[\udc80-\udcff]", lambda m: f"\\\\x{ord(m[0]) - 0xDC00:02x}", text)

    def _insert_lines(self, count: int) -> Inserted:
        fields = ", ".join(f"{_field(name)} AS {identifier(name)}" for name in self._fields)
        connection = self._engine.connection
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE json_rows AS "
            f"SELECT *, {_LOG_OF_ROW} AS log_of_row FROM (SELECT number, {fields} FROM (SELECT "
            f"number, CASE WHEN json_valid(line) THEN json_transform(line, {self._structure}) END "
            "AS row FROM numbered))"
        )
        rows = Counter({log: self._move(log) for log in SIGNATURES})
        ((others,),) = connection.execute(f"SELECT count(*) FROM {_OTHERS}").fetchall()
        if rows.total() + others == count:
            return Inserted(rows, others, self._places(others))
        known = " UNION ALL ".join(
            [f"SELECT number FROM {_OTHERS}"]
            + [f"SELECT number FROM ({self._records(log)})" for log in SIGNATURES]
        )
        unexplained = connection.execute(
            f"SELECT number FROM numbered WHERE number NOT IN ({known})"
        ).fetchall()
        return Inserted(rows, others, self._places(others), [number for (number,) in unexplained])

    def _places(self, others: int) -> list[tuple[int, str]]:
        """Line number and name of the log of the first few rows of other logs."""
        if not others:
            return []
        few = "" if self._account.keep_all else f"LIMIT {EXAMPLES_PER_REASON}"
        return self._engine.connection.execute(
            f"SELECT number, coalesce(_path, '')[:40] FROM {_OTHERS} ORDER BY number {few}"
        ).fetchall()

    def _move(self, log: str) -> int:
        """Insert the staged rows of a log into its table."""
        names = ", ".join(identifier(column.name) for column in self._engine.columns[log])
        table = self._conn if log == "conn" else log
        ((moved,),) = self._engine.connection.execute(
            self._engine.insertion(table, f"SELECT {names} FROM ({self._records(log)})")
        ).fetchall()
        return int(moved)

    def _records(self, log: str) -> str:
        """SQL query for the records of a log among the staged rows."""
        held = self._engine.columns[log]
        values = ", ".join(f"{_value(column)} AS {identifier(column.name)}" for column in held)
        fit = " AND ".join(_fits(column) for column in held)
        return (
            f"SELECT * FROM (SELECT number, {values} FROM json_rows "
            f"WHERE log_of_row = {literal(log)} AND {fit}) WHERE {is_record(held)}"
        )


def _field(name: str) -> str:
    """SQL for a field of a row, whichever way it is spelled."""
    spellings = [f"row.{identifier(name)}"]
    spellings += [f"row.{identifier(key)}" for key, ours in CONN_ID_FIELDS.items() if ours == name]
    if name in CONN_ID_FIELDS.values():
        spellings.append(f"row.id.{identifier(name)}")
    return f"coalesce({', '.join(spellings)})" if len(spellings) > 1 else spellings[0]


def _elements(column: Column) -> str:
    """SQL for the texts of the elements of a set or vector; a lone scalar is its only one."""
    name = identifier(column.name)
    return (
        f"CASE WHEN json_type({name}) = 'ARRAY' THEN from_json({name}, '[\"VARCHAR\"]') "
        f"WHEN {name} IS NOT NULL THEN [{name} ->> '$'] END"
    )


def _fits(column: Column) -> str:
    """SQL condition for a column's text to fit its type."""
    if column.is_container:
        return elements_fit(_elements(column), column)
    return f"({identifier(column.name)} IS NULL OR {_value(column)} IS NOT NULL)"


def _value(column: Column) -> str:
    """SQL for a column's value, null where the text does not fit its type."""
    name, kind = identifier(column.name), sql_type(column)
    # Zeek prints times and intervals in microseconds as TSV, in all their binary noise as JSON.
    if column.is_container:
        elements = f"TRY_CAST({_elements(column)} AS {kind}[])"
        return (
            f"list_transform({elements}, lambda e: round(e, 6))" if kind == "DOUBLE" else elements
        )
    if column.type == "time":
        number = f"TRY_CAST({name} AS DOUBLE)"
        # Texts such as "now" are times to DuckDB, too.
        stamp = (
            f"CASE WHEN {name} SIMILAR TO '\\d{{4}}-.*' THEN TRY_CAST({name} AS TIMESTAMPTZ) END"
        )
        # What is too large for seconds is in milliseconds.
        scale = f"CASE WHEN {number} >= {TIME_LIMIT} THEN {number} / 1000 ELSE {number} END"
        return f"round(coalesce({scale}, epoch_us({stamp}) / 1e6), 6)"
    if kind == "VARCHAR":
        return name
    value = f"TRY_CAST({name} AS {kind})"
    return f"round({value}, 6)" if kind == "DOUBLE" else value


def _is_of(signature: Signature) -> str:
    """SQL condition for a row to be of a log."""
    needed = [f"{identifier(name)} IS NOT NULL" for name in sorted(signature.needed)]
    none_of = [f"{identifier(name)} IS NULL" for name in sorted(signature.none_of)]
    one_of = ", ".join(identifier(name) for name in sorted(signature.one_of))
    return " AND ".join([*needed, f"coalesce({one_of}) IS NOT NULL", *none_of])


_LOG_OF_ROW = (
    "CASE "
    + " ".join(
        f"WHEN {_is_of(signature)} THEN {literal(log)}" for log, signature in SIGNATURES.items()
    )
    + " END"
)

_OTHERS = "json_rows WHERE log_of_row IS NULL AND (ts IS NOT NULL OR _path IS NOT NULL)"
