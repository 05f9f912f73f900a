"""What is in the sample captures, as scapy reads it, beside what the generator says of them."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from scapy.layers.inet import UDP
from scapy.layers.l2 import ARP

from tests.test_traffic.capture_flows import Flow, flows, hellos, lookups, packets
from tests.traffic.captures import SAMPLES
from tests.traffic.truth import Truth


@pytest.fixture(scope="module")
def truths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Truth]]:
    """What the generator says of each capture."""
    folder = tmp_path_factory.mktemp("captures")
    return {name: sample.write(folder / f"{name}.pcap") for name, sample in SAMPLES.items()}


def of(name: str, source: str, port: int) -> list[Flow]:
    return [flow for flow in flows(name) if (flow.client, flow.port) == (source, port)]


def only(truth: list[Truth]) -> Truth:
    assert len(truth) == 1
    return truth[0]


def test_office_hour(truths: dict[str, list[Truth]]) -> None:
    name = "office_hour"
    assert truths[name] == []
    states = collections.Counter(flow.state for flow in flows(name))
    assert states.keys() == {"SF", "RSTO"}
    ports = collections.Counter(flow.port for flow in flows(name))
    assert ports.keys() == {80, 443, 445, 993}
    assert ports[443] >= 22
    asked = lookups(name)
    assert {code for *_, code, _ in asked} == {0}
    assert len({client for client, *_ in asked}) == 5
    # People visit what they have looked up.
    assert set(hellos(flows(name))) <= {query for _, query, *_ in asked}
    assert len(hellos(flows(name))) >= 22
    assert any(":" in flow.client for flow in flows(name))
    assert sum(UDP in packet and packet[UDP].dport == 123 for packet in packets(name)) > 30
    assert sum(ARP in packet for packet in packets(name)) == 20
    requests = [s.payload for flow in flows(name) for s in flow.segments if flow.port == 80]
    assert sum(payload.startswith(b"GET / HTTP/1.1\r\nHost: web.ad.") for payload in requests) == 6
    assert sum(payload.startswith(b"HTTP/1.1 200 OK\r\n") for payload in requests) == 12


def test_address_scan(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["address_scan"])
    assert (truth.source, truth.port, truth.technique) == ("10.20.1.13", 445, "T1046")
    scan = [f for f in of("address_scan", truth.source, 445) if f.server.startswith("10.20.8.")]
    assert len({flow.server for flow in scan}) == len(scan) == 140
    assert scan[-1].begin - scan[0].begin < 75
    states = collections.Counter(flow.state for flow in scan)
    assert states == {"S0": 112, "REJ": 18, "RSTO": 10}
    assert all(len(flow.segments) == 2 for flow in scan if flow.state == "S0")


def test_port_scan(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["port_scan"])
    assert (truth.source, truth.destination) == ("10.20.1.12", "10.20.0.11")
    begin, end = truth.start - 0.001, truth.end + 0.001
    scan = [
        flow
        for flow in flows("port_scan")
        if flow.client == truth.source
        and flow.server == truth.destination
        and begin <= flow.begin <= end
    ]
    ports = {flow.port: flow.state for flow in scan}
    assert len(scan) == len(ports) == 400
    assert {port for port, state in ports.items() if state == "RSTO"} == {135, 139, 445, 3389}
    assert collections.Counter(ports.values())["S0"] > 60
    assert end - begin < 61


def test_dns_tunnel(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["dns_tunnel"])
    assert (truth.source, truth.destination, truth.port) == ("10.20.1.11", "quillmoor.net", 53)
    tunnel = [row for row in lookups("dns_tunnel") if row[1].endswith(".t1.quillmoor.net")]
    assert {(client, kind, code, count) for client, _, kind, code, count in tunnel} == {
        (truth.source, 16, 0, 1)
    }
    subdomains = {name.removesuffix(".t1.quillmoor.net") for _, name, *_ in tunnel}
    # Five bits a character, the dot aside.
    assert len(subdomains) == 330
    assert sum(len(text) - 1 for text in subdomains) * 5 // 8 == 22_687


def test_dga(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["dga"])
    assert (truth.source, truth.technique) == ("10.20.1.14", "T1568.002")
    failed = {row[1] for row in lookups("dga") if row[3] == 3}
    assert {row[0] for row in lookups("dga") if row[3] == 3} == {truth.source}
    assert len(failed) == 139
    assert all(len(name.partition(".")[0]) >= 11 for name in failed)
    (control,) = (flow for flow in flows("dga") if flow.server == "192.52.193.44")
    assert (control.client, control.port, control.state) == (truth.source, 80, "SF")
    assert control.begin >= truth.end


def test_beacon(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["beacon"])
    assert (truth.source, truth.destination, truth.port) == ("10.20.1.10", "192.52.193.23", 443)
    calls = [flow for flow in flows("beacon") if flow.server == truth.destination]
    begins = np.array([flow.begin for flow in calls])
    gaps = np.diff(begins)
    assert 460 < len(calls) < 490
    assert 53 < gaps.min() < gaps.max() < 67
    assert abs(np.median(gaps) - 60) < 1
    assert begins[-1] - begins[0] > 7.8 * 3600
    assert {flow.client for flow in calls} == {truth.source}
    assert {flow.state for flow in calls} == {"SF"}
    assert set(hellos(calls)) == {"cdn-status.brackenfeed.com"}
    assert len(hellos(calls)) == len(calls)
    sizes = {flow.size(by_client=True) for flow in calls}
    assert max(sizes) - min(sizes) < 10


def test_exfiltration(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["exfiltration"])
    assert (truth.source, truth.destination, truth.port) == ("10.20.1.12", "192.52.193.77", 443)
    uploads = [flow for flow in flows("exfiltration") if flow.server == truth.destination]
    assert len(uploads) == 10
    assert {(flow.client, flow.state) for flow in uploads} == {(truth.source, "SF")}
    sent = sum(flow.size(by_client=True) for flow in uploads)
    received = sum(flow.size(by_client=False) for flow in uploads)
    assert 41_900_000 < sent < 42_100_000
    assert received < 20_000
    assert uploads[-1].begin - uploads[0].begin < 3600
    captured = [len(packet) for packet in packets("exfiltration")]
    assert max(captured) == 96
    assert max(packet.wirelen or 0 for packet in packets("exfiltration")) > 40_000


def test_lateral_movement(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["lateral_movement"])
    assert (truth.source, truth.technique) == ("10.20.1.11", "T1021")
    targets = {f"10.20.1.{number}" for number in range(30, 38)}
    moves = [flow for flow in flows("lateral_movement") if flow.server in targets]
    assert {flow.client for flow in moves} == {truth.source}
    assert collections.Counter((flow.server, flow.port) for flow in moves) == {
        (target, port): 1 for target in targets for port in (135, 445, 3389, 5985)
    }
    firsts = {flow.port: flow.segments[3].payload for flow in moves}
    assert firsts[445][4:8] == b"\xfeSMB"
    assert firsts[135][:3] == b"\5\0\x0b"
    assert b"Cookie: mstshash=admin\r\n" in firsts[3389]
    assert firsts[5985].startswith(b"POST /wsman HTTP/1.1\r\n")


def test_brute_force(truths: dict[str, list[Truth]]) -> None:
    truth = only(truths["brute_force"])
    assert (truth.source, truth.destination, truth.port) == ("10.20.1.13", "10.20.0.14", 22)
    guesses = of("brute_force", truth.source, 22)
    assert len(guesses) == 80
    assert {(flow.server, flow.state) for flow in guesses} == {(truth.destination, "SF")}
    for flow in guesses:
        said = [segment.payload for segment in flow.segments if segment.length]
        assert said[0].startswith(b"SSH-2.0-OpenSSH")
        assert said[1].startswith(b"SSH-2.0-libssh2")
        # Lengths, paddings and kinds of messages that are not encrypted yet.
        for payload, kind in zip(said[2:5], (20, 20, 30), strict=True):
            assert payload[5] == kind
            assert int.from_bytes(payload[:4], "big") + 4 == len(payload)
            assert len(payload) % 8 == 0
    assert 600 < truth.end - truth.start < 640
