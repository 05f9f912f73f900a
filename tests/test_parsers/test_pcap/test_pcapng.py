"""pcapng: blocks, sections, interfaces, their clocks, and what is wrong with any of them."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.magic import is_pcapng
from analyzer.parsers.pcap.pcapng import BLOCK_LIMIT, HELD_BLOCK_LIMIT, INTERFACE_LIMIT
from analyzer.parsers.pcap.records import PACKET_LIMIT
from tests.test_parsers.test_pcap.capture_files import (
    PACKETS,
    Packet,
    block,
    enhanced,
    expected,
    interface,
    obsolete,
    option,
    pcapng,
    read,
    section,
    simple,
)

ONE = Packet(1_700_000_000, 123_456, b"some packet", 60)
TICKS = 1_700_000_000_123_456
BEGINNING = section() + interface()
every_order = pytest.mark.parametrize("order", ["<", ">"])


@every_order
@settings(deadline=None)  # as the first run compiles
@given(packets=PACKETS)
def test_what_was_written_is_read(order: str, packets: list[Packet]) -> None:
    assert read(pcapng(packets, order)) == (expected(packets), "")


@every_order
def test_every_kind_of_block(order: str) -> None:
    data = b"".join(
        [
            section(order),
            interface(order),
            block(0x0BAD, b"a custom block", order),
            enhanced(TICKS, b"enhanced", 60, order, options=option(1, b"a comment", order)),
            block(5, bytes(12), order),
            obsolete(TICKS + 1, b"obsolete!", 61, order),
            block(0x80000001, b"", order),
            simple(b"simple", 6, order),
        ]
    )
    found = [
        (1_700_000_000.123456, b"enhanced", 60, 1),
        (1_700_000_000.123457, b"obsolete!", 61, 1),
        (0.0, b"simple", 6, 1),
    ]
    assert read(data) == (found, "")


def test_sections_have_their_own_byte_order_and_interfaces() -> None:
    data = b"".join(
        [
            section("<"),
            interface("<", link=101),
            interface("<", link=1),
            enhanced(TICKS, b"a", 1, "<", number=1),
            section(">", version=(1, 2)),
            interface(">", link=113),
            enhanced(TICKS, b"b", 2, ">", number=0),
            section("<"),
            interface("<", link=276),
            obsolete(TICKS, b"c", 3, "<", number=0),
        ]
    )
    assert [(row[1], row[3]) for row in read(data)[0]] == [(b"a", 1), (b"b", 113), (b"c", 276)]
    begins = len(data) + len(section())
    assert read(data + section() + enhanced(TICKS, b"d", 4))[1] == (
        f"a packet of interface 0, which is not described at byte {begins}, after packet 3"
    )


@settings(deadline=None)
@given(
    resolution=st.integers(0, 19) | st.integers(0x80, 0x80 + 63),
    ticks=st.integers(0, 2**64 - 1),
    offset=st.integers(-(2**32), 2**32) | st.none(),
)
def test_clocks(resolution: int, ticks: int, offset: int | None) -> None:
    power = resolution & 0x7F
    units = 2**power if resolution & 0x80 else 10**power
    seconds, rest = divmod(ticks, units)
    data = section() + interface(resolution=resolution, offset=offset) + enhanced(ticks, b"", 1)
    ((time, *_),), fault = read(data)
    assert fault == ""
    exact = seconds + (offset or 0) + Fraction(int(Fraction(rest, units) * 10**6), 10**6)
    # Of more than 40 bits, the last few may decide which microsecond it is.
    apart = 0 if resolution <= 0x80 + 40 else 1e-6
    assert abs(time - float(exact)) <= apart + abs(float(exact)) * 2**-52


def test_clocks_of_differing_interfaces() -> None:
    data = b"".join(
        [
            section(),
            interface(),
            interface(resolution=9),
            interface(resolution=0x80 + 10, offset=1000),
            interface(resolution=0),
            interface(resolution=3, offset=-5),
            enhanced(5_000_001, b"", 1, number=0),
            enhanced(5_000_001_999, b"", 1, number=1),
            enhanced(5 * 1024 + 512, b"", 1, number=2),
            enhanced(5, b"", 1, number=3),
            enhanced(5_250, b"", 1, number=4),
        ]
    )
    assert [row[0] for row in read(data)[0]] == [5.000001, 5.000001, 1005.5, 5.0, 0.25]


@pytest.mark.parametrize(("resolution", "text"), [(20, "10^-20"), (127, "10^-127"), (192, "2^-64")])
def test_clock_that_is_too_fine(resolution: int, text: str) -> None:
    data = section() + interface(resolution=resolution) + enhanced(1, b"", 1)
    fault = f"an interface that counts time in {text} s at byte 28, after packet 0"
    assert read(data) == ([], fault)


def test_options_of_wrong_length_count_for_nothing() -> None:
    options = option(9, b"\x09\x09") + option(14, b"\1\2\3\4")
    described = block(1, struct.pack("<HHI", 1, 0, 0) + options)
    assert read(section() + described + enhanced(TICKS, b"", 1))[0][0][0] == ONE.time


def test_options_end_where_they_say() -> None:
    described = block(1, struct.pack("<HHI", 1, 0, 0) + option(0, b"") + option(9, b"\x09"))
    assert read(section() + described + enhanced(TICKS, b"", 1))[0][0][0] == ONE.time


def test_options_beyond_the_block() -> None:
    described = block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HH", 2, 100))
    fault = "an interface whose description goes beyond its block at byte 28, after packet 0"
    assert read(section() + described) == ([], fault)


@pytest.mark.parametrize(
    ("snap", "data", "wire", "kept"),
    [
        (0, b"abcdef", 6, b"abcdef"),
        (4, b"abcd", 60, b"abcd"),
        (2**31, b"abcd", 4, b"abcd"),
        (8, b"abcdef", 6, b"abcdef"),
    ],
)
def test_simple_packets_are_cut_at_the_snap_length(
    snap: int, data: bytes, wire: int, kept: bytes
) -> None:
    capture = section() + interface(snap=snap) + interface(snap=1) + simple(data, wire)
    assert read(capture) == ([(0.0, kept, wire, 1)], "")


@every_order
def test_every_cut(order: str) -> None:
    packets = [
        enhanced(TICKS, b"abc", 60, order),
        obsolete(TICKS, b"abc", 60, order),
        block(99, b"abcdef", order),
        simple(b"abc", 3, order),
    ]
    data = section(order) + interface(order) + b"".join(packets)
    whole, edges = 0, {28: 0, len(section()) + len(interface()): 0}
    for piece in packets:
        whole += piece[0] != 99 and piece[3] != 99
        edges[max(edges) + len(piece)] = whole
    assert max(edges) == len(data)
    for end in range(12, len(data)):
        count = max((count for edge, count in edges.items() if edge <= end), default=0)
        found, fault = read(data[:end])
        assert len(found) == count
        assert fault == ("" if end in edges else f"cut off at byte {end}, after packet {count}")


BROKEN = [
    (
        "length 0",
        struct.pack("<II", 99, 0) + bytes(8),
        "a block with a length of 0",
    ),
    ("length 13", struct.pack("<II", 99, 13) + bytes(8), "a block with a length of 13"),
    (
        "too long",
        struct.pack("<III", 99, BLOCK_LIMIT + 4, 0),
        f"a block with a length of {BLOCK_LIMIT + 4}",
    ),
    (
        "packet block too long",
        struct.pack("<III", 6, HELD_BLOCK_LIMIT + 4, 0),
        f"a block with a length of {HELD_BLOCK_LIMIT + 4}",
    ),
    ("packet block too short", block(6, bytes(16)), "a block with a length of 28"),
    ("interface block too short", block(1, bytes(4)), "a block with a length of 16"),
    (
        "trailer",
        enhanced(TICKS, b"abcd", 4)[:-4] + struct.pack("<I", 40),
        "a block that does not end with its length of 36",
    ),
    (
        "trailer of an interface",
        interface()[:-4] + bytes(4),
        f"a block that does not end with its length of {len(interface())}",
    ),
    (
        "interface",
        enhanced(TICKS, b"abcd", 4, number=1),
        "a packet of interface 1, which is not described",
    ),
    (
        "more than the block holds",
        block(6, struct.pack("<5I", 0, 0, 0, 5, 5) + b"abcd"),
        "a captured length of 5",
    ),
    ("more than a simple block holds", simple(b"abcd", 5), "a captured length of 5"),
    (
        "too much captured",
        enhanced(TICKS, bytes(PACKET_LIMIT + 4), 4),
        f"a captured length of {PACKET_LIMIT + 4}",
    ),
    (
        "byte order",
        block(0x0A0D0D0A, bytes(16)),
        "a section without a byte order",
    ),
    (
        "version",
        section(version=(2, 0)),
        "pcapng version 2.0, which is not known,",
    ),
]


@pytest.mark.parametrize(("_", "broken", "complaint"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken_blocks(_: str, broken: bytes, complaint: str) -> None:
    fine = BEGINNING + enhanced(TICKS, ONE.data, 60)
    fault = f"{complaint} at byte {len(fine)}, after packet 1"
    assert read(fine + broken + enhanced(TICKS, b"", 0)) == (expected([ONE]), fault)


def test_long_blocks_are_passed_over() -> None:
    """Longer than any batch, so that what follows is found only by counting."""
    fine = enhanced(TICKS, ONE.data, 60)
    long = block(99, bytes(BLOCK_LIMIT - 12))
    data = BEGINNING + fine + long + fine
    assert read(data) == (expected([ONE, ONE]), "")
    assert read(data, 1 << 19) == (expected([ONE, ONE]), "")
    cut = len(data) - len(fine) - 1
    assert read(data[:cut]) == (expected([ONE]), f"cut off at byte {cut}, after packet 1")
    assert read(data[:cut], 1 << 19) == (expected([ONE]), f"cut off at byte {cut}, after packet 1")


def test_largest_packet_with_most_options() -> None:
    packet = ONE._replace(data=bytes(PACKET_LIMIT))
    largest = enhanced(TICKS, packet.data, 60, options=bytes(1 << 17))
    assert len(largest) == HELD_BLOCK_LIMIT
    assert read(BEGINNING + largest * 3, 1 << 19) == (expected([packet] * 3), "")


def test_many_interfaces() -> None:
    described = block(1, struct.pack("<HHI", 7, 0, 0))
    data = section() + described * INTERFACE_LIMIT + enhanced(1, b"", 0, number=INTERFACE_LIMIT - 1)
    assert read(data) == ([(1e-6, b"", 0, 7)], "")
    data = section() + described * (INTERFACE_LIMIT + 1)
    begins = len(data) - len(described)
    fault = f"more than {INTERFACE_LIMIT} interfaces at byte {begins}, after packet 0"
    assert read(data) == ([], fault)


@every_order
def test_is_pcapng(order: str) -> None:
    assert is_pcapng(section(order))
    assert is_pcapng(section(order)[:12])
    assert not is_pcapng(section(order)[:11])
    assert not is_pcapng(b"\n\r\r\nA text with two empty lines")
