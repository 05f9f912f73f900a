from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.dns_streams import (
    MAX_WAITING_BYTES,
    MAX_WAITING_SEGMENTS,
    DnsStream,
)


def framed(*contents: bytes) -> bytes:
    return b"".join(len(content).to_bytes(2) + content for content in contents)


def whole(stream: DnsStream, offset: int, content: bytes) -> list[bytes]:
    return stream.add(offset, len(content), content)


def test_messages_follow_their_lengths() -> None:
    stream = DnsStream()
    content = framed(b"first", b"", b"second")
    assert whole(stream, 0, content[:3]) == []
    assert whole(stream, 3, content[3:10]) == [b"first", b""]
    assert whole(stream, 10, content[10:]) == [b"second"]
    assert stream.unfinished == b""


def test_what_is_unfinished() -> None:
    stream = DnsStream()
    whole(stream, 0, framed(b"first") + b"\0")
    assert stream.unfinished == b""
    whole(stream, 8, b"\x09part")
    assert stream.unfinished == b"part"


def test_segments_in_any_order() -> None:
    content = framed(b"first", b"second")
    stream = DnsStream()
    assert whole(stream, 9, content[9:]) == []
    assert whole(stream, 4, content[4:9]) == []
    assert whole(stream, 0, content[:4]) == [b"first", b"second"]


def test_bytes_count_once() -> None:
    content = framed(b"first", b"second")
    stream = DnsStream()
    whole(stream, 0, content[:6])
    assert whole(stream, 0, content[:6]) == []
    assert whole(stream, 3, b"XXX" + content[6:]) == [b"first", b"second"]


def test_missing_bytes_are_left_out() -> None:
    content = framed(b"first", b"second")
    stream = DnsStream()
    whole(stream, 0, content[:7])
    assert whole(stream, 10, content[10:]) == []
    assert stream.skip(7, 3) == []
    # Its length is among what is missing, so the bytes after it are taken for one.
    assert stream.unfinished == b"ond"
    assert whole(stream, 15, b"x" * 0x6500) == []


def test_a_segment_may_be_cut_off() -> None:
    stream = DnsStream()
    assert stream.add(0, 9, b"\0\5fir") == []
    assert stream.add(9, 2, b"st") == [b"first"]


def test_so_much_waits_and_no_more() -> None:
    stream = DnsStream()
    half = MAX_WAITING_BYTES // 2
    assert whole(stream, 100, framed(b"a") + bytes(half)) == []
    found = whole(stream, 103 + half, bytes(half))
    assert found[0] == b"a"
    stream = DnsStream()
    for place in range(MAX_WAITING_SEGMENTS):
        assert whole(stream, 100 + 3 * place, framed(b"b")) == []
    last = whole(stream, 100 + 3 * MAX_WAITING_SEGMENTS, framed(b"b"))
    assert last == [b"b"] * (MAX_WAITING_SEGMENTS + 1)


@given(st.lists(st.binary(max_size=20), max_size=6), st.data())
def test_it_does_not_matter_how_a_stream_is_cut(contents: list[bytes], data: st.DataObject) -> None:
    content = framed(*contents)
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=8).map(sorted))
    borders = [0, *cuts, len(content)]
    segments = [(a, content[a:b]) for a, b in itertools.pairwise(borders)]
    segments = data.draw(st.permutations(segments))
    stream = DnsStream()
    found = [message for offset, part in segments for message in whole(stream, offset, part)]
    assert found == contents
    assert stream.unfinished == b""
