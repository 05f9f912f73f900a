"""A stream of bytes cut into blocks of whole lines, each under one header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LINE_LIMIT = 1 << 20
"""Longest line kept, in bytes. The longest honest dns row (64 kB of answers) is far below it."""

BLOCK_SIZE = 1 << 26
"""Most bytes in a block: what is on disk at once of a compressed log."""


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """A line that starts with ``#``."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Whole data lines that follow each other, no header line among them."""

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


@dataclass(frozen=True, slots=True)
class CutOff:
    """The stream ended inside this line because it broke."""

    line: int


Piece = HeaderLine | Rows | Overlong | CutOff


def pieces(chunks: Iterable[bytes], *, headers: bool) -> Iterator[Piece]:
    """Cut chunks of a stream into runs of rows and the header lines between them.

    Args:
        chunks: the stream's bytes.
        headers: whether a line that starts with ``#`` is a header line (TSV) or a row (JSON).
    """
    rest: list[bytes] = []
    held = 0
    line = 1
    dropping = 0
    first = True
    for data in chunks:
        chunk = data
        if first:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
            first = False
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            held += len(chunk)
            if dropping or held > LINE_LIMIT:
                dropping, rest = held, []
            else:
                rest.append(chunk)
            continue
        if dropping:
            end = chunk.index(b"\n") + 1
            yield Overlong(line, dropping + end - 1)
            line += 1
            chunk, cut, dropping, held = chunk[end:], cut - end, 0, 0
        body = b"".join((*rest, chunk[:cut]))
        rest, held = [chunk[cut:]], len(chunk) - cut
        for piece in _split(body, line, headers=headers):
            yield piece
            line = piece.line + (piece.count if isinstance(piece, Rows) else 1)
    if dropping:
        yield Overlong(line, dropping)
    elif tail := b"".join(rest):
        yield from _split(tail, line, headers=headers)


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
            yield Rows(rows, line, count)
            line += count
        start = end
