from __future__ import annotations

import pytest

from analyzer.parsers.pcap.protocols.databases import ldap_operation

from ..conversations import HELLO, SERVER_HELLO, Conversation


def packet(number: int, content: bytes) -> bytes:
    """A packet of MySQL."""
    return len(content).to_bytes(3, "little") + bytes([number]) + content


GREETING = packet(0, b"\x0a8.0.36\x00" + bytes(40))
ANSWER = packet(1, b"\x85\xa6\x03\x00" + bytes(28) + b"root\x00")
ASKS_FOR_TLS = packet(1, b"\x05\xae\x03\x00" + bytes(28))

STARTUP = b"\x00\x03\x00\x00user\x00me\x00database\x00db\x00\x00"
TLS_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))

BIND = bytes.fromhex("300c020101600702010304008000")
BOUND = bytes.fromhex("300c02010161070a010004000400")
START_TLS = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
STARTED_TLS = bytes.fromhex("300c02010178070a010004000400")


def test_mysql() -> None:
    conversation = Conversation(3306).server(GREETING)
    assert conversation.services == ""
    assert conversation.byte_by_byte(ANSWER, is_originator=True).services == "mysql"


def test_mysql_begins_tls() -> None:
    conversation = Conversation(3306).server(GREETING).client(ASKS_FOR_TLS + HELLO[:20])
    assert conversation.client(HELLO[20:]).server(SERVER_HELLO).services == "mysql,ssl"


@pytest.mark.parametrize(
    ("greeting", "answer"),
    [
        (packet(0, b"\xffj\x04Host is not allowed"), ANSWER),
        (packet(0, b"\x0b8.0\x00" + bytes(40)), ANSWER),
        (packet(1, b"\x0a8.0\x00" + bytes(40)), ANSWER),
        (packet(0, b"\x0a8.0.36" + b"x" * 40), ANSWER),
        (GREETING, packet(2, ANSWER[4:])),
        (GREETING, packet(1, b"abc")),
    ],
)
def test_mysql_that_is_none(greeting: bytes, answer: bytes) -> None:
    assert Conversation(3306).server(greeting).client(answer).services == ""


@pytest.mark.parametrize("port", [5432, 15432])
def test_postgresql(port: int) -> None:
    message = (len(STARTUP) + 4).to_bytes(4) + STARTUP
    conversation = Conversation(port).client(message).server(b"R\x00\x00\x00\x08\x00\x00\x00\x00")
    assert conversation.services == "postgresql"


@pytest.mark.parametrize("port", [5432, 15432])
def test_postgresql_begins_tls(port: int) -> None:
    conversation = Conversation(port).client(TLS_REQUEST)
    assert conversation.services == ""
    assert conversation.server(b"S").client(HELLO).services == "postgresql,ssl"


def test_postgresql_without_tls() -> None:
    conversation = Conversation(5432).client(TLS_REQUEST).server(b"N")
    assert conversation.services == "postgresql"


@pytest.mark.parametrize(
    "message",
    [
        b"\x00\x00\x00\x20\x00\x02\x00\x00" + bytes(24),
        (len(STARTUP) + 4).to_bytes(4) + STARTUP.replace(b"user", b"u\xffer"),
        b"\x00\x00\x00\x05\x00\x03\x00\x00",
    ],
)
def test_postgresql_that_is_none(message: bytes) -> None:
    assert Conversation(5432).client(message).services == ""


def test_postgresql_answers_that_are_none() -> None:
    assert Conversation(5432).client(TLS_REQUEST).server(b"E").services == ""


@pytest.mark.parametrize("command", [b"*1\r\n$4\r\nPING\r\n", b"PING\r\n"])
@pytest.mark.parametrize("reply", [b"+PONG\r\n", b"-ERR no\r\n", b":12\r\n", b"$-1\r\n", b"*2\r\n"])
def test_redis(command: bytes, reply: bytes) -> None:
    conversation = Conversation(6379).client(command)
    assert conversation.services == ""
    assert conversation.server(reply).services == "redis"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (b"*0\r\n\r\n", b"+PONG\r\n"),
        (b"\x00PING\r\n\r\n", b"+PONG\r\n"),
        (b"PING\r\n", b"hello\r\n\r\n"),
        (b"PING\r\n", b":twelve\r\n\r\n"),
    ],
)
def test_redis_that_is_none(command: bytes, reply: bytes) -> None:
    assert Conversation(6379).client(command).server(reply).services == ""


def test_redis_is_not_looked_for_elsewhere() -> None:
    assert Conversation().client(b"*1\r\n$4\r\nPING\r\n").server(b"+PONG\r\n").services == ""


def test_ldap() -> None:
    assert Conversation(389).byte_by_byte(BIND, is_originator=True).services == "ldap_tcp"
    assert Conversation(389).server(BOUND).services == "ldap_tcp"


def test_ldap_on_another_port_needs_both_sides() -> None:
    conversation = Conversation().client(BIND)
    assert conversation.services == ""
    assert conversation.server(BOUND).services == "ldap_tcp"


def test_ldap_begins_tls() -> None:
    conversation = Conversation(389).client(START_TLS).server(STARTED_TLS)
    assert conversation.client(HELLO).services == "ldap_tcp,ssl"
    refused = STARTED_TLS.replace(b"\x0a\x01\x00", b"\x0a\x01\x34")
    conversation = Conversation(389).client(START_TLS).server(refused)
    assert conversation.client(BIND).services == "ldap_tcp"


@pytest.mark.parametrize(
    "message",
    [
        BIND.replace(b"\x60", b"\x61"),  # a server's operation
        BIND.replace(b"\x02\x01\x01", b"\x04\x01\x01"),
        b"\x31" + BIND[1:],
        b"\x30\x80" + BIND[2:],
        b"\x30\x03\x02\x01\x01",
    ],
)
def test_ldap_that_is_none(message: bytes) -> None:
    assert Conversation(389).client(message).services == ""


def test_operations() -> None:
    found = ldap_operation(BIND, is_originator=True)
    assert found is not None
    assert found.tag == 0x60
    assert ldap_operation(BIND, is_originator=False) is None
    assert ldap_operation(BIND[:-1], is_originator=True) is None
    assert ldap_operation(b"", is_originator=True) is None
