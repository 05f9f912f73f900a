from __future__ import annotations

import pytest

from analyzer.parsers.pcap.protocols.findings import Expectation, Opener
from analyzer.parsers.pcap.protocols.ftp import mapped

from ..conversations import HELLO, Conversation

OPEN_STREAM = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='x'>"


@pytest.mark.parametrize("line", [b"NICK me", b" user a b c :d", b":me!x PRIVMSG you :hi", b"WHO"])
def test_irc(line: bytes) -> None:
    assert Conversation(6667).client(line + b"\r\n").services == "irc"


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.0", b"353 ", b"HI", b":prefix", b"NICK" + b"x" * 600]
)
def test_what_is_no_irc(line: bytes) -> None:
    assert "irc" not in Conversation(6667).client(line + b"\r\n").services


def test_servers_do_not_show_irc() -> None:
    assert Conversation(6667).server(b"NOTICE AUTH :hello\r\n").services == ""


def test_irc_on_another_port() -> None:
    conversation = Conversation().client(b"NICK me\r\nUSER a b c :d\r\n")
    assert conversation.services == ""
    assert conversation.server(b":irc.example 001 me :welcome\r\n").services == "irc"


def test_a_number_that_is_none() -> None:
    assert Conversation(6667).client(b"NICK me\r\n").server(b"22x no\r\n").services == ""


def test_irc_begins_tls() -> None:
    conversation = Conversation(6667).client(b"STARTTLS\r\n").server(b":x 670 me :go\r\n")
    assert conversation.client(HELLO).services == "irc,ssl"


def test_a_transfer_is_agreed_upon() -> None:
    conversation = Conversation(6667).client(
        b"PRIVMSG you :\x01DCC SEND file.zip 3232237321 5555 1024\x01\r\n"
    )
    expected = Expectation("irc-dcc-data", mapped(bytes((192, 168, 7, 9))), 5555, Opener.ANYBODY)
    assert conversation.findings.expected == [expected]


@pytest.mark.parametrize(
    "message", [b"DCC CHAT chat 1 2 3", b"DCC SEND f 4294967296 1 2", b"DCC SEND f 1 65536 2", b"x"]
)
def test_messages_that_agree_upon_nothing(message: bytes) -> None:
    conversation = Conversation(6667).client(b"PRIVMSG you :\x01" + message + b"\x01\r\n")
    assert conversation.findings.expected == []


@pytest.mark.parametrize("port", [5222, 40001])
def test_xmpp(port: int) -> None:
    assert Conversation(port).client(OPEN_STREAM).services == "xmpp"


def test_xmpp_begins_tls() -> None:
    conversation = Conversation(5222).byte_by_byte(OPEN_STREAM, is_originator=True)
    conversation.server(OPEN_STREAM, b"<stream:features><starttls/></stream:features>")
    conversation.client(b"<starttls xmlns='x'/>").server(b"<proceed xmlns='x'/>")
    assert conversation.client(HELLO).services == "xmpp,ssl"


def test_xml_is_no_xmpp() -> None:
    assert Conversation(5222).client(b"<?xml version='1.0'?><rss>").services == ""
