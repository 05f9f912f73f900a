"""Rows as of another time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.shapes import Shape
from analyzer.replay.shifting import shifted

TSV = Shape("x", "tsv", ("uid", "ts", "msg"))
JSON = Shape("x", "json")
LATER = 3_600_000_001  # an hour and a microsecond


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            b"C1\t1768824000.000000\tsince 1768824000.000000",
            b"C1\t1768827600.000001\tsince 1768824000.000000",
        ),
        (b"C1\t5.5\tx", b"C1\t3605.5\tx"),
        (b"C1\t-\tx", b"C1\t-\tx"),
        (b"C1\tnan\tx", b"C1\tnan\tx"),
        (b"C1", b"C1"),
        (b"\xff\t1.000000\t\xfe", b"\xff\t3601.000001\t\xfe"),
    ],
)
def test_tsv(row: bytes, expected: bytes) -> None:
    assert shifted(TSV, row, LATER) == expected


def test_without_a_time() -> None:
    assert shifted(Shape("x", "tsv", ("a",)), b"1.0", LATER) == b"1.0"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'{"ts":1768824000.123456,"a":1}', b'{"ts":1768827600.123457,"a":1}'),
        (b'{"ts" : 1768824000000 }', b'{"ts" : 1768827600000 }'),
        (b'{"ts":"2026-01-19T12:00:00.500000Z"}', b'{"ts":"2026-01-19T13:00:00.500001Z"}'),
        (b'{"ts":"soon","_write_ts":5.000000}', b'{"ts":"soon","_write_ts":3605.000001}'),
        (b'{"ts":"2026-99-99"}', b'{"ts":"2026-99-99"}'),
        (b'{"a":"\\"ts\\":5.0","ts":null}', b'{"a":"\\"ts\\":5.0","ts":null}'),
        (b'{"not_valid_before":5.000000}', b'{"not_valid_before":5.000000}'),
    ],
)
def test_json(row: bytes, expected: bytes) -> None:
    assert shifted(JSON, row, LATER) == expected


@given(st.integers(0, 10**16), st.integers(-(10**15), 10**15))
def test_no_microsecond_is_lost(moment: int, later: int) -> None:
    def text(microseconds: int) -> bytes:
        sign = "-" if microseconds < 0 else ""
        return f"{sign}{abs(microseconds) // 10**6}.{abs(microseconds) % 10**6:06d}".encode()

    assert shifted(TSV, b"C1\t" + text(moment) + b"\tx", later) == (
        b"C1\t" + text(moment + later) + b"\tx"
    )
