"""Messages of DCE/RPC for tests."""

from __future__ import annotations


def rpc(
    kind: int, content: bytes = b"", *, token: bytes = b"", authentication: int = 10, flags: int = 3
) -> bytes:
    """One message, little-endian."""
    trailer = bytes([authentication, 2, 0, 0]) + bytes(4) + token if token else b""
    length = 16 + len(content) + len(trailer)
    header = bytes([5, 0, kind, flags]) + b"\x10\x00\x00\x00"
    header += length.to_bytes(2, "little") + len(token).to_bytes(2, "little") + b"\x01\x00\x00\x00"
    return header + content + trailer


REQUEST, RESPONSE, BIND, BIND_ACK = 0, 2, 11, 12
