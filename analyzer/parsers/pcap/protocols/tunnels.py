"""Tunnels over UDP, which Zeek names as services of what carries them.

Sources: RFC 4380 (Teredo), 3GPP TS 29.281 (GTP), RFC 7348 (VXLAN), RFC 8926 (Geneve),
draft-massar-v6ops-ayiya, and Zeek's ``packet_analysis/protocol`` for each.
"""

# ruff: noqa: ARG002 - not every reader asks which side it reads

from __future__ import annotations

from analyzer.parsers.pcap.protocols.session import Reader, Session

_IPV6_HEADER, _IPV4_HEADER, _NO_NEXT_HEADER = 40, 20, 59
_ORIGIN, _ORIGIN_LENGTH, _AUTHENTICATION, _AUTHENTICATION_LENGTH = 0, 8, 1, 13
_GTP_DATA, _GTP_HEADER = 255, 8
_VXLAN_HEADER, _VXLAN_HAS_IDENTIFIER = 8, 0x08
_GENEVE_HEADER = 8
_LOWEST_ETHERTYPE = b"\x06\x00"
_AYIYA_HEADER, _AYIYA_FORWARD = 8, 1


def is_ip(data: bytes) -> bool:
    """Whether bytes are one whole IP packet and nothing more."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= _IPV4_HEADER:
        return int.from_bytes(data[2:4]) == len(data)
    if version == 6 and len(data) >= _IPV6_HEADER:
        is_bubble = data[6] == _NO_NEXT_HEADER and data[4:6] == b"\x00\x00"
        return is_bubble or int.from_bytes(data[4:6]) + _IPV6_HEADER == len(data)
    return False


class Teredo(Reader):
    """Teredo: sure once both sides have sent IPv6."""

    service = "teredo"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._is_valid = [False, False]

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram: authentication, origin, IPv6 packet."""
        start = 0
        if data[:2] == b"\x00\x01" and len(data) > 4:
            start = _AUTHENTICATION_LENGTH + data[2] + data[3]
        if data[start : start + 2] == b"\x00\x00":
            start += _ORIGIN_LENGTH
        inner = data[start:]
        if not is_ip(inner) or inner[0] >> 4 != 6:
            self.violate()
            return
        self._is_valid[is_originator] = True
        if all(self._is_valid):
            self.confirm()
            self.finish()


class Gtp(Reader):
    """GTPv1-U: user data with a whole IP packet in it."""

    service = "gtpv1"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if len(data) < _GTP_HEADER or data[0] >> 5 != 1:
            self.violate()
            return
        if data[1] != _GTP_DATA or not data[0] & 0x10:
            return
        start = _GTP_HEADER
        if data[0] & 7:
            kind, start = data[11] if len(data) > 11 else 0, 12
            while kind and start < len(data) and data[start]:
                length = 4 * data[start]
                kind = data[start + length - 1] if start + length <= len(data) else 0
                start += length
        if is_ip(data[start:]):
            self.confirm()
            self.finish()
        else:
            self.violate()


class Vxlan(Reader):
    """VXLAN: the flag that says there is an identifier; and a zero, which Zeek does not ask for."""

    service = "vxlan"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if len(data) < _VXLAN_HEADER or not data[0] & _VXLAN_HAS_IDENTIFIER:
            self.violate()
        elif data[7] == 0:
            self.confirm()
            self.finish()


class Geneve(Reader):
    """Geneve: version 0, room for the options; and, as zeros would do, a type of content."""

    service = "geneve"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if not data or data[0] >> 6:
            return
        if len(data) < _GENEVE_HEADER + 4 * (data[0] & 0x3F):
            self.violate()
        elif data[2:4] >= _LOWEST_ETHERTYPE and data[7] == 0:
            self.confirm()
            self.finish()


class Ayiya(Reader):
    """AYIYA: a packet to forward behind an identity and a signature."""

    service = "ayiya"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        # Zeek keeps the identity's length in one byte.
        identity = (1 << (data[0] >> 4)) & 0xFF if data else 0
        if len(data) < _AYIYA_HEADER or len(data) < _AYIYA_HEADER + identity + 4 * (data[1] >> 4):
            self.violate()
        elif data[2] & 0x0F == _AYIYA_FORWARD:
            self.confirm()
            self.finish()
