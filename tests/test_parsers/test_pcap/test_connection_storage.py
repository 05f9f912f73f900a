"""Arrays that grow keep what they had."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.parsers.pcap.connection_state import CONNECTION, ENDPOINT, FREE, QUEUES
from analyzer.parsers.pcap.connection_storage import (
    clear_slots,
    new_records,
    new_state,
    taken,
    with_blocks,
    with_events,
    with_groups,
    with_slots,
)
from analyzer.parsers.pcap.expiry_chains import NEVER, queued_places


def test_a_new_state_is_empty() -> None:
    state = new_state(5)
    assert state.connections.size == 5
    assert state.endpoints.size == 10
    assert state.endpoints["side"].tolist() == [0, 1] * 5
    assert state.endpoints["delivered"].tolist() == [1] * 10
    assert (state.connections["occupied"] == FREE).all()
    assert (state.connections["delete_due"] == NEVER).all()
    assert state.buckets.size == 16
    assert state.free_slots.tolist() == [4, 3, 2, 1, 0]
    assert state.ledger["free_slots"][0] == 5


@pytest.mark.parametrize("slots", [1, 4, 5])
def test_twice_the_connections(slots: int) -> None:
    state = new_state(slots)
    state.connections["serial"] = np.arange(slots) + 7
    state.endpoints["packets"] = np.arange(2 * slots) + 70
    state.ledger["free_slots"] = 0
    larger = with_slots(state)
    assert larger.connections["serial"].tolist() == [*range(7, 7 + slots), *[0] * slots]
    assert larger.endpoints["packets"].tolist() == [*range(70, 70 + 2 * slots), *[0] * 2 * slots]
    assert larger.endpoints["side"].tolist() == [0, 1] * 2 * slots
    free = larger.free_slots[: larger.ledger["free_slots"][0]]
    assert sorted(free.tolist()) == list(range(slots, 2 * slots))
    assert larger.buckets.size == 2 * state.buckets.size


def test_slots_are_as_at_first_when_they_are_cleared() -> None:
    state = new_state(4)
    connections, endpoints = state.connections.copy(), state.endpoints.copy()
    state.connections["serial"] = state.connections["flags"] = 9
    state.endpoints["state"] = state.endpoints["gaps"] = 9
    clear_slots(state, np.array([1, 3]))
    assert (state.connections[[1, 3]] == connections[[1, 3]]).all()
    assert (state.endpoints[[2, 3, 6, 7]] == endpoints[[2, 3, 6, 7]]).all()
    assert state.connections["serial"].tolist() == [9, 0, 9, 0]
    assert state.endpoints["gaps"].tolist() == [9, 9, 0, 0, 9, 9, 0, 0]
    clear_slots(state, np.empty(0, np.int64))


def test_records_at_places() -> None:
    records = new_records(4, ENDPOINT)
    records["packets"] = [4, 5, 6, 7]
    found = taken(records, np.array([3, 0, 3]))
    assert (found.dtype, found["packets"].tolist()) == (ENDPOINT, [7, 4, 7])
    assert taken(new_records(2, CONNECTION), np.empty(0, np.int64)).size == 0


def test_more_events() -> None:
    state = with_events(new_state(1), 3)
    state.events["length"][:2] = (8, 9)
    state.ledger["events"] = 2
    larger = with_events(state, 3)
    assert larger.events.size == 7
    assert larger.events["length"][:2].tolist() == [8, 9]


def test_more_blocks() -> None:
    state = new_state(1)
    size = state.blocks.size
    state.ledger["free_block"] = 5  # two are left
    state.blocks["next"][5], state.blocks["next"][9] = 9, -1
    state.ledger["free_blocks"] = 2
    larger = with_blocks(state)
    found, at = [], int(larger.ledger["free_block"][0])
    while at >= 0:
        found.append(at)
        at = int(larger.blocks["next"][at])
    assert sorted(found) == [5, 9, *range(size, 2 * size)]
    assert larger.ledger["free_blocks"][0] == len(found)


def test_more_groups_with_queues_that_wrap_around() -> None:
    state = new_state(1)
    capacity = state.timers.size // QUEUES
    state.ledger["heads"][0] = (capacity - 2, 0, 5)
    state.ledger["tails"][0] = (capacity + 1, 0, 7)
    places = queued_places(state.timers, state.ledger)
    assert places.tolist() == [
        capacity - 2, capacity - 1, 0, 2 * capacity + 5, 2 * capacity + 6,
    ]  # fmt: skip
    state.timers["group"][places] = (1, 2, 3, 4, 5)
    larger = with_groups(state)
    assert larger.groups.size == 2 * state.groups.size
    assert larger.timers["group"][queued_places(larger.timers, larger.ledger)].tolist() == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip
    assert larger.ledger["heads"][0].tolist() == [0, 0, 0]
    assert larger.ledger["tails"][0].tolist() == [3, 0, 2]
