"""What two sides say to each other, for readers of protocols; and TLS's first message."""

from __future__ import annotations

from analyzer.parsers.pcap.protocols.findings import Findings
from analyzer.parsers.pcap.protocols.session import Session
from analyzer.parsers.pcap.signatures import (
    TCP_READERS,
    TCP_SIGNATURES,
    UDP_READERS,
    UDP_SIGNATURES,
)

ANY_PORT = 40001
"""A port that no protocol is known for."""


class Conversation:
    """A connection that is told what each side sends.

    Args:
        port: the responder's.
        over_udp: whether these are datagrams.
        is_partial: whether it is seen from its middle.
    """

    def __init__(
        self, port: int = ANY_PORT, *, over_udp: bool = False, is_partial: bool = False
    ) -> None:
        self.findings = Findings(is_unreliable=is_partial, is_partial=is_partial)
        self.session = Session(
            UDP_SIGNATURES if over_udp else TCP_SIGNATURES,
            (UDP_READERS if over_udp else TCP_READERS).get(port, ()),
            findings=self.findings,
            has_datagrams=over_udp,
        )

    def client(self, *data: bytes) -> Conversation:
        """The originator sends."""
        for piece in data:
            self.session.deliver(piece, is_originator=True)
        return self

    def server(self, *data: bytes) -> Conversation:
        """The responder sends."""
        for piece in data:
            self.session.deliver(piece, is_originator=False)
        return self

    def byte_by_byte(self, data: bytes, *, is_originator: bool) -> Conversation:
        """One of them sends, a byte at a time."""
        for byte in data:
            self.session.deliver(bytes([byte]), is_originator=is_originator)
        return self

    @property
    def services(self) -> str:
        """As in conn.log."""
        return ",".join(self.findings.services)


def extension(kind: int, content: bytes) -> bytes:
    """One extension of a ClientHello."""
    return kind.to_bytes(2) + len(content).to_bytes(2) + content


def server_name(name: bytes) -> bytes:
    """The extension that names the server."""
    entry = b"\x00" + len(name).to_bytes(2) + name
    return extension(0, len(entry).to_bytes(2) + entry)


def client_hello(
    name: bytes | None = b"www.example.com", *, version: bytes = b"\x03\x03", padding: int = 0
) -> bytes:
    """A handshake message: a ClientHello of TLS 1.2 or 1.3."""
    extensions = extension(10, b"\x00\x02\x00\x1d")
    if padding:
        extensions += extension(21, bytes(padding))
    if name is not None:
        extensions += server_name(name)
    body = version + bytes(range(32)) + b"\x20" + bytes(32) + b"\x00\x04\x13\x01\x13\x02\x01\x00"
    body += len(extensions).to_bytes(2) + extensions
    return b"\x01" + len(body).to_bytes(3) + body


def record(content: bytes, kind: int = 22) -> bytes:
    """A record of TLS."""
    return bytes([kind]) + b"\x03\x01" + len(content).to_bytes(2) + content


HELLO = record(client_hello())
SERVER_HELLO = record(b"\x02\x00\x00\x46\x03\x03" + bytes(68))
