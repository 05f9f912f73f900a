from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.dns_text import (
    CHAIN_LIMIT,
    NAME_ROOM,
    skip_name,
    write_bytes,
    write_ipv6,
    write_name,
    write_number,
)

HEAD = bytes(12)


def read(
    content: bytes, position: int = 12, *, long_labels: bool = False, keep_case: bool = False
) -> tuple[bytes, int]:
    """The text of a name in a message, and where the name ends."""
    data = np.frombuffer(b"\xaa" + content + b"\x03abc", np.uint8).copy()
    end = 1 + len(content)
    out = np.zeros(NAME_ROOM + 7, np.uint8)
    levels = np.zeros(CHAIN_LIMIT + 1, np.int64)
    at = write_name(data, 1, 1 + position, end, long_labels, keep_case, out, 7, levels)
    return out[7:at].tobytes(), skip_name(data, 1 + position, end, long_labels) - 1


@pytest.mark.parametrize(
    ("content", "text", "length"),
    [
        (b"\x03www\x07Example\x03COM\0rest", b"www.example.com", 17),
        (b"\0rest", b"", 1),
        (b"\x01.\0", b".", 3),
        (b"\x02a.\0", b"a.", 4),
        (b"\x03a\xc3\x89\x00", b"a\xc3\x89", 5),
        (b"\x01\0\0", b"\0", 3),
        # What breaks ends the name, and what was read of it counts.
        (b"\x03abc", b"abc", 4),
        (b"\x03abc\x05xy", b"abc", 7),
        (b"\x03abc\x03", b"abc", 5),
        (b"\x01a\x40" + b"x" * 70, b"a", 3),
        (b"\x01a\x80" + b"x" * 200, b"a", 3),
        (b"\x01a\xc0", b"a", 3),
        (b"", b"", 0),
        # Pointers to themselves and ahead.
        (b"\xc0\x0c\0", b"", 2),
        (b"\x01a\xc0\x0e", b"a", 4),
        (b"\xff\xff\0", b"", 2),
    ],
)
def test_names(content: bytes, text: bytes, length: int) -> None:
    assert read(HEAD + content) == (text, 12 + length)


def test_pointers_are_followed() -> None:
    content = HEAD + b"\x03Com\0\x07eXample\xc0\x0c\x03www\xc0\x11rest"
    assert read(content, 17) == (b"example.com", 27)
    assert read(content, 27) == (b"www.example.com", 33)


def test_a_pointer_reaches_no_further_than_to_itself() -> None:
    assert read(HEAD + b"\x03abc\xc0\x0c\0\0", 16) == (b"abc", 18)
    assert read(HEAD + b"\x07abc\xc0\x0c\0\0", 16) == (b"", 18)


def test_every_part_of_a_name_loses_a_dot() -> None:
    assert read(HEAD + b"\x02a.\0\x01b\xc0\x0c", 16) == (b"b.a", 20)
    assert read(HEAD + b"\0\x01b\xc0\x0c", 13) == (b"b", 17)


def test_case_is_kept_up_to_the_first_pointer() -> None:
    content = HEAD + b"\x03COM\0\x03WWW\xc0\x0c"
    assert read(content, 17, keep_case=True) == (b"WWW.com", 23)


def test_long_labels_are_for_netbios() -> None:
    content = HEAD + b"\xa0" + b"X" * 160 + b"\0"
    assert read(content, long_labels=True) == (b"x" * 160, 174)
    assert read(content) == (b"", 13)


def test_names_have_room_for_512_bytes() -> None:
    label = b"\x3f" + b"x" * 63
    text, end = read(HEAD + 8 * label + b"\0")
    assert (len(text), end) == (511, 12 + 8 * 64 + 1)
    # A label more does not fit, however short, and nothing after it is looked at.
    text, end = read(HEAD + 8 * label + b"\x01y\0")
    assert (len(text), end) == (511, 12 + 8 * 64 + 1)


def test_chains_of_pointers_end() -> None:
    chain = b"\x01x\0"
    for place in range(40):
        chain += (0xC000 | (12 if place == 0 else 15 + 2 * (place - 1))).to_bytes(2)
    content = HEAD + chain
    assert read(content, 15 + 2 * (CHAIN_LIMIT - 1)) == (b"x", 17 + 2 * (CHAIN_LIMIT - 1))
    assert read(content, 15 + 2 * CHAIN_LIMIT) == (b"", 17 + 2 * CHAIN_LIMIT)


@given(content=st.binary(max_size=300), position=st.integers(0, 310), long_labels=st.booleans())
def test_any_bytes_are_read(*, content: bytes, position: int, long_labels: bool) -> None:
    position = min(position, len(content))
    text, end = read(content, position, long_labels=long_labels)
    assert len(text) < NAME_ROOM
    assert position <= end <= len(content)


@pytest.mark.parametrize("number", [0, 9, 10, 65535, 4294967295])
def test_numbers(number: int) -> None:
    out = np.zeros(30, np.uint8)
    end = write_number(out, 3, number)
    assert out[3:end].tobytes() == str(number).encode()


def test_bytes() -> None:
    out = np.zeros(8, np.uint8)
    assert write_bytes(np.frombuffer(bytearray(b"abcdef"), np.uint8), 2, 5, out, 1) == 4
    assert out.tobytes() == b"\0cde\0\0\0\0"


def ipv6(text: str) -> str:
    out = np.zeros(64, np.uint8)
    packed = np.frombuffer(bytearray(ipaddress.IPv6Address(text).packed), np.uint8)
    return out[: write_ipv6(packed, out, 0)].tobytes().decode()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("2001:db8::1", "2001:db8::1"),
        ("::", "::"),
        ("::1", "::1"),
        ("fe80::", "fe80::"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("0:0:1::", "0:0:1::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:0.0.0.0", "0.0.0.0"),  # noqa: S104 - an address in a message
        ("::192.0.2.1", "::192.0.2.1"),
        ("::1:2", "::0.1.0.2"),
        ("::fffe:192.0.2.1", "::fffe:c000:201"),
        ("abcd:ef01:2345:6789:abcd:ef01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
    ],
)
def test_ipv6_as_glibc_writes_it(address: str, text: str) -> None:
    assert ipv6(address) == text


@given(st.lists(st.sampled_from([0, 1, 0xABCD]), min_size=8, max_size=8))
def test_ipv6_addresses_are_what_they_say(groups: list[int]) -> None:
    address = ipaddress.IPv6Address(b"".join(group.to_bytes(2) for group in groups))
    assert ipaddress.ip_address(ipv6(str(address))) in (address, address.ipv4_mapped)
