"""Columns as ranks: what a list has first, what it is given, and what is refused."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.baseline.ranking import Ranked

ROWS = pa.table(
    {
        "port": [53, 53, 53, 80, 80, 53],
        "sent": [2.0, 2.0, 1.0, 1.0, 2.0, 2.0],
        "got": [0.0, 0.0, 9.0, 5.0, 6.0, 0.0],
    }
)


def test_the_commonest_of_each_ranking_is_first() -> None:
    rank, listed = Ranked(("sent", "got"), ("port",)).packed(ROWS)
    assert rank.to_pylist() == [0, 0, 1, 0, 1, 0]
    assert listed.to_pydict() == {
        "port": [53, 53, 80, 80],
        "sent": [2.0, 1.0, 1.0, 2.0],
        "got": [0.0, 9.0, 5.0, 6.0],
    }


def test_of_one_ranking_what_is_about_as_common_is_in_order() -> None:
    texts = ["b"] * 9 + ["c"] * 2 + ["a"] * 3
    rank, listed = Ranked(("text",)).packed(pa.table({"text": texts}))
    assert listed.to_pydict() == {"text": ["b", "a", "c"]}
    assert rank.to_pylist() == [0] * 9 + [2] * 2 + [1] * 3


def test_names() -> None:
    ranked = Ranked(("sent", "got"), ("port", "proto"))
    assert ranked.rank_name == "sent+got.rank"
    assert (
        ranked.meaning("x") == "row of x.sent+got, from 0 at the first of the same port and proto"
    )
    assert Ranked(("sent",)).meaning("x") == "row of x.sent, from 0"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 3), st.text(max_size=1)), max_size=20),
    st.sampled_from([(), ("a",), ("a", "b")]),
)
def test_there_and_back(rows: list[tuple[int, float, str]], known: tuple[str, ...]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    types = (pa.int32(), pa.float64(), pa.string())
    arrays = [pa.array(column, of) for column, of in zip(columns, types, strict=True)]
    table = pa.Table.from_arrays(arrays, names=["a", "b", "c"])
    others = tuple(name for name in table.column_names if name not in known)
    ranked = Ranked(others, known)
    rank, listed = ranked.packed(table)
    back = ranked.unpacked(table.select(list(known)).append_column(ranked.rank_name, rank), listed)
    assert back.select(table.column_names).equals(table)


@pytest.mark.parametrize("rank", [-1, 2])
@pytest.mark.parametrize("known", [(), ("port",)])
def test_ranks_that_are_not_there(rank: int, known: tuple[str, ...]) -> None:
    ranked = Ranked(("sent",), known)
    listed = pa.table({"port": [53, 53], "sent": [1.0, 2.0]}).select(ranked.names)
    rows = pa.table({"port": [53, 53], "sent.rank": [0, rank]})
    with pytest.raises(ValueError, match="ranks that the list of sent lacks"):
        ranked.unpacked(rows, listed)


@pytest.mark.parametrize("ports", [[80, 80, 80], [53, 80, 53], []])
def test_lists_out_of_order_or_without_a_ranking(ports: list[int]) -> None:
    listed = pa.table({"port": pa.array(ports, pa.int64()), "sent": [1.0] * len(ports)})
    rows = pa.table({"port": [53], "sent.rank": [0]})
    with pytest.raises(ValueError, match="not in order, or lacks rankings"):
        Ranked(("sent",), ("port",)).unpacked(rows, listed)
