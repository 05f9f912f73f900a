"""What is said on connections: TLS, HTTP, SSH, SMB and the like, as far as a sensor reads it."""

from __future__ import annotations

import struct

import numpy as np

_CHANGE_CIPHER, _HANDSHAKE, _APPLICATION = 20, 22, 23
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_AES_128_GCM = 0x1301
_CIPHERS = (0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
_SIGNATURES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501)
_X25519 = 0x001D


def _sized(data: bytes, size: str = "H") -> bytes:
    """The data behind its length, as TLS and SSH write vectors."""
    if size == "3":
        return len(data).to_bytes(3, "big") + data
    return struct.pack("!" + size, len(data)) + data


def _extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!H", kind) + _sized(data)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("!BH", kind, 0x0303) + _sized(data)


def encrypted(rng: np.random.Generator, size: int) -> bytes:
    """A TLS record of application data with `size` bytes in it."""
    return _record(_APPLICATION, rng.bytes(size))


def client_hello(rng: np.random.Generator, name: str) -> bytes:
    """A TLS 1.3 ClientHello (RFC 8446, 4.1.2) that asks for the server `name`."""
    extensions = b"".join(
        [
            _extension(0, _sized(b"\0" + _sized(name.encode()))),
            _extension(10, _sized(struct.pack("!HH", _X25519, 0x0017))),
            _extension(13, _sized(struct.pack("!6H", *_SIGNATURES))),
            _extension(16, _sized(_sized(b"h2", "B") + _sized(b"http/1.1", "B"))),
            _extension(43, _sized(struct.pack("!HH", 0x0304, 0x0303), "B")),
            _extension(51, _sized(struct.pack("!H", _X25519) + _sized(rng.bytes(32)))),
        ]
    )
    ciphers = _sized(struct.pack(f"!{len(_CIPHERS)}H", *_CIPHERS))
    start = b"\x03\x03" + rng.bytes(32) + _sized(rng.bytes(32), "B")
    body = start + ciphers + b"\x01\0" + _sized(extensions)
    return _record(_HANDSHAKE, bytes([_CLIENT_HELLO]) + _sized(body, "3"))


def server_hello(rng: np.random.Generator, hello: bytes, certificate: int = 900) -> bytes:
    """A server's answer to a ClientHello, its certificate of so many bytes encrypted."""
    key = struct.pack("!H", _X25519) + _sized(rng.bytes(32))
    extensions = _extension(43, b"\x03\x04") + _extension(51, key)
    # The session's identifier stands behind version and random, in both.
    session = hello[43:76]
    body = b"\x03\x03" + rng.bytes(32) + session + struct.pack("!HB", _AES_128_GCM, 0)
    answer = _record(_HANDSHAKE, bytes([_SERVER_HELLO]) + _sized(body + _sized(extensions), "3"))
    return answer + _record(_CHANGE_CIPHER, b"\x01") + encrypted(rng, certificate)


def client_finished(rng: np.random.Generator) -> bytes:
    """The end of a client's part in a TLS 1.3 handshake."""
    return _record(_CHANGE_CIPHER, b"\x01") + encrypted(rng, 53)


def http_request(method: str, host: str, target: str, body: bytes = b"", agent: str = "") -> bytes:
    """An HTTP/1.1 request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Accept: */*"]
    if agent:
        lines.append(f"User-Agent: {agent}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def http_answer(body: bytes, kind: str = "text/html", status: str = "200 OK") -> bytes:
    """An HTTP/1.1 response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def page(rng: np.random.Generator, size: int) -> bytes:
    """Something that is a web page as far as its look goes, of about `size` bytes."""
    words = " ".join(str(number) for number in rng.integers(0, 10**6, max(size // 7, 1)))
    return f"<!doctype html><title>Larkfield</title><p>{words}</p>\n".encode()


def ssh_banner(software: str) -> bytes:
    """The line either side begins with (RFC 4253, 4.2)."""
    return f"SSH-2.0-{software}\r\n".encode()


def ssh_packet(rng: np.random.Generator, kind: int, payload: bytes) -> bytes:
    """An SSH message that is not encrypted yet (RFC 4253, 6)."""
    padding = 4 + -(len(payload) + 10) % 8
    return _sized(bytes([padding, kind]) + payload + rng.bytes(padding), "I")


def ssh_algorithms(rng: np.random.Generator) -> bytes:
    """The message in which either side names what it can do (RFC 4253, 7.1)."""
    ciphers, codes = "aes128-ctr,aes256-ctr", "hmac-sha2-256,hmac-sha1"
    exchanges, keys = "curve25519-sha256,ecdh-sha2-nistp256", "ssh-ed25519,rsa-sha2-256"
    names = (exchanges, keys, ciphers, ciphers, codes, codes, "none", "none", "", "")
    lists = b"".join(_sized(text.encode(), "I") for text in names)
    return ssh_packet(rng, 20, rng.bytes(16) + lists + bytes(5))


def smb(rng: np.random.Generator, command: int, size: int, *, answer: bool, message: int) -> bytes:
    """An SMB 2 message ([MS-SMB2] 2.2.1) with `size` bytes behind its header, in its session."""
    fields = (64, 1, 0, command, 1, int(answer), 0, message, 0xFEFF, 1, 0)
    header = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ", *fields) + bytes(16)
    body = rng.bytes(size)
    if command == 0:
        # The dialects 2.1 and 3.0, or the one of them that was chosen.
        body = struct.pack("<HHHHI", 36, 2, 1, 0, 0) + rng.bytes(16) + bytes(8)
        body += struct.pack("<HH", 0x0210, 0x0300)
        if answer:
            body = struct.pack("<HHHH", 65, 1, 0x0300, 0) + rng.bytes(16) + bytes(32)
            body += struct.pack("<HHI", 128, 0, 0)
    return b"\0" + _sized(header + body, "3")


def rpc_bind(*, answer: bool) -> bytes:
    """A bind, or its acknowledgement, to the endpoint mapper (DCE 1.1 RPC, 12.6.4)."""
    endpoint_mapper = bytes.fromhex("0883afe11f5dc91191a408002b14a0fa") + struct.pack("<HH", 3, 0)
    transfer = bytes.fromhex("045d888aeb1cc9119fe808002b104860") + struct.pack("<I", 2)
    body = struct.pack("<HHIIHH", 5840, 5840, 0, 1, 0, 1) + endpoint_mapper + transfer
    if answer:
        body = struct.pack("<HHI", 5840, 5840, 1) + struct.pack("<H", 4) + b"135\0" + bytes(2)
        body += struct.pack("<IHH", 1, 0, 0) + transfer
    kind = 12 if answer else 11
    return struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, 16 + len(body), 0, 1) + body


def rpc_call(rng: np.random.Generator, size: int, *, answer: bool) -> bytes:
    """A call, or its result, with `size` bytes of arguments."""
    body = struct.pack("<IHH", size, 0, 0 if answer else 3) + rng.bytes(size)
    kind = 2 if answer else 0
    return struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, 16 + len(body), 0, 2) + body


def rdp_request(user: str) -> bytes:
    """An X.224 connection request with the user's cookie ([MS-RDPBCGR] 2.2.1.1)."""
    cookie = f"Cookie: mstshash={user}\r\n".encode() + struct.pack("<BBHI", 1, 0, 8, 3)
    body = bytes([6 + len(cookie), 0xE0, 0, 0, 0, 0, 0]) + cookie
    return struct.pack("!BBH", 3, 0, 4 + len(body)) + body


def rdp_answer() -> bytes:
    """An X.224 connection confirm that chooses TLS ([MS-RDPBCGR] 2.2.1.2)."""
    body = bytes([14, 0xD0, 0, 0, 0x12, 0x34, 0]) + struct.pack("<BBHI", 2, 0, 8, 1)
    return struct.pack("!BBH", 3, 0, 4 + len(body)) + body


def ntp(mode: int, time: float) -> bytes:
    """An NTP message (RFC 5905, 7.3), of a client if `mode` is 3, of a server if it is 4."""
    seconds = int(time) + 2_208_988_800
    fraction = int(time % 1.0 * 2**32)
    start = bytes([4 << 3 | mode, 0 if mode == 3 else 2, 6, 0xEC])
    stamps = struct.pack("!II", seconds, fraction)
    return start + bytes(12) + (bytes(24) if mode == 3 else stamps * 3) + stamps
