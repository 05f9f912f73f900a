"""Records summed up by day, source, hour, port, peer and name."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analyzer.baseline.bins import bin_of
from analyzer.baseline.summary import summarise
from analyzer.baseline.tables import LAYOUTS
from analyzer.engine import Engine
from analyzer.public_suffix import suffix_rules

from . import FIRST, frame

DAY = FIRST * 86400.0
HOST, OTHER, OUTSIDE = "10.0.0.1", "10.0.0.2", "192.0.2.1"


def conn(at: float, orig: str, resp: str, port: int, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "ts": DAY + at,
        "orig_h": orig,
        "orig_p": 40_000,
        "resp_h": resp,
        "resp_p": port,
        "proto": "tcp",
        "conn_state": "SF",
        **values,
    }


def dns(at: float, orig: str, query: str | None, port: int = 53, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**conn(at, orig, "10.0.0.53", port), "proto": "udp", "query": query, **values}


CONN = [
    conn(0, HOST, OUTSIDE, 443, orig_bytes=1000, resp_bytes=5000, service="ssl"),
    conn(1, HOST, OUTSIDE, 443, orig_bytes=1000, resp_bytes=5000, service="ssl"),
    conn(70, HOST, OTHER, 445, conn_state="S0"),
    conn(3700, HOST, OTHER, 445, orig_bytes=7, service="smb"),
    conn(3800, HOST, "224.0.0.251", 5353, proto="udp"),
    conn(86400, OUTSIDE, OTHER, 22, orig_bytes=9),
    # Neither an attempt to reach anybody nor any source's.
    conn(90, OTHER, HOST, 0, proto="icmp", orig_p=0),
]
DNS = [
    dns(10, HOST, "www.Example.com"),
    dns(11, HOST, "www.example.com."),
    dns(12, HOST, "gone.example.com", rcode_name="NXDOMAIN"),
    dns(13, OTHER, "example.org"),
    dns(14, OTHER, None),
    dns(15, OTHER, "x.local", port=5353),
    dns(16, OUTSIDE, "example.net"),
]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    with Engine() as engine:
        engine.insert("conn", CONN)
        engine.insert("dns", DNS)
        records = engine.records()
        return summarise(records, lambda: records.keep(suffix_rules(), "suffix_rules"))


EXPECTED: dict[str, list[tuple[object, ...]]] = {
    "days": [(FIRST, 6, 7, 0, DAY, DAY + 3800), (FIRST + 1, 1, 0, 0, DAY + 86400, DAY + 86400)],
    "hours": [
        (HOST, FIRST, 0, 3, 1, 2000, 10000, 2, 1, 2, 3),
        (HOST, FIRST, 1, 1, 0, 7, 0, 1, 0, 1, 0),
        (OTHER, FIRST, 0, 0, 0, 0, 0, 0, 0, 0, 2),
    ],
    "network": [
        (FIRST, 0, 4, 1, 2000, 10000, 7),
        (FIRST, 12, 2, 0, 7, 0, 0),
        (FIRST + 1, 0, 1, 0, 9, 0, 0),
    ],
    "ports": [
        (HOST, "tcp", 443, "ssl", True, FIRST, 2, 2000),
        (HOST, "tcp", 445, "", False, FIRST, 1, 0),
        (HOST, "tcp", 445, "smb", False, FIRST, 1, 7),
    ],
    "peers": [
        (HOST, OTHER, False, FIRST, FIRST),
        (HOST, OUTSIDE, True, FIRST, FIRST),
    ],
    "offered": [
        (OTHER, "tcp", 22, FIRST + 1, FIRST + 1, 1),
        (OTHER, "tcp", 445, FIRST, FIRST, 1),
    ],
    "lookups": [
        (HOST, FIRST, 3, 2, 1, 1, 46, 16),
        (OTHER, FIRST, 1, 1, 1, 0, 11, 11),
    ],
    "names": [(HOST, "example.com", FIRST, 3), (OTHER, "example.org", FIRST, 1)],
    "domains": [("example.com", FIRST, FIRST, 1), ("example.org", FIRST, FIRST, 1)],
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_tables(tables: dict[str, pd.DataFrame], name: str) -> None:
    pd.testing.assert_frame_equal(tables[name], frame(name, *EXPECTED[name]))


def test_histograms(tables: dict[str, pd.DataFrame]) -> None:
    shapes = tables["shapes"]
    assert set(shapes.source) == {HOST}
    sent = shapes[shapes.metric == "bytes_out"]
    held = dict(zip(sent.bin, sent.connections, strict=True))
    assert held == {bin_of([1000], "bytes_out")[0]: 2, bin_of([7], "bytes_out")[0]: 1, 255: 2}
    served = tables["service_shapes"]
    # A high port that one host alone uses is no service.
    assert set(zip(served.proto, served.port, strict=True)) == {
        ("tcp", 443),
        ("tcp", 445),
        ("udp", 0),
    }


def test_samples(tables: dict[str, pd.DataFrame]) -> None:
    reference = tables["reference"]
    assert reference.connections.sum() == 4
    assert list(reference.source.unique()) == [HOST]
    assert sorted(tables["windows"].connections) == [2.0, 3.0]


def test_types(tables: dict[str, pd.DataFrame]) -> None:
    for name, table in tables.items():
        assert dict(table.dtypes) == dict(LAYOUTS[name].empty().dtypes), name


@pytest.mark.parametrize("rows", [{}, {"conn": CONN}, {"dns": DNS}])
def test_a_log_may_be_missing(rows: dict[str, list[dict[str, Any]]]) -> None:
    with Engine() as engine:
        for log, each in rows.items():
            engine.insert(log, each)
        records = engine.records()
        made = summarise(records, lambda: records.keep(suffix_rules(), "suffix_rules"))
    assert made["hours"].empty == (not rows)
    assert made["lookups"].empty == ("dns" not in rows)
    assert made["ports"].empty == ("conn" not in rows)


def test_a_peer_to_peer_client_has_its_ports_together() -> None:
    rows = [conn(n, HOST, OUTSIDE, 20_000 + n) for n in range(100)]
    with Engine() as engine:
        engine.insert("conn", [*rows, *rows, conn(7, HOST, OUTSIDE, 80)])
        records = engine.records()
        ports = summarise(records, lambda: records.keep(suffix_rules(), "suffix_rules"))["ports"]
    assert len(ports) == 64 + 2
    assert ports[ports.port == 0].connections.tolist() == [72.0]
    assert 80 in set(ports.port)
