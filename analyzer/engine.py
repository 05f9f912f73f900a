"""Where tables live and are computed: DuckDB in this process, spoken to through Ibis.

Detectors see Ibis tables only; SQL text stays here and in the parsers. DuckDB runs group-bys and
window functions out of core: what exceeds the memory limit spills to a private temporary directory.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pyarrow as pa

from analyzer.backend import Backend
from analyzer.derived import condensed
from analyzer.errors import OptionError, ResourceError
from analyzer.indicators import Indicator
from analyzer.networks import LocalNetworks, Network
from analyzer.records import (
    DETECTION_COLUMNS,
    LOGS,
    SUMMARY_COLUMNS,
    Column,
    Records,
    columns,
)

if TYPE_CHECKING:
    from types import TracebackType

    import ibis.expr.types as ir

DEFAULT_MEMORY_LIMIT = "1GiB"
"""Enough for 20 M connections without much spilling, and fits beside a sensor."""

MOST_THREADS = 1024
"""DuckDB starts all of them at once, and the process dies where the system refuses one."""

_MEMORY_LIMIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)\s*", re.IGNORECASE)

_SQL_TYPES = {
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "uint16": "USMALLINT",
    "int64": "BIGINT",
    "boolean": "BOOLEAN",
}


def sql_type(column: Column) -> str:
    """DuckDB's type for a column, of its elements for a set or vector."""
    return _SQL_TYPES[column.dtype.removeprefix("array<").removesuffix(">")]


def column_type(column: Column) -> str:
    """DuckDB's type for a column."""
    return sql_type(column) + ("[]" if column.is_container else "")


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


class Engine:
    """One private database with an empty table for each log.

    Args:
        memory_limit: what the database may hold in memory before it spills, such as ``2GiB``.
        threads: how many threads compute; None for one a core.
        column_names: the columns to read and hold, by log; by default those that detectors use,
            condensed as :mod:`analyzer.derived` says.
        summing: hold no more than summing up for a baseline uses, condensed likewise.

    Raises:
        OptionError: the memory limit or the number of threads makes no sense.
    """

    def __init__(
        self,
        *,
        memory_limit: str = DEFAULT_MEMORY_LIMIT,
        threads: int | None = None,
        column_names: Mapping[str, Sequence[str]] | None = None,
        summing: bool = False,
    ) -> None:
        if not _MEMORY_LIMIT.fullmatch(memory_limit):
            raise OptionError(
                f"memory limit {memory_limit!r}: expected a size such as 2GiB or 800MB"
            )
        if threads is not None and threads < 1:
            raise OptionError(f"threads {threads}: expected 1 or more")
        if threads is not None and threads > MOST_THREADS:
            raise OptionError(f"threads {threads}: expected at most {MOST_THREADS}")
        self._is_condensed = column_names is None
        self._summing = summing
        named = column_names or (SUMMARY_COLUMNS if summing else DETECTION_COLUMNS)
        self.columns = {log: columns(log, tuple(named[log])) for log in LOGS}
        try:
            self.directory = Path(tempfile.mkdtemp(prefix="zeek-analyzer-"))
        except OSError as error:
            # A read-only file system, as services and containers have, and no /tmp in it.
            raise ResourceError(
                f"temporary files cannot be written ({error.strerror}); "
                "point TMPDIR at a directory that can be written to"
            ) from error
        try:
            with out_of_resources():
                self._open(memory_limit.strip(), threads or os.cpu_count() or 1)
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def _open(self, memory_limit: str, threads: int) -> None:
        config: dict[str, Any] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(self.directory),
            # Nothing may depend on row order, so DuckDB need not keep it (and loads faster).
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        try:
            self.connection = duckdb.connect(config=config)
        except duckdb.ParserException as error:
            raise OptionError(f"memory limit {memory_limit!r}: {_first_line(error)}") from error
        self.connection.execute("SET TimeZone = 'UTC'")
        # Every question of attached files would look at all of them again; they never change.
        self.connection.execute("SET parquet_metadata_cache = true")
        self.backend = Backend.from_connection(self.connection)
        # Standard output is for results; Ibis turns DuckDB's bar on.
        self.connection.execute("SET enable_progress_bar = false")
        for log in LOGS:
            self._create(log, self.columns[log])
        # Unfinished connections wait here until the finished ones are known.
        self._create("open_conn", self.columns["conn"])
        self._condense = "FROM read_rows"
        if self._is_condensed:
            # Compiled once, against a table of the same columns as rows that are read.
            self._create("read_rows", self.columns["conn"])
            rows = condensed(self.table("read_rows"))
            rows = rows.drop("login_service") if self._summing else rows
            self._condense = str(self.backend.compile(rows))
            self.connection.execute(f"CREATE OR REPLACE TABLE conn AS {self._condense}")
            self.connection.execute("DROP TABLE read_rows")

    def _create(self, table: str, held: Sequence[Column]) -> None:
        definitions = ", ".join(
            f"{identifier(column.name)} {column_type(column)}" for column in held
        )
        self.connection.execute(f"CREATE TABLE {identifier(table)} ({definitions})")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop all tables and remove the temporary directory."""
        self.connection.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def table(self, name: str) -> ir.Table:
        """A table as an Ibis expression."""
        return self.backend.table(name)

    def insertion(self, table: str, rows: str) -> str:
        """SQL that appends rows to a table.

        Args:
            table: a log's, or ``open_conn``.
            rows: query for the rows, with the columns read of that log, in their order.
        """
        condense = self._condense if table == "conn" else "FROM read_rows"
        return f"INSERT INTO {identifier(table)} WITH read_rows AS ({rows}) {condense}"

    def insert(self, log: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows given as mappings from column name to value; absent columns are null."""
        held = self.columns[log]
        if not rows:
            return
        self.append(
            log, pa.table({column.name: [row.get(column.name) for row in rows] for column in held})
        )

    def append(self, log: str, rows: pa.Table) -> None:
        """Append rows of a table that has the columns read of a log, and maybe others.

        Whole numbers that 63 bits do not hold become null; no honest count is that large.
        """
        if not len(rows):
            return
        self.connection.register("given_rows", rows)
        casts = ", ".join(
            f"{'TRY_' * pa.types.is_uint64(rows.schema.field(column.name).type)}"
            f"CAST({identifier(column.name)} AS {column_type(column)}) AS {identifier(column.name)}"
            for column in self.columns[log]
        )
        self.connection.execute(self.insertion(log, f"SELECT {casts} FROM given_rows"))
        self.connection.unregister("given_rows")

    def write(self, log: str, path: Path) -> int:
        """Write the rows of a log, as they are held, to a Parquet file, and say how many.

        Raises:
            duckdb.Error: it cannot be written.
        """
        ((count,),) = self.connection.execute(
            f"COPY {identifier(log)} TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchall()
        return int(count)

    def attach(
        self,
        log: str,
        paths: Sequence[Path],
        *,
        hosts: Collection[str] | None = None,
        unfinished: Sequence[Path] = (),
    ) -> None:
        """Have a log's table be the rows of files that :meth:`write` wrote, where they stand.

        Args:
            log: the log.
            paths: the files.
            hosts: leave out what is not of a connection that one of these addresses began or
                answered; None for all rows.
            unfinished: files of ``open_conn``, for conn alone: the latest state of each connection
                that is not among the finished ones is one of its rows.
        """
        name = identifier(log)
        condition = ""
        held = self.columns["conn" if log == "open_conn" else log]
        if hosts is not None and any(column.name == "orig_h" for column in held):
            wanted = ", ".join(map(literal, sorted(hosts))) or "NULL"
            condition = f"WHERE orig_h IN ({wanted}) OR resp_h IN ({wanted})"
        execute = self.connection.execute
        if unfinished:
            execute("CREATE TABLE finished_conn AS FROM conn LIMIT 0")
            self._view("finished_conn", paths, condition)
            self._view("open_conn", unfinished, condition + _LATEST_STATE)
            execute(
                f"CREATE TABLE unfinished_conn AS WITH read_rows AS ({_BY_UID_STANDING}) "
                f"{self._condense}"
            )
            execute(f"DROP TABLE {name}")
            execute(
                f"CREATE VIEW {name} AS FROM finished_conn UNION ALL BY NAME FROM unfinished_conn"
            )
        else:
            self._view(log, paths, condition + (_LATEST_STATE if log == "open_conn" else ""))

    def _view(self, name: str, paths: Sequence[Path], condition: str) -> None:
        """Have a table, which is empty, be the rows of files."""
        if not paths:
            return
        files = ", ".join(literal(str(path)) for path in paths)
        execute = self.connection.execute
        execute(f"DROP TABLE {identifier(name)}")
        execute(f"CREATE VIEW {identifier(name)} AS FROM read_parquet([{files}]) {condition}")

    def parquet(self, path: Path, name: str) -> ir.Table:
        """The rows of a Parquet file, where they stand, as an Ibis expression under a name.

        Raises:
            duckdb.Error: it cannot be read.
        """
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS "
            f"FROM read_parquet({literal(str(path))})"
        )
        return self.table(name)

    def clear(self) -> None:
        """Drop all rows that were loaded."""
        for table in (*LOGS, "open_conn"):
            self.connection.execute(f"TRUNCATE {identifier(table)}")

    def keep(self, rows: ir.Table | pa.Table, name: str) -> ir.Table:
        """Compute an expression once, or take rows in, and hold them as a temporary table.

        Raises:
            ResourceError: memory or disk ran out.
        """
        if isinstance(rows, pa.Table):
            self.connection.register("kept_rows", rows)
            query = "FROM kept_rows"
        else:
            query = self._narrowed(rows)
        with out_of_resources():
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(name)} AS {query}")
        if isinstance(rows, pa.Table):
            self.connection.unregister("kept_rows")
        return self.table(name)

    def _narrowed(self, rows: ir.Table) -> str:
        """SQL for an expression whose whole numbers have no more than the 64 bits they claim.

        DuckDB adds 64-bit numbers up to 128-bit ones, which Ibis does not know of (and leaves out
        a cast as needless), and which become one Python object each when they are handed over.
        """
        whole = [name for name, kind in rows.schema().items() if kind.is_int64()]
        narrowed = ", ".join(
            f"CAST({identifier(name)} AS BIGINT) AS {identifier(name)}" for name in whole
        )
        replaced = f" REPLACE ({narrowed})" if whole else ""
        return f"SELECT *{replaced} FROM ({self.backend.compile(rows)})"

    def records(
        self,
        local_networks: Sequence[Network] = (),
        *,
        begin: float | None = None,
        end: float | None = None,
        indicators: Sequence[Indicator] = (),
    ) -> Records:
        """What has been loaded, ready for detectors.

        Args:
            local_networks: the user's own networks; if none, what Zeek said decides.
            begin: leave out records before this time, UTC epoch seconds.
            end: leave out records from this time on.
            indicators: what threat intelligence lists.
        """
        conn, dns = (self._between(log, begin, end) for log in ("conn", "dns"))
        bounds = [
            table.aggregate(count=table.count(), first=table.ts.min(), last=table.ts.max())
            .to_pyarrow()
            .to_pylist()[0]
            for table in (conn, dns)
        ]
        flags = conn.aggregate(flagged=(conn.local_orig | conn.local_resp).any())
        names = self.table("ssl").select("uid", server_name="server_name")
        names = names.union(self.table("http").select("uid", server_name="host"))
        return Records(
            conn=conn,
            dns=dns,
            server_names=names.filter(names.uid.notnull() & names.server_name.notnull())
            .group_by("uid")
            .aggregate(server_name=lambda table: table.server_name.min()),
            local=LocalNetworks(
                local_networks, flagged=bool(flags.to_pyarrow().to_pylist()[0]["flagged"])
            ),
            first=min((b["first"] for b in bounds if b["count"]), default=None),
            last=max((b["last"] for b in bounds if b["count"]), default=None),
            counts={"conn": bounds[0]["count"], "dns": bounds[1]["count"]},
            keep=self.keep,
            indicators=tuple(indicators),
        )

    def _between(self, log: str, begin: float | None, end: float | None) -> ir.Table:
        table = self.table(log)
        if begin is not None:
            table = table.filter(table.ts >= begin)
        return table if end is None else table.filter(table.ts < end)

    def finish_loading(self) -> None:
        """Move the latest state of each unfinished connection in, unless it finished meanwhile."""
        ((waiting,),) = self.connection.execute("SELECT count(*) FROM open_conn").fetchall()
        if not waiting:
            return
        self.connection.execute(self.insertion("conn", _BY_ENDS if self._summing else _BY_UID))
        self.connection.execute("DELETE FROM open_conn")


# Of the states of each connection, the one that was seen last.
_LATEST_STATE = """
    QUALIFY uid IS NULL OR row_number() OVER (
        PARTITION BY uid ORDER BY duration DESC NULLS LAST, ts, orig_bytes, resp_bytes
    ) = 1
    """

_BY_UID = (
    """
    SELECT open_conn.* FROM open_conn
    WHERE uid IS NULL OR uid NOT IN (SELECT uid FROM conn WHERE uid IS NOT NULL)
    """
    + _LATEST_STATE
)

# The same where the finished ones are many and stand in files: only uids that are open are held.
_BY_UID_STANDING = """
    SELECT open_conn.* FROM open_conn
    WHERE uid IS NULL OR uid NOT IN (
        SELECT uid FROM finished_conn SEMI JOIN (SELECT DISTINCT uid FROM open_conn) USING (uid)
    )
    """

# What begins at the same moment between the same ends is the same connection.
_BY_ENDS = """
    SELECT open_conn.* FROM open_conn
    WHERE (ts, orig_h, orig_p, resp_h, resp_p) NOT IN (
        SELECT (ts, orig_h, orig_p, resp_h, resp_p) FROM conn
        WHERE orig_p IS NOT NULL AND resp_p IS NOT NULL
    )
    QUALIFY row_number() OVER (
        PARTITION BY ts, orig_h, orig_p, resp_h, resp_p, proto
        ORDER BY duration DESC NULLS LAST, orig_bytes, resp_bytes
    ) = 1
    """


@contextmanager
def out_of_resources(
    files: str = "temporary files", advice: str = "point TMPDIR at a disk with more room"
) -> Iterator[None]:
    """Turn DuckDB's out-of-memory and disk-full errors into advice.

    Args:
        files: what cannot be written if the disk is full.
        advice: what to do then.

    Raises:
        ResourceError: instead of either.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise ResourceError(
            f"out of memory ({_first_line(error)}); raise --memory-limit or lower --threads"
        ) from error
    except duckdb.IOException as error:
        raise ResourceError(
            f"{files} cannot be written ({_first_line(error)}); {advice}"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
