"""Databases and directories over TCP: MySQL, PostgreSQL, Redis, LDAP.

Sources: MySQL's client/server protocol, PostgreSQL's frontend/backend protocol 3.0, RESP,
RFC 4511, and Zeek's ``protocol/mysql/mysql-analyzer.pac``, ``protocol/postgresql/*.spicy``,
``protocol/redis/*.spicy``, ``protocol/ldap/*.spicy``.
"""

from __future__ import annotations

import re

from analyzer.parsers.pcap.protocols import asn1
from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Reader, Session, StreamReader
from analyzer.parsers.pcap.protocols.tls import Tls

_MYSQL_SSL, _MYSQL_41 = 0x0800, 0x0200
_MYSQL_SSL_REQUEST_LENGTH = 32

_SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
_PARAMETERS = re.compile(rb"(?:[-_/A-Za-z0-9]+\x00[\x20-\x7e]+\x00)*\x00")

_RESP_REQUEST = re.compile(rb"\*[1-9][0-9]{0,6}\r\n\$[0-9]{1,9}\r\n|[A-Za-z][ -~]{0,999}\r\n")
_RESP_REPLY = re.compile(
    rb"(?:[-+,_][^\r\n]*|:[+-]?[0-9]+|#[tf]|\([+-]?[0-9]+|[$*=%~>!|](?:-1|[0-9]+))\r\n"
)
_LONGEST_RESP_HEAD = 1024

_LDAP_OPERATIONS = {
    True: frozenset((0x60, 0x42, 0x63, 0x66, 0x68, 0x4A, 0x6C, 0x6E, 0x50, 0x77)),
    False: frozenset((0x61, 0x64, 0x65, 0x67, 0x69, 0x6B, 0x6D, 0x6F, 0x73, 0x78, 0x79)),
}
"""Tags of operations of clients and servers: RFC 4511, section 4."""
_EXTENDED_REQUEST, _EXTENDED_RESPONSE = 0x77, 0x78
_START_TLS = b"1.3.6.1.4.1.1466.20037"


class MySql(StreamReader):
    """Sure once the client answers the server's greeting."""

    service = "mysql"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._is_greeted = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the first packet of each side: length (3 bytes), number, content."""
        if self.session.findings.is_partial:
            self.finish()
            return
        rest = self._with(data, is_originator=is_originator)
        if not self._is_greeted:
            self._greeting(self._rest[0])
        if self._is_greeted and self in self.session.readers:
            self._answer(self._rest[1])
        if len(rest) > MOST_BUFFERED:
            self.finish()

    def _greeting(self, rest: bytearray) -> None:
        if len(rest) < 5:
            return
        length = int.from_bytes(rest[:3], "little")
        if length < 2 or length > MOST_BUFFERED or rest[3] or rest[4] not in (9, 10):
            self.violate()
        elif len(rest) >= 4 + length:
            if 0 not in rest[5 : 4 + length]:
                self.violate()
                return
            del rest[: 4 + length]
            self._is_greeted = True

    def _answer(self, rest: bytearray) -> None:
        if len(rest) < 8:
            return
        length = int.from_bytes(rest[:3], "little")
        if length < 5 or length > MOST_BUFFERED or rest[3] != 1:
            self.violate()
            return
        if len(rest) < 4 + length:
            return
        self.confirm()
        capabilities = int.from_bytes(rest[4:8], "little")
        wants_tls = capabilities & _MYSQL_SSL and capabilities & _MYSQL_41
        if not wants_tls or length != _MYSQL_SSL_REQUEST_LENGTH:
            self.finish()
            return
        tls = Tls(self.session)
        self.replace_by(tls)
        if len(rest) > 4 + length:
            tls.deliver(bytes(rest[4 + length :]), is_originator=True)


class PostgreSql(Reader):
    """Sure once the client's startup message is seen, or the server's answer about TLS."""

    service = "postgresql"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._rest = bytearray()
        self._asks_for_tls = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the client's first messages and the server's answer."""
        if not is_originator:
            if self._asks_for_tls:
                self._answer(data)
            return
        self._rest += data
        if self._rest.startswith(_SSL_REQUEST):
            del self._rest[:8]
            self._asks_for_tls = True
        if len(self._rest) < 8 or self._asks_for_tls:
            return
        length = int.from_bytes(self._rest[:4])
        if not 9 <= length <= MOST_BUFFERED or self._rest[4:6] != b"\x00\x03":
            self.violate()
        elif len(self._rest) >= length:
            if _PARAMETERS.fullmatch(self._rest, 8, length) is None:
                self.violate()
                return
            self.confirm()
            self.finish()

    def _answer(self, data: bytes) -> None:
        self._asks_for_tls = False
        if data[:1] not in (b"S", b"N"):
            self.violate()
            return
        self.confirm()
        if data[:1] == b"S":
            self.replace_by(Tls(self.session))


class Redis(Reader):
    """Sure once a command, in an array or as text, is answered with one of RESP's types."""

    service = "redis"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._heads = (bytearray(), bytearray())
        self._is_right = [False, False]

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read how each side begins."""
        head = self._heads[is_originator]
        head += data[: _LONGEST_RESP_HEAD - len(head)]
        pattern = _RESP_REQUEST if is_originator else _RESP_REPLY
        if pattern.match(head) is not None:
            self._is_right[is_originator] = True
            if all(self._is_right):
                self.confirm()
                self.finish()
        elif head.count(b"\r\n") > 1 or len(head) >= _LONGEST_RESP_HEAD:
            self.violate()


class Ldap(StreamReader):
    """Sure once a message of the client, or of the server, is whole."""

    service = "ldap_tcp"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._wants_tls = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read messages until it is clear that TLS is not asked for."""
        rest = self._with(data, is_originator=is_originator)
        while len(rest) >= 2:
            content = bytes(rest)
            message = asn1.element(content)
            if message is None and len(rest) < 6:
                return
            if message is None or message.tag != asn1.SEQUENCE or message.end > 4 * MOST_BUFFERED:
                self.violate()
                return
            if message.end > len(rest):
                return
            operation = ldap_operation(content, is_originator=is_originator)
            if operation is None:
                self.violate()
                return
            del rest[: message.end]
            self.confirm()
            if is_originator:
                asks = operation.tag == _EXTENDED_REQUEST
                self._wants_tls = asks and _START_TLS in content[operation.start : operation.end]
            if not self._wants_tls:
                self.finish()
                return
            if not is_originator and operation.tag == _EXTENDED_RESPONSE:
                results = asn1.children(content, operation)
                if results and asn1.integer(content, results[0]) == 0:
                    self.replace_by(Tls(self.session))
                return


def ldap_operation(data: bytes, *, is_originator: bool) -> asn1.Element | None:
    """The operation in an LDAPMessage (RFC 4511, section 4.1.1); None if it is no such message."""
    message = asn1.whole(data)
    if message is None or message.tag != asn1.SEQUENCE:
        return None
    parts = asn1.children(data, message)
    if len(parts) < 2 or asn1.integer(data, parts[0]) is None:
        return None
    return parts[1] if parts[1].tag in _LDAP_OPERATIONS[is_originator] else None
