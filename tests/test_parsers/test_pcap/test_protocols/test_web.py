from __future__ import annotations

import pytest

from ..conversations import HELLO, SERVER_HELLO, Conversation

REQUEST = b"GET / HTTP/1.1\r\nUser-Agent: x\r\nHOST:  www.example.com:8080 \r\n\r\n"
REPLY = b"HTTP/1.1 200 OK\r\nServer: y\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def frame(content: bytes, *, mask: bytes = b"", opcode: int = 2, is_final: bool = True) -> bytes:
    """A frame of WebSocket."""
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(content)) if mask else content
    length = len(content)
    size = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2)
    flags = bytes([opcode | (0x80 if is_final else 0)])
    return flags + bytes([size[0] | (0x80 if mask else 0)]) + size[1:] + mask + masked


@pytest.mark.parametrize("port", [80, 40001])
def test_a_request_is_enough(port: int) -> None:
    conversation = Conversation(port).client(REQUEST)
    assert conversation.services == "http"
    assert conversation.findings.server_name == b"www.example.com"


def test_a_reply_is_not() -> None:
    assert Conversation(80).server(REPLY).services == ""


def test_it_may_come_byte_by_byte() -> None:
    conversation = Conversation(80).byte_by_byte(REQUEST, is_originator=True)
    assert conversation.byte_by_byte(REPLY, is_originator=False).services == "http"


@pytest.mark.parametrize(
    ("line", "is_http"),
    [
        (b"GET /index.html", True),  # HTTP/0.9
        (b"POST /x", True),
        (b"GET ", False),
        (b"T /x", False),
        (b"T / HTTP/1.0", True),
        (b"get / HTTP/1.1", True),
        (b"GET HTTP/1.1", True),
        (b"G<T / HTTP/1.1", False),
        (b"/ HTTP/1.1", True),
        (b"\x00\x01", False),
        (b" GET / HTTP/1.1", False),
    ],
)
def test_request_lines(line: bytes, *, is_http: bool) -> None:
    is_http = is_http and not line.startswith(b"/")
    assert Conversation(80).client(line + b"\n").services == ("http" if is_http else "")


@pytest.mark.parametrize("line", [b"FROB / HTTP/1.1", b"get / HTTP/1.1"])
def test_other_ports_need_a_known_method(line: bytes) -> None:
    assert Conversation().client(line + b"\r\n\r\n").services == ""


@pytest.mark.parametrize("reply", [b"SSH-2.0-x\r\n", b"\x83\x00", b"HTTP\r\n", b"HTTP/1.1\r\n"])
def test_an_answer_that_is_none_takes_it_back(reply: bytes) -> None:
    assert Conversation(80).client(REQUEST).server(reply).services == ""


@pytest.mark.parametrize(
    "reply", [b"http/1.1 200 OK\r\n", b"HTTP/1.0 404\r\n", b"\r\nHTTP/1.1 200 x\r\n"]
)
def test_answers(reply: bytes) -> None:
    assert Conversation(80).client(REQUEST).server(reply).services == "http"


def test_a_second_request_has_to_be_one() -> None:
    conversation = Conversation(80).client(REQUEST).server(REPLY)
    assert conversation.client(REQUEST).services == "http"
    assert conversation.client(b"<rubbish>\r\n").services == ""


def test_bodies_may_hold_anything() -> None:
    request = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n<rubbish>\r\n"
    assert Conversation(80).client(request).server(REPLY + b"<html>\n").services == "http"


def test_interim_replies_are_followed_by_another() -> None:
    conversation = Conversation(80).client(REQUEST).server(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert conversation.server(b"rubbish\r\n").services == ""


def test_other_upgrades_end_http() -> None:
    upgraded = b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n"
    assert Conversation(80).client(REQUEST).server(upgraded, b"/ # \n").services == "http"


def test_a_proxy_hands_on() -> None:
    conversation = Conversation(3128).client(b"CONNECT x:443 HTTP/1.1\r\n\r\n").server(REPLY)
    assert conversation.client(HELLO).server(SERVER_HELLO).services == "http,ssl"


def test_a_proxy_that_refuses_does_not() -> None:
    conversation = Conversation(3128).client(b"CONNECT x:443 HTTP/1.1\r\n\r\n")
    conversation.server(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    assert "ssl" not in conversation.client(HELLO).services


def test_web_sockets() -> None:
    conversation = Conversation(8080).client(UPGRADE).server(UPGRADED)
    assert conversation.services == "http"
    assert conversation.client(frame(b"hello", mask=b"abcd")).services == "http,websocket"


def test_frames_may_follow_at_once_and_in_pieces() -> None:
    sent = UPGRADED + frame(b"x" * 200)
    conversation = Conversation(8080).client(UPGRADE).byte_by_byte(sent, is_originator=False)
    assert conversation.services == "http,websocket"


def test_a_message_has_an_end() -> None:
    conversation = Conversation(8080).client(UPGRADE).server(UPGRADED)
    assert conversation.server(frame(b"hel", is_final=False)).services == "http"
    assert conversation.server(frame(b"lo", opcode=0)).services == "http,websocket"


def test_connections_within_web_sockets() -> None:
    conversation = Conversation(8080).client(UPGRADE).server(UPGRADED)
    conversation.client(frame(HELLO, mask=b"\x01\x02\x03\x04"))
    assert conversation.services == "http,ssl,websocket"


def test_it_is_left_alone_when_seen_from_its_middle() -> None:
    assert Conversation(80, is_partial=True).client(REQUEST).services == ""
