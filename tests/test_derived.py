"""What is worked out about a connection while it is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.derived import LOGIN_SERVICES
from analyzer.engine import Engine
from tests.test_detectors import Row, connection, holding

TCP: dict[str, Any] = {"proto": "tcp", "history": None, "conn_state": None, "resp_pkts": None}

# columns beside those of TCP, and whether the responder answered
ANSWERS: list[tuple[Row, bool]] = [
    ({"conn_state": "SF"}, True),
    ({"conn_state": "S1"}, True),
    ({"conn_state": "S2"}, True),
    ({"conn_state": "S3"}, True),
    ({"conn_state": "RSTO"}, True),
    ({"conn_state": "S0"}, False),
    ({"conn_state": "REJ"}, False),
    ({"conn_state": "S0", "history": "S", "resp_pkts": 0}, False),
    ({"conn_state": "REJ", "history": "Sr", "resp_pkts": 1}, False),
    ({"conn_state": "S0", "history": "^s"}, True),
    ({"conn_state": "REJ", "history": "^R"}, True),
    ({"conn_state": "RSTR", "history": "ShADadr"}, True),
    ({"conn_state": "RSTR", "history": "Sr", "resp_pkts": 1}, False),
    ({"conn_state": "RSTRH", "history": "^hr"}, True),
    ({"conn_state": "RSTRH", "history": "r", "resp_pkts": 1}, False),
    ({"conn_state": "RSTOS0", "history": "SR"}, False),
    ({"conn_state": "SH", "history": "SF"}, False),
    ({"conn_state": "SHR", "history": "h"}, True),
    ({"conn_state": "OTH", "history": "D"}, True),
    ({"conn_state": "OTH", "history": "DadA"}, True),
    ({"conn_state": "OTH", "history": "A"}, False),
    ({"conn_state": "OTH", "history": "F"}, False),
    ({"conn_state": "OTH", "history": "Ar"}, False),
    ({"conn_state": "OTH", "history": "Ca"}, True),
    ({"conn_state": "OTH", "history": "f"}, True),
    ({"conn_state": "OTH", "resp_pkts": 3}, True),
    ({"conn_state": "OTH", "resp_pkts": 0}, False),
    ({"conn_state": "OTH", "resp_bytes": 3}, True),
    ({"conn_state": "OTH", "resp_bytes": 0}, False),
    ({"conn_state": "OTH"}, True),
    ({"history": "S"}, False),
    ({"history": "Sh"}, True),
    ({"history": ""}, True),
    ({"history": "", "resp_pkts": 0}, False),
    ({"resp_pkts": 0}, False),
    ({}, True),
    ({"proto": "udp", "resp_pkts": 0, "conn_state": "S0"}, False),
    ({"proto": "udp", "resp_pkts": 1, "conn_state": "SHR"}, True),
    ({"proto": "udp", "resp_pkts": 0, "resp_bytes": 9}, False),
    ({"proto": "udp", "resp_bytes": 9}, True),
    ({"proto": "udp", "resp_bytes": 0}, False),
    ({"proto": "udp", "conn_state": "S0"}, True),
    ({"proto": "icmp", "resp_pkts": 0}, False),
    ({"proto": "icmp", "resp_pkts": 1}, True),
    ({"proto": "sctp", "resp_pkts": 0, "history": "h"}, False),
]


def test_who_answered() -> None:
    rows = [
        connection(k, "10.0.0.1", "10.0.0.2", 80) | TCP | columns
        for k, (columns, _) in enumerate(ANSWERS)
    ]
    with holding(rows) as records:
        conn = records.conn.order_by("ts")
        found = [row["answered"] for row in conn.to_pyarrow().to_pylist()]
    assert [
        (columns, answered) for (columns, _), answered in zip(ANSWERS, found, strict=True)
    ] == ANSWERS


# protocol, originator's port, responder's port, and whether it asks for something
REQUESTS: list[tuple[str, int | None, int | None, bool]] = [
    ("tcp", 50_000, 22, True),
    ("tcp", 50_000, 33_434, True),
    ("tcp", 53, 50_000, True),
    ("tcp", None, None, True),
    ("udp", 50_000, 53, True),
    ("udp", 50_000, 33_433, True),
    ("udp", 50_000, 33_434, False),
    ("udp", 50_000, 33_626, False),
    ("udp", 50_000, 33_627, True),
    ("udp", 53, 50_000, False),
    ("udp", 1023, 1024, False),
    ("udp", 1024, 1024, True),
    ("udp", 123, 123, True),
    ("udp", 1023, 1023, True),
    ("udp", None, 50_000, True),
    ("udp", 53, None, True),
    ("icmp", 8, 0, True),
    ("icmp", 13, 14, True),
    ("icmp", 15, 16, True),
    ("icmp", 17, 18, True),
    ("icmp", 128, 129, True),
    ("icmp", 0, 8, False),
    ("icmp", 3, 3, False),
    ("icmp", 11, 0, False),
    ("icmp", 5, 1, False),
    ("icmp", 135, 136, False),
    ("sctp", 5000, 80, True),
]


def test_what_is_a_request() -> None:
    rows = [
        connection(k, "10.0.0.1", "10.0.0.2", 80)
        | {"proto": proto, "orig_p": origin, "resp_p": port}
        for k, (proto, origin, port, _) in enumerate(REQUESTS)
    ]
    with holding(rows) as records:
        conn = records.conn.order_by("ts")
        found = [row["request"] for row in conn.to_pyarrow().to_pylist()]
    assert [
        (*row[:3], bool(is_one)) for row, is_one in zip(REQUESTS, found, strict=True)
    ] == REQUESTS


# protocol, responder's port, IP protocol, and what was tried
TRIED: list[tuple[str, int | None, int | None, int]] = [
    ("tcp", 443, 6, 443),
    ("tcp", None, None, 0),
    ("udp", 53, None, 53),
    ("icmp", 0, 1, 0),
    ("icmp", 129, 58, 0),
    ("unknown_transport", 0, 47, 47),
    ("unknown_transport", 0, 300, 255),
    ("unknown_transport", 0, None, 255),
]


def test_what_was_tried() -> None:
    rows = [
        connection(k, "10.0.0.1", "10.0.0.2", 80)
        | {"proto": proto, "resp_p": port, "ip_proto": number}
        for k, (proto, port, number, _) in enumerate(TRIED)
    ]
    with holding(rows) as records:
        found = [row["tried_p"] for row in records.conn.order_by("ts").to_pyarrow().to_pylist()]
    assert found == [tried for *_, tried in TRIED]


def test_what_they_come_from_is_not_kept_unless_asked_for() -> None:
    with Engine() as engine:
        assert set(engine.table("conn").columns) == {
            "ts", "uid", "orig_h", "orig_p", "resp_h", "resp_p", "proto", "orig_bytes",
            "resp_bytes", "local_orig", "local_resp", "answered", "request", "tried_p", "duration",
            "login_service", "application", "orig_pkts",
        }  # fmt: skip
    names = {"conn": ("ts", "duration"), "dns": ("ts",), "ssl": ("uid",), "http": ("uid",)}
    with Engine(column_names=names) as engine:
        assert engine.table("conn").columns == ("ts", "duration")


@pytest.mark.parametrize(
    ("columns", "service"),
    [
        ({"service": "ssh", "resp_p": 2022}, "ssh"),
        ({"service": "gssapi,smb,dce_rpc", "resp_p": 445}, "smb"),
        ({"service": None, "resp_p": 3389}, "rdp"),
        ({"service": "ssl", "resp_p": 993}, "imap"),
        ({"service": "http", "resp_p": 22}, ""),
        ({"service": None, "resp_p": 22, "proto": "udp"}, ""),
        ({"service": "sip", "resp_p": 5060, "proto": "udp"}, "sip"),
        ({"service": None, "resp_p": None}, ""),
    ],
)
def test_which_service_asks_who_one_is(columns: Row, service: str) -> None:
    with holding([connection(0, "10.0.0.1", "10.0.0.2", 80) | columns]) as records:
        found = records.conn.login_service.to_pyarrow().to_pylist()
    assert [LOGIN_SERVICES[index] for index in found] == [service]


def test_durations_and_packets_in_half_the_room() -> None:
    rows = [
        connection(0, "10.0.0.1", "10.0.0.2", 80, duration=1234.567, orig_pkts=2**40),
        connection(1, "10.0.0.1", "10.0.0.2", 80),
    ]
    with holding(rows) as records:
        found = records.conn.order_by("ts").to_pyarrow().to_pylist()
    assert found[0]["duration"] == pytest.approx(1234.567)
    assert [row["orig_pkts"] for row in found] == [2**32 - 1, None]
    assert found[1]["duration"] is None
