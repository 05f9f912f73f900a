"""Classic pcap: its variants, and what is wrong with records."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings

from analyzer.parsers.pcap.classic import Classic
from analyzer.parsers.pcap.magic import is_classic
from analyzer.parsers.pcap.records import PACKET_LIMIT
from tests.test_parsers.test_pcap.capture_files import (
    MICROSECONDS,
    NANOSECONDS,
    PACKETS,
    PATCHED,
    Packet,
    classic,
    expected,
    header,
    read,
    record,
)

ONE = Packet(1_700_000_000, 123_456, b"some packet", 60)
every_order = pytest.mark.parametrize("order", ["<", ">"])
every_magic = pytest.mark.parametrize("magic", [MICROSECONDS, NANOSECONDS, PATCHED], ids=hex)


@every_order
@every_magic
@settings(deadline=None)  # as the first run compiles
@given(packets=PACKETS)
def test_what_was_written_is_read(order: str, magic: int, packets: list[Packet]) -> None:
    assert read(classic(packets, order, magic)) == (expected(packets), "")


def test_times_are_cut_to_microseconds() -> None:
    """As libpcap hands them to a program that does not ask for nanoseconds."""
    data = header(magic=NANOSECONDS) + struct.pack("<IIII", 5, 1_999, 0, 60)
    assert read(data)[0] == [(5.000001, b"", 60, 1)]


def test_times_after_2038() -> None:
    assert read(classic([ONE._replace(seconds=0xFFFFFFFF)]))[0][0][0] == 4294967295.123456


@every_order
def test_every_cut(order: str) -> None:
    data = classic([ONE] * 3, order)
    size = 16 + len(ONE.data)
    for end in range(24, len(data)):
        whole, rest = divmod(end - 24, size)
        fault = f"cut off at byte {end}, after packet {whole}" if rest else ""
        assert read(data[:end]) == (expected([ONE] * whole), fault)


@pytest.mark.parametrize("end", range(4, 24))
def test_cut_off_in_the_header(end: int) -> None:
    assert read(classic([ONE])[:end]) == ([], f"cut off at byte {end}, in the file's header")


@every_order
def test_captured_length_that_cannot_be(order: str) -> None:
    fine = classic([ONE, ONE], order)
    absurd = struct.pack(order + "IIII", 0, 0, PACKET_LIMIT + 1, 60)
    expected_fault = f"a captured length of {PACKET_LIMIT + 1} at byte {len(fine)}, after packet 2"
    assert read(fine + absurd) == (expected([ONE, ONE]), expected_fault)
    assert read(fine + absurd + bytes(PACKET_LIMIT + 1))[1] == expected_fault


def test_largest_packet() -> None:
    packet = ONE._replace(data=bytes(PACKET_LIMIT), wire=2**32 - 1)
    data = header(snap=PACKET_LIMIT) + record(packet) + record(ONE)
    assert read(data) == (expected([packet, ONE]), "")


@pytest.mark.parametrize(("snap", "kept"), [(4, 4), (11, 11), (0, 11), (2**31, 11), (12, 11)])
def test_a_packet_beyond_the_snap_length_is_cut(snap: int, kept: int) -> None:
    """As libpcap's ``sf-pcap.c`` does, but not where the snap length itself is none."""
    data = header(snap=snap) + record(ONE) + record(ONE)
    cut = ONE._replace(data=ONE.data[:kept])
    assert read(data) == (expected([cut, cut]), "")


@pytest.mark.parametrize(("link", "snap", "kept"), [(1, 2, 11), (101, 2, 2)])
def test_patched_ethernet_may_have_a_cooked_header(link: int, snap: int, kept: int) -> None:
    data = header(magic=PATCHED, snap=snap, link=link) + record(ONE, magic=PATCHED)
    assert read(data)[0] == expected([ONE._replace(data=ONE.data[:kept], link=link)])


@pytest.mark.parametrize("version", [(2, 0), (2, 3), (543, 0), (2, 4)])
def test_old_versions_have_the_original_length_first(version: tuple[int, int]) -> None:
    lengths = (11, 60) if version == (2, 4) else (60, 11)
    data = header(version=version) + struct.pack("<IIII", 1, 0, *lengths) + ONE.data
    assert read(data) == ([(1.0, ONE.data, 60, 1)], "")


def test_version_2_3_may_have_the_captured_length_first() -> None:
    data = header(version=(2, 3)) + struct.pack("<IIII", 1, 0, 11, 60) + ONE.data
    assert read(data) == ([(1.0, ONE.data, 60, 1)], "")


@pytest.mark.parametrize("version", [(1, 4), (2, 5), (3, 0), (543, 1)])
def test_unknown_version(version: tuple[int, int]) -> None:
    fault = f"pcap version {version[0]}.{version[1]} is not known"
    assert read(header(version=version) + record(ONE)) == ([], fault)
    with pytest.raises(ValueError, match=fault):
        Classic(header(version=version))


def test_frame_check_sequence_bits_are_no_link_type() -> None:
    assert read(header(link=0x54000001) + record(ONE))[0] == expected([ONE])
    assert read(header(link=276) + record(ONE))[0] == expected([ONE._replace(link=276)])


@every_order
@every_magic
def test_is_classic(order: str, magic: int) -> None:
    assert is_classic(header(order, magic))
    assert is_classic(header(order, magic)[:4])
    assert not is_classic(header(order, magic)[:3])
    assert not is_classic(header(order, magic + 1))
