"""Security tokens for tests: of GSSAPI, NTLM and Kerberos."""

from __future__ import annotations


def tagged(tag: int, content: bytes) -> bytes:
    """An element of ASN.1."""
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    return bytes([tag, 0x82]) + length.to_bytes(2) + content


def kerberos(number: int, *, version: int = 5, said: int | None = None) -> bytes:
    """A message of Kerberos, as far as its first two fields tell."""
    first = 1 if number in (10, 12) else 0
    fields = tagged(0xA0 + first, tagged(2, bytes([version])))
    fields += tagged(0xA1 + first, tagged(2, bytes([number if said is None else said])))
    return tagged(0x60 + number, tagged(0x30, fields + tagged(0xA3, tagged(0x30, bytes(100)))))


def initial(token: bytes | None) -> bytes:
    """What a client begins SPNEGO with; without a token a server does, too."""
    content = tagged(0xA0, tagged(0x30, b"\x06\x03\x2a\x03\x04"))
    if token is not None:
        content += tagged(0xA2, tagged(4, token))
    identifier = b"\x06\x06\x2b\x06\x01\x05\x05\x02"
    return tagged(0x60, identifier + tagged(0xA0, tagged(0x30, content)))


NTLM = b"NTLMSSP\x00\x01\x00\x00\x00" + bytes(20)
CHALLENGE = b"NTLMSSP\x00\x02\x00\x00\x00" + bytes(40)
KERBEROS = kerberos(14)
NEGOTIATE = initial(None)
RESPONSE = tagged(
    0xA1, tagged(0x30, tagged(0xA0, b"\x0a\x01\x01") + tagged(0xA2, tagged(4, CHALLENGE)))
)
