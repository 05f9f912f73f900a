from __future__ import annotations

import pytest

from analyzer.parsers.pcap.protocols.tunnels import is_ip

from ..conversations import Conversation

IP6 = b"\x60\x00\x00\x00\x00\x08\x3a\xff" + b"\x20\x01\x00\x00" + bytes(28) + b"pingpong"
BUBBLE = b"\x60\x00\x00\x00\x00\x00\x3b\xff" + b"\x20\x01\x00\x00" + bytes(28)
IP4 = b"\x45\x00\x00\x1c" + bytes(24)


def udp(port: int = 40001) -> Conversation:
    return Conversation(port, over_udp=True)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (IP4, True),
        (IP4 + b"x", False),
        (IP4[:-1], False),
        (IP6, True),
        (IP6 + b"x", False),
        (BUBBLE, True),
        (BUBBLE + b"x", True),
        (b"\x50" + IP4[1:], False),
        (b"", False),
    ],
)
def test_ip(data: bytes, *, expected: bool) -> None:
    assert is_ip(data) is expected


@pytest.mark.parametrize("port", [3544, 40001])
def test_teredo(port: int) -> None:
    conversation = udp(port).client(IP6)
    assert conversation.services == ""
    assert conversation.server(BUBBLE).services == "teredo"


def test_teredo_with_authentication_and_origin() -> None:
    authentication = b"\x00\x01\x02\x03idaut" + bytes(9)
    origin = b"\x00\x00\xf1\x2a\xb9\xc8\x28\x15"
    conversation = udp(3544).client(authentication + IP6).server(authentication + origin + IP6)
    assert conversation.services == "teredo"


@pytest.mark.parametrize("datagram", [IP4, IP6[:-1], b"", b"\x00", b"\x00\x01\xff\xff"])
def test_teredo_that_is_none(datagram: bytes) -> None:
    assert udp(3544).client(IP6).server(datagram).services == ""
    assert udp(3544).client(IP6).server(IP6).client(datagram).services == "teredo"


@pytest.mark.parametrize(
    "header",
    [
        b"\x30\xff\x00\x1c" + bytes(4),
        b"\x32\xff\x00\x20" + bytes(8),
        b"\x34\xff\x00\x24" + bytes(7) + b"\x85\x01\x00\x00\x00",
    ],
)
def test_gtp(header: bytes) -> None:
    assert udp(2152).client(header + IP4).services == "gtpv1"


@pytest.mark.parametrize(
    "datagram",
    [
        b"\x30\xff\x00\x1c" + bytes(4) + IP4 + b"x",
        b"\x50\xff\x00\x1c" + bytes(4) + IP4,
        b"\x30\x01\x00\x1c" + bytes(4) + IP4,  # an echo
        b"\x20\xff\x00\x1c" + bytes(4) + IP4,
        b"\x34\xff\x00\x1c" + bytes(7) + b"\x85\x00",
        b"\x30",
    ],
)
def test_gtp_that_is_none(datagram: bytes) -> None:
    assert udp(2152).client(datagram).services == ""


def test_vxlan() -> None:
    assert udp(4789).client(b"\x08" + bytes(7)).services == "vxlan"
    assert udp(4789).client(b"\x00" + bytes(7)).services == ""
    assert udp(4789).client(b"\x08" + bytes(6)).services == ""


def test_geneve() -> None:
    assert udp(6081).client(b"\x01\x00\x65\x58" + bytes(8)).services == "geneve"
    assert udp(6081).client(bytes(16)).services == ""
    assert udp(6081).client(b"\x01\x00\x65\x58" + bytes(7)).services == ""
    assert udp(6081).client(b"\x41\x00\x65\x58" + bytes(8)).services == ""
    assert udp(6081).client(b"").services == ""


@pytest.mark.parametrize("port", [5072, 40001])
def test_ayiya(port: int) -> None:
    packet = b"\x41\x52\x11\x29" + bytes(4 + 16 + 20)
    assert udp(port).client(packet).services == "ayiya"
    assert udp(port).client(packet[:-1]).services == ""
    assert udp(port).client(packet.replace(b"\x11", b"\x12")).services == ""


def test_nothing_is_no_ayiya() -> None:
    assert udp(5072).client(b"").services == ""
