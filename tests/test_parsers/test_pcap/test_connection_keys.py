"""The hash table from tuples to slots."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap import connection_keys
from analyzer.parsers.pcap.batches import Counts
from analyzer.parsers.pcap.connection_keys import rehash
from analyzer.parsers.pcap.connections import ConnectionTable

from .segments import CLIENT, SERVER, UDP, Segment, back, batch, rows_of

insert = cast("Any", connection_keys.insert).py_func
remove = cast("Any", connection_keys.remove).py_func

Entries = dict[int, int]
"""Hashes by slot."""


def reachable(buckets: Counts) -> Entries:
    """What a search would find: entries from their hash's place on without a free one before."""
    size = buckets.size
    found = {}
    for at, entry in enumerate(buckets.tolist()):
        if entry:
            hashed, slot = entry >> 32, (entry & 0xFFFFFFFF) - 1
            path = range(hashed % size, hashed % size + (at - hashed) % size)
            assert all(buckets[step % size] for step in path)
            found[slot] = hashed
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 11), st.integers(0, 7)), max_size=60))
def test_entries_go_in_and_out(steps: list[tuple[bool, int, int]]) -> None:
    buckets = np.zeros(16, np.int64)
    model: Entries = {}
    for is_new, slot, place in steps:
        if is_new and slot not in model:
            # Few places, so that most collide, some of them over the end of the table.
            model[slot] = place * 5 + (slot << 4)
            insert(buckets, model[slot], slot)
        elif not is_new and slot in model:
            remove(buckets, model.pop(slot), slot)
        assert reachable(buckets) == model


def test_what_is_not_there_is_not_taken_out() -> None:
    buckets = np.zeros(16, np.int64)
    insert(buckets, 3, 1)
    remove(buckets, 3, 2)
    assert reachable(buckets) == {1: 3}


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_larger_table_has_the_same_entries(count: int) -> None:
    buckets, larger = np.zeros(16, np.int64), np.zeros(32, np.int64)
    model = {slot: (slot * 2654435761) & 0x7FFFFFFF for slot in range(count)}
    for slot, hashed in model.items():
        insert(buckets, hashed, slot)
    rehash(buckets, larger)
    assert reachable(larger) == model


def test_every_tuple_is_its_own_connection() -> None:
    # Those that differ in one thing only; ends the other way are the same.
    one = Segment(1, CLIENT, SERVER, 1_000, 2_000, UDP)
    others = [
        one,
        one._replace(source=CLIENT + 1),
        one._replace(destination=SERVER + 1),
        one._replace(source=CLIENT | 1 << 64),
        one._replace(destination=SERVER | 1 << 127),
        one._replace(source_port=1_001),
        one._replace(destination_port=2_001),
        one._replace(source_port=2_000, destination_port=1_000),
        one._replace(protocol=132),
    ]
    table = ConnectionTable(16)
    table.add(batch(others + [back(segment, time=2.0) for segment in others]))
    assert [row.packets for row in rows_of(table, table.finish())] == [(1, 1)] * len(others)


def test_many_connections_in_a_table_that_grows() -> None:
    tuples = [
        Segment(1, CLIENT + k % 50, SERVER + k // 50, 30_000 + k, 2_000, UDP) for k in range(5_000)
    ]
    again = [segment._replace(time=2.0) for segment in tuples]
    again = [again[k] for k in np.random.default_rng(1).permutation(len(again))]
    table = ConnectionTable(1)
    table.add(batch(tuples))
    table.add(batch(again))
    assert [row.packets for row in rows_of(table, table.finish())] == [(2, 0)] * 5_000
