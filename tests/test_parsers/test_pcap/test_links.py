"""Every link type that tables describe leads to the datagram, and only if all of it is there."""

from __future__ import annotations

import struct

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.packet import Packet, Raw

from analyzer.parsers.pcap.links import (
    ETHERNET,
    FDDI,
    LINKS,
    REASONS,
    UNKNOWN_LINK,
    VLAN,
    link_tables,
)
from analyzer.parsers.pcap.links import (
    IP as IP_LAYER,
)
from analyzer.parsers.pcap.links import (
    MPLS as MPLS_LAYER,
)
from tests.test_parsers.test_pcap.packet_batches import Row, decoded, skipped

DATAGRAM = IP(src="1.1.1.1", dst="2.2.2.2") / UDP(sport=5000, dport=6000) / Raw(b"data")
DATAGRAM_6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=5000, dport=6000) / Raw(b"data")
ROW = Row("1.1.1.1", "2.2.2.2", 17, 5000, 6000, 32, b"data", 4, -1, 0)
ROW_6 = Row("2001:db8::1", "2001:db8::2", 17, 5000, 6000, 52, b"data", 4, -1, 0)


def typed(kind: int, header: bytes = b"") -> Packet:
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=kind) / Raw(header)


IPV4_FRAMES = {
    "Ethernet": (1, Ether(type=0x800)),
    "802.1Q": (1, Ether() / Dot1Q(vlan=7, type=0x800)),
    "802.1Q twice": (1, Ether() / Dot1Q(vlan=7) / Dot1Q(vlan=8, type=0x800)),
    "802.1Q three times": (1, Ether() / Dot1Q() / Dot1Q() / Dot1Q(type=0x800)),
    "802.1ad": (1, Ether() / Dot1AD(vlan=7) / Dot1Q(vlan=8, type=0x800)),
    "old Q-in-Q": (1, Ether(type=0x9100) / Dot1Q(vlan=7, type=0x800)),
    "MPLS": (1, Ether(type=0x8847) / MPLS(label=1, s=0) / MPLS(label=2, s=0) / MPLS(label=3, s=1)),
    "MPLS in 802.1Q": (1, Ether() / Dot1Q(type=0x8847) / MPLS(s=1)),
    "PPPoE": (1, Ether(type=0x8864) / PPPoE(sessionid=1) / PPP(proto=0x21)),
    "PPPoE in Q-in-Q": (1, Ether() / Dot1Q() / Dot1Q() / PPPoE(sessionid=1) / PPP(proto=0x21)),
    "VN-tag": (1, typed(0x8926, struct.pack("!IH", 5, 0x8100)) / Raw(struct.pack("!HH", 1, 0x800))),
    "backbone": (1, typed(0x88E7, b"\0\0\0\1") / Ether(type=0x800)),
    "FabricPath": (1, typed(0x8903, b"\0\2") / Ether(type=0x800)),
    "bare IP": (101, Raw()),
    "bare IP, BSD": (12, Raw()),
    "bare IP, OpenBSD": (14, Raw()),
    "bare IPv4": (228, Raw()),
    "cooked": (113, CookedLinux(proto=0x800)),
    "cooked 2": (276, CookedLinuxV2(proto=0x800)),
    "null": (0, Loopback(type=2)),
    "loop": (108, Raw(b"\0\0\0\2")),
    "PPP": (9, PPP(proto=0x21)),
    "PPP, framed": (9, HDLC() / PPP(proto=0x21)),
    "PPP, serial": (50, HDLC() / PPP(proto=0x21)),
    "PPP, Cisco's address": (50, Raw(b"\x0f\0\0\x21")),
    "MPLS in PPP": (9, PPP(proto=0x281) / MPLS(s=1)),
    "FDDI": (10, Raw(b"\x50" + bytes(12) + b"\xaa\xaa\3\0\0\0\x08\0")),
}
IPV6_FRAMES = {
    "Ethernet": (1, Ether(type=0x86DD)),
    "802.1Q": (1, Ether() / Dot1Q(type=0x86DD)),
    "bare IPv6": (229, Raw()),
    "bare IP": (101, Raw()),
    "cooked": (113, CookedLinux(proto=0x86DD)),
    "cooked 2": (276, CookedLinuxV2(proto=0x86DD)),
    "null, BSD": (0, Raw(b"\x18\0\0\0")),
    "null, FreeBSD": (0, Raw(b"\x1c\0\0\0")),
    "null, macOS": (0, Raw(b"\x1e\0\0\0")),
    "PPPoE": (1, Ether(type=0x8864) / PPPoE(sessionid=1) / PPP(proto=0x57)),
    "PPP": (9, PPP(proto=0x57)),
}


@pytest.mark.parametrize(("link", "header"), IPV4_FRAMES.values(), ids=IPV4_FRAMES.keys())
def test_ipv4(link: int, header: Packet) -> None:
    assert decoded(bytes(header) + bytes(DATAGRAM), link=link) == [ROW]


@pytest.mark.parametrize(("link", "header"), IPV6_FRAMES.values(), ids=IPV6_FRAMES.keys())
def test_ipv6(link: int, header: Packet) -> None:
    assert decoded(bytes(header) + bytes(DATAGRAM_6), link=link) == [ROW_6]


@pytest.mark.parametrize(("link", "header"), IPV4_FRAMES.values(), ids=IPV4_FRAMES.keys())
def test_every_cut(link: int, header: Packet) -> None:
    """Up to the ports there is no row; of the payload, what is there."""
    frame = bytes(header) + bytes(DATAGRAM)
    for missing in range(1, len(frame) + 1):
        cut = frame[: len(frame) - missing]
        if missing > 4:
            assert skipped(cut, link=link, missing=missing) == {"truncated": 1}
        else:
            row = ROW._replace(payload=b"data"[: 4 - missing])
            assert decoded(cut, link=link, missing=missing) == [row]


NOT_IP = {
    "IPX": (1, Ether(type=0x8137)),
    "PPPoE discovery": (1, Ether(type=0x8863)),
    "802.1ad in 802.1Q": (1, Ether() / Dot1Q(type=0x88A8)),
    "IP in VN-tag": (1, typed(0x8926, struct.pack("!IH", 5, 0x800))),
    "802.1Q, cooked": (113, CookedLinux(proto=0x8100)),
    "PPP's own": (9, PPP(proto=0xC021)),
    "MPLS in PPPoE": (1, Ether() / PPPoE(sessionid=1) / PPP(proto=0x281)),
    "null, AppleTalk": (0, Raw(b"\x10\0\0\0")),
    "null, too large a family": (0, Raw(b"\2\0\0\1")),
    "null, network order": (0, Raw(b"\0\0\0\2")),
    "FabricPath twice": (1, typed(0x8903, b"\0\2") / Ether(type=0x8903)),
    "neither length nor type": (1, Ether(type=1535)),
}


@pytest.mark.parametrize("name", NOT_IP)
def test_other_protocols(name: str) -> None:
    link, header = NOT_IP[name]
    reason = "broken header" if name == "neither length nor type" else "not IP"
    assert skipped(bytes(header) + bytes(DATAGRAM), link=link) == {reason: 1}


def test_arp() -> None:
    assert skipped(Ether() / ARP(), Ether() / Dot1Q() / ARP(), Ether(type=0x8035)) == {
        "ARP": 2,
        "truncated": 1,
    }


def test_tables() -> None:
    steps, following = link_tables()
    tables = following.reshape(-1, 0x10000)
    assert len(tables) == len(steps) // 4 + 1
    assert {link: tables[0, link] for link in LINKS} == LINKS
    assert tables[0, 147] == UNKNOWN_LINK
    assert tables[VLAN + 1, 0x800] == IP_LAYER
    assert tables[ETHERNET + 1, 0x8100] == VLAN
    assert tables[MPLS_LAYER + 1, 0x00FF] == MPLS_LAYER
    assert tables[MPLS_LAYER + 1, 0x01FF] == IP_LAYER
    assert steps[4 * FDDI : 4 * FDDI + 3].tolist() == [21, 0, 21]


def test_every_reason_has_its_number() -> None:
    assert len(set(REASONS)) == len(REASONS) == 8
