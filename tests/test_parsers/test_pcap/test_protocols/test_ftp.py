from __future__ import annotations

import pytest

from analyzer.parsers.pcap.protocols.findings import Expectation, Opener
from analyzer.parsers.pcap.protocols.ftp import mapped

from ..conversations import HELLO, SERVER_HELLO, Conversation

HOST = mapped(bytes((192, 168, 7, 9)))
GREETING = b"220 ready\r\n"


def test_addresses_are_mapped() -> None:
    assert mapped(bytes((10, 0, 0, 1))) == (0, 0xFFFF0A000001)
    assert mapped(bytes(range(16))) == (0x0001020304050607, 0x08090A0B0C0D0E0F)


def test_a_login_is_ftp() -> None:
    assert Conversation(21).server(GREETING).client(b"USER me\r\n").services == "ftp"


def test_a_greeting_alone_is_nothing() -> None:
    assert Conversation(21).server(GREETING).services == ""


def test_any_word_will_do_after_a_greeting_but_not_before() -> None:
    assert Conversation(21).client(b"XYZZY now\r\n").services == ""
    assert Conversation(21).server(GREETING).client(b"XYZZY now\r\n").services == "ftp"


@pytest.mark.parametrize("command", [b"US", b"\xff\xfd\x03", b"", b"   "])
def test_what_is_no_command(command: bytes) -> None:
    assert Conversation(21).server(GREETING).client(command + b"\r\n").services == ""


@pytest.mark.parametrize("reply", [b"SYST not supported", b"SSH-2.0-x", b"22 x", b"022 x", b"2201"])
def test_a_server_that_answers_otherwise_is_none(reply: bytes) -> None:
    conversation = Conversation(21).server(GREETING).client(b"USER me\r\n")
    assert conversation.server(reply + b"\r\n").services == ""


def test_replies_of_several_lines_may_hold_anything() -> None:
    conversation = Conversation(21).server(b"220-Welcome\r\n 12 anything\r\nat all\r\n220 now\r\n")
    assert conversation.client(b"USER me\r\n").services == "ftp"


def test_other_ports_need_both_sides() -> None:
    conversation = Conversation().server(GREETING).client(b"USER me\r\n")
    assert conversation.services == ""
    assert conversation.server(b"331 password\r\n").services == "ftp"


def test_a_server_says_where_to_connect() -> None:
    conversation = Conversation(21).server(GREETING).client(b"PASV\r\n")
    conversation.server(b"227 Entering Passive Mode (192,168,7,9,4,210).\r\n")
    expected = Expectation("ftp-data", HOST, 1234, Opener.ORIGINATOR)
    assert conversation.findings.expected == [expected]


def test_a_server_says_a_port_only() -> None:
    conversation = Conversation(21).server(GREETING).client(b"EPSV\r\n")
    conversation.server(b"229 Entering Extended Passive Mode (|||6446|)\r\n")
    expected = Expectation("ftp-data", None, 6446, Opener.ORIGINATOR)
    assert conversation.findings.expected == [expected]


def test_a_client_says_where_to_connect() -> None:
    conversation = Conversation(21).server(GREETING).client(b"PORT 192,168,7,9,0,20\r\n")
    conversation.client(b"EPRT |1|192.168.7.9|99|\r\n", b"eprt |2|::1|65535|\r\n")
    assert conversation.findings.expected == [
        Expectation("ftp-data", HOST, 20, Opener.RESPONDER),
        Expectation("ftp-data", HOST, 99, Opener.RESPONDER),
        Expectation("ftp-data", (0, 1), 65535, Opener.RESPONDER),
    ]


@pytest.mark.parametrize(
    "command",
    [
        b"PORT 192,168,7,256,0,20",
        b"PORT 192,168,7,9,0",
        b"EPRT |1|192.168.7|99|",
        b"EPRT |1|192.168.7.9|99999|",
        b"EPRT |3|192.168.7.9|99|",
        b"PORT",
    ],
)
def test_places_that_are_none(command: bytes) -> None:
    conversation = Conversation(21).server(GREETING).client(command + b"\r\n")
    assert conversation.findings.expected == []


def test_passive_replies_count_if_they_were_asked_for() -> None:
    conversation = Conversation(21).server(GREETING).client(b"NOOP\r\n")
    conversation.server(b"227 (192,168,7,9,4,210)\r\n")
    assert conversation.findings.expected == []


def test_tls_follows_auth() -> None:
    conversation = Conversation(21).server(GREETING).client(b"AUTH TLS\r\n").server(b"234 go\r\n")
    assert conversation.client(HELLO).server(SERVER_HELLO).services == "ftp,ssl"
