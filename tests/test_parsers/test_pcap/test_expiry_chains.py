"""Timers set again and again: in groups they act as one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.connection_state import OPEN
from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.expiry_chains import (
    DNS_SESSION_TIMEOUT,
    NEVER,
    compact,
    queued_places,
)

from .segments import SERVER, UDP, Segment, batch, rows, rows_of

HEADER = bytes(2) + b"\1\0" + b"\0\1" + bytes(6)
"""Of a DNS query."""


def query(time: float, client: int) -> Segment:
    return Segment(
        time, source_port=30_000 + client, destination_port=53, protocol=UDP, payload=HEADER
    )


@dataclass
class Timed:
    """A DNS connection whose timer is followed packet by packet, as Zeek does."""

    first: float
    due: float
    last: float
    packets: int = 1


@dataclass
class Model:
    """DNS connections over UDP, each with its own timer (DNS_Analyzer::ExpireTimer)."""

    open: dict[int, Timed] = field(default_factory=dict)
    ended: list[tuple[int, float, int]] = field(default_factory=list)

    def packet(self, time: float, client: int | None) -> None:
        """The clock moves, then the packet is looked at."""
        for number, connection in sorted(self.open.items()):
            if connection.due <= time:
                if time - connection.last >= DNS_SESSION_TIMEOUT - 1:
                    self.end(number)
                else:
                    connection.due = time + DNS_SESSION_TIMEOUT
        if client is None:
            return
        if client in self.open:
            self.open[client].last = time
            self.open[client].packets += 1
        else:
            self.open[client] = Timed(time, time + DNS_SESSION_TIMEOUT, time)

    def end(self, client: int) -> None:
        """A connection is over."""
        connection = self.open.pop(client)
        self.ended.append((30_000 + client, connection.first, connection.packets))


CLOCK = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.25, 1.0, 1.5, 3.0, 4.75, 8.0, 9.0, 10.0, 11.5]),
        st.none() | st.integers(0, 4),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(CLOCK)
@example([(0.0, 0), (1.0, 1), (9.0, 2), (0.0, 0), (10.0, None), (0.0, 0), (0.0, 1)])
def test_groups_do_what_single_timers_do(steps: list[tuple[float, int | None]]) -> None:
    model = Model()
    segments = []
    times = []
    now = 100.0
    for step, client in steps:
        now += step
        times.append(now)
        model.packet(now, client)
        if client is not None:
            segments.append(query(now, client))
    for client in sorted(model.open):
        model.end(client)
    found = rows(segments, packet_times=np.array(times))
    # Of two timers that are due at one packet, the order does not show.
    assert sorted((row.orig[1], row.start, row.packets[0]) for row in found) == sorted(model.ended)


@pytest.mark.parametrize(("idle", "count"), [(8.9, 1), (9.0, 2)])
def test_how_long_dns_may_idle(idle: float, count: int) -> None:
    first = 100.0
    # Its timer acts when another's packet comes, 10 s after its first.
    segments = [
        query(first, 0),
        query(first + 10 - idle, 0),
        query(first + 10, 1),
        query(first + 10.5, 0),
    ]
    found = [row for row in rows(segments) if row.orig[1] == 30_000]
    assert len(found) == count


def test_only_packets_move_the_clock() -> None:
    # Nothing comes for a minute, so that the timer acts at the connection's own next packet.
    segments = [query(100, 0), query(112, 0)]
    assert len(rows(segments)) == 2
    assert len(rows([query(100, 0), query(108, 0), query(116, 0)])) == 1


def test_memory_for_timers_does_not_grow() -> None:
    table = ConnectionTable(16)
    state = table._state
    groups = state.groups.size
    for begin in range(0, 40_000, 1_000):
        table.add(batch([query(100 + 20 * k, k % 3) for k in range(begin, begin + 1_000)]))
    assert table._state.groups.size == groups


def test_groups_numbered_anew() -> None:
    table = ConnectionTable(16)
    segments = [query(100 + k, k) for k in range(5)]
    table.add(batch([*segments, query(111.5, 5)]))
    state = table._state
    before = int(state.ledger["groups"][0])
    compact(state.connections, state.groups, state.timers, state.ledger)
    after = int(state.ledger["groups"][0])
    assert (before, after) == (6, 5)
    queued = state.timers["group"][queued_places(state.timers, state.ledger)]
    assert sorted(queued.tolist()) == list(range(after))
    members = state.connections["expiry_group"][state.connections["occupied"] == OPEN]
    assert set(members.tolist()) <= set(range(after))
    assert state.groups["parent"][:after].tolist() == list(range(after))
    assert state.ledger["next_due"][0] < NEVER
    found = rows_of(table, table.add(batch([query(200, 9)])))
    assert found == []  # they end when they are looked at, or all at the end
    assert len(rows_of(table, table.finish())) == 7


def test_hosts_are_told_apart() -> None:
    segments = [query(100, 0), query(101, 0)._replace(destination=SERVER + 1)]
    assert len(rows(segments)) == 2
