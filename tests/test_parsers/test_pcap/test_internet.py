"""IPv6's extension headers: how long the chain is, where it leads, and between whom."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (
    HAO,
    MIP6MH_BU,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    Pad1,
    PadN,
)
from scapy.packet import Packet, Raw

from analyzer.parsers.pcap.internet import ExtensionChain, extension_chain, extension_size

BEFORE = b"\xff" * 5
"""What stands before the datagram, so that places are not those in the datagram itself."""
SOURCE, DESTINATION = 5 + 8, 5 + 24

A = "2001:db8::a"


def chain(packet: Packet | bytes, end: int | None = None) -> ExtensionChain:
    data = BEFORE + bytes(packet)
    return extension_chain(memoryview(data), 5, len(data) if end is None else 5 + end)


def test_none() -> None:
    assert chain(IPv6() / UDP()) == (40, 17, 41, SOURCE, DESTINATION)


def test_several() -> None:
    packet = IPv6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() / TCP()
    assert chain(packet) == (40 + 8 + 8 + 8, 6, 43, SOURCE, DESTINATION)


def test_a_routing_header_of_type_0_leads_to_its_last_address() -> None:
    packet = IPv6() / IPv6ExtHdrRouting(addresses=["::1", A], segleft=1) / UDP()
    assert chain(packet) == (40 + 40, 17, 43, SOURCE, 5 + 40 + 8 + 16)


@pytest.mark.parametrize(
    "routing",
    [
        IPv6ExtHdrRouting(addresses=[A], segleft=0),
        IPv6ExtHdrRouting(addresses=[A], segleft=1, type=1),
        IPv6ExtHdrRouting(addresses=["::1", A], segleft=1, type=2),
    ],
    ids=["arrived", "other type", "type 2 has one address"],
)
def test_a_routing_header_that_leads_nowhere(routing: Packet) -> None:
    assert chain(IPv6() / routing / UDP()).destination == DESTINATION


def test_a_routing_header_of_odd_length_leads_nowhere() -> None:
    routing = struct.pack("!BBBB", 17, 3, 0, 1) + bytes(28)
    assert chain(bytes(IPv6(nh=43)) + routing + bytes(UDP())).destination == DESTINATION


def test_type_2_with_its_one_address() -> None:
    packet = IPv6() / IPv6ExtHdrRouting(addresses=[A], segleft=1, type=2) / UDP()
    assert chain(packet).destination == 5 + 40 + 8


def test_only_the_first_routing_header_leads() -> None:
    first = IPv6ExtHdrRouting(addresses=[A], segleft=1)
    assert chain(IPv6() / first / first.copy() / UDP()).destination == 5 + 40 + 8


def test_a_home_address_is_the_source() -> None:
    options = IPv6ExtHdrDestOpt(options=[Pad1(), PadN(optdata=b"abc"), HAO(hoa=A)])
    packet = IPv6() / options / UDP()
    assert chain(packet).source == bytes(packet).index(bytes.fromhex("20010db8")) + 5


@pytest.mark.parametrize(
    "options", ["0a ff 0000 0000", "c9 08 0102030405060708", "0000 0000 00 c9"]
)
def test_destination_options_without_a_home_address(options: str) -> None:
    content = bytes.fromhex(options)
    content += bytes(-(len(content) + 2) % 8)
    header = bytes([17, (len(content) + 2) // 8 - 1]) + content
    assert chain(bytes(IPv6(nh=60)) + header + bytes(UDP())).source == SOURCE


def test_the_chain_ends_with_a_fragment() -> None:
    packet = IPv6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrFragment(nh=60, offset=3) / Raw(b"x" * 40)
    assert chain(packet)[:3] == (40 + 8 + 8, 60, 44)


def test_nothing_is_known_of_what_is_encrypted() -> None:
    assert chain(IPv6(nh=50) / Raw(b"x" * 48))[:3] == (40 + 8, 59, 50)


def test_authentication_is_counted_in_units_of_four_bytes() -> None:
    assert chain(IPv6(nh=51) / Raw(b"\x11\x04" + bytes(22)) / UDP())[:3] == (40 + 24, 17, 51)


def test_mobility_is_last() -> None:
    assert chain(IPv6() / MIP6MH_BU(nh=60) / IPv6ExtHdrDestOpt())[1:3] == (60, 135)


def test_a_header_that_is_not_all_there_is_none() -> None:
    packet = IPv6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / UDP()
    for end in range(40, 48):
        assert chain(packet, end)[:3] == (40, 0, 41)
    for end in range(48, 56):
        assert chain(packet, end)[:3] == (48, 60, 0)
    assert chain(packet, 56)[:3] == (56, 17, 60)


@pytest.mark.parametrize(
    ("kind", "length", "size"), [(0, 2, 24), (44, 9, 8), (50, 9, 8), (51, 2, 16)]
)
def test_sizes(kind: int, length: int, size: int) -> None:
    assert extension_size(kind, length) == size
