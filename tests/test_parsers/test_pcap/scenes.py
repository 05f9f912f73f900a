"""Small scenes of traffic, packet by packet, and the captures they make."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.container import Capture
from analyzer.parsers.pcap.reading import CaptureReader

CLIENT, SERVER, RESOLVER = "10.0.0.5", "192.88.99.80", "10.0.0.53"
START = 1_700_000_000.0

Timed = tuple[float, Packet]


def sent(source: str, destination: str, transport: Packet) -> Packet:
    """An Ethernet frame with an IP datagram."""
    return (
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        / IP(src=source, dst=destination)
        / transport
    )


def web(begin: float, request: bytes, response: bytes, port: int = 80) -> list[Timed]:
    """A TCP connection from CLIENT to SERVER: handshake, request, response, both FINs."""
    scene: list[Timed] = []
    mine, theirs = 1000, 9000

    def packet(after: float, flags: str, payload: bytes = b"", *, client: bool = True) -> None:
        nonlocal mine, theirs
        ends = (CLIENT, SERVER) if client else (SERVER, CLIENT)
        ports = (40_000, port) if client else (port, 40_000)
        numbers = (mine, theirs) if client else (theirs, mine)
        transport = TCP(
            sport=ports[0], dport=ports[1], flags=flags, seq=numbers[0],
            ack=numbers[1] if "A" in flags else 0,
        )  # fmt: skip
        scene.append((begin + after, sent(*ends, transport / payload)))
        size = len(payload) + ("S" in flags) + ("F" in flags)
        if client:
            mine += size
        else:
            theirs += size

    packet(0.00, "S")
    packet(0.01, "SA", client=False)
    packet(0.02, "A")
    packet(0.03, "PA", request)
    packet(0.05, "PA", response, client=False)
    packet(0.06, "FA")
    packet(0.07, "FA", client=False)
    packet(0.08, "A")
    return scene


def lookup(begin: float, name: str, address: str, number: int = 7) -> list[Timed]:
    """A DNS query over UDP and its answer."""
    query = DNS(id=number, rd=1, qd=DNSQR(qname=name))
    answer = DNS(
        id=number,
        qr=1,
        rd=1,
        ra=1,
        qd=DNSQR(qname=name),
        an=DNSRR(rrname=name, ttl=60, rdata=address),
    )
    return [
        (begin, sent(CLIENT, RESOLVER, UDP(sport=5353 + number, dport=53) / query)),
        (begin + 0.004, sent(RESOLVER, CLIENT, UDP(sport=53, dport=5353 + number) / answer)),
    ]


def ping(begin: float) -> list[Timed]:
    """An ICMP echo request and its reply."""
    return [
        (begin, sent(CLIENT, SERVER, ICMP(type=8) / b"12345678")),
        (begin + 0.02, sent(SERVER, CLIENT, ICMP(type=0) / b"12345678")),
    ]


def client_hello(name: str) -> bytes:
    """A TLS record with a ClientHello that asks for a server by name (RFC 8446, 6066)."""
    host = name.encode()
    entry = b"\0" + struct.pack(">H", len(host)) + host
    extension = struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0"
    body += struct.pack(">H", len(extension)) + extension
    shake = b"\x01" + len(body).to_bytes(3) + body
    return b"\x16\x03\x01" + struct.pack(">H", len(shake)) + shake


def capture(scene: Iterable[Timed]) -> bytes:
    """A classic pcap file of what happens, in order of time."""
    data = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]
    for time, packet in sorted(scene, key=lambda timed: timed[0]):
        content = bytes(packet)
        seconds = int(time)
        micros = round((time - seconds) * 1e6)
        data += [struct.pack("<IIII", seconds, micros, len(content), len(content)), content]
    return b"".join(data)


def written(path: Path, scene: Iterable[Timed]) -> Path:
    """A capture in a file."""
    path.write_bytes(capture(scene))
    return path


def records(*captures: bytes) -> dict[str, list[dict[str, object]]]:
    """What a reader makes of captures, by log, in order of time."""
    reader = CaptureReader(
        [Capture(str(k), ByteStream(io.BytesIO(data))) for k, data in enumerate(captures)]
    )
    found: dict[str, list[dict[str, object]]] = {"conn": [], "dns": [], "server_names": []}
    for rows in reader:
        for log in found:
            found[log] += getattr(rows, log).to_pylist()
    for log in ("conn", "dns"):
        found[log].sort(key=lambda row: (row["ts"], row["orig_p"]))
    return found


def only(rows: Sequence[dict[str, object]], *names: str) -> list[tuple[object, ...]]:
    """Some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]
