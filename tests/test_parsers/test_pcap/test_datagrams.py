"""UDP, ICMP and other protocols: sizes, states, and which belong together."""

from __future__ import annotations

import pytest

from analyzer.parsers.pcap.batches import PAYLOAD
from analyzer.parsers.pcap.datagrams import DATAGRAM_HEAD

from .segments import (
    ICMP,
    ICMP6,
    UDP,
    Segment,
    back,
    events,
    only_row,
    rows,
)

SENT = Segment(1, protocol=UDP, payload=b"12345")
ANSWER = back(SENT, time=1.5, payload=b"123")


@pytest.mark.parametrize(
    ("segments", "state", "history", "sizes"),
    [
        ([SENT], "S0", "D", (None, None)),
        ([SENT, SENT._replace(time=2)], "S0", "D", (10, 0)),
        ([SENT, ANSWER], "SF", "Dd", (5, 3)),
        ([SENT._replace(payload=b""), ANSWER], "SF", "Dd", (0, 3)),
    ],
)
def test_udp(
    segments: list[Segment], state: str, history: str, sizes: tuple[int | None, int | None]
) -> None:
    row = only_row(segments)
    assert (row.conn_state, row.history) == (state, history)
    assert (row.orig_bytes, row.resp_bytes) == sizes
    assert sum(row.packets) == len(segments)


def test_udp_of_which_only_the_answer_is_there() -> None:
    row = only_row([back(SENT._replace(destination_port=53), payload=b"abc")])
    assert (row.conn_state, row.history, row.packets) == ("SHR", "^d", (0, 1))


def test_udp_counts_what_its_own_header_says() -> None:
    row = only_row([SENT._replace(claimed=108), SENT._replace(time=2)])
    assert (row.orig_bytes, row.ip_bytes) == (105, (66, 0))


def test_the_first_datagrams_are_given_out() -> None:
    sent = [SENT._replace(time=k) for k in range(12)]
    answers = [ANSWER._replace(time=12 + k) for k in range(12)]
    happened = events(sent + answers)
    assert [(e.kind, e.from_originator, e.payload) for e in happened] == [
        (PAYLOAD, 1, b"12345")
    ] * DATAGRAM_HEAD + [(PAYLOAD, 0, b"123")] * DATAGRAM_HEAD
    to_dns = [segment._replace(destination_port=5355) for segment in sent]
    assert len(events(to_dns)) == 12
    assert events([SENT._replace(payload=b"")]) == []


PAIRS = {
    ICMP: [(0, 8), (9, 10), (13, 14), (15, 16), (17, 18)],
    ICMP6: [(128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145)],
}


@pytest.mark.parametrize("protocol", PAIRS)
def test_requests_and_replies_are_one_connection(protocol: int) -> None:
    for one, other in PAIRS[protocol]:
        for first, second in ((one, other), (other, one)):
            sent = Segment(
                1, source_port=first, destination_port=0, protocol=protocol, payload=b"12345678"
            )
            reply = back(sent, time=2, ports=(second, 0))
            row = only_row([sent, reply])
            assert (row.orig[1], row.resp[1]) == (first, second)
            assert (row.orig_bytes, row.resp_bytes, row.packets) == (8, 8, (1, 1))
            assert (row.conn_state, row.history) == ("OTH", "")


@pytest.mark.parametrize("protocol", PAIRS)
def test_messages_that_nobody_answers(protocol: int) -> None:
    sent = Segment(1, source_port=3, destination_port=1, protocol=protocol)
    one, other = rows([sent, back(sent, time=2, ports=(3, 1))])
    assert (one.orig, one.resp[1]) == ((sent.source, 3), 1)
    assert (other.orig, other.resp[1]) == ((sent.destination, 3), 1)
    assert len(rows([sent, sent._replace(time=2, destination_port=2)])) == 2


def test_cut_icmp_is_not_counted() -> None:
    sent = Segment(1, source_port=8, destination_port=0, protocol=ICMP, payload=b"12345678")
    row = only_row([sent, sent._replace(time=2, captured=4)])
    assert (row.packets, row.ip_bytes, row.orig_bytes) == ((1, 0), (36, 0), 16)


@pytest.mark.parametrize("protocol", [0, 2, 50, 89, 132, 255])
def test_other_protocols(protocol: int) -> None:
    sent = Segment(1, source_port=0, destination_port=0, protocol=protocol, payload=b"12345678")
    row = only_row([sent, back(sent, time=2)])
    assert (row.packets, row.ip_bytes, row.conn_state, row.history) == ((1, 1), (28, 28), "OTH", "")
    assert (row.orig_bytes, row.resp_bytes, row.duration) == (0, 0, 1.0)
