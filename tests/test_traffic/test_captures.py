"""The sample captures: that they are what the generator makes, and sound as captures."""

from __future__ import annotations

import collections
import ipaddress
import ssl
from pathlib import Path

import numpy as np
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP
from scapy.packet import Padding

from tests.test_traffic.capture_flows import ACK, FIN, RST, SHIPPED, SYN, flows, packets
from tests.traffic.captures import SAMPLES, main
from tests.traffic.captures_messages import client_hello
from tests.traffic.captures_wire import checksum

every_sample = pytest.mark.parametrize("name", SAMPLES)
whole_samples = pytest.mark.parametrize(
    "name", [name for name in SAMPLES if name != "exfiltration"]
)
BLOCKS = [
    ipaddress.ip_network(text)
    for text in (
        "10.20.0.0/16",
        "fd00:20:0:1::/64",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
    )
]


@every_sample
def test_shipped_as_generated(name: str, tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--only", name]) == 0
    assert (tmp_path / f"{name}.pcap").read_bytes() == (SHIPPED / f"{name}.pcap").read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == [f"{name}.pcap"]


def test_small_and_described() -> None:
    sizes = {file.stem: file.stat().st_size for file in SHIPPED.glob("*.pcap")}
    assert sizes.keys() == SAMPLES.keys()
    assert max(sizes.values()) < 1_000_000
    assert sum(sizes.values()) < 3_000_000
    readme = (SHIPPED / "README.md").read_text("utf-8")
    assert all(f"\n| `{name}.pcap` | " in readme for name in SAMPLES)


@every_sample
def test_times(name: str) -> None:
    times = [float(packet.time) for packet in packets(name)]
    assert times == sorted(times)
    sample = SAMPLES[name]
    begin = 1768780800 + 3600 * sample.hour
    assert begin <= times[0] < begin + 10
    assert begin + 0.7 * 3600 * sample.hours < times[-1] < begin + 3600 * sample.hours


@every_sample
def test_addresses(name: str) -> None:
    for packet in packets(name):
        ip = packet.getlayer(IP) or packet.getlayer(IPv6)
        assert (ip is None) == (ARP in packet)
        if ip:
            ends = ipaddress.ip_address(ip.src), ipaddress.ip_address(ip.dst)
            assert all(any(end in block for block in BLOCKS) for end in ends)
            assert 40 < (ip.ttl if IP in packet else ip.hlim) <= 128


@whole_samples
def test_checksums(name: str) -> None:
    for packet in packets(name)[::11]:
        if Padding in packet:
            packet[Padding].underlayer.remove_payload()
        again = packet.copy()
        for layer in (IP, TCP, UDP):
            if layer in again:
                del again[layer].chksum
        assert bytes(again) == bytes(packet)
        assert len(bytes(again)) > 40


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\xff\xff", b"\xff\xfe\0\1", b"abc", bytes(7)])
def test_checksum(data: bytes) -> None:
    """Against the sum as RFC 1071 describes it."""
    padded = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    assert checksum(data) == 0xFFFF ^ total


def reached(number: int, other: int) -> bool:
    """Whether a sequence number is not behind another, counted round."""
    return bool((number - other) % 2**32 < 2**31)


@every_sample
def test_connections_are_consistent(name: str) -> None:
    """No gap; nothing is acknowledged before it is sent; in the end all is."""
    for flow in flows(name):
        sent: dict[bool, int] = {}
        acknowledged: dict[bool, int] = {}
        for segment in flow.segments:
            side, other = segment.by_client, not segment.by_client
            end = (segment.sequence + segment.length + bool(segment.flags & (SYN | FIN))) % 2**32
            before = sent.get(side, segment.sequence if segment.flags & (SYN | RST) else -1)
            assert segment.sequence == before or reached(before, end)
            sent[side] = end if segment.sequence == before else before
            if segment.flags & ACK:
                assert reached(sent[other], segment.acknowledged)
                assert reached(segment.acknowledged, acknowledged.get(other, segment.acknowledged))
                acknowledged[other] = segment.acknowledged
        assert flow.state != "SF" or acknowledged == sent
        assert flow.segments[0].flags == SYN


def test_segments_are_lost_now_and_then() -> None:
    repeated = 0
    for flow in flows("office_hour"):
        seen = collections.Counter(
            (s.by_client, s.sequence, s.length) for s in flow.segments if s.length
        )
        repeated += sum(count > 1 for count in seen.values())
    assert 2 <= repeated <= 10


def test_a_client_hello_is_one() -> None:
    """As OpenSSL reads it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names: list[str] = []
    context.sni_callback = lambda _connection, name, _context: names.append(name)
    received = ssl.MemoryBIO()
    received.write(client_hello(np.random.default_rng(1), "www.larkfield.example"))
    server = context.wrap_bio(received, ssl.MemoryBIO(), server_side=True)
    with pytest.raises(ssl.SSLError, match="NO_SUITABLE_SIGNATURE_ALGORITHM"):
        server.do_handshake()  # as it has no certificate to sign with
    assert names == ["www.larkfield.example"]
