"""Machines: Modbus, DNP3 and MQTT.

Sources: Modbus Messaging on TCP/IP 1.0b, IEEE 1815, MQTT 3.1.1 and 5, and Zeek's
``protocol/modbus/modbus-protocol.pac``, ``protocol/dnp3/DNP3.cc``, ``protocol/mqtt``.
"""

from __future__ import annotations

from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Reader, Session, StreamReader

_MODBUS_HEADER = 6
_LONGEST_MODBUS = 260

_DNP3_START, _DNP3_LINK = b"\x05\x64", 10
_DNP3_POLYNOMIAL = 0xA6BC

_MQTT_NAMES = (b"\x00\x04MQTT", b"\x00\x06MQIsdp")
_CONNECT = 0x10


class Modbus(StreamReader):
    """Sure once one whole message is seen."""

    service = "modbus"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the first message: transaction, protocol (0), length, unit, function."""
        rest = self._with(data, is_originator=is_originator)
        if len(rest) < _MODBUS_HEADER + 2:
            return
        length = rest[4] << 8 | rest[5]
        if rest[2] or rest[3] or not 2 <= length <= _LONGEST_MODBUS - _MODBUS_HEADER:
            self.violate()
        elif len(rest) >= _MODBUS_HEADER + length:
            self.confirm()
            self.finish()


class Dnp3(StreamReader):
    """Sure once the header of a link frame has the right checksum."""

    service = "dnp3_tcp"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the first frame's header."""
        rest = self._with(data, is_originator=is_originator)
        if not _DNP3_START.startswith(rest[:2]):
            self.finish()
        elif len(rest) >= _DNP3_LINK:
            if has_link_header(bytes(rest)):
                self.confirm()
                self.finish()
            else:
                self.violate()


class Dnp3Udp(Dnp3):
    """The same over UDP."""

    service = "dnp3_udp"


def has_link_header(frame: bytes) -> bool:
    """Whether a DNP3 frame begins with its start bytes and eight bytes that fit their checksum."""
    if len(frame) < _DNP3_LINK or not frame.startswith(_DNP3_START):
        return False
    checksum = 0
    for byte in frame[:8]:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ _DNP3_POLYNOMIAL * (checksum & 1)
    return ~checksum & 0xFFFF == int.from_bytes(frame[8:10], "little")


class Mqtt(Reader):
    """Sure once the client's CONNECT is whole."""

    service = "mqtt"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._rest = bytearray()

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the client's first message (MQTT 3.1.1, section 3.1)."""
        if not is_originator:
            return
        self._rest += data
        if self._rest[0] != _CONNECT:
            self.finish()
            return
        length, position = 0, 1
        while position < min(len(self._rest), 5):
            byte = self._rest[position]
            length |= (byte & 0x7F) << 7 * (position - 1)
            position += 1
            if not byte & 0x80:
                break
        else:
            if len(self._rest) >= 5:
                self.violate()
            return
        if length > MOST_BUFFERED:
            self.violate()
        elif len(self._rest) >= position + length:
            if self._rest.startswith(_MQTT_NAMES, position):
                self.confirm()
                self.finish()
            else:
                self.violate()
