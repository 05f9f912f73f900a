"""Every tunnel that Zeek opens: the outer row, then the inner one with its carrier."""

from __future__ import annotations

import struct

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from analyzer.parsers.pcap.decoding_state import TOO_DEEP_FLAG
from analyzer.parsers.pcap.headers import HeaderDecoder
from analyzer.parsers.pcap.tunnel_entries import AYIYA, TEREDO
from analyzer.parsers.pcap.tunnels import detect
from tests.test_parsers.test_pcap.packet_batches import (
    RAW,
    Row,
    batch,
    decoded,
    rows,
    skipped,
)

INNER = IP(src="1.1.1.1", dst="2.2.2.2") / UDP(sport=5000, dport=6000) / Raw(b"data")
INNER_6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=5000, dport=6000) / Raw(b"data")
FRAME = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
OUTER = IP(src="10.0.0.1", dst="10.0.0.2")

ROW = Row("1.1.1.1", "2.2.2.2", 17, 5000, 6000, 32, b"data", 4, 0, 0)
ROW_6 = Row("2001:db8::1", "2001:db8::2", 17, 5000, 6000, 52, b"data", 4, 0, 0)


def over_ip(header: bytes, inner: Packet, protocol: int = 47) -> Packet:
    return IP(src="10.0.0.1", dst="10.0.0.2", proto=protocol) / Raw(header + bytes(inner))


def erspan_3(options: int) -> bytes:
    return struct.pack("!HHI", 0x2000, 0, 0) + bytes(3) + bytes([options]) + bytes(8 * options)


def pptp(protocol: int) -> bytes:
    """Enhanced GRE with key, sequence number and acknowledgement, and PPP's header."""
    return struct.pack("!HHIII", 0x3081, 0x880B, 0, 1, 2) + struct.pack("!HH", 0xFF03, protocol)


GRE_HEADERS = {
    "plain": struct.pack("!HH", 0, 0x800),
    "checksum": struct.pack("!HHI", 0x8000, 0x800, 0),
    "key and number": struct.pack("!HHII", 0x3000, 0x800, 1, 2),
    "all": struct.pack("!HHIII", 0xB000, 0x800, 0, 1, 2),
    "acknowledged": struct.pack("!HHI", 0x0080, 0x800, 1),
    "bridged": struct.pack("!HH", 0, 0x6558) + bytes(FRAME / Raw(b""))[:12] + b"\x08\0",
    "ERSPAN I": struct.pack("!HH", 0, 0x88BE) + bytes(12) + b"\x08\0",
    "ERSPAN II": struct.pack("!HHI", 0x1000, 0x88BE, 1) + bytes(8) + bytes(12) + b"\x08\0",
    "ERSPAN III": struct.pack("!HHI", 0x1000, 0x22EB, 1) + erspan_3(0) + bytes(12) + b"\x08\0",
    "ERSPAN III, more": struct.pack("!HHI", 0x1000, 0x22EB, 1)
    + erspan_3(1)
    + bytes(12)
    + b"\x08\0",
    "PPTP": pptp(0x21),
    "any other": struct.pack("!HH", 0, 0x1234),
    "Aruba": struct.pack("!HH", 0, 0x9000) + b"\x08" + bytes(23) + b"\xaa\xaa\3\0\0\0\x08\0",
    "Aruba, numbered": struct.pack("!HH", 0, 0x8250)
    + b"\x08"
    + bytes(23)
    + b"\xaa\xaa\3\0\0\0\x08\0",
}


@pytest.mark.parametrize("header", GRE_HEADERS.values(), ids=GRE_HEADERS.keys())
def test_gre(header: bytes) -> None:
    packet = over_ip(header, INNER)
    payload = bytes(packet)[20:]
    outer = Row("10.0.0.1", "10.0.0.2", 47, 0, 0, len(packet), payload, len(payload), -1, 1)
    assert decoded(packet, link=RAW) == [outer, ROW]


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("!HH", 0, 0x86DD),
        pptp(0x57),
        struct.pack("!HH", 0, 0x6558) + bytes(12) + b"\x86\xdd",
    ],
    ids=["plain", "PPTP", "bridged"],
)
def test_ipv6_in_gre(header: bytes) -> None:
    assert decoded(over_ip(header, INNER_6), link=RAW)[1:] == [ROW_6]


BROKEN_GRE = {
    "version": struct.pack("!HH", 2, 0x800),
    "routing": struct.pack("!HHI", 0x4000, 0x800, 0),
    "reserved": struct.pack("!HH", 0x0008, 0x800),
    "PPTP's protocol": struct.pack("!HHI", 0x2001, 0x800, 0) + b"\0\0\0\x21",
    "PPP's own": pptp(0xC021),
}


@pytest.mark.parametrize("header", BROKEN_GRE.values(), ids=BROKEN_GRE.keys())
def test_broken_gre(header: bytes) -> None:
    assert skipped(over_ip(header, INNER), link=RAW) == {"broken tunnel": 1}


@pytest.mark.parametrize(
    "name", ["key and number", "bridged", "ERSPAN II", "ERSPAN III, more", "PPTP"]
)
def test_every_cut_of_gre(name: str) -> None:
    """Where bytes were not captured, Zeek does not believe that they were on the wire."""
    packet = bytes(over_ip(GRE_HEADERS[name], INNER))
    for size in range(20, len(packet)):
        found = decoded(packet[:size], link=RAW, missing=len(packet) - size)
        assert [row.protocol for row in found] in ([], [47])


@pytest.mark.parametrize(
    ("outer", "inner", "row"),
    [
        (IP(src="10.0.0.1", dst="10.0.0.2"), INNER, ROW),
        (IP(src="10.0.0.1", dst="10.0.0.2"), INNER_6, ROW_6),
        (IPv6(src="2001:db8::a", dst="2001:db8::b"), INNER, ROW),
        (IPv6(src="2001:db8::a", dst="2001:db8::b"), INNER_6, ROW_6),
        (IPv6(dst="2001:db8::b") / IPv6ExtHdrHopByHop(), INNER_6, ROW_6),
    ],
    ids=["4 in 4", "6 in 4", "4 in 6", "6 in 6", "6 in 6 with options"],
)
def test_ip_in_ip(outer: Packet, inner: Packet, row: Row) -> None:
    found = decoded(outer / inner, link=RAW)
    assert found[1:] == [row]
    assert found[0].is_carrier == 1
    assert found[0].protocol == (4 if row is ROW else 41)
    assert found[0].ip_length == len(outer / inner)


@pytest.mark.parametrize(
    "packet",
    [
        over_ip(b"", INNER, 4) / Raw(b"."),
        over_ip(b"", INNER, 41),
        over_ip(bytes(INNER_6), Raw(b""), 4),
        over_ip(bytes(INNER)[:19], Raw(b""), 4),
        over_ip(bytes(INNER)[:-1], Raw(b""), 4),
        over_ip(bytes(IPv6())[:39], Raw(b""), 41),
        over_ip(bytes(INNER_6) + b".", Raw(b""), 41),
        over_ip(b"", IP(len=0) / UDP(), 4),
    ],
    ids=["longer", "4 as 6", "6 as 4", "short", "cut", "short 6", "longer 6", "no length"],
)
def test_ip_in_ip_has_to_fit(packet: Packet) -> None:
    assert skipped(packet, link=RAW) == {"broken tunnel": 1}


def test_padding_breaks_ip_in_ip() -> None:
    assert skipped(bytes(12) + b"\x08\0" + bytes(OUTER / INNER) + b"padding") == {
        "broken tunnel": 1
    }


def udp(port: int, payload: Packet | bytes, source: int = 40000) -> Packet:
    content = payload if isinstance(payload, bytes) else bytes(payload)
    return IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=source, dport=port) / Raw(content)


def ayiya(following: int, *, identity: int = 4, operation: int = 1) -> bytes:
    return bytes([identity << 4 | 2, 0x52, 0x10 | operation, following]) + bytes(
        4 + (1 << identity) + 20
    )


AUTHENTICATION = b"\0\1\2\3" + b"idaut" + bytes(8) + b"\0"
ORIGIN = b"\0\0" + bytes(6)
GTP_OPTIONS = bytes([0x36, 255, 0, 0]) + bytes(4) + b"\0\1\0\x85" + b"\1ab\xc0" + b"\2abcdef\0"

UDP_TUNNELS: dict[str, tuple[int, Packet | bytes, Row]] = {
    "VXLAN": (4789, VXLAN(vni=1) / FRAME / INNER, ROW),
    "VXLAN, tagged": (4789, VXLAN(vni=1) / FRAME / Dot1Q() / INNER_6, ROW_6),
    "Geneve": (6081, GENEVE(vni=1, proto=0x6558) / FRAME / INNER, ROW),
    "Geneve, options": (6081, b"\2\0\x65\x58" + bytes(12) + bytes(FRAME / INNER), ROW),
    "Geneve, IP": (6081, b"\0\0\x08\0" + bytes(4) + bytes(INNER), ROW),
    "Geneve, IPv6": (6081, b"\0\0\x86\xdd" + bytes(4) + bytes(INNER_6), ROW_6),
    "GTP": (2152, GTP_U_Header(teid=1) / INNER, ROW),
    "GTP, IPv6": (2152, GTP_U_Header(teid=1) / INNER_6, ROW_6),
    "GTP, control": (2123, GTP_U_Header(teid=1) / INNER, ROW),
    "GTP, numbered": (2152, b"\x32\xff\0\0" + bytes(8) + bytes(INNER), ROW),
    "GTP, extended": (2152, GTP_OPTIONS + bytes(INNER), ROW),
    "Teredo": (3544, INNER_6, ROW_6),
    "Teredo, origin": (3544, ORIGIN + bytes(INNER_6), ROW_6),
    "Teredo, authentication": (3544, AUTHENTICATION + bytes(INNER_6), ROW_6),
    "Teredo, both": (3544, AUTHENTICATION + ORIGIN + bytes(INNER_6), ROW_6),
    "Teredo, any port": (12345, AUTHENTICATION + ORIGIN + bytes(INNER_6), ROW_6),
    "Teredo, origin, any port": (12345, ORIGIN + bytes(INNER_6), ROW_6),
    "AYIYA": (5072, ayiya(41) + bytes(INNER_6), ROW_6),
    "AYIYA, IPv4": (5072, ayiya(4) + bytes(INNER), ROW),
    "AYIYA, large identity": (5072, ayiya(41, identity=8) + bytes(INNER_6), ROW_6),
    "AYIYA, any port": (12345, ayiya(41) + bytes(INNER_6), ROW_6),
}


@pytest.mark.parametrize("name", UDP_TUNNELS)
def test_tunnels_in_udp(name: str) -> None:
    port, payload, row = UDP_TUNNELS[name]
    size = len(bytes(payload))
    outer = Row("10.0.0.1", "10.0.0.2", 17, 40000, port, 28 + size, bytes(payload), size, -1, 0)
    assert decoded(udp(port, payload), link=RAW) == [outer, row]


@pytest.mark.parametrize("name", ["VXLAN", "Geneve", "Geneve, options", "AYIYA"])
def test_every_cut(name: str) -> None:
    """What was not captured of these was on the wire, so that the inner row has its length."""
    port, payload, row = UDP_TUNNELS[name]
    packet = bytes(udp(port, payload))
    for left in range(4):
        missing = 4 - left
        found = decoded(packet[:-missing], link=RAW, missing=missing)
        assert found[1:] == [row._replace(payload=b"data"[:left])]
    for size in range(28, len(packet) - 4):
        assert len(decoded(packet[:size], link=RAW, missing=len(packet) - size)) == 1


@pytest.mark.parametrize("name", ["GTP", "GTP, extended", "Teredo", "Teredo, both"])
def test_every_cut_of_what_has_to_fit(name: str) -> None:
    port, payload, _ = UDP_TUNNELS[name]
    packet = bytes(udp(port, payload))
    for size in range(28, len(packet)):
        assert len(decoded(packet[:size], link=RAW, missing=len(packet) - size)) == 1


def test_prefix_of_teredo_on_any_port() -> None:
    for source, destination in (("2001::1", "::1"), ("::1", "2001::1")):
        inner = IPv6(src=source, dst=destination) / UDP(sport=5000, dport=6000)
        found = decoded(udp(12345, inner), link=RAW)
        assert [row.destination_port for row in found] == [12345, 6000]
    assert len(decoded(udp(12345, INNER_6), link=RAW)) == 1


NOTHING_INSIDE: dict[str, tuple[int, Packet | bytes, str | None]] = {
    "VXLAN, flag": (4789, b"\0" * 8 + bytes(FRAME / INNER), "broken tunnel"),
    "VXLAN, empty": (4789, VXLAN(), "truncated"),
    "VXLAN, ARP": (4789, VXLAN() / FRAME / ARP(), "ARP"),
    "Geneve, version": (6081, b"\x40\0\x65\x58" + bytes(4) + bytes(FRAME / INNER), "broken tunnel"),
    "Geneve, short": (6081, b"\x3f\0\x65\x58" + bytes(40), "broken tunnel"),
    "Geneve, ARP": (6081, b"\0\0\x08\6" + bytes(4) + bytes(ARP()), "ARP"),
    "Geneve, other": (6081, b"\0\0\x12\x34" + bytes(40), "not IP"),
    "GTP, version": (2152, b"\x50\xff" + bytes(6) + bytes(INNER), "not IP"),
    "GTP prime": (2152, b"\x20\xff" + bytes(6) + bytes(INNER), "not IP"),
    "GTP, echo": (2152, b"\x30\1" + bytes(6) + bytes(INNER), "not IP"),
    "GTP, padded": (2152, b"\x30\xff" + bytes(6) + bytes(INNER) + b".", "broken tunnel"),
    "GTP, no IP": (2152, b"\x30\xff" + bytes(6) + b"\x10" + bytes(40), "not IP"),
    "GTP, extension of no length": (2152, b"\x34\xff" + bytes(10) + b"\0\0" + bytes(40), "not IP"),
    "Teredo, cut": (3544, bytes(INNER_6)[:-1], "broken tunnel"),
    "Teredo, longer": (3544, bytes(INNER_6) + b".", "broken tunnel"),
    "Teredo, IPv4": (3544, INNER, "broken tunnel"),
    "Teredo, two origins": (3544, ORIGIN * 2 + bytes(INNER_6), "broken tunnel"),
    "Teredo, wrong order": (3544, ORIGIN + AUTHENTICATION + bytes(INNER_6), "broken tunnel"),
    "Teredo, bubble": (3544, IPv6(nh=59), "no transport"),
    "Teredo, bubble with something behind": (3544, bytes(IPv6(nh=59)) + b"abc", "no transport"),
    "AYIYA, operation": (5072, ayiya(41, operation=2) + bytes(INNER_6), "not IP"),
    "AYIYA, protocol": (5072, ayiya(17) + bytes(INNER_6), "not IP"),
    "AYIYA, short": (5072, ayiya(41)[:20], "broken tunnel"),
    "GRE, broken": (4754, BROKEN_GRE["version"] + bytes(INNER), None),
}


@pytest.mark.parametrize("name", NOTHING_INSIDE)
def test_nothing_inside(name: str) -> None:
    port, payload, reason = NOTHING_INSIDE[name]
    decoder = HeaderDecoder()
    found = rows(decoder.decode(batch(udp(port, payload), link=RAW)))
    assert [(row.protocol, row.destination_port, row.is_carrier) for row in found] == [
        (17, port, 0)
    ]
    assert dict(decoder.skipped) == ({reason: 1} if reason else {})


def test_gre_in_udp_is_a_tunnel_between_addresses() -> None:
    packet = udp(4754, struct.pack("!HH", 0, 0x800) + bytes(INNER))
    outer, tunnel, inner = decoded(packet, link=RAW)
    assert (outer.protocol, outer.destination_port, outer.is_carrier) == (17, 4754, 0)
    assert (tunnel.protocol, tunnel.source, tunnel.destination) == (47, "10.0.0.1", "10.0.0.2")
    assert (tunnel.is_carrier, tunnel.carrier) == (1, -1)
    assert inner == ROW._replace(carrier=1)


def test_tunnels_within_tunnels() -> None:
    packet: Packet = INNER
    for _ in range(4):
        packet = IP() / UDP(sport=4789, dport=4789) / VXLAN() / FRAME / packet
    assert [row.carrier for row in decoded(packet, link=RAW)] == [-1, 0, 1, 2, 3]


def test_no_more_than_four() -> None:
    packet: Packet = INNER
    for _ in range(5):
        packet = IP() / UDP(sport=4789, dport=4789) / VXLAN() / FRAME / packet
    decoder = HeaderDecoder()
    segments = decoder.decode(batch(packet, link=RAW))
    assert segments.carriers.tolist() == [-1, 0, 1, 2, 3]
    assert segments.tcp_flags.tolist() == [0, 0, 0, 0, TOO_DEEP_FLAG]
    assert dict(decoder.skipped) == {"tunnels too deep": 1}
    nested: Packet = INNER
    for _ in range(5):
        nested = IP() / nested
    assert [row.carrier for row in decoded(nested, link=RAW)] == [-1, 0, 1, 2]


def test_gtp_carries_no_gtp() -> None:
    inner = IP() / UDP(sport=2152, dport=2152) / GTP_U_Header() / INNER
    packet = IP() / UDP(sport=2152, dport=2152) / GTP_U_Header() / inner
    assert [row.protocol for row in decoded(packet, link=RAW)] == [17, 17]
    between = IP() / UDP(sport=4789, dport=4789) / VXLAN() / FRAME / packet
    assert len(decoded(between, link=RAW)) == 3


def test_fragments_of_a_tunnel() -> None:
    """The tunnel opens once its datagram is whole; what it carries may be in fragments too."""
    inner = [bytes(IP(id=5, flags="MF") / UDP(sport=1, dport=2, len=24) / Raw(b"a" * 8))]
    inner.append(bytes(IP(id=5, frag=2, proto=17) / Raw(b"b" * 8)))
    packets = []
    for number, datagram in enumerate(inner):
        payload = bytes(UDP(sport=9, dport=4789) / VXLAN() / FRAME / Raw(b""))[:-2] + b"\x08\0"
        content = payload + datagram
        packets.append(bytes(IP(id=number, flags="MF", proto=17) / Raw(content[:48])))
        packets.append(bytes(IP(id=number, frag=6, proto=17) / Raw(content[48:])))
    found = decoded(*packets, link=RAW)
    assert [(row.destination_port, row.carrier) for row in found] == [
        (4789, -1),
        (4789, -1),
        (2, 1),
    ]
    assert found[2].payload == b"a" * 8 + b"b" * 8
    assert found[2].ip_length == 44


def test_detection() -> None:
    def look(payload: bytes) -> int:
        return detect(memoryview(payload), 0, len(payload))

    assert look(b"\x20\x52\x11") == AYIYA
    assert look(b"\x20\x52") == 0
    assert look(b"\x60" + bytes(7) + b"\x20\1\0\0" + bytes(28)) == TEREDO
    assert look(b"\x60" + bytes(7) + b"\x20\1\0\0" + bytes(27)) == 0
    assert look(b"\x60\2" + bytes(6) + b"\x20\1\0\1" + bytes(28)) == 0
    assert look(bytes(8) + b"\x60" + bytes(39)) == TEREDO
    assert look(bytes(8) + b"\x50" + bytes(39)) == 0
    assert look(bytes(8) + b"\x60" + bytes(38)) == 0
    assert look(b"\0\1\1\1" + bytes(11 + 8) + b"\x60" + bytes(39)) == TEREDO
    assert look(b"\0\1\1\1" + bytes(11) + b"\0\1" + bytes(6) + b"\x60" + bytes(39)) == 0
    assert look(b"\0\1\xff\xff" + bytes(60)) == 0
    assert look(b"\0\2" + bytes(60)) == 0
