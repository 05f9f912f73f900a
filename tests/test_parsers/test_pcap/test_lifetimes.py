"""How connections begin and end: idle ones, identities, and no memory for what is over."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.lifetimes import UDP_INACTIVITY_TIMEOUT

from .segments import (
    CLIENT,
    ICMP,
    ICMP6,
    OTHER,
    SERVER,
    UDP,
    Segment,
    back,
    batch,
    rows,
    rows_of,
    tcp,
)


@pytest.mark.parametrize("protocol", [UDP, ICMP, ICMP6, 132, 0])
@pytest.mark.parametrize(("idle", "count"), [(0.5, 1), (-0.5, 1), (0.0, 2), (100.0, 2)])
def test_idle_connections(protocol: int, idle: float, count: int) -> None:
    first = Segment(10, protocol=protocol)
    gap = UDP_INACTIVITY_TIMEOUT + idle if idle != 0.5 else UDP_INACTIVITY_TIMEOUT - 0.01
    found = rows([first, first._replace(time=10 + gap)])
    assert [row.packets for row in found] == [(1, 0), (1, 0)][:count] if count == 2 else [(2, 0)]


def test_every_packet_keeps_a_connection_open() -> None:
    segments = [Segment(10 + 50 * k, protocol=UDP) for k in range(10)]
    assert [row.packets for row in rows(segments)] == [(10, 0)]


def test_all_that_is_open_ends_in_the_order_of_its_beginning() -> None:
    segments = [Segment(k, protocol=UDP, source_port=1_000 + (7 * k) % 10) for k in range(10)]
    assert [row.start for row in rows(segments)] == list(range(10))


def test_connections_of_both_ways_and_of_other_protocols() -> None:
    one = Segment(1, protocol=UDP)
    segments = [one, back(one, time=2), one._replace(time=3, protocol=6, flags=16)]
    assert [(row.protocol, row.packets) for row in rows(segments)] == [(17, (1, 1)), (6, (1, 0))]


def test_a_host_that_talks_to_itself() -> None:
    one = Segment(1, CLIENT, CLIENT, 5_000, 5_000, UDP)
    assert [row.packets for row in rows([one, one._replace(time=2)])] == [(2, 0)]


def test_what_is_over_is_forgotten_in_time() -> None:
    table = ConnectionTable(1 << 12)
    slots = table._state.connections.size
    count = 0
    for begin in range(0, 300_000, 10_000):
        flow = table.add(
            batch(
                [
                    Segment(k / 20, SERVER + k, OTHER, protocol=UDP)
                    for k in range(begin, begin + 10_000)
                ]
            )
        )
        count += flow.ended.size
    # 20 a second, each for a minute, and those that nobody has looked for since.
    assert table._state.connections.size == 16 * slots
    assert count + table.open == 300_000
    assert count + len(rows_of(table, table.finish())) == 300_000
    assert table.open == 0


def test_identities_are_all_different_and_always_the_same() -> None:
    def identities() -> list[bytes]:
        table = ConnectionTable(16)
        flow = table.add(batch([Segment(5, CLIENT + k, protocol=UDP) for k in range(500)]))
        assert flow.ended.size == 0
        names: list[bytes] = table.uids(table.finish().ended).tolist()
        return names

    first = identities()
    assert len(set(first)) == 500
    assert identities() == first


def test_identities_stay_when_connections_are_turned_around() -> None:
    table = ConnectionTable(16)
    (first,) = tcp("0 < SA 0 1")
    table.add(batch([first]))
    slot = np.flatnonzero(table.field("occupied"))
    before = table.uids(slot).tolist()
    table.add(batch(tcp("0.1 > A 1 1")))
    assert table.uids(slot).tolist() == before
    assert table.field("originator_low")[slot].tolist() == [CLIENT]
