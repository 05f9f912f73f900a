from __future__ import annotations

import pyarrow as pa
import pytest

from analyzer.parsers.pcap import dns_rows
from analyzer.parsers.pcap.dns_transactions import DnsTransactions
from analyzer.records import DNS
from tests.test_parsers.test_pcap.dns_talk import (
    NETBIOS,
    Connections,
    Talk,
    address,
    name,
    query,
    record,
    response,
)

OF_CONNECTIONS = {"uid", "orig_h", "orig_p", "resp_h", "resp_p", "proto"}
TYPES = {
    "float64": pa.float64(),
    "string": pa.string(),
    "int64": pa.int64(),
    "boolean": pa.bool_(),
    "array<string>": pa.list_(pa.string()),
    "array<float64>": pa.list_(pa.float64()),
}


def test_columns_are_those_of_dns_log() -> None:
    for talk in (Talk(), Talk().say(query(1)).end()):
        columns = DnsTransactions().observe(talk.batch(), Connections(talk.slots)).columns
        expected = [
            (column.name, TYPES[column.dtype])
            for column in DNS
            if column.name not in OF_CONNECTIONS
        ]
        assert list(zip(columns.schema.names, columns.schema.types, strict=True)) == expected


def test_bytes_that_are_no_text() -> None:
    asked = query(1, "x").replace(b"\1x", b"\3\xe9a\xff") + b""
    answers = record(16, b"\2\xc3\xa9"), record(16, b"\1\xc3")
    rows = Talk().say(asked).say(response(1, *answers), at=1.0, to=False).rows()
    assert rows[0]["query"] == r"\xe9a\xff"
    assert rows[0]["answers"] == ["TXT 2 é", r"TXT 1 \xc3"]


def test_rows_with_and_without_names_and_answers() -> None:
    talk = Talk()
    for at in range(40):
        if at % 3:
            talk.say(query(at, f"host{at}"))
        if at % 4:
            records = [address(f"192.0.2.{at}")] * (at % 5)
            talk.say(response(at, *records, of="zone"), at=1.0, to=False)
    rows = {row["trans_id"]: row for row in talk.end().rows()}
    for at, row in rows.items():
        answered = bool(at % 4 and at % 5)
        fallback = "zone" if answered else None
        assert row["query"] == (f"host{at}" if at % 3 else fallback)
        assert row["answers"] == ([f"192.0.2.{at}"] * (at % 5) if answered else None)
        assert row["TTLs"] == ([60.0] * (at % 5) if answered else None)
    assert len(rows) == 36


def test_netbios_names_are_decoded_where_they_are_asked_for() -> None:
    encoded = "fhepfcelehfcepfffacacacacacacabn"
    owner = record(32, bytes(6), of=name(encoded))
    talk = Talk(slots=[NETBIOS, (17, 137, 53)])
    talk.say(query(1, encoded, 33)).say(query(2, encoded, 33), slot=1)
    talk.say(response(3, owner, address()), to=False)
    rows = talk.end(slot=0).end(slot=1).rows()
    assert [(row["query"], row["qtype_name"], row["opcode_name"]) for row in rows] == [
        ("WORKGROUP", "NBSTAT", "netbios-query"),
        ("example.com", None, "netbios-query"),
        (encoded, "SRV", "netbios-query"),
    ]


def test_chunks_of_rows_are_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk()
    for at in range(50):
        talk.say(query(at, f"host{at}"))
        talk.say(response(at, *[address()] * at), at=1.0, to=False)
    whole = talk.rows()
    monkeypatch.setattr(dns_rows, "_CHUNK_BYTES", 300)
    assert talk.rows() == whole
    monkeypatch.setattr(dns_rows, "_CHUNK_ROWS", 7)
    assert talk.rows() == whole
    found = DnsTransactions().observe(talk.batch(), Connections(talk.slots))
    assert found.columns.column("ts").num_chunks > 8
