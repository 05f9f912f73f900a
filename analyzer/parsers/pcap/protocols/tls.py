"""TLS and DTLS.

Sources: RFC 8446, RFC 6347, Zeek's ``protocol/ssl/{ssl,dtls,tls-handshake}-*.pac``: sure once a
whole ClientHello is seen, wrong once the bytes are no records.
"""

# ruff: noqa: ARG002 - not every reader asks which side it reads

from __future__ import annotations

from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Reader, Session
from analyzer.parsers.pcap.server_names import client_hello_name, is_client_hello

_RECORD_HEADER = 5
_DTLS_HEADER, _DTLS_HANDSHAKE_HEADER = 13, 12
_FIRST_TYPE, _LAST_TYPE = 20, 24
_CHANGE_CIPHER_SPEC, _HANDSHAKE, _APPLICATION_DATA = 20, 22, 23
_CLIENT_HELLO = 1
_MOST_FRAGMENTS = 30
_STUN_COOKIE = b"\x21\x12\xa4\x42"
_SSL2_LENGTH = 0x80


def is_record(data: bytes | bytearray) -> bool:
    """Whether bytes may begin a record of SSL 3 or TLS, as far as there are any."""
    return _FIRST_TYPE <= data[0] <= _LAST_TYPE and data[1:2] in (b"\x03", b"")


def hello_of_record(data: bytes | bytearray) -> bytes | None:
    """The ClientHello that a record begins with, if it is all in that one.

    Returns:
        None while the record is not complete; nothing if it does not hold a whole ClientHello.
    """
    if not is_record(data):
        return b""
    length = int.from_bytes(data[3:5])
    if len(data) < _RECORD_HEADER or len(data) < _RECORD_HEADER + length:
        return None if length <= MOST_BUFFERED else b""
    end = 4 + int.from_bytes(data[6:9])
    is_hello = data[0] == _HANDSHAKE and data[5] == _CLIENT_HELLO and 4 <= end <= length
    return bytes(data[_RECORD_HEADER : _RECORD_HEADER + end]) if is_hello else b""


class Tls(Reader):
    """Follows records of both sides, and handshake messages until the first ClientHello."""

    service = "ssl"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._records = (bytearray(), bytearray())
        self._skipped = [0, 0]
        self._messages = (bytearray(), bytearray())
        self._is_clear = [True, True]

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read records."""
        if self.session.findings.is_partial:
            self.finish()
            return
        skipped = min(self._skipped[is_originator], len(data))
        self._skipped[is_originator] -= skipped
        records = self._records[is_originator]
        records += data[skipped:]
        while len(records) >= _RECORD_HEADER:
            kind, length = records[0], records[3] << 8 | records[4]
            if not is_record(records):
                if is_originator and not self.is_sure and is_ssl2_hello(records):
                    self.confirm()
                    self.finish()
                else:
                    self.violate()
                return
            if not any(self._is_clear):
                # Established: Zeek looks no further (SSL::disable_analyzer_after_detection).
                self.finish()
                return
            if kind != _HANDSHAKE or self.is_sure or not self._is_clear[is_originator]:
                if kind in (_CHANGE_CIPHER_SPEC, _APPLICATION_DATA):
                    self._is_clear[is_originator] = False
                present = min(_RECORD_HEADER + length, len(records))
                del records[:present]
                self._skipped[is_originator] = _RECORD_HEADER + length - present
                continue
            if len(records) < _RECORD_HEADER + length:
                break
            message = self._messages[is_originator]
            message += records[_RECORD_HEADER : _RECORD_HEADER + length]
            del records[: _RECORD_HEADER + length]
            self._handshake(message)
        if len(records) > 2 * MOST_BUFFERED:
            self.finish()

    def _handshake(self, messages: bytearray) -> None:
        while len(messages) >= 4:
            end = 4 + int.from_bytes(messages[1:4])
            if end > MOST_BUFFERED:
                self.finish()
                return
            if len(messages) < end:
                return
            message = bytes(messages[:end])
            del messages[:end]
            if message[0] == _CLIENT_HELLO:
                self._hello(message)

    def _hello(self, message: bytes) -> None:
        if not is_client_hello(message):
            self.violate()
            return
        self.confirm()
        findings = self.session.findings
        findings.name_server(client_hello_name(message))


def is_ssl2_hello(data: bytes | bytearray) -> bool:
    """Whether bytes begin with a ClientHello of SSL 2 (draft-hickman-netscape-ssl, 2.5)."""
    if len(data) < _RECORD_HEADER or not data[0] & _SSL2_LENGTH or data[2] != _CLIENT_HELLO:
        return False
    length = (data[0] & ~_SSL2_LENGTH) << 8 | data[1]
    is_known = bytes(data[3:5]) in (b"\x00\x02", b"\x03\x00", b"\x03\x01", b"\x03\x02", b"\x03\x03")
    if not is_known or len(data) < 2 + length or length < 9:
        return False
    ciphers, session, challenge = (int.from_bytes(data[i : i + 2]) for i in (5, 7, 9))
    return ciphers % 3 == 0 and ciphers > 0 and 9 + ciphers + session + challenge == length


class Dtls(Reader):
    """Follows datagrams; fragments of the ClientHello are put together."""

    service = "dtls"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._parts: dict[int, bytes] = {}
        self._numbers: set[int] = set()
        self._length = -1

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the records of one datagram."""
        if data[:1] in (b"\x00", b"\x01") and data[4:8] == _STUN_COOKIE:
            return
        position = 0
        while position + _DTLS_HEADER <= len(data):
            kind, major = data[position], data[position + 1]
            if not _FIRST_TYPE <= kind <= _LAST_TYPE or major != 0xFE:
                # DTLS 1.3 encrypts record headers, and 25 is a connection identifier's.
                if not self.is_sure:
                    self.violate()
                return
            number = int.from_bytes(data[position + 5 : position + 11])
            length = int.from_bytes(data[position + 11 : position + 13])
            record = data[position + _DTLS_HEADER : position + _DTLS_HEADER + length]
            position += _DTLS_HEADER + length
            if (
                kind == _HANDSHAKE
                and record[:1] == bytes([_CLIENT_HELLO])
                and len(record) == length
            ):
                self._fragment(record, number)

    def _fragment(self, record: bytes, number: int) -> None:
        if len(record) < _DTLS_HANDSHAKE_HEADER:
            return
        whole, offset, length = (int.from_bytes(record[i : i + 3]) for i in (1, 6, 9))
        part = record[_DTLS_HANDSHAKE_HEADER : _DTLS_HANDSHAKE_HEADER + length]
        if whole > MOST_BUFFERED or len(part) < length or offset + length > whole:
            self.violate()
            return
        if whole != self._length or (offset == 0 and length == whole):
            self._parts, self._numbers, self._length = {}, set(), whole
        self._parts[offset] = part
        self._numbers.add(number)
        message = bytearray()
        while len(message) < whole and self._parts.get(len(message)):
            message += self._parts[len(message)]
        if len(self._numbers) > _MOST_FRAGMENTS:
            self.violate()
        elif len(message) == whole:
            self._hello(bytes([_CLIENT_HELLO]) + whole.to_bytes(3) + bytes(message))

    def _hello(self, message: bytes) -> None:
        if max(self._numbers) - min(self._numbers) > _MOST_FRAGMENTS:
            self.violate()
            return
        if not is_client_hello(message, is_datagram=True):
            self.violate()
            return
        self.confirm()
        findings = self.session.findings
        findings.name_server(client_hello_name(message, is_datagram=True))
