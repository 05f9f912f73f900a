"""More rows than packets, datagrams made whole, and what outlives a batch."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    fragment6,
)
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from analyzer.parsers.pcap.headers import HeaderDecoder
from tests.test_parsers.test_pcap.packet_batches import RAW, Row, batch, decoded, part, rows

PAYLOAD = bytes(range(256)) * 8


def fragments_of(packet: Packet, size: int) -> list[Packet]:
    if packet.haslayer(IPv6):
        return [IPv6(bytes(one)) for one in fragment6(packet, size)]  # type: ignore[no-untyped-call]
    return [*fragment(packet, size)]  # type: ignore[no-untyped-call]


def test_many_more_rows_than_packets() -> None:
    packet: Packet = IP(src="1.2.3.4") / UDP(sport=7, dport=8) / Raw(b"data")
    for depth in range(4):
        packet = (
            IP(src=f"10.0.0.{depth}") / UDP(sport=4789, dport=4789) / VXLAN() / Ether() / packet
        )
    segments = HeaderDecoder().decode(batch(*[bytes(packet)] * 100, link=RAW))
    assert segments.times.tolist() == np.repeat(np.arange(100.0), 5).tolist()
    expected = np.arange(-1, 499)
    expected[::5] = -1
    assert segments.carriers.tolist() == expected.tolist()
    assert segments.destination_ports.tolist() == [4789, 4789, 4789, 4789, 8] * 100
    inner = rows(segments)[4::5]
    assert {(found.source, found.payload) for found in inner} == {("1.2.3.4", b"data")}


def test_fragments_of_ipv4() -> None:
    packet = IP(src="1.1.1.1", dst="2.2.2.2", id=77) / UDP(sport=1, dport=2) / Raw(PAYLOAD)
    pieces = fragments_of(packet, 600)
    assert len(pieces) == 4
    whole = Row("1.1.1.1", "2.2.2.2", 17, 1, 2, 28 + 2048, PAYLOAD, 2048, -1, 0)
    assert decoded(*pieces, link=RAW) == [whole]
    assert decoded(*reversed(pieces), link=RAW) == [whole]
    others = [IP(id=number) / ICMP() for number in range(4)]
    mixed = [one for pair in zip(pieces, others, strict=True) for one in pair]
    assert [found.protocol for found in decoded(*mixed, link=RAW)] == [1, 1, 1, 17, 1]


def test_fragments_of_ipv6() -> None:
    packet = (
        IPv6(src="2001:db8::1", dst="2001:db8::2")
        / IPv6ExtHdrHopByHop()
        / IPv6ExtHdrFragment(id=9)
        / IPv6ExtHdrDestOpt()
        / ICMPv6EchoRequest(data=PAYLOAD)
    )
    pieces = fragments_of(packet, 700)
    assert len(pieces) == 4
    size = 40 + 8 + 8 + 8 + 2048
    whole = Row("2001:db8::1", "2001:db8::2", 58, 128, 0, size, PAYLOAD, 2048, -1, 0)
    assert decoded(*pieces, link=RAW) == [whole]


def test_a_fragment_that_is_a_whole_datagram() -> None:
    packet = IPv6(src="::1", dst="::2") / IPv6ExtHdrFragment(m=0) / UDP(sport=1, dport=2)
    assert [found[2:6] for found in decoded(packet, link=RAW)] == [(17, 1, 2, 48)]


def test_the_time_of_a_datagram_is_that_of_its_last_fragment() -> None:
    pieces = fragments_of(IP() / UDP() / Raw(PAYLOAD), 1200)
    segments = HeaderDecoder().decode(batch(*pieces, link=RAW, times=[5.5, 7.25]))
    assert segments.times.tolist() == [7.25]


def test_a_datagram_with_less_than_a_header() -> None:
    pieces = [IP(flags="MF", proto=6) / Raw(b"x" * 8), IP(frag=1, proto=6) / Raw(b"x" * 8)]
    decoder = HeaderDecoder()
    assert rows(decoder.decode(batch(*pieces, link=RAW))) == []
    assert dict(decoder.skipped) == {"broken header": 1}


def test_a_datagram_of_more_than_65535_bytes() -> None:
    """Its length overflows, in Zeek as well."""
    pieces = [
        IP(flags="MF", proto=17) / Raw(bytes(65512)),
        IP(frag=8189, proto=17) / Raw(bytes(100)),
    ]
    (found,) = decoded(*pieces, link=RAW)
    assert found.ip_length == 20 + 65612 - 65536
    none = [IP(flags="MF", proto=17) / Raw(bytes(65512)), IP(frag=8189, proto=17) / Raw(bytes(4))]
    assert decoded(*none, link=RAW) == []


def test_data_of_the_batch_stays_where_it_is() -> None:
    pieces = fragments_of(IP() / UDP(sport=1, dport=2) / Raw(PAYLOAD), 1200)
    packets = batch(IP() / TCP() / Raw(b"before"), *pieces, IP() / TCP() / Raw(b"after"), link=RAW)
    before = bytes(packets.data)
    segments = HeaderDecoder().decode(packets)
    assert bytes(segments.data[: packets.data.size]) == bytes(packets.data) == before
    assert segments.data.size == packets.data.size + 28 + 2048
    assert [found.payload for found in rows(segments)] == [b"before", PAYLOAD, b"after"]


def test_without_fragments_data_is_the_batch_own() -> None:
    packets = batch(IP() / UDP(), link=RAW)
    assert np.shares_memory(HeaderDecoder().decode(packets).data, packets.data)


def test_fragments_in_different_batches() -> None:
    pieces = fragments_of(IP(src="1.1.1.1") / UDP(sport=1, dport=2) / Raw(PAYLOAD), 600)
    packets = batch(*pieces, link=RAW)
    decoder = HeaderDecoder()
    for number in range(3):
        assert rows(decoder.decode(part(packets, number, number + 1))) == []
        assert decoder.skipped == {"fragment without the rest": number + 1}
    (found,) = rows(decoder.decode(part(packets, 3, 4)))
    assert found.payload == PAYLOAD
    assert decoder.skipped == {}


@pytest.mark.parametrize(
    "extension", [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrRouting()]
)
def test_extensions(extension: Packet) -> None:
    packet = IPv6(src="::1", dst="::2") / extension / UDP(sport=1, dport=2) / Raw(b"data")
    assert decoded(packet, link=RAW) == [Row("::1", "::2", 17, 1, 2, 60, b"data", 4, -1, 0)]


def test_routed_datagrams_go_to_their_final_destination() -> None:
    routing = IPv6ExtHdrRouting(addresses=["::3", "::4"], segleft=2)
    (found,) = decoded(IPv6(src="::1", dst="::2") / routing / UDP(), link=RAW)
    assert (found.source, found.destination) == ("::1", "::4")
