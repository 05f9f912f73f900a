"""Rows of separated values, split and read by compiled loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.row_loops import (
    COUNT,
    FLAG,
    NULL,
    PORT,
    TIME,
    _number,
    distinct_rows,
    gather,
)


def number(text: str, kind: int) -> int:
    data = np.frombuffer(text.encode(), np.uint8)
    return _number(data, 0, data.size, kind)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("0", COUNT, 0),
        ("999999999999999", COUNT, 10**15 - 1),
        ("1000000000000000", COUNT, NULL),
        ("", COUNT, NULL),
        ("-1", COUNT, NULL),
        ("1.0", COUNT, NULL),
        ("65535", PORT, 65535),
        ("65536", PORT, NULL),
        ("T", FLAG, 1),
        ("F", FLAG, 0),
        ("t", FLAG, NULL),
        ("TF", FLAG, NULL),
        ("1.5", TIME, 1_500_000),
        ("1.000001", TIME, 1_000_001),
        ("1.0000001", TIME, NULL),
        ("9000000000", TIME, 9_000_000_000_000_000),
        ("9000000001", TIME, NULL),
        ("1.", TIME, NULL),
        (".5", TIME, NULL),
        ("1.5.5", TIME, NULL),
        ("1e5", TIME, NULL),
    ],
)
def test_numbers(text: str, kind: int, expected: int) -> None:
    assert number(text, kind) == expected


@given(st.integers(0, 9_000_000_000_999_999))
def test_times_are_the_nearest_floats(micros: int) -> None:
    text = f"{micros // 10**6}.{micros % 10**6:06d}"
    assert number(text, TIME) / 1e6 == float(text)


@given(st.lists(st.tuples(st.sampled_from(["", "a", "ab", "b"]), st.integers(-1, 2)), min_size=1))
def test_kinds_of_rows(rows: list[tuple[str, int]]) -> None:
    data = np.frombuffer(("".join(text for text, _ in rows) or "x").encode(), np.uint8)
    lengths = np.array([[len(text) for text, _ in rows]], np.int32)
    starts = (np.cumsum(lengths, axis=1) - lengths).astype(np.int32)
    table = np.full(1 << (2 * len(rows)).bit_length(), -1, np.int32)
    kinds, examples = (np.zeros(len(rows), np.int32) for _ in range(2))
    keys = np.array([key for _, key in rows], np.int64)
    found = distinct_rows(data, starts, lengths, np.array([0]), keys, table, kinds, examples)
    assert found == len(set(rows))
    assert [rows[examples[kind]] for kind in kinds] == rows


def test_texts_one_behind_the_other() -> None:
    data = np.frombuffer(b"abcdef", np.uint8)
    gathered = np.zeros(3, np.uint8)
    starts, lengths = np.array([4, 0, 1], np.int32), np.array([2, -1, 1], np.int32)
    gather(data, starts, lengths, np.array([0, 2, 2, 3], np.int32), gathered)
    assert gathered.tobytes() == b"efb"
