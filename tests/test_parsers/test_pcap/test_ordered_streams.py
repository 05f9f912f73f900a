"""Segments in any order come out as a stream."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.ordered_streams import OrderedStream


def test_in_order() -> None:
    stream = OrderedStream()
    assert list(stream.add(0, b"abc")) == [b"abc"]
    assert list(stream.add(3, b"de")) == [b"de"]
    assert stream.position == 5


def test_what_goes_on_is_not_looked_at() -> None:
    stream = OrderedStream()
    assert stream.goes_on(0, 3)
    assert not stream.goes_on(5, 1)
    assert not stream.goes_on(0, 3)
    assert list(stream.add(4, b"e")) == []
    assert not stream.goes_on(3, 1)
    assert list(stream.add(3, b"d")) == [b"d", b"e"]
    assert stream.goes_on(5, 1)


def test_out_of_order() -> None:
    stream = OrderedStream()
    assert list(stream.add(3, b"d")) == []
    assert list(stream.add(1, b"bc")) == []
    assert list(stream.add(0, b"a")) == [b"a", b"bc", b"d"]


def test_overlapping() -> None:
    stream = OrderedStream()
    assert list(stream.add(0, b"abc")) == [b"abc"]
    assert list(stream.add(1, b"bcd")) == [b"d"]
    assert list(stream.add(2, b"cd")) == []
    assert list(stream.add(6, b"ghi")) == []
    assert list(stream.add(4, b"efgh")) == [b"efgh", b"i"]


def test_the_longer_of_two_that_are_held() -> None:
    for first, second in ((b"bc", b"b"), (b"b", b"bc")):
        stream = OrderedStream()
        assert list(stream.add(1, first)) == []
        assert list(stream.add(1, second)) == []
        assert list(stream.add(0, b"a")) == [b"a", b"bc"]


def test_a_hole() -> None:
    stream = OrderedStream()
    assert list(stream.add(4, b"ef")) == []
    assert list(stream.skip_to(4)) == [None, b"ef"]
    assert list(stream.skip_to(3)) == []
    assert stream.position == 6


def test_what_the_capture_cut_off() -> None:
    stream = OrderedStream()
    assert list(stream.add(0, b"ab", missing=2)) == [b"ab", None]
    assert list(stream.add(4, b"ef")) == [b"ef"]


def test_the_beginning_anywhere() -> None:
    stream = OrderedStream()
    stream.begin_anywhere()
    assert list(stream.add(100, b"abc")) == [b"abc"]
    assert list(stream.add(50, b"abc")) == []
    assert list(stream.add(103, b"d")) == [b"d"]


def test_no_more_is_held_than_some_segments() -> None:
    stream = OrderedStream()
    for place in range(1, 33):
        assert list(stream.add(2 * place, b"x")) == []
    assert list(stream.add(100, b"y")) == [None, b"x"]
    assert stream.position == 3


def test_no_more_is_held_than_some_bytes() -> None:
    stream = OrderedStream()
    assert list(stream.add(10, bytes(16 * 1024))) == []
    assert list(stream.add(20_000, b"x")) == [None, bytes(16 * 1024)]
    assert list(OrderedStream().add(10, bytes(20_000))) == [None, bytes(20_000)]


@given(st.data())
def test_any_segments_in_any_order(data: st.DataObject) -> None:
    whole = data.draw(st.binary(min_size=1, max_size=60))
    places = st.tuples(st.integers(0, len(whole) - 1), st.integers(1, 12))
    segments = data.draw(st.lists(places, max_size=10))
    rest = [(place, 4) for place in range(0, len(whole), 4)]
    rest = data.draw(st.permutations(rest))
    stream = OrderedStream()
    found = b""
    for place, size in segments + rest:
        for piece in stream.add(place, whole[place : place + size]):
            assert piece
            found += piece
    assert found == whole
