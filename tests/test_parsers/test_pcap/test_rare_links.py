"""Headers of no fixed size: 802.2 and 802.11, what comes before the latter, netfilter's log."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.dot11 import Dot11, Dot11QoS, RadioTap
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, LLC, SNAP, STP, Dot3
from scapy.packet import Packet, Raw

from analyzer.parsers.pcap.links import TRUNCATED
from analyzer.parsers.pcap.rare_links import subframes
from tests.test_parsers.test_pcap.packet_batches import Row, decoded, skipped

DATAGRAM = IP(src="1.1.1.1", dst="2.2.2.2") / UDP(sport=5000, dport=6000) / Raw(b"data")
ROW = Row("1.1.1.1", "2.2.2.2", 17, 5000, 6000, 32, b"data", 4, -1, 0)
TYPED = b"\xaa\xaa\3\0\0\0\x08\0"

DATA = Dot11(type=2, subtype=0, FCfield=1)
QOS = Dot11(type=2, subtype=8, FCfield=2) / Dot11QoS(TID=1)
FOUR_ADDRESSES = Dot11(type=2, subtype=8, FCfield=3) / Dot11QoS()
WIRELESS = {"data": DATA, "QoS": QOS, "four addresses": FOUR_ADDRESSES}

PRISM = struct.pack("<II", 0x44, 144) + bytes(136)
AVS = struct.pack("!II", 0x80211001, 64) + bytes(56)


def wireless(header: Packet) -> bytes:
    """A header as it is without anything behind it."""
    return bytes(header / Raw(b"."))[:-1]


def ppi(link: int) -> bytes:
    return struct.pack("<BBHI", 0, 0, 16, link) + bytes(8)


def logged(*values: bytes, family: int = 2, version: int = 0) -> bytes:
    return bytes([family, version, 0, 0]) + b"".join(values)


def value(kind: int, content: bytes) -> bytes:
    padding = bytes(-len(content) % 4) if kind != 9 else b""
    return struct.pack("<HH", len(content) + 4, kind) + content + padding


FRAMES = {
    "SNAP": (1, bytes(Dot3() / LLC() / SNAP() / DATAGRAM)),
    "SNAP, padded": (1, bytes(Dot3() / LLC() / SNAP() / DATAGRAM) + b"pad"),
    "SNAP, numbered": (
        1,
        bytes(Dot3(len=41) / LLC(dsap=0xAA, ssap=0xAA, ctrl=0))
        + b"\0"
        + TYPED[3:]
        + bytes(DATAGRAM),
    ),
    "SNAP in 802.1Q": (
        1,
        bytes(12) + b"\x81\0" + struct.pack("!HH", 7, 40) + TYPED + bytes(DATAGRAM) + b"pad",
    ),
    "802.11": (105, wireless(DATA) + TYPED + bytes(DATAGRAM)),
    "802.11, QoS": (105, wireless(QOS) + TYPED + bytes(DATAGRAM)),
    "802.11, four addresses": (105, wireless(FOUR_ADDRESSES) + TYPED + bytes(DATAGRAM)),
    "radiotap": (127, bytes(RadioTap()) + wireless(QOS) + TYPED + bytes(DATAGRAM)),
    "Prism": (119, PRISM + wireless(QOS) + TYPED + bytes(DATAGRAM)),
    "AVS as Prism": (119, AVS + wireless(QOS) + TYPED + bytes(DATAGRAM)),
    "AVS": (163, AVS + wireless(QOS) + TYPED + bytes(DATAGRAM)),
    "PPI": (192, ppi(105) + wireless(QOS) + TYPED + bytes(DATAGRAM)),
    "PPI, Ethernet": (192, ppi(1) + bytes(12) + b"\x08\0" + bytes(DATAGRAM)),
    "netfilter": (239, logged(value(9, bytes(DATAGRAM)))),
    "netfilter, more": (
        239,
        logged(value(1, b"abcde"), value(10, b"x"), value(9, bytes(DATAGRAM))),
    ),
    "unknown": (147, bytes(DATAGRAM)),
}


@pytest.mark.parametrize(("link", "frame"), FRAMES.values(), ids=FRAMES.keys())
def test_ipv4(link: int, frame: bytes) -> None:
    assert decoded(frame, link=link) == [ROW]


@pytest.mark.parametrize(("link", "frame"), FRAMES.values(), ids=FRAMES.keys())
def test_every_cut(link: int, frame: bytes) -> None:
    """Nothing but the row, or what is left of it, or none."""
    for size in range(len(frame)):
        found = decoded(frame[:size], link=link, missing=len(frame) - size)
        assert found in [[], *([ROW._replace(payload=b"data"[:left])] for left in range(5))]


def test_ipv6_over_802_11() -> None:
    frame = wireless(QOS) + TYPED[:6] + b"\x86\xdd" + bytes(IPv6() / UDP(dport=6000))
    assert [row.destination_port for row in decoded(frame, link=105)] == [6000]


NOTHING = {
    "spanning tree": (1, bytes(Dot3() / LLC() / STP()), "not IP"),
    "Novell": (1, bytes(12) + b"\0\x1e" + b"\xff" * 30, "not IP"),
    "SNAP of Cisco": (1, bytes(Dot3() / LLC() / SNAP(OUI=0xC, code=0x2000) / Raw(b"x")), "not IP"),
    "longer than the frame": (1, bytes(12) + b"\0\x1e" + TYPED, "truncated"),
    "802.1Q, too short for SNAP": (1, bytes(12) + b"\x81\0\0\1\0\5" + TYPED, "truncated"),
    "ARP over SNAP": (1, bytes(Dot3() / LLC() / SNAP() / ARP()), "ARP"),
    "beacon": (105, wireless(Dot11(type=0, subtype=8)) + bytes(40), "not IP"),
    "acknowledgement": (105, wireless(Dot11(type=1, subtype=13)) + bytes(40), "not IP"),
    "no data": (105, wireless(Dot11(type=2, subtype=4)) + bytes(40), "not IP"),
    "encrypted": (
        105,
        wireless(Dot11(type=2, subtype=8, FCfield=0x40)) + bytes(40),
        "not IP",
    ),
    "no Ethernet inside": (
        105,
        wireless(QOS) + b"\x42\x42\3\0\0\0\0\0" + bytes(DATAGRAM),
        "not IP",
    ),
    "radiotap without a frame": (127, bytes(RadioTap()), "truncated"),
    "netfilter, bridge": (239, logged(value(9, bytes(DATAGRAM)), family=7), "not IP"),
    "netfilter, version": (239, logged(value(9, bytes(DATAGRAM)), version=1), "broken header"),
    "netfilter, length": (239, logged(b"\3\0\1\0", value(9, bytes(DATAGRAM))), "broken header"),
    "netfilter, no payload": (239, logged(value(1, b"abcde")), "truncated"),
    "unknown": (147, b"\x0f\0\0\0" + bytes(DATAGRAM), "unknown link type 147"),
    "PPI, unknown": (192, ppi(147) + bytes(30), "unknown link type 192"),
    "nothing of an unknown": (147, b"", "unknown link type 147"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing(name: str) -> None:
    link, frame, reason = NOTHING[name]
    assert skipped(frame, link=link) == {reason: 1}


def subframe(content: bytes) -> bytes:
    return bytes(12) + struct.pack("!H", len(content)) + content


def test_aggregated_frames() -> None:
    """Zeek takes as many bytes for padding as the length leaves over four; those are sent here."""
    header = wireless(Dot11(type=2, subtype=8) / Dot11QoS(A_MSDU_Present=1))
    first, second = TYPED + bytes(DATAGRAM) + b"12", TYPED + bytes(DATAGRAM)
    frame = header + subframe(first) + b"xx" + subframe(second)
    assert decoded(frame, link=105) == [ROW, ROW]
    assert decoded(frame[:-1], link=105) == [ROW]
    assert decoded(frame, bytes(RadioTap()) + frame, link=[105, 127]) == [ROW] * 4


@pytest.mark.parametrize(
    ("first", "count"),
    [
        (ARP(), 1),
        (IP(proto=89) / Raw(b"routes"), 1),
        (IP(proto=50) / Raw(b"x"), 1),
        (Raw(b"neither"), 0),
    ],
    ids=["ARP", "unknown to Zeek", "unknown too", "no IP"],
)
def test_aggregation_ends_at_what_zeek_does_not_take(first: Packet, count: int) -> None:
    header = wireless(Dot11(type=2, subtype=8) / Dot11QoS(A_MSDU_Present=1))
    kind = b"\x08\6" if first.haslayer(ARP) else b"\x08\0"
    content = TYPED[:6] + kind + bytes(first)
    padding = b"x" * (len(content) % 4)
    found = decoded(
        header + subframe(content) + padding + subframe(TYPED + bytes(DATAGRAM)), link=105
    )
    assert len(found) == count
    assert (ROW in found) == bool(first.haslayer(ARP))


def test_subframes_of_nothing() -> None:
    assert [layer.kind for layer in subframes(memoryview(bytes(13)), 0, 13)] == [TRUNCATED]
    assert [layer.kind for layer in subframes(memoryview(b""), 0, 0)] == []
