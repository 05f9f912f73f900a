"""Datagrams made whole: in any order, with overlaps, and not at any price."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.packet import Raw

from analyzer.parsers.pcap.fragments import (
    TIMEOUT,
    Datagram,
    Fragment,
    Reassembler,
    read_fragment,
)

KEY = (b"\1\1\1\1", b"\2\2\2\2", 7)
HEADER = bytes(IP(proto=17, flags="MF", id=7))


def fragment(
    offset: int, payload: bytes | None, *, more: bool = True, key: tuple[bytes, bytes, int] = KEY
) -> Fragment:
    return Fragment(key, HEADER, 17, offset, more, payload)


def added(*fragments: Fragment) -> list[bytes | None]:
    """The payload of the datagram that each fragment completes."""
    reassembler = Reassembler()
    made = [reassembler.add(one, 0) for one in fragments]
    return [datagram and datagram.payload for datagram in made]


def test_in_order_and_out_of_it() -> None:
    first, second = fragment(0, b"a" * 8), fragment(8, b"b" * 8)
    last = fragment(16, b"c", more=False)
    whole = b"a" * 8 + b"b" * 8 + b"c"
    assert added(first, second, last) == [None, None, whole]
    assert added(last, second, first) == [None, None, whole]
    assert added(second, last, first) == [None, None, whole]


def test_what_comes_first_stays() -> None:
    assert added(
        fragment(8, b"B" * 8), fragment(0, b"a" * 24), fragment(16, b"c" * 16, more=False)
    ) == [None, None, b"a" * 8 + b"B" * 8 + b"a" * 8 + b"c" * 8]


def test_the_same_again_changes_nothing() -> None:
    assert added(fragment(0, b"a" * 8), fragment(0, b"x" * 8), fragment(8, b"b", more=False)) == [
        None,
        None,
        b"a" * 8 + b"b",
    ]


def test_what_lies_beyond_the_last_fragment_makes_it_longer_if_it_follows() -> None:
    beyond, last = fragment(8, b"b" * 16), fragment(8, b"c" * 8, more=False)
    assert added(beyond, last, fragment(0, b"a" * 8)) == [None, None, b"a" * 8 + b"b" * 16]


def test_what_lies_beyond_a_hole_is_left_out() -> None:
    far, last = fragment(80, b"z" * 8), fragment(8, b"b", more=False)
    assert added(far, last, fragment(0, b"a" * 8)) == [None, None, b"a" * 8 + b"b"]


def test_a_later_fragment_may_move_the_end() -> None:
    last, longer = fragment(8, b"b", more=False), fragment(16, b"c" * 8)
    assert added(last, longer, fragment(0, b"a" * 8), fragment(9, b"d" * 7)) == [
        None,
        None,
        None,
        b"a" * 8 + b"b" + b"d" * 7 + b"c" * 8,
    ]


def test_an_empty_last_fragment_says_the_size_and_completes_nothing() -> None:
    assert added(fragment(0, b"a" * 8), fragment(8, b"", more=False)) == [None, None]
    assert added(fragment(8, b"", more=False), fragment(0, b"a" * 8)) == [None, b"a" * 8]


def test_a_fragment_shorter_than_its_header_only_counts_as_the_first() -> None:
    reassembler = Reassembler()
    other = fragment(0, None)._replace(header=bytes(IP(tos=4)))
    assert reassembler.add(other, 0) is None
    whole = reassembler.add(fragment(0, b"a", more=False), 0)
    assert whole
    assert whole.header[1] == 4


def test_only_one_of_its_kind_is_made_whole_at_once() -> None:
    keys = [(b"\1\1\1\1", b"\2\2\2\2", number) for number in (7, 8)]
    keys.append((b"\2\2\2\2", b"\1\1\1\1", 7))
    first = [fragment(0, b"a" * 8, key=key) for key in keys]
    last = [fragment(8, b"b", more=False, key=key) for key in keys]
    assert added(*first, *last) == [None] * 3 + [b"a" * 8 + b"b"] * 3


def test_pending_fragments() -> None:
    reassembler = Reassembler()
    reassembler.add(fragment(0, b"a" * 8), 0)
    reassembler.add(fragment(0, b"a" * 8, key=(b"", b"", 1)), 0)
    assert reassembler.pending == 2
    assert reassembler.add(fragment(8, b"b", more=False), 0)
    assert reassembler.pending == 1


def test_fragments_wait_five_minutes_from_the_first_one_on() -> None:
    assert TIMEOUT == 300
    for last, whole in ((299.9, b"a" * 8 + b"b"), (300.0, None)):
        reassembler = Reassembler()
        reassembler.add(fragment(0, b"a" * 8), 0)
        reassembler.add(fragment(0, b"a" * 8), 200)
        made = reassembler.add(fragment(8, b"b", more=False), last)
        assert (made and made.payload) == whole


def test_memory_is_bounded() -> None:
    reassembler = Reassembler(memory_limit=100_000)
    for number in range(1000):
        reassembler.add(fragment(0, b"a" * 1000, key=(b"", b"", number)), 0)
    assert reassembler.pending == 1000
    newest = reassembler.add(fragment(1000, b"b", more=False, key=(b"", b"", 999)), 0)
    assert newest
    assert newest.payload == b"a" * 1000 + b"b"
    assert reassembler.add(fragment(1000, b"b", more=False, key=(b"", b"", 0)), 0) is None


def test_the_header_is_that_of_the_first_to_come_with_the_length_of_all() -> None:
    reassembler = Reassembler()
    reassembler.add(fragment(8, b"b" * 4, more=False)._replace(header=bytes(IP(tos=4))), 0)
    made = reassembler.add(fragment(0, b"a" * 8), 0)
    assert made
    assert (made.header[1], made.header[2:4], made.total) == (4, struct.pack("!H", 32), 32)


def test_a_datagram_longer_than_its_field() -> None:
    """A ping of death."""
    reassembler = Reassembler()
    assert not reassembler.add(fragment(0, b"a" * 65528), 0)
    made = reassembler.add(fragment(65528, b"b" * 100, more=False), 0)
    assert made
    assert made.total == 20 + 65628 - 65536
    assert len(made.payload) == 65628


def test_ipv6_leads_to_what_the_first_fragment_led_to() -> None:
    hops = bytes(IPv6(nh=0) / IPv6ExtHdrHopByHop(nh=44))
    reassembler = Reassembler()
    assert not reassembler.add(Fragment(KEY, hops, 99, 8, more=False, payload=b"b"), 0)
    made = reassembler.add(Fragment(KEY, hops, 58, 0, more=True, payload=b"a" * 8), 0)
    assert made == Datagram(
        bytes(IPv6(nh=0, plen=8 + 9) / IPv6ExtHdrHopByHop(nh=58)), b"a" * 8 + b"b", 40 + 8 + 9
    )


def test_ipv6_without_other_extensions() -> None:
    made = Reassembler().add(
        Fragment(KEY, bytes(IPv6(nh=44)), 17, 0, more=False, payload=b"data"), 0
    )
    assert made == Datagram(bytes(IPv6(nh=17, plen=4)), b"data", 44)


def test_reading_ipv4() -> None:
    packet = IP(src="1.2.3.4", dst="5.6.7.8", id=9, flags="MF", frag=3) / UDP() / Raw(b"x" * 8)
    data = b"before" + bytes(packet) + b"padding"
    read = read_fragment(memoryview(data), 6, header=20, total=36, addresses=(18, 22))
    key = (b"\1\2\3\4", b"\5\6\7\10", 9)
    assert read == (key, bytes(packet)[:20], 17, 24, True, bytes(packet)[20:])
    assert read_fragment(memoryview(data), 6, header=20, total=0, addresses=(18, 22))[5] is None


def test_reading_ipv6() -> None:
    packet = IPv6() / IPv6ExtHdrFragment(nh=17, offset=3, m=0, id=9) / Raw(b"x" * 8)
    data = b"before" + bytes(packet)
    read = read_fragment(memoryview(data), 6, header=48, total=56, addresses=(14, 30))
    key = (bytes(15) + b"\1", bytes(15) + b"\1", 9)
    assert read == (key, bytes(packet)[:40], 17, 24, False, b"x" * 8)


@given(st.data())
def test_any_cut_in_any_order(data: st.DataObject) -> None:
    payload = data.draw(st.binary(min_size=1, max_size=400))
    pieces = []
    for start in range(0, len(payload), 8):
        end = min(len(payload), start + 8 * data.draw(st.integers(1, 6)))
        pieces.append(fragment(start, payload[start:end], more=end < len(payload)))
    made = added(*data.draw(st.permutations(pieces)))
    assert payload in made
    assert set(made) <= {payload, None}
