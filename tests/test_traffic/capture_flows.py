"""Sample captures as scapy reads them: packets, TCP connections, lookups."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scapy.layers.dns import DNS
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet
from scapy.utils import PcapReader

SHIPPED = Path(__file__).parents[2] / "sample_pcaps"
FIN, SYN, RST, ACK = 1, 2, 4, 16


class Segment(NamedTuple):
    """A TCP segment; `length` is that of its payload, which may not all have been captured."""

    by_client: bool
    flags: int
    sequence: int
    acknowledged: int
    length: int
    payload: bytes


@dataclass
class Flow:
    """A TCP connection as a capture has it."""

    client: str
    server: str
    port: int
    begin: float
    segments: list[Segment] = field(default_factory=list)

    @property
    def state(self) -> str:
        """What became of it, in Zeek's words for the few cases there are."""
        answers = [segment.flags for segment in self.segments if not segment.by_client]
        if not answers:
            return "S0"
        if not answers[0] & SYN:
            return "REJ"
        if any(segment.flags & RST for segment in self.segments):
            return "RSTO"
        return "SF" if sum(bool(segment.flags & FIN) for segment in self.segments) == 2 else "S1"

    def size(self, *, by_client: bool) -> int:
        """Payload bytes sent, each counted once."""
        lengths = {s.sequence: s.length for s in self.segments if s.by_client == by_client}
        return sum(lengths.values())


@cache
def packets(name: str) -> list[Packet]:
    with PcapReader(str(SHIPPED / f"{name}.pcap")) as reader:
        return list(reader)


@cache
def flows(name: str) -> list[Flow]:
    found: dict[tuple[str, int, str, int], Flow] = {}
    for packet in packets(name):
        if TCP not in packet:
            continue
        ip = packet[IP] if IP in packet else packet[IPv6]
        tcp = packet[TCP]
        flags = int(tcp.flags)
        forth, back = (ip.src, tcp.sport, ip.dst, tcp.dport), (ip.dst, tcp.dport, ip.src, tcp.sport)
        if flags & (SYN | ACK) == SYN and forth not in found:
            found[forth] = Flow(ip.src, ip.dst, tcp.dport, float(packet.time))
        by_client = forth in found
        flow = found[forth if by_client else back]
        length = (ip.len - 20 if IP in packet else ip.plen) - 4 * tcp.dataofs
        payload = bytes(tcp.payload)[:length]
        flow.segments.append(Segment(by_client, flags, tcp.seq, tcp.ack, length, payload))
    return list(found.values())


@cache
def lookups(name: str) -> list[tuple[str, str, int, int, int]]:
    """Client, name, type, response code and number of answers of every lookup."""
    return [
        (
            packet[IP].dst,
            packet[DNS].qd[0].qname.decode().rstrip("."),
            packet[DNS].qd[0].qtype,
            packet[DNS].rcode,
            packet[DNS].ancount,
        )
        for packet in packets(name)
        if DNS in packet and packet[DNS].qr
    ]


def server_name(hello: bytes) -> str:
    """The name in a ClientHello of ours: the first extension, with 9 bytes before the name."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at] + 2
    size = int.from_bytes(hello[at + 7 : at + 9], "big")
    return hello[at + 9 : at + 9 + size].decode()


def hellos(some: list[Flow]) -> list[str]:
    """The server names of connections whose first payload is a TLS handshake."""
    payloads = [next((s.payload for s in flow.segments if s.length), b"") for flow in some]
    return [server_name(payload) for payload in payloads if payload[:1] == b"\x16"]
