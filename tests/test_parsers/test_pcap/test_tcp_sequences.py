"""Sequence numbers: where streams begin, wrap around, and what is not believed."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap import tcp_sequences
from analyzer.parsers.pcap.batches import PAYLOAD
from analyzer.parsers.pcap.tcp_sequences import TOO_LARGE_DELTA, WORD

from .segments import events, only_row, tcp

relative = cast("Any", tcp_sequences.relative).py_func
sequence_delta = cast("Any", tcp_sequences.sequence_delta).py_func

HANDSHAKE = "0.0 > S 0 0\n 0.1 < SA 0 1\n 0.2 > A 1 1\n"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_sequences, "sequence_delta", sequence_delta)


@given(st.integers(0, WORD), st.integers(-(1 << 31), (1 << 31) - 1))
def test_how_far_ahead(number: int, step: int) -> None:
    assert sequence_delta((number + step) & WORD, number) == step


@pytest.mark.parametrize(
    ("start", "sequence", "last", "wraps", "expected"),
    [
        (1000, 1000, 1001, 0, 0),
        (1000, 1500, 1001, 0, 500),
        (1000, 900, 1001, 0, -100),
        (WORD - 9, 90, WORD - 9, 0, 100),
        (WORD - 9, 90, 80, 1, 100),
        (WORD - 9, WORD - 4, 80, 1, 5),
        (1000, 1001, 1000, 2, 1 + (2 << 32)),
    ],
)
def test_relative_numbers(start: int, sequence: int, last: int, wraps: int, expected: int) -> None:
    assert relative(start, sequence, last, wraps) == expected


@pytest.mark.parametrize("before_the_wrap", [0, 1, 50, 99, 100, 101, 250, 300])
def test_streams_that_wrap_around(before_the_wrap: int) -> None:
    start = WORD - before_the_wrap
    lines = HANDSHAKE + (
        "0.3 > PA 1 1 100\n 0.4 > PA 101 1 100\n 0.5 < A 1 201\n 0.6 > PA 201 1 100\n"
        "0.7 > FA 301 1\n 0.8 < A 1 302\n 0.9 < FA 1 302\n 1.0 > A 302 2"
    )
    segments = tcp(lines, starts=(start, WORD))
    row = only_row(segments)
    assert (row.conn_state, row.history) == ("SF", "ShADaFf")
    assert (row.orig_bytes, row.resp_bytes, row.missed_bytes) == (300, 0, 0)
    assert [e.stream_offset for e in events(segments) if e.kind == PAYLOAD] == [0, 100, 200]


def test_streams_of_more_than_all_numbers() -> None:
    step = 1 << 30
    lines = HANDSHAKE + "".join(
        f"{1 + k} > A {k * step} 1 1\n {1.5 + k} < A 1 {k * step + 1}\n" for k in range(1, 10)
    )
    assert only_row(tcp(lines)).orig_bytes == 9 * step


def test_bytes_of_an_end_that_is_only_acknowledged() -> None:
    # Each acknowledgement begins its stream anew; once it was heard, they count.
    unheard = "0 > A 1 1\n 0.1 > A 1 501\n"
    assert only_row(tcp(unheard)).resp_bytes == 0
    heard = only_row(tcp(unheard + "0.2 < A 501 1\n 0.3 > A 1 701"))
    assert (heard.resp_bytes, heard.conn_state) == (200, "OTH")


@pytest.mark.parametrize(
    ("jump", "size"), [(TOO_LARGE_DELTA, TOO_LARGE_DELTA), (TOO_LARGE_DELTA + 1, 0)]
)
def test_resets_from_far_away_say_nothing_about_size(jump: int, size: int) -> None:
    row = only_row(tcp(HANDSHAKE + f"0.3 > R {1 + jump} 0"))
    assert (row.conn_state, row.orig_bytes) == ("RSTO", size)


def test_an_acknowledgement_of_nothing() -> None:
    # Number 0 far ahead is what some write where they acknowledge nothing.
    segments = tcp(HANDSHAKE + "0.3 > RA 1 1")
    segments[-1] = segments[-1]._replace(acknowledgement=0)
    assert only_row(segments).resp_bytes == 0


def test_only_ends_of_a_long_stream() -> None:
    # More than half of all numbers lie between them, which looks like a step back.
    far = 3 << 30
    row = only_row(tcp(HANDSHAKE + f"0.3 > FA {far} 1"))
    assert row.orig_bytes == far - 1
