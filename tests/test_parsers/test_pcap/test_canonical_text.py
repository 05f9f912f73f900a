from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.parsers.pcap.canonical_text import canonical_texts


def canonical(*texts: bytes) -> list[bytes]:
    ends = np.cumsum([len(text) for text in texts]).astype(np.int64)
    content, ends = canonical_texts(np.frombuffer(b"".join(texts), np.uint8), ends)
    starts = [0, *ends[:-1].tolist()]
    return [content[a:b].tobytes() for a, b in zip(starts, ends.tolist(), strict=True)]


def test_plain_texts_stay() -> None:
    assert canonical(b"a", b"", b"b\\x00\0") == [b"a", b"", b"b\\x00\0"]


def test_utf8_ends_with_its_text() -> None:
    assert canonical(b"\xc3", b"\xa9", "é".encode()) == [rb"\xc3", rb"\xa9", "é".encode()]


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=4))
@example([b"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\xe0\xa0\x80"])
@example([b"\xf0\x8f\x80\x80\xf4\x90\x80\x80\xed\xa0\x80\xe0\x9f\x80\xf5\x80\x80\x80\xc1\xbf"])
@example([b"\xe2\x82A\xf0\x90\x80B\xc3"])
def test_it_is_what_python_makes_of_it(texts: list[bytes]) -> None:
    expected = [text.decode("utf-8", "backslashreplace").encode() for text in texts]
    assert canonical(*texts) == expected
