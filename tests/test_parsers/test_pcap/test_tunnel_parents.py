"""The tunnels that carried connections."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.tunnel_parents import CARRIER_CHANGES

from .segments import CLIENT, OTHER, SERVER, UDP, Segment, batch


def parents(batches: list[list[Segment]]) -> tuple[ConnectionTable, dict[str, list[str]]]:
    """For connections that tunnels carried, by identity: who carried them."""
    table = ConnectionTable(16)
    for segments in batches:
        table.add(batch(segments))
    slots = table.finish().ended
    names = [text.decode() for text in table.uids(slots).tolist()]
    return table, {names[place]: list_ for place, list_ in table.tunnel_parents(slots).items()}


def inside(time: float, carrier: int) -> Segment:
    return Segment(time, CLIENT, OTHER, 1_000, 2_000, UDP, carrier=carrier)


def outside(time: float, port: int) -> Segment:
    return Segment(time, CLIENT, SERVER, port, 4_789, UDP)


def test_a_connection_in_a_connection() -> None:
    table, found = parents([[outside(1, 50_000), inside(1, 0), outside(2, 50_000), inside(2, 2)]])
    by_port = {
        int(table.field("originator_port")[slot]): table.uids(np.array([slot]))[0].decode()
        for slot in np.flatnonzero(table.field("occupied"))
    }
    assert found == {by_port[1_000]: [by_port[50_000]]}


def test_a_tunnel_that_is_no_connection() -> None:
    gre = Segment(1, CLIENT, SERVER, 0, 0, 47, is_carrier=1)
    table, found = parents([[gre, inside(1, 0), gre._replace(time=2), inside(2, 2)]])
    assert table.field("serial").max() == 0  # it is none
    ((parent,),) = found.values()
    _, again = parents([[gre._replace(time=77), inside(77, 0)]])
    assert list(again.values()) == [[parent]]
    _, other = parents([[gre._replace(destination=OTHER), inside(1, 0)]])
    assert list(other.values()) != [[parent]]


def test_several_tunnels_one_after_another() -> None:
    segments = []
    for k, port in enumerate([50_000, 50_001, 50_000, 50_002]):
        segments += [[outside(k, port), inside(k, 0)]]
    table, found = parents(segments)
    ((first, second, third),) = found.values()
    assert len({first, second, third}) == 3
    assert table._further_parents != {}
    table.add(batch([]))
    assert table._further_parents == {}


def test_no_more_tunnels_than_zeek_notes() -> None:
    segments = [[outside(k, 50_000 + k), inside(k, 0)] for k in range(CARRIER_CHANGES + 5)]
    _, found = parents(segments)
    ((*names,),) = found.values()
    assert len(names) == len(set(names)) == CARRIER_CHANGES + 1


def test_tunnels_in_many_connections() -> None:
    # More changes than there is room for at a time.
    segments: list[Segment] = []
    for k in range(700):
        for port in (50_000, 50_001):
            row = len(segments)
            carried = inside(1 + k / 100, row)._replace(source_port=10_000 + k)
            segments += [outside(1 + k / 100, port), carried]
    _, found = parents([segments])
    assert len(found) == 700
    assert {len(names) for names in found.values()} == {2}


def test_nothing_is_carried() -> None:
    assert parents([[outside(1, 50_000)]])[1] == {}
