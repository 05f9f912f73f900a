"""Whose port decides, and what is given up after it was broken once."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from analyzer.parsers.pcap.batches import SegmentBatch
from analyzer.parsers.pcap.headers import HeaderDecoder
from tests.test_parsers.test_pcap.packet_batches import RAW, batch

INNER = VXLAN() / Ether() / IP() / UDP(sport=1, dport=2)


def packet(source: int, destination: int, payload: Packet = INNER, *, back: bool = False) -> Packet:
    hosts = ("10.0.0.2", "10.0.0.1") if back else ("10.0.0.1", "10.0.0.2")
    ports = (destination, source) if back else (source, destination)
    return IP(src=hosts[0], dst=hosts[1]) / UDP(sport=ports[0], dport=ports[1]) / payload


def opened(*packets: Packet, times: list[float] | None = None) -> list[bool]:
    """Whether each packet was taken for a tunnel."""
    segments: SegmentBatch = HeaderDecoder().decode(batch(*packets, link=RAW, times=times))
    outer = np.flatnonzero(segments.carriers < 0)
    return [bool(row in segments.carriers) for row in outer]


@pytest.mark.parametrize(
    ("source", "destination", "is_tunnel"),
    [
        (40000, 4789, True),
        (4789, 40000, True),
        (4789, 4789, True),
        (53, 4789, True),
        (4789, 53, False),
        (4789, 6081, False),
        (40000, 53, False),
    ],
)
def test_the_responder_is_who_is_likelier_a_server(
    *, source: int, destination: int, is_tunnel: bool
) -> None:
    assert opened(packet(source, destination)) == [is_tunnel]


def test_of_two_servers_the_one_asked_first_responds() -> None:
    asked = packet(53, 4789)
    answer = packet(53, 4789, back=True)
    assert opened(asked, answer, asked) == [True, True, True]
    assert opened(answer, asked, answer) == [False, False, False]


def test_connections_are_forgotten_after_a_minute_without_packets() -> None:
    asked, answer = packet(53, 4789), packet(53, 4789, back=True)
    assert opened(asked, answer, times=[0, 59.9]) == [True, True]
    assert opened(asked, answer, times=[0, 60.0]) == [True, False]
    assert opened(asked, asked, answer, times=[0, 30, 89]) == [True, True, True]


def test_a_broken_tunnel_is_not_tried_again() -> None:
    broken = packet(40000, 4789, Raw(b"\0" * 60))
    good, other = packet(40000, 4789), packet(40001, 4789)
    assert opened(good, broken, good, other) == [True, False, False, True]
    assert opened(broken, packet(40000, 4789, back=True)) == [False, False]
    assert opened(broken, good, times=[0, 60]) == [False, True]


def test_another_kind_of_tunnel_is_tried_in_the_same_connection() -> None:
    """Zeek looks for some whatever the port, each for itself."""
    teredo = Raw(b"\x60" + bytes(7) + b"\x20\1\0\0" + bytes(30))  # Its length is not that of IPv6.
    ayiya = Raw(bytes([0x02, 0x52, 0x11, 4]) + bytes(4 + 1 + 20) + bytes(IP() / UDP()))
    assert opened(packet(7, 8, teredo), packet(7, 8, ayiya)) == [False, True]


def test_broadcasts_have_no_responder_that_could_be_a_server() -> None:
    to_all = IP(dst="255.255.255.255") / UDP(sport=4789, dport=40000) / INNER
    to_one = IP(dst="10.0.0.255") / UDP(sport=4789, dport=40000) / INNER
    assert opened(to_all, to_one) == [False, True]
