"""Rows of one format in the other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.conversion import Conversion
from analyzer.replay.shapes import Shape
from analyzer.zeek_format import LogFormat, format_row, format_value

KINDS = {
    "ts": "time",
    "name": "string",
    "count": "count",
    "port": "port",
    "share": "double",
    "lasted": "interval",
    "flag": "bool",
    "names": "set[string]",
    "times": "vector[interval]",
}
TSV = Shape("x", "tsv", tuple(KINDS), tuple(KINDS.values()))
JSON = Shape("x", "json")


def converted(to: LogFormat | None, *rows: tuple[Shape, bytes]) -> list[tuple[Shape, bytes]]:
    conversion = Conversion(to)
    for shape, data in rows:
        conversion.learn(shape, data)
    written = [conversion.shape(shape) for shape, _ in rows]
    return [
        (target, conversion.convert(shape, target, data))
        for target, (shape, data) in zip(written, rows, strict=True)
    ]


def test_as_it_is() -> None:
    rows = [(TSV, b"\xff\tanything"), (JSON, b'{"ts" : 1}')]
    assert converted(None, *rows) == rows


def test_tsv_to_json() -> None:
    row = b"5.500000\ta\\\\b \\x09\xc3\xa9\t7\t80\t0.25\t1.000000\tT\ta,b\\x2cc\t1.000000,-"
    ((shape, data),) = converted("json", (TSV, row))
    assert shape == JSON
    assert data.decode() == (
        '{"ts":5.500000,"name":"a\\\\b \\té","count":7,"port":80,"share":0.25,"lasted":1.000000,'
        '"flag":true,"names":["a","b,c"],"times":[1.000000,null]}'
    )
    ((_, data),) = converted("json", (TSV, b"5.5\t(empty)\t-\t-\tnan\t-\tF\t(empty)\t-"))
    assert data == b'{"ts":5.5,"name":"","share":"nan","flag":false,"names":[]}'


def test_json_stays_json() -> None:
    assert converted("json", (JSON, b'{"ts" : 1 }')) == [(JSON, b'{"ts" : 1 }')]


def test_json_to_tsv() -> None:
    rows = [
        b'{"ts":1.5,"a":"x\\ty","n":1,"id":{"orig_h":"10.0.0.1"}}',
        b'{"ts":"1970-01-01T00:00:02Z","n":2.5,"flag":true,"names":["a","b,c"],"a":""}',
        b'{"ts":3,"names":[],"more":{"deep":{"er":1}},"a":null}',
    ]
    found = converted("tsv", *((JSON, row) for row in rows))
    shape = found[0][0]
    assert dict(zip(shape.fields, shape.types, strict=True)) == {
        "ts": "time",
        "a": "string",
        "n": "double",
        "id.orig_h": "string",
        "flag": "bool",
        "names": "vector[string]",
        "more.deep": "string",
    }
    assert [data.decode().split("\t") for _, data in found] == [
        ["1.500000", "x\\x09y", "1.0", "10.0.0.1", "-", "-", "-"],
        ["2.000000", "(empty)", "2.5", "-", "T", "a,b\\x2cc", "-"],
        ["3.000000", "-", "-", "-", "-", "(empty)", '{"er": 1}'],
    ]


def test_a_log_that_we_know_has_its_own_columns() -> None:
    rows = [b'{"uid":"C1","duration":2,"ts":1,"new":1}', b'{"ts":1,"id.orig_p":80,"proto":"tcp"}']
    found = converted("tsv", *((Shape("conn", "json"), row) for row in rows))
    shape = found[0][0]
    assert shape.fields == ("ts", "uid", "id.orig_p", "proto", "duration", "new")
    assert shape.types == ("time", "string", "port", "enum", "interval", "count")
    assert found[0][1] == b"1.000000\tC1\t-\t-\t2.000000\t1"


def test_different_columns_in_one_file() -> None:
    one = Shape("x", "tsv", ("ts", "a"), ("time", "string"))
    other = Shape("x", "tsv", ("b", "ts", "c"), ("set[string]",), ";", "|", "EMPTY", "?")
    found = converted("tsv", (one, b"1.0\tx"), (other, b"p|q,r;2.0;EMPTY"), (other, b"?;3.0;u\tv"))
    assert found[0][0].fields == ("ts", "a", "b", "c")
    assert found[0][0].types == ("time", "string", "set[string]", "string")
    assert [data for _, data in found] == [
        b"1.0\tx\t-\t-",
        b"2.0\t-\tp,q\\x2cr\t(empty)",
        b"3.0\t-\t-\tu\\x09v",
    ]


def test_a_row_that_starts_like_a_header() -> None:
    shape = Shape("x", "tsv", ("b", "ts"), (), ";")
    other = Shape("x", "tsv", ("b", "ts"), ("string", "time"))
    found = converted("tsv", (other, b"x\t1.0"), (shape, b"#b;1.0"))
    assert found[1][1] == b"\\x23b\t1.0"


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROWS = st.fixed_dictionaries(
    {
        "ts": st.integers(0, 10**15).map(lambda n: n / 1e6),
        "name": st.none() | TEXT,
        "count": st.none() | st.integers(0, 2**63),
        "port": st.none() | st.integers(0, 65535),
        "share": st.none() | st.integers(-(10**9), 10**9).map(lambda n: n / 1e3),
        "lasted": st.none() | st.integers(0, 10**12).map(lambda n: n / 1e6),
        "flag": st.none() | st.booleans(),
        # Zeek writes a set of nothing and a set of an empty text alike.
        "names": st.none() | st.lists(TEXT).filter(lambda names: names != [""]),
        "times": st.none() | st.lists(st.integers(0, 10**9).map(lambda n: n / 1e6)),
    }
)


@given(ROWS)
def test_a_row_that_zeek_writes_is_the_same_in_json(row: dict[str, object]) -> None:
    cells = [format_value(row[field], kind) for field, kind in KINDS.items()]
    ((_, data),) = converted("json", (TSV, format_row(cells)[:-1].encode()))
    assert json.loads(data) == {name: value for name, value in row.items() if value is not None}


@given(ROWS)
def test_and_in_tsv_again(row: dict[str, object]) -> None:
    cells = [format_value(row[field], kind) for field, kind in KINDS.items()]
    line = format_row(cells)[:-1].encode()
    conversion = Conversion("tsv")
    conversion.learn(TSV, line)
    ((_, data),) = converted("json", (TSV, line))
    assert conversion.convert(JSON, conversion.shape(TSV), data) == line


@pytest.mark.parametrize("line", [b"", b"\xff\xff", b"#", b"1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11"])
def test_damaged_rows_are_converted_somehow(line: bytes) -> None:
    ((_, data),) = converted("json", (TSV, line))
    assert isinstance(json.loads(data), dict)
