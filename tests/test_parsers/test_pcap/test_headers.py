"""The decoder as a whole: real captures as Zeek and scapy read them, and bytes of no sense."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import NoPayload, Packet, Raw

from analyzer.parsers.pcap.batches import PacketBatch, SegmentBatch
from analyzer.parsers.pcap.headers import HeaderDecoder
from analyzer.parsers.pcap.links import LINKS
from tests.test_parsers.test_pcap.packet_batches import batch, part, read_capture, rows

# What they are about is below connections; the others are for those who follow these.
ABOUT_HEADERS = (
    "tunnels__*", "erspan*", "chksums__*", "mobile-ipv6*", "ip*", "vlan*", "mixed-vlan*", "pbb*",
    "vntag*", "radiotap*", "wlanmon*", "llc*", "snap*", "raw_packets*", "mmsX*", "icmp*",
    "unknown-ip*", "nmap-ip_protocol*", "communityid__*", "krb__kerberos_tso*", "tcp__truncated*",
    "tcp__payload-syn*", "contentline*", "tls__irc-starttls*", "tls__openjdk*",
    "quic__interop*handshake*", "dns-inverse*", "udp-contents-truncated*",
)  # fmt: skip

Totals = Counter[tuple[str, ...]]


def captures(golden: Path, patterns: tuple[str, ...]) -> Iterator[tuple[Path, Path]]:
    for directory in sorted({found for pattern in patterns for found in golden.glob(pattern)}):
        for capture in directory.glob("capture.*"):
            log = next(directory.glob("conn.log*"))
            yield capture, log


def logged(log: Path) -> tuple[Totals, Totals]:
    """Packets and bytes between two ends, by IP protocol, as Zeek counted them."""
    packets: Totals = Counter()
    sizes: Totals = Counter()
    with (gzip.open if log.suffix == ".gz" else open)(log, "rt", errors="replace") as lines:
        names: list[str] = []
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            names = cells[1:] if cells[0] == "#fields" else names
            if line.startswith("#"):
                continue
            row = dict(zip(names, cells, strict=True))
            protocol = row["ip_proto"]
            ends = [(row[f"id.{end}_h"], row[f"id.{end}_p"]) for end in ("orig", "resp")]
            key = between(int(protocol), *ends)
            packets[key] += int(row["orig_pkts"]) + int(row["resp_pkts"])
            sizes[key] += int(row["orig_ip_bytes"]) + int(row["resp_ip_bytes"])
    return packets, sizes


def between(protocol: int, one: tuple[str, str], other: tuple[str, str]) -> tuple[str, ...]:
    """What tells totals apart; the ports of ICMP are not those of packets."""
    ends = sorted((host, "" if protocol in (1, 58) else port) for host, port in (one, other))
    return (str(protocol), *ends[0], *ends[1])


def counted(segments: SegmentBatch) -> tuple[Totals, Totals]:
    packets: Totals = Counter()
    sizes: Totals = Counter()
    for row in rows(segments):
        if not row.is_carrier:
            source = row.source, str(row.source_port)
            key = between(row.protocol, source, (row.destination, str(row.destination_port)))
            packets[key] += row.ip_length >= 0
            sizes[key] += max(row.ip_length, 0)
    return packets, sizes


def test_totals_are_those_of_zeek(golden: Path) -> None:
    found = list(captures(golden, ABOUT_HEADERS))
    assert len(found) > 90
    for capture, log in found:
        segments = HeaderDecoder().decode(read_capture(capture))
        assert counted(segments) == logged(log), capture


def transport_of(frame: Packet) -> Packet | None:
    """The TCP or UDP right inside IP, where scapy sees what we see: no fragments, no tunnels."""
    datagram = frame.getlayer(IP) or frame.getlayer(IPv6)
    if datagram is None or type(datagram.payload) not in (TCP, UDP):
        return None
    if type(datagram) is IP and (datagram.flags.MF or datagram.frag or not datagram.len):
        return None
    transport = datagram.payload
    if type(transport) is TCP and transport.dataofs < 5:
        return None
    return None if frame.haslayer(GRE) else transport


def test_headers_are_those_of_scapy(golden: Path) -> None:
    compared = 0
    for capture, _ in captures(golden, ("*",)):
        packets = read_capture(capture)
        packets = part(packets, 0, 25)
        if set(packets.links) != {1}:
            continue
        segments = HeaderDecoder().decode(packets)
        by_time = {time: number for number, time in reversed([*enumerate(segments.times.tolist())])}
        for number, time in enumerate(packets.times.tolist()):
            start = int(packets.starts[number])
            frame = Ether(bytes(packets.data[start : start + int(packets.captured[number])]))
            transport = transport_of(frame)
            if packets.times.tolist().count(time) > 1 or transport is None:
                continue
            compared += 1
            row = by_time[time]
            found = rows(segments)[row]
            datagram = frame.getlayer(IP) or frame.getlayer(IPv6)
            assert datagram is not None
            assert (found.source, found.destination) == (datagram.src, datagram.dst)
            assert (found.source_port, found.destination_port) == (transport.sport, transport.dport)
            if transport.name == "TCP":
                assert segments.sequences[row] == transport.seq
                assert segments.acknowledgements[row] == transport.ack
                assert segments.tcp_flags[row] == int(transport.flags) & 0xFF
                assert segments.windows[row] == transport.window
                payload = transport.payload
                if not isinstance(payload, NoPayload) and payload.name != "Padding":
                    assert bytes(payload.original).startswith(found.payload[:100])
    assert compared > 5000


SAMPLES = [
    bytes(Ether() / Dot1Q() / IP() / TCP(options=[("MSS", 1460)]) / Raw(b"data")),
    bytes(Ether() / IPv6() / IPv6ExtHdrDestOpt() / UDP() / Raw(b"data")),
    bytes(Ether() / IPv6() / IPv6ExtHdrFragment(m=1) / UDP() / Raw(b"data1234")),
    bytes(Ether() / IP(flags="MF") / UDP() / Raw(b"data1234")),
    bytes(Ether() / IP(frag=2, proto=17) / Raw(b"data1234")),
    bytes(Ether() / IP() / UDP(dport=4789) / VXLAN() / Ether() / IP() / UDP() / Raw(b"data")),
    bytes(Ether() / IP() / UDP(dport=3544) / IPv6(dst="2001::1") / UDP()),
    bytes(Ether() / IP() / GRE() / IP() / GRE(proto=0x6558) / Ether() / IPv6() / TCP()),
    bytes(Ether() / IP() / IP() / IPv6() / UDP()),
    bytes(
        Ether() / IP(proto=47) / Raw(b"\0\0\x90\0" + b"\x88" + bytes(23) + b"\x80\0" + bytes(40))
    ),
]


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame with bytes changed, cut somewhere; or anything."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=90))
    frame = bytearray(draw(st.sampled_from(SAMPLES)))
    for place, value in draw(
        st.lists(st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255)), max_size=4)
    ):
        frame[place] = value
    return bytes(frame[: draw(st.integers(0, len(frame)))]) if draw(st.booleans()) else bytes(frame)


@st.composite
def batches(draw: st.DrawFn) -> PacketBatch:
    contents = draw(st.lists(frames(), max_size=12))
    links = [draw(st.sampled_from([1, 1, 1, *LINKS, 147])) for _ in contents]
    times = [1.0 * draw(st.integers(0, 400)) for _ in contents]
    return batch(*contents, link=links, times=times, missing=draw(st.integers(0, 40)))


@settings(deadline=None, max_examples=300)  # as the first run compiles
@given(packets=batches(), cut=st.integers(0, 12))
def test_any_bytes_in_batches_of_any_size(packets: PacketBatch, cut: int) -> None:
    decoder, again = HeaderDecoder(), HeaderDecoder()
    segments = decoder.decode(packets)
    end = segments.payload_starts + segments.payload_captured
    assert np.all((segments.payload_starts >= 0) & (segments.payload_captured >= 0))
    assert np.all(end <= segments.data.size)
    assert np.all(segments.carriers < np.arange(segments.times.size))
    halves = [rows(again.decode(part(packets, *ends))) for ends in ((0, cut), (cut, 12))]
    first = len(halves[0])
    shifted = [row._replace(carrier=row.carrier + first * (row.carrier >= 0)) for row in halves[1]]
    assert halves[0] + shifted == rows(segments)
    assert decoder.skipped == again.skipped


def test_every_packet_is_a_row_or_is_skipped() -> None:
    frame = Ether() / IP() / UDP()
    decoder = HeaderDecoder()
    contents = [bytes(frame), bytes(frame)[:10], bytes(Ether(type=0x1234)) + bytes(20), b"\0" * 30]
    segments = decoder.decode(batch(*contents, link=[1, 1, 1, 200]))
    assert segments.times.size == 1
    assert decoder.skipped == {"truncated": 1, "not IP": 1, "unknown link type 200": 1}
    decoder.decode(batch(*contents, link=[1, 1, 1, 200]))
    assert decoder.skipped == {"truncated": 2, "not IP": 2, "unknown link type 200": 2}


def test_no_packets() -> None:
    assert rows(HeaderDecoder().decode(batch())) == []


@pytest.mark.parametrize("count", [1, 10_000])
def test_as_many_rows_as_packets(count: int) -> None:
    packets = batch(*[bytes(Ether() / IP() / TCP())] * count)
    assert HeaderDecoder().decode(packets).times.size == count
