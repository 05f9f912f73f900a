from __future__ import annotations

import pytest

from analyzer.parsers.pcap.protocols.tls import hello_of_record, is_record, is_ssl2_hello

from ..conversations import HELLO, SERVER_HELLO, Conversation, client_hello, record

CHANGE, DATA = record(b"\x01", 20), record(b"secret", 23)
SSL2 = b"\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x05" + bytes(16)


def datagram(
    message: bytes, *, number: int = 0, offset: int = 0, whole: int | None = None
) -> bytes:
    """A record of DTLS 1.2 with a ClientHello, or a part of one."""
    length = len(message) if whole is None else whole
    header = b"\x01" + length.to_bytes(3) + b"\x00\x00" + offset.to_bytes(3)
    content = header + len(message).to_bytes(3) + message
    return b"\x16\xfe\xfd\x00\x00" + number.to_bytes(6) + len(content).to_bytes(2) + content


def datagram_hello(name: bytes = b"cam.example.com") -> bytes:
    """A ClientHello of DTLS without its header: with a cookie after the session identifier."""
    body = client_hello(name)[4:]
    return b"\xfe\xfd" + body[2:34] + b"\x00\x00" + body[67:]


@pytest.mark.parametrize("port", [443, 40001])
def test_a_client_hello_is_enough(port: int) -> None:
    conversation = Conversation(port).client(HELLO)
    assert conversation.services == "ssl"
    assert conversation.findings.server_name == b"www.example.com"


def test_a_server_hello_is_not() -> None:
    assert Conversation(443).server(SERVER_HELLO).services == ""


def test_either_side_may_be_the_client() -> None:
    assert Conversation().server(HELLO).client(SERVER_HELLO).services == "ssl"


def test_it_may_come_byte_by_byte() -> None:
    conversation = Conversation(443).byte_by_byte(HELLO[:-1], is_originator=True)
    assert conversation.services == ""
    assert conversation.byte_by_byte(HELLO[-1:], is_originator=True).services == "ssl"


def test_it_may_be_split_over_records() -> None:
    hello = client_hello()
    conversation = Conversation(443).client(record(hello[:50]) + record(hello[50:]))
    assert conversation.services == "ssl"
    assert conversation.findings.server_name == b"www.example.com"


def test_alerts_are_records() -> None:
    assert Conversation(443).client(HELLO).server(record(b"\x02\x28", 21)).services == "ssl"


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n", bytes(7), b"\x16\x02\x01\x00\x00"]
)
def test_an_answer_that_is_none_takes_it_back(answer: bytes) -> None:
    assert Conversation(443).client(HELLO).server(answer).services == ""


def test_what_follows_an_established_session_does_not_matter() -> None:
    conversation = Conversation(443).client(HELLO).server(SERVER_HELLO + CHANGE).client(CHANGE)
    assert conversation.client(DATA).server(b"plain text").services == "ssl"


def test_a_session_that_is_not_established_can_be_wrong() -> None:
    conversation = Conversation(443).client(HELLO).server(SERVER_HELLO)
    assert conversation.server(b"plain text").services == ""


@pytest.mark.parametrize("version", [b"\x03\x05", b"\x02\x00", b"\x04\x03"])
def test_versions_that_there_are_not(version: bytes) -> None:
    assert Conversation(443).client(record(client_hello(version=version))).services == ""


def test_it_is_left_alone_when_seen_from_its_middle() -> None:
    assert Conversation(443, is_partial=True).client(HELLO).services == ""


def test_ssl_2() -> None:
    assert is_ssl2_hello(SSL2)
    assert Conversation(443).client(SSL2).services == "ssl"
    assert not is_ssl2_hello(SSL2[:-1])
    assert not is_ssl2_hello(SSL2.replace(b"\x01\x03\x01", b"\x01\x07\x01"))
    assert not is_ssl2_hello(b"")


def test_records() -> None:
    assert is_record(b"\x16")
    assert is_record(b"\x17\x03\x03")
    assert not is_record(b"\x19\x03")
    assert not is_record(b"\x16\x04")


def test_the_hello_of_a_record() -> None:
    assert hello_of_record(HELLO) == client_hello()
    assert hello_of_record(HELLO + b"more") == client_hello()
    assert hello_of_record(HELLO[:-1]) is None
    assert hello_of_record(HELLO[:3]) is None
    assert hello_of_record(SERVER_HELLO) == b""
    assert hello_of_record(record(client_hello()[:50])) == b""
    assert hello_of_record(record(b"\x01\x00\x00")) == b""
    assert hello_of_record(b"\x16\x03\x01\xff\xff") == b""


def test_datagrams() -> None:
    conversation = Conversation(over_udp=True).client(datagram(datagram_hello()))
    assert conversation.services == "dtls"
    assert conversation.findings.server_name == b"cam.example.com"


def test_datagrams_in_parts() -> None:
    hello = datagram_hello()
    parts = (
        datagram(hello[:40], whole=len(hello)),
        datagram(hello[40:], number=1, offset=40, whole=len(hello)),
    )
    assert Conversation(4433, over_udp=True).client(parts[0]).services == ""
    assert Conversation(4433, over_udp=True).client(*parts).services == "dtls"


def test_parts_whose_numbers_are_far_from_each_other_are_not_put_together() -> None:
    hello = datagram_hello()
    first = datagram(hello[:40], whole=len(hello))
    second = datagram(hello[40:], number=0x8000, offset=40, whole=len(hello))
    assert Conversation(over_udp=True).client(first, second).services == ""


def test_stun_comes_before() -> None:
    stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
    conversation = Conversation(over_udp=True).client(stun).server(stun)
    assert conversation.client(datagram(datagram_hello())).server(stun).services == "dtls"


@pytest.mark.parametrize(
    "wrong",
    [
        datagram(datagram_hello()).replace(b"\xfe\xfd", b"\xfe\x01"),
        datagram(datagram_hello()[:-40]),
        b"\x16\xfe\xfd" + bytes(40),
    ],
)
def test_datagrams_that_are_none(wrong: bytes) -> None:
    assert Conversation(443, over_udp=True).client(wrong).services == ""
