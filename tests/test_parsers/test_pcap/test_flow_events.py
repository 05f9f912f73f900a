"""What happens on connections, in order."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap import batches
from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.flow_events import ENDED, GAP, PAYLOAD

from .segments import UDP, Event, Segment, back, batch, events_of, tcp


def test_kinds_are_those_of_the_batches() -> None:
    assert (PAYLOAD, ENDED, GAP) == (batches.PAYLOAD, batches.ENDED, batches.GAP)


def test_events_stand_in_order_with_the_ends_of_connections() -> None:
    sent = Segment(1, protocol=UDP, payload=b"one")
    table = ConnectionTable(16)
    flow = table.add(batch([sent, back(sent, time=2, payload=b"two"), sent._replace(time=90)]))
    assert events_of(flow) == [
        Event(PAYLOAD, 1, 1.0, b"one", 3, 0),
        Event(PAYLOAD, 0, 2.0, b"two", 3, 0),
        Event(ENDED, 1, 90.0, b"", 0, 0),
        Event(PAYLOAD, 1, 90.0, b"one", 3, 0),
    ]
    assert flow.ended.tolist() == [flow.slots[0]]
    # What begins in the same batch is another slot, as the first is still to be looked at.
    assert flow.slots[3] != flow.slots[0]
    assert table.field("first_time")[flow.slots].tolist() == [1.0, 1.0, 1.0, 90.0]


def test_slots_are_used_again_in_the_next_batch() -> None:
    sent = Segment(1, protocol=UDP, payload=b"one")
    table = ConnectionTable(16)
    first = table.add(batch([sent, sent._replace(time=90)]))
    again = table.add(batch([sent._replace(time=200)]))
    assert again.slots.tolist() == [first.slots[2], first.slots[0]]


def test_more_events_than_there_was_room_for() -> None:
    lines = "0.0 > S 0 0\n 0.1 < SA 0 1\n 0.2 > A 1 1\n 0.3 > PA 1 1 1\n 0.4 < A 1 2\n"
    holes = 1_000
    lines += "".join(f"{1 + k / 1000} > PA {3 + 2 * k} 1 1\n" for k in range(holes))
    segments = [
        segment._replace(time=segment.time + 10 * client)
        for client in range(6)
        for segment in tcp(lines + f"9 < A 1 {3 + 2 * holes}", ports=(40_000 + client, 53))
    ]
    flow = ConnectionTable(16).add(batch(segments))
    assert np.bincount(flow.kinds).tolist() == [6 * (holes + 1), 0, 6 * (holes + 1)]
    assert flow.lengths[flow.kinds == GAP].sum() == 6 * (holes + 1)


def test_no_datagrams() -> None:
    flow = ConnectionTable(16).add(batch([]))
    assert (flow.kinds.size, flow.ended.size, flow.times.size) == (0, 0, 0)
