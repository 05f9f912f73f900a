r"""Texts made of any bytes in canonical form: what is no UTF-8 as ``\xhh`` (``zeek_format.py``)."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, Counts
from analyzer.parsers.pcap.compiled import compiled

_ASCII = 128
_EXPANSION = 4  # \xhh for a byte
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_BACKSLASH, _X = 92, 120


def canonical_texts(content: Bytes, ends: Counts) -> tuple[Bytes, Counts]:
    r"""Texts that are valid UTF-8, and where they end.

    Bytes that are not valid where they stand become four characters each, as Python's
    ``bytes.decode(errors="backslashreplace")`` has them.

    Args:
        content: the texts, one after the other.
        ends: where each of them ends, the last one at the end of `content`.
    """
    if content.size == 0 or int(content.max()) < _ASCII:
        return content, ends
    canonical = np.empty(content.size * _EXPANSION, np.uint8)
    canonical_ends = np.empty_like(ends)
    size = _write_canonical(content, ends, canonical, canonical_ends)
    return canonical[:size], canonical_ends


@compiled
def _sequence_length(content: Bytes, position: int, end: int) -> int:
    """Bytes of the UTF-8 sequence at a position, 0 if there is none (Unicode 15, table 3-7)."""
    first = int(content[position])
    if first < _ASCII:
        return 1
    if not 0xC2 <= first <= 0xF4:  # what may begin a sequence
        return 0
    length = 2 + int(first >= 0xE0) + int(first >= 0xF0)
    if end - position < length:
        return 0
    second = int(content[position + 1])
    lowest = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    highest = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    if not lowest <= second <= highest:
        return 0
    for index in range(position + 2, position + length):
        if content[index] & 0xC0 != 0x80:  # what continues one
            return 0
    return length


@compiled
def _write_canonical(content: Bytes, ends: Counts, out: Bytes, out_ends: Counts) -> int:
    """Write texts in canonical form, with room for four bytes each; returns how many there are."""
    position = 0
    at = 0
    for text in range(ends.size):
        end = ends[text]
        while position < end:
            length = _sequence_length(content, position, end)
            if length == 0:
                byte = int(content[position])
                out[at] = _BACKSLASH
                out[at + 1] = _X
                out[at + 2] = _HEX[byte >> 4]
                out[at + 3] = _HEX[byte & 15]
                at += 4
                position += 1
            for _ in range(length):
                out[at] = content[position]
                at += 1
                position += 1
        out_ends[text] = at
    return at
