from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.protocols import asn1
from analyzer.parsers.pcap.protocols.asn1 import Element


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x30\x03abc", Element(0x30, 2, 5)),
        (b"\x04\x81\x80" + bytes(128), Element(4, 3, 131)),
        (b"\x04\x82\x01\x00", Element(4, 4, 260)),
        (b"\x60\x84\x00\x00\x00\x02ab", Element(0x60, 6, 8)),
        (b"\x30\x80ab\x00\x00", None),  # of indefinite length
        (b"\x30\x85\x00\x00\x00\x00\x01a", None),
        (b"\x30\x82\x01", None),
        (b"\x1f\x01a", None),  # a large tag
        (b"\x30", None),
        (b"", None),
    ],
)
def test_an_element_is_tag_and_length(data: bytes, expected: Element | None) -> None:
    assert asn1.element(data) == expected


def test_whole_elements_are_there() -> None:
    assert asn1.whole(b"\x04\x02ab") == Element(4, 2, 4)
    assert asn1.whole(b"\x04\x02a") is None
    assert asn1.whole(b"xx\x04\x01a", 2) == Element(4, 4, 5)


def test_children_stay_within_their_parent() -> None:
    data = b"\x30\x06\x02\x01\x05\x04\x01a\x04\x01b"
    parent = asn1.element(data)
    assert parent is not None
    assert [(child.tag, child.end) for child in asn1.children(data, parent)] == [(2, 5), (4, 8)]


def test_a_child_that_is_longer_than_its_parent_is_none() -> None:
    data = b"\x30\x03\x04\x05abcde"
    parent = asn1.element(data)
    assert parent is not None
    assert asn1.children(data, parent) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x02\x01\x05", 5),
        (b"\x02\x01\xff", -1),
        (b"\x0a\x02\x01\x00", 256),
        (b"\x02\x09\x00" + b"\xff" * 8, 2**64 - 1),
        (b"\x02\x0a" + bytes(10), None),
        (b"\x02\x00", None),
        (b"\x04\x01\x05", None),
    ],
)
def test_integers(data: bytes, expected: int | None) -> None:
    item = asn1.element(data)
    assert item is not None
    assert asn1.integer(data, item) == expected


@given(st.binary(max_size=80))
def test_anything_is_read_without_error(data: bytes) -> None:
    found = asn1.element(data)
    if found is not None:
        assert 2 <= found.start <= found.end
        assert all(child.end <= found.end for child in asn1.children(data, found))
