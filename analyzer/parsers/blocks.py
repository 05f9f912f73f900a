"""A stream of bytes cut into blocks of whole lines, each under one header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LINE_LIMIT = 1 << 20
"""Longest line kept, in bytes. The longest honest dns row (64 kB of answers) is far below it."""

BLOCK_SIZE = 1 << 26
"""Most bytes in a block: what is on disk at once of a compressed log."""

BOM = b"\xef\xbb\xbf"

_START = 64
_LINE_END = re.compile(rb"\r+\n")


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """A line that starts with ``#``."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Whole data lines that follow each other, no header line among them.

    Each ends in a line feed alone, but for the very last of a stream, which may lack it.
    """

    data: bytes
    line: int
    """Number of the first line."""
    count: int
    """Number of lines, blank ones included."""


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line past :data:`LINE_LIMIT`; its text is dropped."""

    line: int
    length: int
    start: bytes
    """Its first bytes."""


Piece = HeaderLine | Rows | Overlong


def pieces(chunks: Iterable[bytes], *, headers: bool) -> Iterator[Piece]:
    """Cut chunks of a stream into runs of rows and the header lines between them.

    Args:
        chunks: the stream's bytes.
        headers: whether a line that starts with ``#`` is a header line (TSV) or a row (JSON).
    """
    rest: list[bytes] = []
    held = 0
    line = 1
    # First bytes of the line that is being dropped, empty if none is.
    dropping = b""
    for chunk in _without_bom(chunks):
        data = chunk
        cut = data.rfind(b"\n") + 1
        if not cut:
            held += len(data)
            if not dropping:
                rest.append(data)
            if held > LINE_LIMIT and not dropping:
                dropping, rest = b"".join(rest)[:_START], []
            continue
        if dropping:
            end = data.index(b"\n") + 1
            yield Overlong(line, held + end - 1, dropping)
            line += 1
            data, cut, dropping = data[end:], cut - end, b""
        body = b"".join((*rest, data[:cut]))
        rest, held = [data[cut:]], len(data) - cut
        for piece in _split(body, line, headers=headers):
            yield piece
            line = piece.line + (piece.count if isinstance(piece, Rows) else 1)
    if dropping:
        yield Overlong(line, held, dropping)
    elif tail := b"".join(rest):
        yield from _split(tail, line, headers=headers)


def _without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = iter(chunks)
    head = b""
    while len(head) < len(BOM) and (chunk := next(waiting, b"")):
        head += chunk
    yield head.removeprefix(BOM)
    yield from waiting


def _split(body: bytes, line: int, *, headers: bool) -> Iterator[HeaderLine | Rows]:
    start = 0
    while start < len(body):
        if headers and body.startswith(b"#", start):
            end = body.find(b"\n", start) + 1 or len(body)
            text = body[start:end].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
            yield HeaderLine(text, line)
            line += 1
        else:
            end = (body.find(b"\n#", start) + 1 if headers else 0) or len(body)
            rows = body[start:end]
            count = rows.count(b"\n") + (not rows.endswith(b"\n"))
            yield Rows(_LINE_END.sub(b"\n", rows) if b"\r" in rows else rows, line, count)
            line += count
        start = end
