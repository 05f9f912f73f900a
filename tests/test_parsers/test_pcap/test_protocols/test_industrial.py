from __future__ import annotations

import pytest

from analyzer.parsers.pcap.protocols.industrial import has_link_header

from ..conversations import Conversation

READ_COILS = b"\x00\x01\x00\x00\x00\x06\x01\x01\x00\x00\x00\x08"
LINK_STATUS = bytes.fromhex("056405c90100000023 4a".replace(" ", ""))
CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02me"
OLD_CONNECT = b"\x10\x10\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x02me"


def frame(control: int = 0xC4, destination: int = 10) -> bytes:
    """The header of a frame of DNP3, its checksum computed in another way than ours."""
    header = b"\x05\x64\x05" + bytes([control]) + destination.to_bytes(2, "little") + b"\x01\x00"
    remainder = 0
    for byte in header:
        for bit in range(8):
            remainder ^= byte >> bit & 1
            remainder = remainder >> 1 ^ (0xA6BC if remainder & 1 else 0)
    return header + (remainder ^ 0xFFFF).to_bytes(2, "little")


def test_modbus() -> None:
    assert Conversation(502).client(READ_COILS).services == "modbus"
    assert Conversation(502).server(READ_COILS).services == "modbus"
    assert Conversation(502).client(READ_COILS[:-1]).services == ""


def test_modbus_is_not_looked_for_elsewhere() -> None:
    assert Conversation().client(READ_COILS).services == ""


@pytest.mark.parametrize(
    "message",
    [
        b"\x00\x01\x00\x01\x00\x06\x01\x01\x00\x00\x00\x08",
        b"\x00\x01\x00\x00\x00\x01\x01\x01\x00\x00\x00\x08",
        b"\x00\x01\x00\x00\x01\x00\x01\x01" + bytes(300),
        b"GET / HTTP/1.0\r\n",
    ],
)
def test_modbus_that_is_none(message: bytes) -> None:
    assert "modbus" not in Conversation(502).client(message).services


@pytest.mark.parametrize("destination", [0, 1, 10, 65519])
def test_dnp3_checksums(destination: int) -> None:
    header = frame(destination=destination)
    assert has_link_header(header + b"more")
    assert not has_link_header(header[:-1])
    assert not has_link_header(header[:4] + bytes([header[4] ^ 1]) + header[5:])


def test_dnp3() -> None:
    assert Conversation(20000).byte_by_byte(frame(), is_originator=True).services == "dnp3_tcp"
    assert Conversation(20001).server(frame()).services == "dnp3_tcp"
    assert Conversation(20001).client(frame()).services == ""
    assert Conversation(20000, over_udp=True).client(frame()).services == "dnp3_udp"


def test_dnp3_that_is_none() -> None:
    assert Conversation(20000).client(frame()[:8] + b"\x00\x00").services == ""
    assert Conversation(20000).client(b"\x05\x65" + frame()[2:]).services == ""


@pytest.mark.parametrize("port", [1883, 40001])
@pytest.mark.parametrize("message", [CONNECT, OLD_CONNECT, b"\x10\x8e\x00" + CONNECT[2:]])
def test_mqtt(port: int, message: bytes) -> None:
    assert Conversation(port).client(message[:-1]).services == ""
    assert Conversation(port).client(message[:-1], message[-1:]).services == "mqtt"


@pytest.mark.parametrize(
    "message",
    [
        b"\x20" + CONNECT[1:],
        CONNECT.replace(b"MQTT", b"MQTX"),
        b"\x10\xff\xff\xff\xff\x01" + CONNECT[2:],
        b"\x10\xff\xff\x7f" + CONNECT[2:],
    ],
)
def test_mqtt_that_is_none(message: bytes) -> None:
    assert Conversation(1883).client(message).services == ""


def test_mqtt_servers_do_not_connect() -> None:
    assert Conversation(1883).server(CONNECT).services == ""
