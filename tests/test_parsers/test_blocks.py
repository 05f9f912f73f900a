"""Streams cut into rows and header lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.blocks import BOM, LINE_LIMIT, HeaderLine, Overlong, Rows, pieces


def test_rows_between_headers() -> None:
    cut = list(pieces([b"#a\n1\n2", b"\n#b\r\n", b"3"], headers=True))
    assert cut == [
        HeaderLine("#a", 1),
        Rows(b"1\n", 2, 1),
        Rows(b"2\n", 3, 1),
        HeaderLine("#b", 4),
        Rows(b"3", 5, 1),
    ]
    assert list(pieces([b"#a\n1\n"], headers=False)) == [Rows(b"#a\n1\n", 1, 2)]


def test_byte_order_mark_in_pieces() -> None:
    assert list(pieces([b"\xef", b"\xbb", b"\xbf#a\n"], headers=True)) == [HeaderLine("#a", 1)]
    assert list(pieces([b"\xef"], headers=True)) == [Rows(b"\xef", 1, 1)]


def test_line_ends_lose_their_returns() -> None:
    (rows,) = pieces([b"a\r\nb\rc\r\r\n\r\n"], headers=True)
    assert rows == Rows(b"a\nb\rc\n\n", 1, 3)


def test_header_that_is_no_utf8() -> None:
    assert list(pieces([b"#\xff"], headers=True)) == [HeaderLine("#\\xff", 1)]


@pytest.mark.parametrize("size", [1 << 10, 1 << 16, LINE_LIMIT])
def test_overlong_line_costs_only_itself(size: int) -> None:
    length = 10 << 20
    data = b"1\n" + b"x" * length + b"\n2\n" + b"#" * length + b"\n3\n" + b"y" * length
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    cut = [piece for piece in pieces(chunks, headers=True) if not isinstance(piece, HeaderLine)]
    assert cut == [
        Rows(b"1\n", 1, 1),
        Overlong(2, length, b"x" * 64),
        Rows(b"2\n", 3, 1),
        Overlong(4, length, b"#" * 64),
        Rows(b"3\n", 5, 1),
        Overlong(6, length, b"y" * 64),
    ]


@given(st.lists(st.binary(max_size=30), max_size=20), st.booleans())
def test_every_line_once_however_it_is_chunked(chunks: list[bytes], headers: bool) -> None:  # noqa: FBT001
    line = 1
    for piece in pieces(chunks, headers=headers):
        assert piece.line == line
        if isinstance(piece, Rows):
            assert piece.data.count(b"\n") + (not piece.data.endswith(b"\n")) == piece.count
        line += piece.count if isinstance(piece, Rows) else 1
    data = b"".join(chunks).removeprefix(BOM)
    assert line - 1 == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
