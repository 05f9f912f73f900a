"""Ibis's backend without detours: it says what Ibis's own says."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend as DuckDBBackend

from analyzer import backend
from analyzer.engine import Engine

ROWS = pa.table(
    {
        "host": ["a", "b", "b", None],
        "port": pa.array([1, 2, None, 4], pa.uint16()),
        "bytes": pa.array([10, None, 30, 40], pa.int64()),
        "share": [0.5, float("nan"), None, -0.0],
        "known": [True, None, False, True],
        "names": [["x"], [], None, ["y", "z"]],
    }
)


@pytest.fixture
def rows() -> Iterator[ir.Table]:
    """A table in a fresh engine."""
    with Engine(threads=1) as engine:
        yield engine.keep(ROWS, "rows of 'a' \"table\"")


def questions(rows: ir.Table) -> list[ir.Table]:
    """Questions of all kinds."""
    counted = rows.group_by("host").aggregate(
        count=rows.count(), most=rows.bytes.max(), share=rows.share.mean()
    )
    order = ibis.window(group_by="host", order_by="bytes")
    return [
        rows.order_by("port"),
        counted.order_by("host"),
        rows.filter(rows.bytes > 10).select("host", "names").order_by("host"),
        rows.mutate(before=rows.bytes.lag().over(order)).order_by("port"),
        rows.join(counted, "host").order_by("port", "bytes"),
        rows.limit(0),
    ]


def own(question: ir.Table) -> tuple[str, pa.Table, pd.DataFrame]:
    """SQL and answers of Ibis's own backend."""
    connection = question.get_backend().con
    other = DuckDBBackend.from_connection(connection)
    return (
        DuckDBBackend.compile(other, question),
        DuckDBBackend.to_pyarrow(other, question),
        DuckDBBackend.execute(other, question),
    )


def test_answers_are_those_of_ibis(rows: ir.Table) -> None:
    for question in questions(rows):
        sql, table, frame = own(question)
        for _ in range(2):
            assert question.get_backend().compile(question) == sql
            assert repr(question.to_pyarrow().to_pylist()) == repr(table.to_pylist())
            assert question.to_pyarrow().schema == table.schema
            pd.testing.assert_frame_equal(question.to_pandas(), frame)


def test_single_values_and_columns(rows: ir.Table) -> None:
    assert rows.count().execute() == len(ROWS)
    assert rows.bytes.sum().to_pyarrow().as_py() == 80
    assert rows.order_by("bytes").port.to_pyarrow().to_pylist() == [1, None, 4, 2]


def test_columns_are_those_of_ibis(rows: ir.Table) -> None:
    connection = rows.get_backend().con
    name = rows.get_name()
    assert rows.schema() == DuckDBBackend.from_connection(connection).get_schema(name)


def test_a_table_that_is_not_there(rows: ir.Table) -> None:
    with pytest.raises(ibis.common.exceptions.TableNotFound):
        rows.get_backend().table("nowhere")


def test_what_is_asked_again_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    compiler = backend.Backend.compiler
    ask = type(compiler).to_sqlglot

    def to_sqlglot(self: object, expr: ir.Expr, **options: object) -> object:
        compiled.append(expr)
        return ask(self, expr, **options)

    monkeypatch.setattr(type(compiler), "to_sqlglot", to_sqlglot)
    answers = []
    for count, name in ((1, "many"), (2, "many"), (3, "few")):
        with Engine(threads=1) as engine:
            table = engine.keep(pa.table({name: list(range(count))}), "asked_again")
            before = len(compiled)
            answers.append(table.filter(table[name] >= 0).to_pyarrow().num_rows)
            answers.append(len(compiled) - before)
    # Another engine's table is the same question, another column's name is another.
    assert answers == [1, 1, 2, 0, 3, 1]


def test_literals_are_told_apart(rows: ir.Table) -> None:
    asked = [rows.filter(rows.bytes >= least).count().execute() for least in (10, 20, 30.0, 40)]
    assert asked == [3, 2, 2, 1]


def test_what_ibis_has_to_register(rows: ir.Table) -> None:
    given = ibis.memtable(pd.DataFrame({"host": ["b"]}))
    assert rows.semi_join(given, "host").count().execute() == 2


def test_questions_are_the_same_if_all_their_parts_are(rows: ir.Table) -> None:
    def ask(least: object, name: str = "most", *, reverse: bool = False) -> backend._Question:
        counted = rows.filter(rows.bytes >= least).group_by("host")
        keys = ("host", name)[:: -1 if reverse else 1]
        return backend._Question(counted.aggregate(**{name: rows.port.max()}).select(*keys).op())

    assert ask(10) == ask(10)
    assert hash(ask(10)) == hash(ask(10))
    different = [ask(10), ask(11), ask(10.0), ask(10, "least"), ask(10, reverse=True)]
    assert len(set(different)) == len(different)
    assert ask(10) != ask(10).operation
