"""Ibis's backend for DuckDB, without the detours that small questions pay most for.

A run asks some two hundred questions, most of them of small tables that were aggregated before.
Ibis takes longer to compile each, and to look for what it might have to register first, than DuckDB
takes to answer it; and a service asks the same questions every minute. So what is worked out of an
expression is remembered for the life of the process. That is sound as an expression holds all that
its SQL depends on: the names of tables, the names and types of their columns, and every literal.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import ibis.expr.operations as ops
from ibis.backends.duckdb import Backend as DuckDBBackend
from ibis.common.grounds import Concrete
from sqlglot import ErrorLevel

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis import Schema

REMEMBERED = 512
"""Expressions whose SQL is remembered: those of a few runs, some 50 KiB each."""

# What Ibis has to register or load before it is asked for.
_REGISTERED = (
    ops.InMemoryTable,
    ops.ScalarUDF,
    ops.AggUDF,
    ops.GeoSpatialUnOp,
    ops.GeoSpatialBinOp,
)


class Backend(DuckDBBackend):  # type: ignore[misc] # Ibis has no types
    """Ibis's backend, which see; it answers the same, sooner."""

    def compile(
        self,
        expr: ir.Expr,
        /,
        *,
        limit: int | None = None,
        params: Mapping[ir.Expr, Any] | None = None,
        pretty: bool = False,
    ) -> str:
        """SQL for an expression, see Ibis; compiled once a process unless it has options."""
        if limit is not None or params or pretty:
            return str(super().compile(expr, limit=limit, params=params, pretty=pretty))
        return _sql(_Question(expr.op()))

    def get_schema(
        self, table_name: str, *, catalog: str | None = None, database: str | None = None
    ) -> Schema:
        """The columns of a table, see Ibis."""
        if catalog is None and database is None:
            quoted = table_name.replace('"', '""')
            try:
                described = self.con.execute(f'DESCRIBE "{quoted}"').fetchall()
            except duckdb.CatalogException:
                described = []
            if described:
                return _schema(tuple((name, kind, null) for name, kind, null, *_ in described))
        return super().get_schema(table_name, catalog=catalog, database=database)

    def _run_pre_execute_hooks(self, expr: ir.Expr) -> None:
        if _is_registered(_Question(expr.op())):
            super()._run_pre_execute_hooks(expr)


class _Question:
    """An operation as a key.

    Ibis remembers by the addresses of operations whether they are equal, and forgets that as they
    go, which is not safe where threads hold some in common; so they are compared anew.
    """

    __slots__ = ("operation",)

    def __init__(self, operation: ops.Node) -> None:
        self.operation = operation

    def __hash__(self) -> int:
        return hash(self.operation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and _alike(self.operation, other.operation, set())


def _alike(one: Any, other: Any, known: set[tuple[int, int]]) -> bool:  # noqa: ANN401 - parts
    """Whether two parts of operations are the same, those left out that are `known` to be."""
    if one is other or (id(one), id(other)) in known:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Concrete):
        if hash(one) == hash(other) and _alike(one.args, other.args, known):
            known.add((id(one), id(other)))
        return (id(one), id(other)) in known
    if isinstance(one, Mapping):
        return _alike(tuple(one.items()), tuple(other.items()), known)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(
            _alike(left, right, known) for left, right in zip(one, other, strict=True)
        )
    return bool(one == other)


@lru_cache(REMEMBERED)
def _sql(question: _Question) -> str:
    query = Backend.compiler.to_sqlglot(question.operation.to_expr())
    dialect = Backend.compiler.dialect
    return str(query.sql(dialect=dialect, copy=False, unsupported_level=ErrorLevel.RAISE))


@lru_cache(REMEMBERED)
def _is_registered(question: _Question) -> bool:
    return bool(question.operation.find(_REGISTERED))


@lru_cache(REMEMBERED)
def _schema(described: tuple[tuple[str, str, str], ...]) -> Schema:
    mapper = Backend.compiler.type_mapper
    return ibis.schema(
        {name: mapper.from_string(kind, nullable=null == "YES") for name, kind, null in described}
    )
