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
from pathlib import Path

from analyzer.engine import Engine, identifier, literal, sql_type
from analyzer.parsers.account import FileAccount
from analyzer.parsers.blocks import HeaderLine, Overlong, Rows, pieces
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.header import CONN_ID_FIELDS, SIGNATURES, Signature
from analyzer.parsers.loading import Inserted, RowLoader, is_record, scan
from analyzer.parsers.spool import Spool
from analyzer.parsers.validation import CUT_OFF, MILLISECONDS, OVERLONG, check_json
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
        containers = {column.name for column in held if column.is_container}
        named = {column.name for column in held} | {"_path"}
        for signature in SIGNATURES.values():
            named |= signature.needed | signature.one_of | signature.none_of
        spelled = {key for key, name in CONN_ID_FIELDS.items() if name in named}
        self._fields = sorted(named)
        self._structure = literal(
            json.dumps(
                {
                    field: ["VARCHAR"] if field in containers else "VARCHAR"
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

    def _insert(self, path: Path, skip: int) -> Inserted:
        # A control character cannot stand in a JSON row, so this never splits one.
        lines = scan(path, ["VARCHAR"], separator="\x01", skip=skip)
        fields = ", ".join(f"{_field(name)} AS {identifier(name)}" for name in self._fields)
        connection = self._engine.connection
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE json_rows AS "
            f"SELECT *, {_LOG_OF_ROW} AS log_of_row FROM (SELECT {fields} FROM ("
            f"SELECT CASE WHEN json_valid(f0) THEN json_transform(f0, {self._structure}) END "
            f"AS row FROM {lines}))"
        )
        rows = Counter(
            {log: self._move(log, self._conn if log == "conn" else log) for log in SIGNATURES}
        )
        ((others,),) = connection.execute(
            "SELECT count(*) FROM json_rows "
            "WHERE log_of_row IS NULL AND (ts IS NOT NULL OR _path IS NOT NULL)"
        ).fetchall()
        return Inserted(rows, others)

    def _move(self, log: str, table: str) -> int:
        """Insert the staged rows of a log into a table."""
        held = self._engine.columns[log]
        names = ", ".join(identifier(column.name) for column in held)
        values = ", ".join(f"{_value(column)} AS {identifier(column.name)}" for column in held)
        fit = " AND ".join(
            f"({identifier(column.name)} IS NULL OR {_value(column)} IS NOT NULL)"
            for column in held
            if column.dtype != "string"
        )
        ((moved,),) = self._engine.connection.execute(
            f"INSERT INTO {identifier(table)} ({names}) SELECT * FROM ("
            f"SELECT {values} FROM json_rows "
            f"WHERE log_of_row = {literal(log)} AND {fit or 'true'}"
            f") WHERE {is_record(held)}"
        ).fetchall()
        return int(moved)


def _field(name: str) -> str:
    """SQL for a field of a row, whichever way it is spelled."""
    spellings = [f"row.{identifier(name)}"]
    spellings += [f"row.{identifier(key)}" for key, ours in CONN_ID_FIELDS.items() if ours == name]
    if name in CONN_ID_FIELDS.values():
        spellings.append(f"row.id.{identifier(name)}")
    return f"coalesce({', '.join(spellings)})" if len(spellings) > 1 else spellings[0]


def _value(column: Column) -> str:
    """SQL for a column's value, null where the text does not fit its type."""
    name, kind = identifier(column.name), sql_type(column)
    # Zeek prints times and intervals in microseconds as TSV, in all their binary noise as JSON.
    if column.is_container:
        elements = f"TRY_CAST({name} AS {kind}[])"
        return (
            f"list_transform({elements}, lambda e: round(e, 6))" if kind == "DOUBLE" else elements
        )
    if column.type == "time":
        number = f"TRY_CAST({name} AS DOUBLE)"
        stamp = f"epoch_us(TRY_CAST({name} AS TIMESTAMPTZ)) / 1e6"
        scale = f"CASE WHEN {number} >= {MILLISECONDS} THEN {number} / 1000 ELSE {number} END"
        return f"round(coalesce({scale}, {stamp}), 6)"
    if kind == "VARCHAR":
        return name
    return (
        f"round(TRY_CAST({name} AS {kind}), 6)"
        if kind == "DOUBLE"
        else f"TRY_CAST({name} AS {kind})"
    )


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
