"""Events of connections that readers follow."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import GAP, PAYLOAD
from analyzer.parsers.pcap.following import Event, Followed, events
from analyzer.parsers.pcap.openings import FOLLOWED, SETTLED

from .flow_batches import Flow, Slots

GREETING = b"220 mail.example.com ESMTP\r\n"


def event(data: bytes, *, client: bool, offset: int = 0, missing: int = 0) -> Event:
    return Event(0, PAYLOAD, int(client), 0.0, offset, len(data) + missing, data)


def gap(offset: int, length: int, *, client: bool) -> Event:
    return Event(0, GAP, int(client), 0.0, offset, length, b"")


def test_some_events() -> None:
    flow = Flow(Slots()).client(0, b"ab", b"cde", time=5.0).server(1, b"fg")
    flow.at(2, 7, b"h", is_originator=0, missing=3).gap(3, 1, 9, is_originator=1)
    (batch,) = flow.batches()
    stages = np.full(4, FOLLOWED, np.uint8)
    found = list(events(batch, np.array([1, 2, 3, 4]), stages))
    assert found == [
        Event(0, PAYLOAD, 1, 5.0, 2, 3, b"cde"),
        Event(1, PAYLOAD, 0, 0.0, 0, 2, b"fg"),
        Event(2, PAYLOAD, 0, 0.0, 7, 4, b"h"),
        Event(3, GAP, 1, 0.0, 1, 9, b""),
    ]
    assert [event.missing for event in found[:3]] == [0, 0, 3]


def test_settled_ones_are_left_out_at_once() -> None:
    (batch,) = Flow(Slots()).client(0, b"a", b"b").client(1, b"c").batches()
    stages = np.full(2, FOLLOWED, np.uint8)
    found = []
    for happened in events(batch, np.arange(3), stages):
        found.append(happened.data)
        stages[0] = SETTLED
    assert found == [b"a", b"c"]


def test_a_stream() -> None:
    followed = Followed.stream(25, is_partial=False)
    followed.take(event(GREETING, client=False))
    followed.take(event(b"O me\r\n", client=True, offset=3))
    assert followed.session.findings.services == []
    followed.take(event(b"EHL", client=True))
    assert followed.session.findings.services == ["smtp"]


def test_a_stream_with_a_hole() -> None:
    followed = Followed.stream(25, is_partial=False)
    followed.take(gap(0, 100, client=False))
    assert followed.session.findings.is_unreliable
    assert not followed.session.is_matching


def test_a_partial_stream() -> None:
    followed = Followed.stream(25, is_partial=True)
    assert followed.session.findings.is_partial


def test_cut_off_bytes_are_a_hole() -> None:
    followed = Followed.stream(25, is_partial=False)
    followed.take(event(GREETING, client=False, missing=5))
    assert followed.session.findings.is_unreliable


def test_datagrams() -> None:
    followed = Followed.datagrams(514)
    followed.take(gap(0, 5, client=True))
    followed.take(event(b"<34>su: failed", client=True))
    assert followed.session.findings.services == ["syslog"]


def test_after_a_request() -> None:
    followed = Followed.requested()
    assert followed.session.findings.services == ["http"]
    reply = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    followed.take(event(b"\x81\x80abcd", client=True, offset=200))
    followed.take(event(reply, client=False))
    followed.take(event(b"\x81\x02hi", client=False, offset=len(reply)))
    assert followed.session.findings.services == ["http", "websocket"]
