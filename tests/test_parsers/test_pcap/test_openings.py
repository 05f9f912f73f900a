"""The loop over events says what the readers of protocols say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap import openings
from analyzer.parsers.pcap.openings import (
    NAME_LENGTH,
    NAME_START,
    client_hello,
    http_request,
)
from analyzer.parsers.pcap.server_names import client_hello_name, is_client_hello

from . import conversations
from .conversations import HELLO, SERVER_HELLO, Conversation, record
from .flow_batches import UDP, Flow, Slots, names, services

REQUEST = b"GET /index.html HTTP/1.1\r\nUser-Agent: x\r\nHost: www.example.com\r\n\r\n"


def hello(data: bytes) -> tuple[bool, bytes]:
    counts = np.zeros(4, np.int64)
    found = client_hello(np.frombuffer(b"?" + data, np.uint8), 1, 1 + len(data), counts)
    start = counts[NAME_START] - 1
    return bool(found), data[start : start + counts[NAME_LENGTH]]


def request(data: bytes) -> tuple[bool, bytes]:
    counts = np.zeros(4, np.int64)
    found = http_request(np.frombuffer(b"?" + data, np.uint8), 1, 1 + len(data), counts)
    start = counts[NAME_START] - 1
    return bool(found), data[start : start + counts[NAME_LENGTH]]


def test_stages_and_marks_are_different() -> None:
    assert openings.NEW == 0
    assert len({openings.HTTP_PORT, openings.TLS_PORT, openings.NTP_PORT, openings.DNS_PORT}) == 4


def test_client_hello() -> None:
    assert hello(HELLO) == (True, b"www.example.com")
    assert hello(record(conversations.client_hello(None))) == (True, b"")
    assert hello(record(conversations.client_hello(b"a.example", padding=600))) == (
        True,
        b"a.example",
    )
    assert hello(HELLO + b"more") == (True, b"www.example.com")


def test_no_client_hello() -> None:
    assert not hello(SERVER_HELLO)[0]
    assert not hello(b"\x16\x02" + HELLO[2:])[0]
    assert not hello(b"\x17" + HELLO[1:])[0]
    for size in range(len(HELLO)):
        assert not hello(HELLO[:size])[0]


@given(st.integers(0, 160), st.binary(min_size=1, max_size=4))
def test_client_hello_as_elsewhere(place: int, change: bytes) -> None:
    data = HELLO[:place] + change + HELLO[place + len(change) :]
    found, name = hello(data)
    if found:
        end = 9 + int.from_bytes(data[6:9])
        assert is_client_hello(data[5:end])
        assert client_hello_name(data[5:end]).startswith(name)
        assert Conversation(443).client(data).services == "ssl"


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT", b"HEAD"])
def test_http_request(method: bytes) -> None:
    assert request(REQUEST.replace(b"GET", method)) == (True, b" www.example.com\r")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.1\nA: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: www.exam",
        b"GET / HTTP/1.1\r\n\r\nHost: www.example.com\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nab\r\nHost: www.example.com\r\n",
    ],
)
def test_http_request_without_host(data: bytes) -> None:
    assert request(data) == (True, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1",
        b"GET / HTTP/11.1\r\n",
        b"GET /HTTP/1.1 x\r\n",
        b"GET / ICAP/1.0\r\n",
        b"GETT / HTTP/1.1\r\n",
        b"get / HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"GET /\r\n\r\n HTTP/1.1\r\n",
        b"",
    ],
)
def test_no_http_request(data: bytes) -> None:
    assert not request(data)[0]


def test_host_after_a_short_line() -> None:
    assert request(b"GET / HTTP/1.1\nA: b\nhost:x.example\n\n") == (True, b"x.example")


@given(st.integers(0, 60), st.binary(min_size=1, max_size=4).filter(lambda text: b"\n" not in text))
def test_http_request_as_elsewhere(place: int, change: bytes) -> None:
    data = REQUEST[:place] + change + REQUEST[place + len(change) :]
    found, name = request(data)
    if found:
        conversation = Conversation(80).client(data)
        assert conversation.services == "http"
        if name.strip():
            assert conversation.findings.server_name == name.strip()


@pytest.mark.parametrize("port", [80, 443, 40001])
def test_requests_on_any_port(port: int) -> None:
    slots = Slots()
    slots.responder_port[:] = port
    flow = Flow(slots)
    flow.client(0, REQUEST).server(0, b"HTTP/1.1 200 OK\r\n\r\n", b"anything").end(0)
    flow.client(1, HELLO).server(1, SERVER_HELLO, b"anything").end(1)
    found = flow.observed()
    assert services(found, 0, 1) == ["http", "ssl"]
    assert names(found, 0, 1) == ["www.example.com", "www.example.com"]


def test_requests_without_answers() -> None:
    flow = Flow(Slots()).client(0, REQUEST).client(1, HELLO)
    assert services(flow.observed(), 0, 1) == ["http", "ssl"]


@pytest.mark.parametrize("answer", [b"220 hello there\r\n", b"\xff", b"SSH-2.0-x\r\n", HELLO[:1]])
def test_wrong_answers_to_http(answer: bytes) -> None:
    flow = Flow(Slots()).client(0, REQUEST).server(0, answer).end(0)
    assert services(flow.observed(), 0) == [None]


@pytest.mark.parametrize("answer", [b"H", b"http/1.0 200 ok\r\n", b"HTTP/1.1 1"])
def test_right_answers_to_http(answer: bytes) -> None:
    flow = Flow(Slots()).client(0, REQUEST).server(0, answer).end(0)
    assert services(flow.observed(), 0) == ["http"]


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n", b"\x16\x02", b"\x19\x03", b"\x13"]
)
def test_wrong_answers_to_tls(answer: bytes) -> None:
    flow = Flow(Slots()).client(0, HELLO).server(0, answer).end(0)
    assert services(flow.observed(), 0) == [None]


@pytest.mark.parametrize("answer", [b"\x15\x03\x03\x00\x02\x02\x28", b"\x16", SERVER_HELLO])
def test_right_answers_to_tls(answer: bytes) -> None:
    flow = Flow(Slots()).client(0, HELLO).server(0, answer).end(0)
    assert services(flow.observed(), 0) == ["ssl"]


@pytest.mark.parametrize("first", [b"\x23", b"\x24", b"\xe3", b"\x0b"])
def test_ntp(first: bytes) -> None:
    assert datagram(123, first + bytes(47)) == "ntp"
    assert datagram(123, first + bytes(46)) is None
    assert datagram(124, first + bytes(47)) is None


@pytest.mark.parametrize(
    ("data", "service"),
    [
        (b"\x16\x02\x00\x01" + bytes(8), "ntp"),
        (b"\x16\x02\x00\x01" + bytes(7), None),
        (b"\x17\x00\x03\x2a" + bytes(4), "ntp"),
        (b"\x17\x00\x03", None),
        (b"\x20" + bytes(47), None),
        (b"\x2b" + bytes(47), None),
        (b"\x03" + bytes(47), None),
        (b"hello world" + bytes(60), None),
    ],
)
def test_ntp_and_what_is_none(data: bytes, service: str | None) -> None:
    assert datagram(123, data) == service


@given(st.binary(min_size=1, max_size=60))
def test_ntp_as_elsewhere(data: bytes) -> None:
    conversation = Conversation(123, over_udp=True).client(data)
    assert (datagram(123, data) == "ntp") == (conversation.services == "ntp")


def datagram(port: int, data: bytes) -> str | None:
    slots = Slots(1)
    slots.protocol[:] = UDP
    slots.responder_port[:] = port
    return services(Flow(slots).client(0, data).observed(), 0)[0]


def test_other_protocols_are_passed_over() -> None:
    slots = Slots(1)
    slots.protocol[:] = 1
    flow = Flow(slots).client(0, REQUEST).server(0, b"HTTP/1.1 200 OK\r\n\r\n")
    assert services(flow.observed(), 0) == [None]


def test_partial_connections_are_not_named_at_once() -> None:
    slots = Slots()
    slots.is_partial[:] = 1
    flow = Flow(slots).client(0, REQUEST).server(0, b"HTTP/1.1 200 OK\r\n\r\n").end(0)
    assert services(flow.observed(), 0) == [None]


def test_cut_off_requests_are_left_to_readers() -> None:
    flow = Flow(Slots()).at(0, 0, REQUEST, is_originator=1, missing=10)
    assert services(flow.observed(), 0) == ["http"]
