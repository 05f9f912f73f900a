"""Bytes above holes: many of them, more than there is room for, and given back."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.stream_blocks import BLOCK_LIMIT

from .segments import Segment, batch, only_row, rows_of, tcp

HANDSHAKE = "0.0 > S 0 0\n 0.1 < SA 0 1\n 0.2 > A 1 1\n 0.3 > PA 1 1 1\n 0.4 < A 1 2\n"


def every_other(count: int, clients: int = 1) -> list[Segment]:
    """Every other byte of streams, from the last to the first."""
    lines = "".join(f"{1 + k / 1000} > PA {2 * (count - k) + 1} 1 1\n" for k in range(count))
    return [
        segment._replace(source_port=segment.source_port + client)
        for client in range(clients)
        for segment in tcp(lines)
    ]


def test_a_stream_in_many_pieces() -> None:
    count = BLOCK_LIMIT - 1
    row = only_row([*tcp(HANDSHAKE), *every_other(count), *tcp(f"9 < A 1 {2 * count + 2}")])
    assert row.missed_bytes == count
    assert row.orig_bytes == 2 * count + 1


def test_more_pieces_are_too_much() -> None:
    count = BLOCK_LIMIT + 10
    row = only_row([*tcp(HANDSHAKE), *every_other(count), *tcp(f"9 < A 1 {2 * count + 2}")])
    assert row.missed_bytes == 0


def test_many_streams_in_pieces() -> None:
    # More pieces than a table has room for at first, and again, so that they were given back.
    for _ in range(2):
        table = ConnectionTable(16)
        for _ in range(3):
            flow = table.add(batch(every_other(600, clients=6)))
        found = rows_of(table, table.finish())
        assert flow.ended.size == 0
        assert [row.packets for row in found] == [(1800, 0)] * 6


def test_holes_are_filled_in_any_order() -> None:
    places = np.random.default_rng(7).permutation(np.arange(1, 400)).tolist()
    lines = "".join(f"{1 + k / 100} > PA {1 + at} 1 1\n" for k, at in enumerate(places))
    row = only_row(tcp(HANDSHAKE + lines + "9 < A 1 401"))
    assert (row.missed_bytes, row.orig_bytes) == (0, 400)
