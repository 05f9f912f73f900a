from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.dns_queues import SLOT, UNDECIDED, UNUSED
from analyzer.parsers.pcap.dns_state import DnsState


def keep(state: DnsState, *contents: bytes) -> list[int]:
    sizes = np.array([len(content) for content in contents], np.int64)
    data = np.frombuffer(b"".join(contents), np.uint8)
    places: list[int] = state.keep(data, np.cumsum(sizes) - sizes, sizes).tolist()
    return places


def kept(state: DnsState, place: int, size: int) -> bytes:
    return state.messages[place : place + size].tobytes()


def test_slots_are_kept_as_they_grow() -> None:
    state = DnsState()
    state.reserve(3)
    state.slots["netbios"][2] = 9
    state.reserve(2)
    state.reserve(1000)
    assert len(state.slots) == 1000
    assert state.slots.dtype == SLOT
    assert state.slots["netbios"][:4].tolist() == [0, 0, 9, 0]
    assert (state.slots["analyzed"] == UNDECIDED).all()


def test_messages_are_kept() -> None:
    state = DnsState()
    assert keep(state) == []
    first = keep(state, b"one", b"", b"three")
    second = keep(state, b"x" * 5000)
    assert [kept(state, first[0], 3), kept(state, first[2], 5)] == [b"one", b"three"]
    assert kept(state, second[0], 5000) == b"x" * 5000


def test_there_is_room_for_what_messages_can_lead_to() -> None:
    state = DnsState()
    room = state.prepared(5)
    assert len(room.transactions) >= 6
    assert np.shares_memory(room.words, room.transactions)
    assert (len(room.rows), len(room.confirmed), len(room.withdrawn)) == (11, 5, 5)
    room.transactions["identity"][1:6] = 7
    room.cells[UNUSED] = 6
    assert state.prepared(100).transactions["identity"][1:6].tolist() == [7] * 5


def test_new_transactions_have_nothing_set() -> None:
    template = DnsState().prepared(1).transactions[0]
    unset = ("response_code", "type", "query_name", "response_name")
    assert [template[name] for name in unset] == [-1] * 4
    assert np.isnan(template["round_trip"])


def test_messages_that_nobody_waits_for_are_forgotten() -> None:
    state = DnsState()
    room = state.prepared(3)
    keep(state, b"z" * (2 << 20))
    query, response = keep(state, b"?query?", b"response")
    room.cells[UNUSED] = 4
    room.transactions[1]["live"] = 1
    for column, value in (
        ("query", query), ("query_end", query + 7), ("query_name", query + 1),
        ("response", response), ("response_end", response + 8), ("response_name", response + 2),
    ):  # fmt: skip
        room.transactions[column][1] = value
    # What is not in use, and what has no message, is not looked at.
    room.transactions["query_name"][2] = 1 << 40
    room.transactions["live"][3] = 1
    state.compact()
    moved = state.prepared(0).transactions[1]
    assert kept(state, moved["query"], 7) == b"?query?"
    assert kept(state, moved["response"], 8) == b"response"
    assert moved["query_name"] - moved["query"] == 1
    assert moved["response_end"] - moved["response_name"] == 6
    assert len(state.messages) < 2 << 20


def test_a_few_messages_are_not_worth_the_trouble() -> None:
    state = DnsState()
    (place,) = keep(state, b"x" * 1000)
    before = state.messages
    state.compact()
    assert state.messages is before
    assert kept(state, place, 3) == b"xxx"
