"""Captures into tables: what the connections and DNS transactions in them are, as Zeek sees them.

All captures of a run are one stream of packets, in order of time: whoever rotates captures cuts
connections in two.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from analyzer.networks import LocalNetworks
from analyzer.parsers.account import Account, FileAccount
from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.discovery import Source, discover
from analyzer.parsers.pcap.magic import is_capture

if TYPE_CHECKING:
    # The compiler and the engine take half a second each to load, and not every run needs them.
    from analyzer.engine import Engine
    from analyzer.parsers.pcap.reading import CaptureRows

NO_CAPTURE = "no capture: neither pcap nor pcapng"


class Begun:
    """A stream whose start was read, long enough to tell what it is.

    Args:
        stream: the stream, at its beginning.
        on_progress: told of bytes as they are read.

    Attributes:
        stream: as given.
        plain: its plain bytes.
        chunks: what comes after `head`.
        head: the first plain bytes.
        stays_open: whether it is to be read on later.
    """

    def __init__(self, stream: IO[bytes], on_progress: Callable[[int], None]) -> None:
        self.stream = stream
        self.stays_open = False
        self.plain = PlainBytes(stream, on_progress)
        self.chunks = iter(self.plain)
        head = bytearray()
        while len(head) <= LINE_LIMIT and (chunk := next(self.chunks, b"")):
            head += chunk
        self.head = bytes(head)


@dataclass(frozen=True, slots=True)
class CaptureSource:
    """A capture to be read.

    Attributes:
        account: its books.
        path: the file, if it can be read again from its start.
        begun: what cannot: standard input, a pipe.
        is_ours: whether that was opened for this and is to be closed in the end.
    """

    account: FileAccount
    path: Path | None = None
    begun: Begun | None = None
    is_ours: bool = False


def capture_source(
    source: Source,
    account: FileAccount,
    begun: Begun,
    on_progress: Callable[[int], None],
) -> CaptureSource:
    """A capture that was begun to be read, to see what it is."""
    if source.path is None or not source.path.is_file():
        # It cannot be opened twice.
        begun.stays_open = True
        return CaptureSource(account, begun=begun, is_ours=source.path is not None)
    # It is read from its start again, when it is due among the others.
    on_progress(-begun.plain.consumed)
    return CaptureSource(account, source.path)


def inputs(
    paths: Iterable[str | os.PathLike[str]],
    account: Account,
    on_progress: Callable[[int], None],
    *,
    keep_all_problems: bool = False,
) -> Iterator[tuple[Source, FileAccount, Begun]]:
    """Every input that can be read, opened, with its books; what cannot be is remarked upon there.

    An input is closed when the next one is asked for, unless it :attr:`Begun.stays_open`.

    Raises:
        InputError: a path does not exist.
    """
    for source in discover(paths):
        file = FileAccount(source.name, keep_all=keep_all_problems)
        account.files.append(file)
        with contextlib.ExitStack() as stack:
            try:
                stream = stack.enter_context(source.open())
            except OSError as error:
                file.remark(f"cannot be read: {error.strerror or error}", failed=True)
                continue
            file.size = os.fstat(stream.fileno()).st_size if source.path else 0
            begun = Begun(stream, on_progress)
            yield source, file, begun
            if begun.stays_open:
                stack.pop_all()


def find_captures(
    paths: Iterable[str | os.PathLike[str]], account: Account, on_progress: Callable[[int], None]
) -> list[CaptureSource]:
    """The captures under `paths`; whatever else is there is remarked upon in the books.

    Raises:
        InputError: a path does not exist.
    """
    found = []
    for source, file, begun in inputs(paths, account, on_progress):
        if is_capture(begun.head):
            found.append(capture_source(source, file, begun, on_progress))
        else:
            file.remark(begun.plain.fault or NO_CAPTURE, failed=source.named)
    return found


def capture_rows(
    sources: Sequence[CaptureSource],
    account: Account,
    on_progress: Callable[[int], None],
    local: LocalNetworks | None = None,
) -> Generator[CaptureRows]:
    """The records of captures, as they become complete.

    Args:
        sources: the captures, in any order.
        account: the books of the run, kept up to date.
        on_progress: told of bytes as they are read.
        local: tells which addresses are local; by default those that Zeek takes for it.
    """
    from analyzer.parsers.pcap.byte_stream import ByteStream  # noqa: PLC0415
    from analyzer.parsers.pcap.container import Capture  # noqa: PLC0415
    from analyzer.parsers.pcap.reading import CaptureReader  # noqa: PLC0415

    captures = []
    for source in sources:
        opened: Path | ByteStream | None = source.path
        if source.begun is not None:
            opened = ByteStream(
                source.begun.stream,
                on_progress,
                plain=source.begun.plain,
                head=source.begun.head,
                chunks=source.begun.chunks,
            )
        if opened is not None:
            captures.append(Capture(source.account.name, opened, on_progress))
    reader = CaptureReader(captures, local)
    try:
        for rows in reader:
            account.captured += Counter(conn=len(rows.conn), dns=len(rows.dns))
            yield rows
    finally:
        account.passed_over.update(reader.skipped)
        for source, capture in zip(sources, captures, strict=True):
            if source.begun is not None and source.is_ours:
                source.begun.stream.close()
            source.account.packets = capture.packets
            if capture.fault:
                source.account.remark(capture.fault, failed=True)
            elif not capture.packets:
                source.account.remark("a capture without packets", failed=False)


def load_captures(
    sources: Sequence[CaptureSource],
    engine: Engine,
    account: Account,
    on_progress: Callable[[int], None],
) -> None:
    """Load the records of captures into the engine's tables."""
    with closing(capture_rows(sources, account, on_progress)) as records:
        for rows in records:
            engine.append("conn", rows.conn)
            engine.append("dns", rows.dns)
            engine.append("ssl", rows.server_names)
