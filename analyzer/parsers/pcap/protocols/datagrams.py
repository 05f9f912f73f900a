"""Protocols over UDP that one datagram shows, or one each way.

Sources are named at each; all follow Zeek's analyzers of the same names in what they are sure by.
"""

# ruff: noqa: ARG002 - not every reader asks which side it reads

from __future__ import annotations

import re

from analyzer.parsers.pcap.protocols import asn1
from analyzer.parsers.pcap.protocols.databases import ldap_operation
from analyzer.parsers.pcap.protocols.session import Reader, Session

_NTP_SHORTEST = {1: 48, 2: 48, 3: 48, 4: 48, 5: 48, 6: 12, 7: 8}
_NTP_VERSIONS = range(1, 5)

_DHCP_COOKIE, _DHCP_COOKIE_AT = b"\x63\x82\x53\x63", 236
_DHCP_MESSAGE_TYPE, _DHCP_PAD, _DHCP_END = 53, 0, 255

_SNMP_VERSIONS = (0, 1, 3)

_RADIUS_CODES = frozenset((1, 2, 3, 4, 5, 11, 12, 13, 40, 41, 42, 43, 44, 45))
_RADIUS_HEADER = 20

_SIP_REQUEST = re.compile(
    rb"[^a-zA-Z0-9_.!%*+`'~-]*[a-zA-Z0-9_.!%*+`'~-]+[ \t]+\S+[ \t]+SIP/\d+\.\d+\r?\n"
)
_SIP_REPLY = re.compile(rb"SIP/\d+\.\d+[ \t]+\d{3}(?:[ \t][^\r\n]*)?\r?\n")

_SYSLOG = re.compile(rb"<\d{1,3}>")

_QUIC_VERSIONS = {1: 0, 0x6B3343CF: 1, **{0xFF000000 + draft: 0 for draft in range(22, 35)}}
"""Versions and what their Initial packets' type is: RFC 9000, RFC 9369, drafts 22 to 34."""
_SHORTEST_INITIAL, _LONGEST_CONNECTION_ID = 1200, 20

_RDP_SYN, _RDP_ACK, _RDP_IN_SYN = 0x0001, 0x0004, 0x1A05


def is_ntp(data: bytes) -> bool:
    """Whether a datagram is NTP's, versions 1 to 4 (RFC 5905 section 7.3, RFC 9327 for mode 6)."""
    shortest = _NTP_SHORTEST.get(data[0] & 7) if data else None
    return shortest is not None and data[0] >> 3 & 7 in _NTP_VERSIONS and len(data) >= shortest


class Ntp(Reader):
    """Network time."""

    service = "ntp"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if is_ntp(data):
            self.confirm()
            self.finish()
        else:
            self.violate()


class Dhcp(Reader):
    """DHCP: the cookie and a message type (RFC 2131, section 3; RFC 2132, section 9.6)."""

    service = "dhcp"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if data[_DHCP_COOKIE_AT : _DHCP_COOKIE_AT + 4] == _DHCP_COOKIE and _has_message_type(data):
            self.confirm()
        else:
            self.violate()


def _has_message_type(data: bytes) -> bool:
    position = _DHCP_COOKIE_AT + 4
    while position < len(data) and data[position] != _DHCP_END:
        if data[position] == _DHCP_PAD:
            position += 1
            continue
        if position + 2 >= len(data):
            return False
        if data[position] == _DHCP_MESSAGE_TYPE:
            return data[position + 2] != 0
        position += 2 + data[position + 1]
    return False


class Snmp(Reader):
    """SNMP: sure once the responder answers (RFC 1157, RFC 3416, RFC 3412)."""

    service = "snmp"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        message = asn1.whole(data)
        parts = asn1.children(data, message) if message and message.tag == asn1.SEQUENCE else []
        version = asn1.integer(data, parts[0]) if len(parts) > 2 else None
        if version not in _SNMP_VERSIONS:
            self.violate()
        elif not is_originator:
            self.confirm()
            self.finish()


class Radius(Reader):
    """RADIUS: a known code, and attributes that fill the length (RFC 2865, section 3)."""

    service = "radius"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        length = int.from_bytes(data[2:4])
        position = _RADIUS_HEADER
        while position + 2 <= min(length, len(data)) and data[position + 1] >= 2:
            position += data[position + 1]
        if data[:1] and data[0] in _RADIUS_CODES and position == length <= len(data):
            self.confirm()
            self.finish()
        else:
            self.violate()


class Sip(Reader):
    """SIP: sure once the responder answers (RFC 3261, section 7)."""

    service = "sip"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if is_originator and _SIP_REQUEST.match(data):
            return
        if not is_originator and _SIP_REPLY.match(data):
            self.confirm()
        else:
            self.violate()


class Syslog(Reader):
    """Syslog with a priority (RFC 5424, section 6.2.1)."""

    service = "syslog"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if _SYSLOG.match(data):
            self.confirm()
        self.finish()


class LdapUdp(Reader):
    """LDAP over UDP (CLDAP)."""

    service = "ldap_udp"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if ldap_operation(data, is_originator=is_originator) is not None:
            self.confirm()
            self.finish()
        else:
            self.violate()


def is_quic_initial(data: bytes) -> bool:
    """Whether a datagram begins with a client's Initial packet (RFC 9000, 14.1, 17.2.2)."""
    if len(data) < _SHORTEST_INITIAL or data[0] & 0xC0 != 0xC0:
        return False
    kind = _QUIC_VERSIONS.get(int.from_bytes(data[1:5]))
    destination = data[5]
    source_at = 6 + destination
    source = data[source_at]
    return kind == data[0] >> 4 & 3 and max(destination, source) <= _LONGEST_CONNECTION_ID


class Quic(Reader):
    """QUIC: sure by the client's Initial packet.

    That packet carries a ClientHello by definition (RFC 9001, section 4), which Zeek decrypts:
    so TLS is confirmed with it.
    """

    service = "quic"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if is_originator and is_quic_initial(data):
            self.confirm()
            self.session.findings.confirm("ssl")
        self.finish()


class RdpUdp(Reader):
    """RDP over UDP: a SYN that is acknowledged (MS-RDPEUDP, section 2.2.2.1)."""

    service = "rdpeudp"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._asked = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram: acknowledged number, window, flags."""
        flags = int.from_bytes(data[6:8])
        if flags & ~_RDP_IN_SYN:
            flags = 0
        if is_originator:
            self._asked |= data[:4] == b"\xff\xff\xff\xff" and bool(flags & _RDP_SYN)
        elif self._asked and flags & _RDP_SYN and flags & _RDP_ACK:
            self.confirm()
            self.finish()
        if not self._asked:
            self.finish()
