from __future__ import annotations

import pytest

from ..conversations import HELLO, SERVER_HELLO, Conversation


def packet(kind: int, size: int = 10) -> bytes:
    """A packet of SSH 2 before it encrypts."""
    return (size + 6).to_bytes(4) + bytes([4, kind]) + bytes(size + 4)


NEW_KEYS = packet(21)
CONFIRM = b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00"
REQUEST = b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"


def settings(content: bytes, tag: bytes) -> bytes:
    """RDP's settings as data of COTP."""
    data = b"\x02\xf0\x80" + tag + b"\x82\x01\xb2" + content
    return b"\x03\x00" + (4 + len(data)).to_bytes(2) + data


@pytest.mark.parametrize("port", [22, 2222])
@pytest.mark.parametrize("is_client", [True, False])
def test_ssh(port: int, *, is_client: bool) -> None:
    conversation = Conversation(port).server(b"SSH-2.0-x\r\n").client(b"SSH-2.0-y\r\n")
    conversation.client(packet(20, 800)).server(packet(20, 800))
    assert conversation.services == ""
    (conversation.client if is_client else conversation.server)(NEW_KEYS)
    assert conversation.services == "ssh"


def test_ssh_may_come_byte_by_byte_and_after_other_lines() -> None:
    conversation = Conversation(22).server(b"welcome\r\nSSH-1.99-x\n").client(b"SSH-2.0-y\r\n")
    assert conversation.byte_by_byte(packet(20) + NEW_KEYS, is_originator=True).services == "ssh"


def test_ssh_1() -> None:
    conversation = Conversation(22).server(b"SSH-1.99-x\n").client(b"SSH-1.5-y\n")
    key = (12).to_bytes(4) + bytes(4) + b"\x03" + bytes(11)
    assert conversation.client(key).services == "ssh"


def test_ssh_needs_both_versions() -> None:
    assert Conversation(22).client(b"SSH-2.0-y\r\n", NEW_KEYS).services == ""


@pytest.mark.parametrize("line", [b"SSH-3.0-x\r\n", b"GET / HTTP/1.0\r\n"])
def test_other_versions_are_no_ssh(line: bytes) -> None:
    conversation = Conversation(22).server(b"SSH-2.0-x\r\n").client(line + NEW_KEYS)
    assert "ssh" not in conversation.services


def test_rdp() -> None:
    conversation = Conversation(3389).client(REQUEST).server(CONFIRM + bytes(4))
    assert conversation.services == ""
    conversation.client(settings(b"\x01\xc0\x00Duca\x81\x3a\x01\xc0\xea\x00", b"\x7f\x65"))
    assert conversation.services == "rdp"


def test_rdp_settings_of_the_server() -> None:
    assert Conversation(3389).server(settings(b"xxMcDnxx", b"\x7f\x66")).services == "rdp"


def test_rdp_needs_settings() -> None:
    conversation = Conversation(3389).client(REQUEST, settings(b"Duca", b"\x7f\x65"))
    assert conversation.client(settings(b"\x01\xc0", b"\x7f\x65")).services == ""


@pytest.mark.parametrize("port", [3389, 3390])
def test_rdp_chooses_tls(port: int) -> None:
    conversation = Conversation(port).client(REQUEST).server(CONFIRM + b"\x02\x00\x00\x00")
    assert conversation.client(HELLO).server(SERVER_HELLO).services == "ssl"


def test_rdp_that_is_none() -> None:
    assert Conversation(3389).client(b"\x03\x01" + REQUEST[2:]).services == ""


@pytest.mark.parametrize("version", [b"RFB 003.008\n", b"RFB 003.889\n"])
def test_rfb(version: bytes) -> None:
    conversation = Conversation(5901).server(version)
    assert conversation.services == ""
    assert conversation.client(b"RFB 003.008\n").services == "rfb"


@pytest.mark.parametrize("version", [b"RFB 3.8\n    ", b"RFB 003.008 ", b"RFX 003.008\n"])
def test_rfb_that_is_none(version: bytes) -> None:
    assert Conversation(5901).server(b"RFB 003.008\n").client(version).services == ""


@pytest.mark.parametrize("port", [1080, 10080])
def test_socks(port: int) -> None:
    conversation = Conversation(port).client(b"\x05\x01\x00").server(b"\x05\x00")
    conversation.client(b"\x05\x01\x00\x01\xc0\xa8\x00\x02\x00\x16")
    assert conversation.services == ""
    conversation.server(b"\x05\x00\x00\x01\x0a\x00\x00\x01\x1f\x90")
    assert conversation.services == "socks"
    assert conversation.client(HELLO).server(SERVER_HELLO).services == "socks,ssl"


def test_socks_with_password_and_names() -> None:
    conversation = Conversation(10080).client(b"\x05\x03\x00\x03\x02").server(b"\x05\x02")
    conversation.byte_by_byte(b"\x01\x03bob\x05alice", is_originator=True).server(b"\x01\x00")
    conversation.byte_by_byte(b"\x05\x01\x00\x03\x03a.b\x01\xbb", is_originator=True)
    conversation.byte_by_byte(b"\x05\x00\x00\x04" + bytes(18), is_originator=False)
    assert conversation.services == "socks"


@pytest.mark.parametrize(
    "request_",
    [
        b"\x05\x04\x00\x01\x0a\x00\x00\x01\x1f\x90",
        b"\x05\x01\x01\x01\x0a\x00\x00\x01\x1f\x90",
        b"\x05\x01\x00\x02\x0a\x00\x00\x01\x1f\x90",
        b"\x04\x01\x00\x01\x0a\x00\x00\x01\x1f\x90",
    ],
)
def test_socks_requests_that_are_none(request_: bytes) -> None:
    conversation = Conversation(1080).client(b"\x05\x01\x00").server(b"\x05\x00").client(request_)
    assert conversation.server(b"\x05\x00\x00\x01\x0a\x00\x00\x01\x1f\x90").services == ""


def test_socks_4_is_not_recognised_as_in_zeek() -> None:
    conversation = Conversation(1080).client(b"\x04\x01\x00P\xc0\x96\xbb\x0c\x00")
    assert conversation.server(b"\x00Z" + bytes(6)).services == ""
