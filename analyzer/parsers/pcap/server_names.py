"""The name of the server that a client asks for: in TLS's ClientHello, in HTTP's Host.

Both come from whoever sent the packets, so nothing is handed on that could not be a host name.
"""

from __future__ import annotations

import re

_HOST = re.compile(
    rb"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*"
    rb"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
_PORT = re.compile(rb":[0-9]{0,5}$")

_SERVER_NAME, _HOST_NAME = 0, 0
_RANDOM = 32


def host_name(text: bytes) -> str | None:
    """A host name as it stood in a packet, in lower case and without a final dot.

    Letters, digits, ``-``, ``_`` and dots, in labels of at most 63 characters, 253 in all (RFC
    1035, section 2.3.4; underscores are not in hosts' names by RFC 952, but in real ones). None for
    anything else, IPv6 addresses in brackets among it.
    """
    lower = text.strip().lower().removesuffix(b".")
    return lower.decode("ascii") if _HOST.fullmatch(lower) else None


def without_port(text: bytes) -> bytes:
    """The host of a Host header, which may be followed by a port (RFC 9110, section 7.2)."""
    return _PORT.sub(b"", text.strip())


def is_client_hello(message: bytes, *, is_datagram: bool = False) -> bool:
    """Whether a handshake message is a ClientHello of SSL 3 to TLS 1.3, or of DTLS.

    It has to hold together as far as Zeek takes it apart (``protocol/ssl/tls-handshake-protocol``):
    the version, the session identifier, an even number of bytes of cipher suites, at least one
    method of compression.

    Args:
        message: type, length (3 bytes) and content.
        is_datagram: whether it is DTLS's, with a cookie after the session identifier.
    """
    return _extensions(message, is_datagram=is_datagram) >= 0


def client_hello_name(message: bytes, *, is_datagram: bool = False) -> bytes:
    """The host name in a ClientHello's server_name extension (RFC 6066, section 3), or nothing.

    Args:
        message: type, length (3 bytes) and content.
        is_datagram: whether it is DTLS's.
    """
    position = _extensions(message, is_datagram=is_datagram)
    if position < 0 or position + 2 > len(message):
        return b""
    end = min(len(message), position + 2 + int.from_bytes(message[position : position + 2]))
    position += 2
    while position + 4 <= end:
        kind = int.from_bytes(message[position : position + 2])
        length = int.from_bytes(message[position + 2 : position + 4])
        position += 4
        if kind == _SERVER_NAME:
            return _first_host(message[position : min(end, position + length)])
        position += length
    return b""


def _first_host(names: bytes) -> bytes:
    position = 2
    while position + 3 <= len(names):
        length = int.from_bytes(names[position + 1 : position + 3])
        if names[position] == _HOST_NAME:
            return names[position + 3 : position + 3 + length]
        position += 3 + length
    return b""


def _extensions(message: bytes, *, is_datagram: bool) -> int:
    """Where a ClientHello's extensions begin (with their length), -1 if it is none."""
    if len(message) < 4 + 2 + _RANDOM + 1:
        return -1
    major, minor = message[4], message[5]
    is_known = (
        major == 0xFE and minor in (0xFF, 0xFD)
        if is_datagram
        else (major, minor) <= (3, 4) and major == 3
    )
    position = 4 + 2 + _RANDOM
    for _ in range(2 if is_datagram else 1):
        if position >= len(message):
            return -1
        position += 1 + message[position]
    ciphers = int.from_bytes(message[position : position + 2])
    position += 2 + ciphers
    if not is_known or ciphers < 2 or ciphers % 2 or position >= len(message):
        return -1
    methods = message[position]
    position += 1 + methods
    return position if methods and position <= len(message) else -1
