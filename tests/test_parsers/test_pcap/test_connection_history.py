"""Histories: letters by role, counted ones, and those that are very long."""

from __future__ import annotations

from typing import Any, cast

import pytest

from analyzer.parsers.pcap import connection_history
from analyzer.parsers.pcap.connection_state import HISTORY_INLINE, SPILL
from analyzer.parsers.pcap.connections import ConnectionTable

from .segments import batch, only_row, rows, rows_of, tcp

HANDSHAKE = "0.0 > S 0 0\n 0.1 < SA 0 1\n 0.2 > A 1 1\n"


@pytest.mark.parametrize(("count", "letters"), [(1, 1), (9, 1), (10, 2), (99, 2), (100, 3)])
def test_counted_letters(count: int, letters: int) -> None:
    again = "".join(f"{1 + k} > PA 1 1 10\n" for k in range(count + 1))
    assert only_row(tcp(HANDSHAKE + again)).history == "ShAD" + "T" * letters
    closed = "".join(f"{1 + k} < A 1 1 w0\n" for k in range(count))
    assert only_row(tcp(HANDSHAKE + closed)).history == "ShAa" + "w" * letters


def test_letters_by_role() -> None:
    lines = HANDSHAKE + "0.3 > PA 1 1 5\n 0.4 < PA 1 6 5\n 0.5 < FA 6 6\n 0.6 > FA 6 7"
    assert only_row(tcp(lines)).history == "ShADdfF"


@pytest.mark.parametrize("extra", [0, 1, 2, 700])
@pytest.mark.parametrize("cut", [None, 1, 37])
def test_long_histories(extra: int, cut: int | None) -> None:
    # Every reset with another number is a letter.
    count = HISTORY_INLINE - 3 + extra
    resets = "".join(f"{1 + k / 1000} > R {1 + k} 0\n" for k in range(count))
    (row,) = rows(tcp(HANDSHAKE + resets), cut)
    assert row.history == "ShA" + "R" * count
    assert len(row.history) == HISTORY_INLINE + extra


def test_long_histories_of_many_connections() -> None:
    resets = "".join(f"{1 + k / 100} > R {1 + k} 0\n" for k in range(60))
    connections = [tcp("0 > S 0 0\n" + resets, ports=(40_000 + k, 9)) for k in range(30)]
    mixed = [segment for step in zip(*connections, strict=True) for segment in step]
    assert len(mixed) > 3 * SPILL
    table = ConnectionTable(16)
    for begin in range(0, len(mixed), 500):
        table.add(batch(mixed[begin : begin + 500]))
    assert [row.history for row in rows_of(table, table.finish())] == ["S" + "R" * 60] * 30
    table.add(batch([]))
    assert table._long_histories == {}


def test_histories_end_somewhere() -> None:
    limit = connection_history.HISTORY_LIMIT

    class Connection:
        history_length = limit

    cast("Any", connection_history.add_letter).py_func(Connection, 82, None)
    assert Connection.history_length == limit
