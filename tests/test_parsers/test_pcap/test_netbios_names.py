from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.netbios_names import decode_netbios_names


def encoded(text: bytes) -> bytes:
    """A name of 16 characters in first-level encoding."""
    return b"".join(bytes([0x61 + (byte >> 4), 0x61 + (byte & 15)]) for byte in text)


def decode(*texts: bytes, asked: bool = True) -> list[bytes]:
    ends = np.cumsum([len(text) for text in texts]).astype(np.int64)
    content = np.frombuffer(b"".join(texts), np.uint8)
    content, ends = decode_netbios_names(content, ends, np.full(len(texts), asked))
    starts = [0, *ends[:-1].tolist()]
    return [content[a:b].tobytes() for a, b in zip(starts, ends.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"WORKGROUP      \x1d", b"WORKGROUP"),
        (b"THE NETBIOS NAME", b"THE NETBIOS NAM"),
        (b"\x01\x02__MSBROWSE__\x02\x01", b"\x01\x02__MSBROWSE__\x02"),
        (b"*" + bytes(15), b"*"),
        (b"A B \0 \0          ", b"A B"),
        (b"AB\x07CD           ", b"AB"),
    ],
)
def test_names(name: bytes, text: bytes) -> None:
    assert decode(encoded(name[:16])) == [text]
    assert decode(encoded(name[:16]).upper()) == [text]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"example.com",
        encoded(b"WORKGROUP      \x1d") + b".scope",
        b"q" + encoded(b"WORKGROUP      \x1d")[1:],
        encoded(b"WORKGROUP      \x1d")[:-1] + b"z",
        encoded(bytes(16)),
        encoded(b" " * 15 + b"X"),
        encoded(b"\x07BCDEFGHIJKLMNOP"),
    ],
)
def test_what_is_no_name_stays(text: bytes) -> None:
    assert decode(text) == [text]


def test_letters_after_a_character_that_is_not_printed_are_not_looked_at() -> None:
    assert decode(encoded(b"AB\x07") + b"!" * 26) == [b"AB"]


def test_only_what_is_asked_of_a_netbios_name_service() -> None:
    name = encoded(b"WORKGROUP      \x1d")
    assert decode(b"a", name, b"b", name) == [b"a", b"WORKGROUP", b"b", b"WORKGROUP"]
    assert decode(name, asked=False) == [name]


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=16, max_size=16).map(encoded)))
)
def test_any_bytes(texts: list[bytes]) -> None:
    found = decode(*texts) if texts else []
    for text, result in zip(texts, found, strict=True):
        assert result == text or (len(text) == 32 and 0 < len(result) < 16)
