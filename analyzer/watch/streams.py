"""What has been read of a log, whatever its file is called by now.

A log is renamed, moved to an archive, and compressed there, so neither its name nor its inode says
which one it is; what it begins with does, up to the end of its first row: in TSV that holds the
second it was opened, in either format a time and a connection's uid, so no two logs begin alike.
That is kept as a hash, the place that was reached as an offset into the plain bytes, and the same
place is found again in whatever holds the same log, even if it is a copy that is still being made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from analyzer.parsers.header import Header, is_headless_tsv, is_tsv

HEAD_SIZE = 4096
"""Most plain bytes by which a log is known; Zeek's headers have some 700, a row some 150."""

Kind = Literal["tsv", "json", "other"]
"""How a log's rows are to be read; ``other`` ones are not."""

# The lines of a header that say how rows are read, in Zeek's order.
_KEPT = (b"#separator", b"#set_separator", b"#empty_field", b"#unset_field", b"#path", b"#fields")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A log, and how far it has been read.

    Attributes:
        number: which one, from 1; 0 as long as it is not kept.
        kind: how to read it.
        head: SHA-256 of its first `head_size` plain bytes, hexadecimal.
        head_size: at most :data:`HEAD_SIZE`.
        offset: plain bytes that have been read; always the end of a line.
        lines: lines that have been read.
        header: the header lines that the next row stands under; empty in JSON.
        path: the file it was last read from.
        touched: when it was last read from, UTC epoch seconds.
    """

    number: int = 0
    kind: Kind
    head: str
    head_size: int
    offset: int = 0
    lines: int = 0
    header: bytes = b""
    path: str = ""
    touched: float = 0.0

    def is_begun_by(self, begins: bytes) -> bool:
        """Whether something that begins so is this log."""
        return len(begins) >= self.head_size and digest(begins[: self.head_size]) == self.head

    def after(self, data: bytes, lines: int, path: str, now: float) -> Stream:
        """This log with more of it read.

        Args:
            data: whole lines that follow what has been read.
            lines: how many.
            path: the file they were in.
            now: UTC epoch seconds.
        """
        header = header_after(self.header, data) if self.kind == "tsv" else b""
        return replace(
            self,
            offset=self.offset + len(data),
            lines=self.lines + lines,
            header=header,
            path=path,
            touched=now,
        )


def digest(begins: bytes) -> str:
    """What is kept of a log's first bytes."""
    return hashlib.sha256(begins).hexdigest()


def identifying_size(begins: bytes) -> int:
    """How many of a log's first bytes tell it from others; 0 if these do not suffice.

    Headers written within a second are alike, so that is up to the end of the first row, or
    :data:`HEAD_SIZE` if that is not there yet. It is the same however much of the log there is.

    Args:
        begins: the first bytes there are, :data:`HEAD_SIZE` if there are as many.
    """
    start = 0
    while end := begins.find(b"\n", start, HEAD_SIZE) + 1:
        if begins[start:end].strip() and not begins.startswith(b"#", start):
            return end
        start = end
    return HEAD_SIZE if len(begins) >= HEAD_SIZE else 0


def header_after(header: bytes, data: bytes) -> bytes:
    """The header lines in force after more of a TSV log.

    Args:
        header: those in force before.
        data: whole lines.
    """
    if not data.startswith(b"#") and b"\n#" not in data:
        return header
    lines = header.splitlines(keepends=True)
    held = {_key(line): line for line in lines}
    start = 0 if data.startswith(b"#") else data.find(b"\n#") + 1
    while True:
        end = data.find(b"\n", start) + 1 or len(data)
        line = data[start:end]
        key = _key(line)
        if key == _KEPT[0]:
            held = {}
        if key:
            held[key] = line
        start = end if data.startswith(b"#", end) else data.find(b"\n#", end - 1) + 1
        if not start or start >= len(data):
            return b"".join(held[key] for key in _KEPT if key in held)


def _key(line: bytes) -> bytes:
    """What a header line is about; empty if that does not matter."""
    # What stands between a key and its values is what the separator says.
    return next((key for key in _KEPT if line.startswith(key)), b"")


def tsv_kind(begins: bytes) -> Kind | None:
    """What a stream of TSV rows is, by its header; None if it is no TSV.

    Args:
        begins: its first bytes, whole lines, a row among them.
    """
    if is_headless_tsv(begins):
        return "tsv"
    if not is_tsv(begins):
        return None
    header = Header()
    for line in begins.splitlines():
        if line.startswith(b"#"):
            header = header.updated(line.decode("utf-8", "backslashreplace"))
    # A broken header of a log of ours is complained about when its rows are read.
    return "tsv" if header.log is not None or header.fault() else "other"


class Streams:
    """All logs that are known, to be found by how they begin.

    Args:
        known: the logs.
    """

    def __init__(self, known: Iterable[Stream] = ()) -> None:
        self._by_number: dict[int, Stream] = {}
        self._by_head: dict[tuple[int, str], int] = {}
        for stream in known:
            self.put(stream)

    def __len__(self) -> int:
        return len(self._by_number)

    def __getitem__(self, number: int) -> Stream:
        return self._by_number[number]

    def numbers(self) -> list[int]:
        """The numbers of all logs."""
        return list(self._by_number)

    def get(self, number: int) -> Stream | None:
        """A log by its number, if it is known."""
        return self._by_number.get(number)

    def put(self, stream: Stream) -> None:
        """Know a log, or know more of it."""
        self.drop(stream.number)
        self._by_number[stream.number] = stream
        self._by_head[stream.head_size, stream.head] = stream.number

    def drop(self, number: int) -> None:
        """Forget a log."""
        stream = self._by_number.pop(number, None)
        if stream is None:
            return
        self._by_head.pop((stream.head_size, stream.head), None)

    def begun_by(self, begins: bytes) -> Stream | None:
        """The log that begins so."""
        size = identifying_size(begins)
        number = self._by_head.get((size, digest(begins[:size]))) if size else None
        return self._by_number[number] if number is not None else None
