"""Rows have the columns of segments, with the same types."""

from __future__ import annotations

from analyzer.parsers.pcap import decoding_state
from analyzer.parsers.pcap.batches import SegmentBatch
from analyzer.parsers.pcap.decoding_state import Rows, empty_rows
from analyzer.parsers.pcap.headers import HeaderDecoder
from tests.test_parsers.test_pcap.packet_batches import batch


def test_columns() -> None:
    rows = empty_rows(3)
    assert rows._fields == SegmentBatch._fields[1:]
    assert {column.shape for column in rows} == {(3,)}
    segments = HeaderDecoder().decode(batch())
    for name in Rows._fields:
        assert getattr(rows, name).dtype == getattr(segments, name).dtype, name


def test_places_are_all_there() -> None:
    places = range(decoding_state.PACKET, decoding_state.STATE_SIZE)
    assert len(places) == decoding_state.STATE_SIZE
