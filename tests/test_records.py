"""Records: the columns of each log, their names and types, and what the engine makes of them."""

from __future__ import annotations

import pytest

from analyzer.engine import Engine
from analyzer.records import CONN, DETECTION_COLUMNS, DNS, LOGS, Column, columns
from tests.test_detectors import START, connection, holding, lookup


def test_the_columns_of_conn_are_those_of_zeek() -> None:
    assert [column.zeek_name for column in CONN] == [
        "ts",
        "uid",
        "id.orig_h",
        "id.orig_p",
        "id.resp_h",
        "id.resp_p",
        "proto",
        "service",
        "duration",
        "orig_bytes",
        "resp_bytes",
        "conn_state",
        "local_orig",
        "local_resp",
        "missed_bytes",
        "history",
        "orig_pkts",
        "orig_ip_bytes",
        "resp_pkts",
        "resp_ip_bytes",
        "tunnel_parents",
        "ip_proto",
    ]


def test_the_columns_of_dns_are_those_of_zeek() -> None:
    assert [column.zeek_name for column in DNS] == [
        "ts",
        "uid",
        "id.orig_h",
        "id.orig_p",
        "id.resp_h",
        "id.resp_p",
        "proto",
        "trans_id",
        "rtt",
        "query",
        "qclass",
        "qclass_name",
        "qtype",
        "qtype_name",
        "rcode",
        "rcode_name",
        "AA",
        "TC",
        "RD",
        "RA",
        "Z",
        "answers",
        "TTLs",
        "rejected",
        "opcode",
        "opcode_name",
    ]


@pytest.mark.parametrize("log", LOGS)
def test_every_column_has_a_name_a_meaning_and_a_type(log: str) -> None:
    names = [column.name for column in LOGS[log]]
    assert len(set(names)) == len(names)
    for column in LOGS[log]:
        assert column.meaning
        assert column.dtype


@pytest.mark.parametrize(
    ("kind", "dtype", "element", "container"),
    [
        ("time", "float64", "time", False),
        ("port", "uint16", "port", False),
        ("count", "int64", "count", False),
        ("bool", "boolean", "bool", False),
        ("addr", "string", "addr", False),
        ("set[string]", "array<string>", "string", True),
        ("vector[interval]", "array<float64>", "interval", True),
    ],
)
def test_types(kind: str, dtype: str, element: str, container: bool) -> None:  # noqa: FBT001
    column = Column("answers", kind, "something")
    assert (column.dtype, column.element_type, column.is_container) == (dtype, element, container)


def test_only_the_endpoints_have_a_prefix() -> None:
    assert Column("orig_h", "addr", "").zeek_name == "id.orig_h"
    assert Column("uid", "string", "").zeek_name == "uid"


def test_a_row_needs_its_time_and_endpoints() -> None:
    assert [column.name for column in CONN if column.required] == [
        "ts",
        "orig_h",
        "resp_h",
        "proto",
    ]
    assert [column.name for column in DNS if column.required] == ["ts", "orig_h", "resp_h"]


@pytest.mark.parametrize("log", LOGS)
def test_detectors_use_columns_that_exist(log: str) -> None:
    used = columns(log, DETECTION_COLUMNS[log])
    assert [column.name for column in used] == list(DETECTION_COLUMNS[log])
    assert {column.name for column in LOGS[log] if column.required} <= set(DETECTION_COLUMNS[log])


def test_columns_come_in_the_order_of_the_log() -> None:
    assert [column.name for column in columns("conn", ("proto", "ts"))] == ["ts", "proto"]
    assert columns("conn") == CONN


def test_an_unknown_column_or_log_is_refused() -> None:
    with pytest.raises(KeyError, match="conn has no column qtype, rtt"):
        columns("conn", ("ts", "rtt", "qtype"))
    with pytest.raises(KeyError):
        columns("ftp")


def test_records_know_their_time_and_number() -> None:
    conn = [connection(k, "10.0.0.1", "10.0.0.2", 80) for k in (5, 3, 9)]
    dns = [lookup(k, "10.0.0.1", "example.com") for k in (1, 7)]
    with holding(conn, dns) as records:
        assert (records.first, records.last) == (START + 1, START + 9)
        assert records.counts == {"conn": 3, "dns": 2}
        assert records.local.flagged is False
    with holding() as records:
        assert (records.first, records.last) == (None, None)
        assert records.counts == {"conn": 0, "dns": 0}
    with holding([connection(0, "10.0.0.1", "10.0.0.2", 80, local_orig=False)]) as records:
        assert records.local.flagged is False
    with holding([connection(0, "10.0.0.1", "10.0.0.2", 80, local_resp=True)]) as records:
        assert records.local.flagged is True


def test_records_of_a_time() -> None:
    with Engine() as engine:
        engine.insert("conn", [connection(k, "10.0.0.1", "10.0.0.2", 80) for k in range(10)])
        engine.insert("dns", [lookup(k, "10.0.0.1", "example.com") for k in range(10)])
        records = engine.records(begin=START + 2, end=START + 5)
        assert records.counts == {"conn": 3, "dns": 3}
        assert (records.first, records.last) == (START + 2, START + 4)
        assert engine.records(begin=START + 9.5).counts == {"conn": 0, "dns": 0}


def test_server_names_come_from_either_log() -> None:
    with holding(
        ssl=[
            {"uid": "C1", "server_name": "b.example.com"},
            {"uid": "C1", "server_name": "a.example.com"},
            {"uid": "C2", "server_name": None},
        ],
        http=[{"uid": "C3", "host": "c.example.com"}, {"uid": "C1", "host": "z.example.com"}],
    ) as records:
        rows = records.server_names.order_by("uid").to_pyarrow().to_pylist()
    assert rows == [
        {"uid": "C1", "server_name": "a.example.com"},
        {"uid": "C3", "server_name": "c.example.com"},
    ]
