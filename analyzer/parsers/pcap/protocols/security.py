"""Who somebody is: GSSAPI with SPNEGO, NTLM and Kerberos, wherever their tokens are carried.

Sources: RFC 4178, MS-NLMP, RFC 4120, and Zeek's ``protocol/gssapi``, ``protocol/ntlm`` and
``protocol/krb``. What a token holds is confirmed before the token itself, as in Zeek.
"""

# ruff: noqa: ARG002 - not every reader asks which side it reads

from __future__ import annotations

from analyzer.parsers.pcap.protocols import asn1
from analyzer.parsers.pcap.protocols.findings import Findings
from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Reader, StreamReader

NTLM_SIGNATURE = b"NTLMSSP\x00"
_NTLM_HEADER = 12
_SHORTEST_NTLM = {1: 16, 2: 32, 3: 64}
"""Bytes up to the flags of each message: MS-NLMP, section 2.2.1."""

_INITIAL_TOKEN, _RESPONSE_TOKEN = 0x60, 0xA1
_MECH_TOKEN = 0xA2
_SPNEGO = bytes((0x2B, 6, 1, 5, 5, 2))
"""The object identifier 1.3.6.1.5.5.2: RFC 4178, section 3."""
_WRAPPED, _SIGNED = b"\x05\x04", b"\x04\x04"

_KERBEROS_MESSAGES = frozenset((10, 11, 12, 13, 14, 15, 20, 21, 22, 30))
_APPLICATION, _TAG_NUMBER = 0x60, 0x1F
_KERBEROS_VERSION = 5


def read_token(findings: Findings, token: bytes) -> None:
    """Find out what a security token is, in SMB or DCE-RPC, and confirm it.

    Args:
        findings: where services are confirmed.
        token: NTLM's bare message, or GSSAPI's token.
    """
    if not token:
        return
    if token.startswith(NTLM_SIGNATURE):
        _confirm_if(findings, "ntlm", holds=is_ntlm(token))
        return
    if token[:2] in (_WRAPPED, _SIGNED):
        _confirm_if(findings, "gssapi", holds=True)
        return
    outer = asn1.whole(token)
    if outer is None or outer.tag not in (_INITIAL_TOKEN, _RESPONSE_TOKEN):
        _confirm_if(findings, "gssapi", holds=False)
        return
    parts = asn1.children(token, outer)
    if outer.tag == _INITIAL_TOKEN:
        if len(parts) < 2 or token[parts[0].start : parts[0].end] != _SPNEGO:
            _kerberos_token(findings, token, outer)
            return
        parts = asn1.children(token, parts[1])
    if not parts or parts[0].tag != asn1.SEQUENCE:
        _confirm_if(findings, "gssapi", holds=False)
        return
    for part in asn1.children(token, parts[0]):
        held = asn1.whole(token[: part.end], part.start)
        if part.tag == _MECH_TOKEN and held is not None:
            _mechanism(findings, token[held.start : held.end])
    _confirm_if(findings, "gssapi", holds=True)


def _mechanism(findings: Findings, token: bytes) -> None:
    if token.startswith(NTLM_SIGNATURE[:-1]):
        _confirm_if(findings, "ntlm", holds=is_ntlm(token))
        return
    outer = asn1.element(token)
    if outer is not None and outer.tag == _INITIAL_TOKEN:
        _kerberos_token(findings, token, outer)
    elif is_kerberos(token):  # without a wrapping, as DCE-RPC has it
        findings.confirm("krb")


def _kerberos_token(findings: Findings, token: bytes, outer: asn1.Element) -> None:
    """Kerberos in GSSAPI's wrapping: an identifier, two bytes, a message (RFC 4121, 4.1)."""
    identifier = asn1.element(token, outer.start)
    if identifier is not None and identifier.tag == asn1.OBJECT_IDENTIFIER:
        _confirm_if(findings, "krb", holds=is_kerberos(token[identifier.end + 2 :]))


def _confirm_if(findings: Findings, service: str, *, holds: bool) -> None:
    if holds:
        findings.confirm(service)
    elif not findings.is_unreliable:
        findings.violate(service)


def is_ntlm(token: bytes) -> bool:
    """Whether bytes are a message of NTLM."""
    if not token.startswith(NTLM_SIGNATURE) or len(token) < _NTLM_HEADER:
        return False
    return len(token) >= _SHORTEST_NTLM.get(int.from_bytes(token[8:12], "little"), _NTLM_HEADER)


def is_kerberos(message: bytes) -> bool:
    """Whether bytes begin with a message of Kerberos 5 (RFC 4120, section 5).

    The tag says which, and so must the message's second field; the first one is the version, 5.
    """
    outer = asn1.element(message)
    if outer is None or outer.tag & ~_TAG_NUMBER != _APPLICATION:
        return False
    number = outer.tag & _TAG_NUMBER
    fields = asn1.element(message, outer.start)
    if number not in _KERBEROS_MESSAGES or fields is None or fields.tag != asn1.SEQUENCE:
        return False
    values: list[int | None] = []
    position = fields.start
    for _ in range(2):
        field = asn1.whole(message, position)
        if field is None:
            return False
        value = asn1.whole(message[: field.end], field.start)
        values.append(None if value is None else asn1.integer(message, value))
        position = field.end
    return values == [_KERBEROS_VERSION, number]


class Kerberos(Reader):
    """Kerberos over UDP: sure once a message is seen."""

    service = "krb"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read one datagram."""
        if is_kerberos(data):
            self.confirm()
            self.finish()
        else:
            self.violate()


class KerberosTcp(StreamReader):
    """Kerberos over TCP: the length (4 bytes) comes first (RFC 4120, section 7.2.2)."""

    service = "krb_tcp"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the first message."""
        rest = self._with(data, is_originator=is_originator)
        if len(rest) < 4:
            return
        length = int.from_bytes(rest[:4])
        if length > MOST_BUFFERED:
            self.violate()
        elif len(rest) >= 4 + length:
            if is_kerberos(bytes(rest[4 : 4 + length])):
                self.confirm()
                self.finish()
            else:
                self.violate()
