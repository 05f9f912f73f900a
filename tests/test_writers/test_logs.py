"""Records as Zeek's logs: the same text as the formatter of single values gives."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.engine import Engine
from analyzer.errors import OutputError
from analyzer.parsers.reading import read
from analyzer.records import CONN, DNS, LOGS, Column
from analyzer.writers.logs import LogWriter, log_writer
from analyzer.zeek_format import LogFormat, format_row, format_value, header

WRITTEN = 1_700_000_000.0

COLUMNS = (
    Column("ts", "time", "when"),
    Column("orig_h", "addr", "who"),
    Column("query", "string", "what", free=True),
    Column("AA", "bool", "whether"),
    Column("orig_p", "port", "where"),
    Column("answers", "vector[string]", "texts", free=True),
    Column("TTLs", "vector[interval]", "times"),
)

_TYPES = {
    "time": pa.float64(),
    "addr": pa.string(),
    "string": pa.string(),
    "bool": pa.bool_(),
    "port": pa.uint16(),
    "vector[string]": pa.list_(pa.string()),
    "vector[interval]": pa.list_(pa.float64()),
}
SCHEMA = pa.schema([(column.name, _TYPES[column.type]) for column in COLUMNS])

Row = dict[str, Any]


def lines(rows: list[Row], format: LogFormat, schema: pa.Schema = SCHEMA) -> list[str]:  # noqa: A002
    stream = io.BytesIO()
    writer = LogWriter(stream, "test", COLUMNS, format, WRITTEN)
    table = pa.Table.from_pylist(rows, schema)
    # In two goes, the second from the middle of a table.
    writer.append(table.slice(0, 1))
    writer.append(table.slice(1))
    writer.close()
    assert writer.rows == len(rows)
    return stream.getvalue().decode().splitlines(keepends=True)


ROW: Row = {
    "ts": 1_258_531_221.486539,
    "orig_h": "fe80::1",
    "query": "www.example.org",
    "AA": True,
    "orig_p": 53,
    "answers": ["a", "b"],
    "TTLs": [60.0, 0.5],
}
UNSET: Row = {"ts": 0.0}
ODD: Row = {
    "ts": -1.5,
    "orig_h": "::",
    "query": "",
    "AA": False,
    "orig_p": 0,
    "answers": ["", "-", "a,b", "tab\there", None, "(empty)", "ü\\", "\\xe4\\x41"],
    "TTLs": [],
}


def test_tsv() -> None:
    assert lines([ROW, UNSET, ODD], "tsv")[8:-1] == [
        "1258531221.486539\tfe80::1\twww.example.org\tT\t53\ta,b\t60.000000,0.500000\n",
        "0.000000\t-\t-\t-\t-\t-\t-\n",
        (
            "-1.500000\t::\t(empty)\tF\t0\t"
            "(empty),\\x2d,a\\x2cb,tab\\x09here,-,\\x28empty),ü\\\\,\\xe4\\\\x41\t(empty)\n"
        ),
    ]


def test_json() -> None:
    assert lines([ROW, UNSET, ODD], "json") == [
        (
            '{"ts":1258531221.486539,"id.orig_h":"fe80::1","query":"www.example.org","AA":true,'
            '"id.orig_p":53,"answers":["a","b"],"TTLs":[60.000000,0.500000]}\n'
        ),
        '{"ts":0.000000}\n',
        (
            '{"ts":-1.500000,"id.orig_h":"::","query":"","AA":false,"id.orig_p":0,'
            '"answers":["","-","a,b","tab\\there",null,"(empty)","ü\\\\","\\\\xe4\\\\x41"],"TTLs":[]}\n'
        ),
    ]


def test_headers_are_those_of_zeek() -> None:
    found = lines([ROW, UNSET], "tsv")
    fields = [(column.zeek_name, column.type) for column in COLUMNS]
    assert "".join(found[:8]) == header("test", fields, WRITTEN)
    assert found[-1] == "#close\t2023-11-14-22-13-20\n"
    assert lines([], "json") == []


def test_columns_that_a_table_lacks_are_unset() -> None:
    schema = pa.schema([SCHEMA.field("ts"), SCHEMA.field("AA")])
    found = lines([{"ts": 1.0, "AA": True}], "tsv", schema)
    assert found[8] == "1.000000\t-\t-\tT\t-\t-\t-\n"
    assert lines([{"ts": 1.0, "AA": True}], "json", schema) == ['{"ts":1.000000,"AA":true}\n']


def test_encoded_texts_are_written_like_plain_ones() -> None:
    encoded = SCHEMA.set(2, pa.field("query", pa.dictionary(pa.int32(), pa.string())))
    rows = [ROW, ROW | {"query": "a\\b"}, ROW | {"query": None}, ROW | {"query": ""}]
    for format_ in ("tsv", "json"):
        assert lines(rows, format_, encoded) == lines(rows, format_)


def test_times_that_no_double_holds_in_microseconds() -> None:
    assert lines([{"ts": 1e15 + 0.125}], "tsv")[8].startswith("1000000000000000.125000\t")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\\xe4b", "a\\xe4b"),
        ("\\xe4", "\\xe4"),
        ("\\xe4\\xff", "\\xe4\\xff"),
        ("\\xe4\\x41", "\\xe4\\\\x41"),
        ("\\\\xe4", "\\\\\\xe4"),
        ("ü\\xe4", "\\xc3\\xbc\\xe4"),
        ("\\xe4\t", "\\xe4\\x09"),
        ("\\xe4,", "\\xe4,"),
    ],
)
def test_bytes_that_are_no_utf8(text: str, written: str) -> None:
    assert lines([ROW | {"query": text}], "tsv")[8].split("\t")[2] == written


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_TIMES = st.floats(-1e9, 4e9).map(lambda value: round(value, 6) + 0.0)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {"ts": _TIMES},
        optional={
            "orig_h": st.ip_addresses().map(str),
            "query": st.none() | _TEXTS,
            "AA": st.none() | st.booleans(),
            "orig_p": st.none() | st.integers(0, 65535),
            "answers": st.none() | st.lists(st.none() | _TEXTS, max_size=3),
            "TTLs": st.none() | st.lists(_TIMES, max_size=3),
        },
    ),
    max_size=5,
)


@given(_ROWS)
def test_tsv_is_what_single_values_make(rows: list[Row]) -> None:
    expected = [
        format_row(format_value(row.get(column.name), column.type) for column in COLUMNS)
        for row in rows
    ]
    assert "".join(lines(rows, "tsv")[8:-1]) == "".join(expected)


@given(_ROWS)
def test_json_says_what_was_given(rows: list[Row]) -> None:
    names = {column.zeek_name: column.name for column in COLUMNS}
    found = [
        {names[key]: value for key, value in json.loads(line).items()}
        for line in "".join(lines(rows, "json")).split("\n")[:-1]
    ]
    assert found == [
        {name: value for name, value in row.items() if value is not None} for row in rows
    ]


@pytest.mark.parametrize("format_", ["tsv", "json"])
def test_what_is_written_reads_back_equal(tmp_path: Path, format_: LogFormat) -> None:
    every = {log: tuple(column.name for column in held) for log, held in LOGS.items()}
    conn: Row = dict.fromkeys(column.name for column in CONN)
    conn |= {"ts": 1.5, "uid": "C1", "orig_h": "10.0.0.1", "orig_p": 1, "resp_h": "::1"}
    conn |= {"resp_p": 2, "proto": "tcp", "duration": 0.25, "orig_bytes": 3, "local_orig": True}
    conn |= {"tunnel_parents": ["C2"], "service": "dns,ssl"}
    dns: Row = dict.fromkeys(column.name for column in DNS)
    dns |= {"ts": 2.5, "orig_h": "10.0.0.1", "resp_h": "10.0.0.2", "proto": "udp", "query": "#a"}
    dns |= {"answers": ["TXT 3 a,b"], "TTLs": [1.5], "rejected": False, "uid": "C3", "trans_id": 7}
    with Engine(column_names=every) as engine:
        for log, row in (("conn", conn), ("dns", dns)):
            schema = engine.table(log).schema().to_pyarrow()
            with log_writer(
                tmp_path / f"{log}.log", log, LOGS[log], format=format_, written=WRITTEN
            ) as writer:
                writer.append(pa.Table.from_pylist([row], schema))
        account = read([tmp_path], engine)
        assert (dict(account.read), account.skipped.total()) == ({"conn": 1, "dns": 1}, 0)
        assert engine.table("conn").to_pyarrow().to_pylist() == [conn]
        assert engine.table("dns").to_pyarrow().to_pylist() == [dns]


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "conn.log").mkdir()
    with (
        pytest.raises(OutputError, match="is a directory"),
        log_writer(tmp_path / "conn.log", "conn", CONN, written=WRITTEN),
    ):
        pass
