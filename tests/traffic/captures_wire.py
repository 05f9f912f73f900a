"""Frames as a sensor beside the office's switch sees them, and the files it keeps them in."""

from __future__ import annotations

import ipaddress
import struct
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from scapy.utils import RawPcapWriter

ETHERNET = 1
"""LINKTYPE number."""
WHOLE = 262144
"""The snap length of a sensor that keeps packets whole."""
TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_DO_NOT_FRAGMENT = 0x4000
_GATEWAY, _EVERYBODY = bytes.fromhex("02005e140001"), b"\xff" * 6
_SHORTEST_FRAME = 60
_FIRST_PORT = 49152


@dataclass(frozen=True)
class Host:
    """One end of a conversation.

    `hops` is how many routers its packets have passed when the sensor sees them; what has passed
    any has come through the office's gateway and bears its hardware address. Windows starts with a
    time to live of 128, most others with 64.
    """

    address: str
    hops: int = 0
    time_to_live: int = 64

    @cached_property
    def packed(self) -> bytes:
        """The address as it stands in packets."""
        return ipaddress.ip_address(self.address).packed

    @cached_property
    def hardware(self) -> bytes:
        """The Ethernet address of its frames, locally administered unless for a group."""
        if ipaddress.ip_address(self.address).is_multicast:
            return b"\x01\x00\x5e" + bytes([self.packed[-3] & 0x7F]) + self.packed[-2:]
        return _GATEWAY if self.hops else b"\x02\x00" + self.packed[-4:]


class _Packet(NamedTuple):
    """What becomes a frame: when, of whom, for whom, and the IP protocol, None for ARP."""

    microseconds: int
    source: Host
    destination: Host
    protocol: int | None
    payload: bytes


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071): the complement of the sum of 16-bit words."""
    number = int.from_bytes(data + bytes(len(data) % 2), "big")
    # 65536 is 1 modulo 65535, so the number has the same remainder as the sum of its words.
    total = number % 0xFFFF or (0xFFFF if number else 0)
    return 0xFFFF ^ total


class Wire:
    """Gathers packets in any order and writes them in order of time."""

    def __init__(self) -> None:
        self._packets: list[_Packet] = []
        self._used_ports: defaultdict[str, int] = defaultdict(int)

    def ephemeral_port(self, host: Host) -> int:
        """The port from which `host` connects next; none comes twice."""
        self._used_ports[host.address] += 1
        return _FIRST_PORT + host.packed[-1] * 16 + self._used_ports[host.address]

    def tcp(
        self,
        time: float,
        source: Host,
        destination: Host,
        ports: tuple[int, int],
        numbers: tuple[int, int],
        *,
        flags: int,
        payload: bytes = b"",
        window: int = 1026,
        options: bytes = b"",
    ) -> None:
        """Put a segment down; `numbers` are its sequence and its acknowledgement number."""
        size = (20 + len(options)) // 4 << 12
        sequence, acknowledged = (number % 2**32 for number in numbers)
        fields = (*ports, sequence, acknowledged, size | flags, window, 0, 0)
        segment = struct.pack("!HHIIHHHH", *fields) + options + payload
        self._put(time, source, destination, TCP, _summed(source, destination, TCP, segment, 16))

    def udp(
        self, time: float, source: Host, destination: Host, ports: tuple[int, int], payload: bytes
    ) -> None:
        """Put a datagram down."""
        datagram = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
        self._put(time, source, destination, UDP, _summed(source, destination, UDP, datagram, 6))

    def arp(self, time: float, asker: Host, asked: Host, wait: float) -> None:
        """Put down the question who has an address of the office's, and the answer."""
        known = asker.hardware + asker.packed
        head = struct.pack("!HHBB", 1, _IPV4, 6, 4)
        question = head + b"\x00\x01" + known + bytes(6) + asked.packed
        answer = head + b"\x00\x02" + asked.hardware + asked.packed + known
        self._put(time, asker, asked, None, question)
        self._put(time + wait, asked, asker, None, answer)

    def write(self, file: Path, snap: int = WHOLE) -> None:
        """Write a pcap file, no packet of it longer than `snap` bytes."""
        identifiers: defaultdict[str, int] = defaultdict(int)
        with RawPcapWriter(str(file), linktype=ETHERNET, endianness="<", snaplen=snap) as writer:
            writer.write_header(None)
            for packet in sorted(self._packets, key=lambda packet: packet.microseconds):
                identifiers[packet.source.address] += 1
                frame = _frame(packet, identifiers[packet.source.address])
                seconds, rest = divmod(packet.microseconds, 10**6)
                kept = frame[:snap]
                writer.write_packet(
                    kept, sec=seconds, usec=rest, caplen=len(kept), wirelen=len(frame)
                )

    def _put(
        self, time: float, source: Host, destination: Host, protocol: int | None, payload: bytes
    ) -> None:
        self._packets.append(_Packet(round(time * 1e6), source, destination, protocol, payload))


def _summed(source: Host, destination: Host, protocol: int, payload: bytes, place: int) -> bytes:
    """The payload with its checksum in its place; an IPv4 and an IPv6 pseudo header sum alike."""
    pseudo = source.packed + destination.packed + struct.pack("!HH", protocol, len(payload))
    # A sum of zero means that there is none, as far as UDP goes.
    total = checksum(pseudo + payload) or 0xFFFF
    return payload[:place] + struct.pack("!H", total) + payload[place + 2 :]


def _frame(packet: _Packet, identifier: int) -> bytes:
    source, destination = packet.source, packet.destination
    hardware = destination.hardware + source.hardware
    if packet.protocol is None:
        asking = packet.payload[7] == 1
        hardware = (_EVERYBODY if asking else destination.hardware) + source.hardware
        frame = hardware + struct.pack("!H", _ARP) + packet.payload
        return frame.ljust(_SHORTEST_FRAME, b"\0")
    addresses = source.packed + destination.packed
    left = source.time_to_live - source.hops
    if len(source.packed) > 4:
        fields = (6 << 28, len(packet.payload), packet.protocol, left)
        header = struct.pack("!HIHBB", _IPV6, *fields) + addresses
    else:
        length = 20 + len(packet.payload)
        first = struct.pack("!BBHHH", 0x45, 0, length, identifier % 2**16, _DO_NOT_FRAGMENT)
        first += struct.pack("!BB", left, packet.protocol)
        total = struct.pack("!H", checksum(first + addresses))
        header = struct.pack("!H", _IPV4) + first + total + addresses
    return (hardware + header + packet.payload).ljust(_SHORTEST_FRAME, b"\0")
