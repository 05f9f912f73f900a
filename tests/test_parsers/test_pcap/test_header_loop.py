"""IP and transport headers: exact values, and what Zeek makes of broken and cut ones."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_Timestamp
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

from analyzer.parsers.pcap.decoding_state import UNCOUNTED
from analyzer.parsers.pcap.header_loop import find_datagrams
from analyzer.parsers.pcap.headers import HeaderDecoder
from tests.test_parsers.test_pcap.packet_batches import ETHERNET, RAW, Row, batch, decoded, skipped

A, B = "10.1.2.3", "192.0.2.255"
A6, B6 = "2001:db8:1:2:3:4:5:6", "fe80::ffff:ffff:ffff:ffff"
V4, V6 = IP(src=A, dst=B), IPv6(src=A6, dst=B6)


def row(protocol: int, ports: tuple[int, int], ip_length: int, payload: bytes) -> Row:
    return Row(A, B, protocol, *ports, ip_length, payload, len(payload), -1, 0)


def field(packet: Packet, offset: int, value: bytes) -> bytes:
    """A packet with some bytes replaced."""
    content = bytearray(bytes(packet))
    content[offset : offset + len(value)] = value
    return bytes(content)


def test_tcp() -> None:
    options = [("MSS", 1460), ("WScale", 7), ("NOP", None)]
    segment = TCP(
        sport=65535,
        dport=1,
        seq=4294967295,
        ack=2147483648,
        flags="SA",
        window=65535,
        options=options,
    )
    assert decoded(V4 / segment / Raw(b"data"), link=RAW) == [row(6, (65535, 1), 52, b"data")]
    segments = HeaderDecoder().decode(batch(V4 / segment, V6 / segment, link=RAW, times=[1.5, 2.5]))
    assert segments.sequences.tolist() == [4294967295] * 2
    assert segments.acknowledgements.tolist() == [2147483648] * 2
    assert segments.tcp_flags.tolist() == [18] * 2
    assert segments.windows.tolist() == [65535] * 2
    assert segments.times.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("letter", "value"), list(zip("FSRPAUEC", (1, 2, 4, 8, 16, 32, 64, 128), strict=True))
)
def test_tcp_flags(letter: str, value: int) -> None:
    segments = HeaderDecoder().decode(batch(V4 / TCP(flags=letter), link=RAW))
    assert segments.tcp_flags.tolist() == [value]


def test_addresses_of_ipv6() -> None:
    (found,) = decoded(V6 / UDP(sport=1, dport=2) / Raw(b"data"), link=RAW)
    assert found == Row(A6, B6, 17, 1, 2, 52, b"data", 4, -1, 0)


def test_addresses_are_128_bits() -> None:
    segments = HeaderDecoder().decode(batch(V4 / UDP(), V6 / UDP(), link=RAW))
    assert segments.source_high.tolist() == [0, 0x20010DB800010002]
    assert segments.source_low.tolist() == [0xFFFF0A010203, 0x0003000400050006]
    assert segments.destination_high.tolist() == [0, 0xFE80000000000000]
    assert segments.destination_low.tolist() == [0xFFFFC00002FF, 0xFFFFFFFFFFFFFFFF]


def test_icmp() -> None:
    """Type and code as ports; the payload is what follows eight bytes."""
    unreachable = V4 / ICMP(type=3, code=1) / Raw(b"context")
    assert decoded(unreachable, link=RAW) == [row(1, (3, 1), 35, b"context")]
    (found,) = decoded(V6 / ICMPv6EchoRequest(data=b"ping"), link=RAW)
    assert found == Row(A6, B6, 58, 128, 0, 52, b"ping", 4, -1, 0)


@pytest.mark.parametrize("protocol", [2, 50, 51, 89, 132, 253, 255])
def test_other_protocols_have_no_ports(protocol: int) -> None:
    packet = IP(src=A, dst=B, proto=protocol) / Raw(b"abc")
    assert decoded(packet, link=RAW) == [row(protocol, (0, 0), 23, b"abc")]
    assert decoded(IP(src=A, dst=B, proto=protocol), link=RAW) == [row(protocol, (0, 0), 20, b"")]


def test_sctp_has_no_ports() -> None:
    """Not for Zeek, which puts all of it between two hosts into one connection."""
    (found,) = decoded(V4 / SCTP(sport=1, dport=2), link=RAW)
    assert found[2:6] == (132, 0, 0, 32)


def test_options() -> None:
    packet = IP(src=A, dst=B, options=[IPOption_NOP(), IPOption_Timestamp()])
    assert decoded(packet / UDP(sport=1, dport=2) / Raw(b"data"), link=RAW) == [
        row(17, (1, 2), 20 + 16 + 12, b"data")
    ]


def test_padding_is_not_payload() -> None:
    frame = bytes(12) + b"\x08\0" + bytes(V4 / UDP(sport=1, dport=2) / Raw(b"data"))
    assert decoded(frame + bytes(14)) == [row(17, (1, 2), 32, b"data")]


def test_padding_is_payload_where_ip_has_none() -> None:
    """Zeek takes a payload of no length for one whose length the network card was to fill in."""
    frame = bytes(12) + b"\x08\0" + bytes(IP(src=A, dst=B, proto=17))
    assert decoded(frame + bytes(UDP(sport=1, dport=2)) + b"data") == [row(17, (1, 2), 20, b"data")]


def test_segmentation_offloading_leaves_the_length_to_the_card() -> None:
    packet = IP(src=A, dst=B, len=0) / TCP(sport=1, dport=2) / Raw(b"data")
    assert decoded(packet, link=RAW) == [row(6, (1, 2), 0, b"data")]
    ipv6 = IPv6(src=A6, dst=B6, plen=0) / TCP(sport=1, dport=2) / Raw(b"data")
    assert decoded(ipv6, link=RAW) == [Row(A6, B6, 6, 1, 2, 40, b"data", 4, -1, 0)]


def test_lengths_of_udp_are_ips() -> None:
    packet = V4 / UDP(sport=1, dport=2, len=9) / Raw(b"data")
    assert decoded(packet, link=RAW) == [row(17, (1, 2), 32, b"data")]


@pytest.mark.parametrize("size", range(41))
def test_tcp_cut_by_the_snap_length(size: int) -> None:
    packet = bytes(V4 / TCP(sport=1, dport=2, options=[("NOP", None)] * 4) / Raw(b"data"))
    cut, missing = packet[:size], len(packet) - size
    if size < 40:
        assert skipped(cut, link=RAW, missing=missing) == {"truncated": 1}
    else:
        found = row(6, (1, 2), UNCOUNTED, b"")._replace(payload_length=8)
        assert decoded(cut, link=RAW, missing=missing) == [found]


def test_what_was_not_captured_is_payload_by_the_header() -> None:
    packet = bytes(V4 / TCP(sport=1, dport=2) / Raw(b"data" * 100))
    (found,) = decoded(packet[:42], link=RAW, missing=len(packet) - 42)
    assert found == row(6, (1, 2), 440, b"da")._replace(payload_length=400)


@pytest.mark.parametrize("offset", [0, 4, 6, 15])
def test_tcp_with_an_impossible_offset_counts_nothing(offset: int) -> None:
    """Less than the header has to have, or more than there is."""
    packet = V4 / TCP(sport=1, dport=2, flags="S", dataofs=offset)
    segments = HeaderDecoder().decode(batch(packet, link=RAW))
    assert segments.ip_lengths.tolist() == [UNCOUNTED]
    assert segments.tcp_flags.tolist() == [2]
    assert segments.destination_ports.tolist() == [2]
    assert segments.payload_captured.tolist() == [0]


BROKEN = {
    "header of 16 bytes": (field(V4 / UDP(), 0, b"\x44"), "broken header"),
    "header longer than the datagram": (field(V4 / UDP(), 0, b"\x4f"), "broken header"),
    "length shorter than the header": (field(V4 / UDP(), 2, b"\0\x13"), "broken header"),
    "UDP of seven bytes": (field(V4 / UDP(), 2, b"\0\x1b"), "broken header"),
    "TCP of 19 bytes": (field(V4 / TCP(), 2, b"\0\x27"), "broken header"),
    "longer than on the wire": (field(V4 / UDP(), 2, b"\0\x1d"), "truncated"),
    "length 0 and no ports": (bytes(IP(len=0, proto=17)) + b"1234567", "truncated"),
    "version 5": (field(V4 / UDP(), 0, b"\x55"), "not IP"),
    "version 0": (bytes(40), "not IP"),
    "too short for IPv6": (bytes(V6)[:39], "truncated"),
    "no next header": (bytes(IPv6(nh=59)), "no transport"),
    "no next header in IPv4": (bytes(IP(proto=59) / Raw(b"x")), "no transport"),
    "IPv6 encrypted": (bytes(IPv6(nh=50) / Raw(bytes(30))), "encrypted"),
    "mobility": (bytes(IPv6(nh=135) / Raw(b"\x3b\0" + bytes(6))), "no transport"),
    "half a hop-by-hop header": (bytes(IPv6(nh=0) / Raw(b"\x11\1" + bytes(6))), None),
    "later fragment not all there": (bytes(IP(frag=2, len=100, proto=17) / Raw(b"x")), "truncated"),
    "nothing": (b"", "truncated"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    packet, reason = BROKEN[name]
    missing = 80 if "not all there" in name else 0
    if reason:
        assert skipped(packet, link=RAW, missing=missing) == {reason: 1}
    else:
        assert [found.protocol for found in decoded(packet, link=RAW)] == [0]


def test_the_first_fragment_counts_if_it_was_not_all_captured() -> None:
    packet = bytes(IP(src=A, dst=B, flags="MF", len=100) / UDP(sport=1, dport=2) / Raw(b"x"))
    found = row(17, (1, 2), 100, b"x")._replace(payload_length=72)
    assert decoded(packet, link=RAW, missing=71) == [found]


def test_one_compiled_function_for_all() -> None:
    """A second one would have to be compiled, however the arrays of a batch came about."""
    packets = batch(V4 / UDP(), IP(flags="MF") / UDP() / Raw(b"x" * 8), link=RAW)
    packets.data.flags.writeable = False
    assert HeaderDecoder().decode(packets).data.flags.writeable is False
    HeaderDecoder().decode(batch(bytes(12) + struct.pack("!H", 0x800), link=ETHERNET))
    HeaderDecoder().decode(
        batch(IP(id=1) / UDP(), IP(flags="MF") / UDP() / Raw(b"x" * 8), link=RAW)
    )
    assert len(find_datagrams.signatures) == 1  # type: ignore[attr-defined]  # numba's


def test_nothing_is_written_beyond_the_rows() -> None:
    segments = HeaderDecoder().decode(batch(*[bytes(V4 / UDP())] * 1000, link=RAW))
    assert np.array_equal(segments.payload_starts, np.arange(28, 28001, 28))
