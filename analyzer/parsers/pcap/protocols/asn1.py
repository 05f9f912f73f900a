"""The outermost of ASN.1's basic encoding rules: tags and lengths (ITU-T X.690, section 8.1)."""

from __future__ import annotations

from typing import NamedTuple

SEQUENCE, INTEGER, OCTET_STRING, OBJECT_IDENTIFIER, ENUMERATED = 0x30, 0x02, 0x04, 0x06, 0x0A

_LONG_FORM = 0x80
_LONGEST_LENGTH = 4
_LARGE_TAG = 0x1F


class Element(NamedTuple):
    """One element: its tag, and where its content begins and ends.

    The end may lie beyond the bytes that are there.
    """

    tag: int
    start: int
    end: int


def element(data: bytes, position: int = 0) -> Element | None:
    """The element whose tag stands at a position.

    None if its tag and length are not all there, or are of a kind that none of our protocols uses
    (indefinite length, tags above 30).
    """
    if position + 2 > len(data) or data[position] & _LARGE_TAG == _LARGE_TAG:
        return None
    tag, length = data[position], data[position + 1]
    start = position + 2
    if length >= _LONG_FORM:
        count = length - _LONG_FORM
        if not 1 <= count <= _LONGEST_LENGTH or start + count > len(data):
            return None
        length = int.from_bytes(data[start : start + count])
        start += count
    return Element(tag, start, start + length)


def whole(data: bytes, position: int = 0) -> Element | None:
    """The element at a position if all of it is there."""
    found = element(data, position)
    return found if found is not None and found.end <= len(data) else None


def children(data: bytes, parent: Element) -> list[Element]:
    """The elements that a constructed one is made of, as far as they are whole."""
    found: list[Element] = []
    position = parent.start
    content = data[: parent.end]
    while (child := whole(content, position)) is not None:
        found.append(child)
        position = child.end
    return found


def integer(data: bytes, item: Element) -> int | None:
    """The value of an INTEGER or ENUMERATED; None if it is neither or is unreasonably long."""
    if item.tag not in (INTEGER, ENUMERATED) or not 1 <= item.end - item.start <= 9:
        return None
    return int.from_bytes(data[item.start : item.end], signed=True)
