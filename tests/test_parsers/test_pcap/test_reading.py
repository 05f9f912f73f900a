"""Captures from end to end."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap import container
from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.container import Capture
from analyzer.parsers.pcap.reading import CaptureReader

from .scenes import (
    CLIENT,
    RESOLVER,
    SERVER,
    START,
    capture,
    client_hello,
    lookup,
    only,
    ping,
    records,
    web,
)

REQUEST = b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SCENE = [
    *lookup(START, "www.Example.org", SERVER),
    *web(START + 1, REQUEST, RESPONSE),
    *ping(START + 2),
]


def test_what_zeek_would_log() -> None:
    found = records(capture(SCENE))
    dns, http, icmp = found["conn"]
    assert all(
        str(row["uid"]).startswith("C") and len(str(row["uid"])) == 18 for row in found["conn"]
    )
    assert len({row["uid"] for row in found["conn"]}) == 3
    http.pop("uid")
    assert http == {
        "ts": START + 1,
        "orig_h": CLIENT,
        "orig_p": 40_000,
        "resp_h": SERVER,
        "resp_p": 80,
        "proto": "tcp",
        "service": "http",
        "duration": pytest.approx(0.07, abs=1e-6),
        "orig_bytes": len(REQUEST),
        "resp_bytes": len(RESPONSE),
        "conn_state": "SF",
        "local_orig": True,
        "local_resp": False,
        "missed_bytes": 0,
        "history": "ShADdFf",
        "orig_pkts": 5,
        "orig_ip_bytes": 5 * 40 + len(REQUEST),
        "resp_pkts": 3,
        "resp_ip_bytes": 3 * 40 + len(RESPONSE),
        "tunnel_parents": None,
        "ip_proto": 6,
    }
    assert only([dns, icmp], "orig_p", "resp_p", "proto", "service", "conn_state", "history") == [
        (5360, 53, "udp", "dns", "SF", "Dd"),
        (8, 0, "icmp", None, "OTH", None),
    ]
    (row,) = found["dns"]
    assert row["uid"] == dns["uid"]
    assert only([row], "ts", "orig_h", "resp_h", "resp_p", "proto", "trans_id", "query") == [
        (START, CLIENT, RESOLVER, 53, "udp", 7, "www.example.org")
    ]
    assert only([row], "rtt", "qtype_name", "rcode_name", "RD", "RA", "answers", "TTLs") == [
        (pytest.approx(0.004, abs=1e-6), "A", "NOERROR", True, True, [SERVER], [60.0])
    ]
    assert only(found["server_names"], "server_name") == [("www.example.org",)]


def test_the_name_in_a_client_hello() -> None:
    found = records(
        capture(web(START, client_hello("mail.example.org"), b"\x15\x03\x03\0\2\2\x28", 443))
    )
    (row,) = found["conn"]
    assert found["server_names"] == [{"uid": row["uid"], "server_name": "mail.example.org"}]


def test_captures_given_together_are_one_stream() -> None:
    whole = records(capture(SCENE))
    odd, even = capture(SCENE[::2]), capture(SCENE[1::2])
    assert records(odd, even)["conn"] == whole["conn"]
    assert records(even, odd) == whole


def test_no_packets_no_rows() -> None:
    assert records(capture([])) == {"conn": [], "dns": [], "server_names": []}


def test_batches_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = [
        packet for k in range(200) for packet in lookup(START + k / 50, f"a{k}.example", SERVER, k)
    ]
    whole = records(capture(scene))
    monkeypatch.setattr(container, "SMALLEST_BATCH", 1 << 10)
    monkeypatch.setattr(container, "BATCH_SIZE", 1 << 10)
    assert records(capture(scene)) == whole
    assert len(whole["conn"]) == 200


def test_packets_that_hold_nothing_to_follow_are_counted() -> None:
    data = capture(SCENE)
    # An Ethernet type that nobody knows, in the first frame.
    data = data[:52] + b"\x12\x34" + data[54:]
    reader = CaptureReader([Capture("", ByteStream(io.BytesIO(data)))])
    rows = list(reader)
    assert sum(len(row.conn) for row in rows) == 3
    assert reader.skipped.total() == 1


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_flipped_bits_do_no_harm(seed: int, flips: int) -> None:
    data = bytearray(capture(SCENE))
    noise = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(flips):
        data[noise.randrange(24, len(data))] ^= 1 << noise.randrange(8)
    found = records(bytes(data))
    assert len(found["conn"]) <= len(SCENE)


def test_cut_anywhere() -> None:
    data = capture(SCENE)
    for end in range(24, len(data), 7):
        found = records(data[:end])
        assert len(found["conn"]) <= 3
