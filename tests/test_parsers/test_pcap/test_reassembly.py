"""Streams: gaps, bytes out of order, and those no acknowledgement was seen for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.batches import GAP, PAYLOAD
from analyzer.parsers.pcap.reassembly import (
    EXCESSIVE_DATA_WITHOUT_ACKS,
    MAX_ABOVE_HOLE_WITHOUT_ACKS,
)

from .segments import Event, events, only_row, tcp

HANDSHAKE = "0.0 > S 0 0\n 0.1 < SA 0 1\n 0.2 > A 1 1\n"


def gaps(lines: str) -> list[Event]:
    """Gaps in what a connection sent."""
    return [event for event in events(tcp(lines)) if event.kind == GAP]


def test_bytes_that_never_came() -> None:
    lines = HANDSHAKE + "0.3 > PA 1 1 100\n 0.4 > PA 201 1 100\n 0.5 < A 1 301"
    row = only_row(tcp(lines))
    assert (row.history, row.missed_bytes, row.orig_bytes) == ("ShADaG", 100, 300)
    assert gaps(lines) == [Event(GAP, 1, 0.5, b"", 100, 100)]


def test_bytes_that_never_came_at_the_end() -> None:
    lines = HANDSHAKE + "0.3 > PA 1 1 100\n 0.4 < A 1 301\n 0.5 > A 301 1"
    assert only_row(tcp(lines)).missed_bytes == 200
    assert [(event.length, event.stream_offset) for event in gaps(lines)] == [(200, 100)]


def test_bytes_that_came_late() -> None:
    lines = HANDSHAKE + "0.3 > PA 101 1 100\n 0.4 > PA 1 1 100\n 0.5 < A 1 201"
    row = only_row(tcp(lines))
    # Zeek counts it as sent again, as it is behind what was seen.
    assert (row.history, row.missed_bytes, row.orig_bytes) == ("ShADTa", 0, 200)
    assert gaps(lines) == []


def test_gaps_are_counted_by_powers_of_ten() -> None:
    lines = HANDSHAKE + "".join(
        f"{1 + k} > PA {1 + 20 * k} 1 10\n {1.5 + k} < A 1 {21 + 20 * k}\n" for k in range(12)
    )
    row = only_row(tcp(lines))
    assert (row.history, row.missed_bytes) == ("ShADaGG", 120)


@pytest.mark.parametrize("opening", ["0 > A 1 1 5\n 0.1 < A 1 6\n", "0 > S 0 0\n 0.1 > A 1 1 5\n"])
def test_gaps_are_missed_bytes_only_between_ends_that_opened(opening: str) -> None:
    row = only_row(tcp(opening + "1 > A 106 1 5\n 1.1 < A 1 111"))
    assert (row.missed_bytes, "G" in row.history) == (0, False)


def test_a_fin_is_no_missing_byte() -> None:
    row = only_row(tcp(HANDSHAKE + "0.3 > FA 1 1\n 0.4 < FA 1 2\n 0.5 > A 2 2"))
    assert (row.missed_bytes, row.orig_bytes, row.resp_bytes) == (0, 0, 0)


def test_streams_are_given_up_that_nobody_acknowledges() -> None:
    hole = HANDSHAKE + "1 > PA 101 1 1000\n"
    much = "".join(
        f"{2 + k} > PA {1101 + 1000 * k} 1 1000\n"
        for k in range(MAX_ABOVE_HOLE_WITHOUT_ACKS // 1000 + 1)
    )
    end = "40 < A 1 {}\n"
    kept = only_row(tcp(hole + end.format(1101)))
    assert kept.missed_bytes == 100
    row = only_row(tcp(hole + much + end.format(1101 + 17_000)))
    assert row.missed_bytes == 0


def test_much_without_acknowledgement() -> None:
    step = 60_000
    opening = HANDSHAKE + "0.3 > PA 1 1 10\n 0.4 < A 1 11\n"
    count = EXCESSIVE_DATA_WITHOUT_ACKS // step
    for sent, missed in ((count - 1, 100), (count + 1, 0)):
        lines = "".join(f"{1 + 0.01 * k} > PA {11 + step * k} 1 {step}\n" for k in range(sent))
        segments = tcp(opening + lines + f"9 > PA {111 + step * sent} 1 10\n")
        segments += tcp(f"9.5 < A 1 {121 + step * sent}")
        assert only_row(segments).missed_bytes == missed


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    again=st.integers(0, 3),
)
def test_any_order_is_the_same_stream(lengths: list[int], order: object, again: int) -> None:
    begins = [1 + sum(lengths[:k]) for k in range(len(lengths))]
    pieces = list(zip(begins, lengths, strict=True)) * (1 + again)
    order.shuffle(pieces)  # type: ignore[attr-defined]  # hypothesis' own Random
    size = sum(lengths)
    lines = "".join(f"{1 + k} > PA {at} 1 {length}\n" for k, (at, length) in enumerate(pieces))
    segments = tcp(HANDSHAKE + lines + f"200 < A 1 {size + 1}")
    row = only_row(segments)
    assert (row.missed_bytes, row.orig_bytes, "G" in row.history) == (0, size, False)
    given_out = [e for e in events(segments) if e.kind == PAYLOAD]
    assert sorted((e.stream_offset + 1, e.length) for e in given_out) == sorted(
        zip(begins, lengths, strict=True)
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=15))
def test_what_is_missing_is_what_no_segment_had(pieces: list[tuple[int, int]]) -> None:
    lines = "".join(f"{1 + k} > PA {1 + at} 1 {length}\n" for k, (at, length) in enumerate(pieces))
    size = max(at + length for at, length in pieces)
    segments = tcp(HANDSHAKE + lines + f"200 < A 1 {size + 1}")
    came = {byte for at, length in pieces for byte in range(at, at + length)}
    assert only_row(segments).missed_bytes == size - len(came)
    missing = [
        byte
        for event in events(segments)
        if event.kind == GAP
        for byte in range(event.stream_offset, event.stream_offset + event.length)
    ]
    assert missing == sorted(set(range(size)) - came)
