"""Zeek's TSV logs into tables."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import duckdb

from analyzer.engine import Engine
from analyzer.parsers.account import FileAccount
from analyzer.parsers.blocks import HeaderLine, Overlong, Rows, pieces
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.header import Header
from analyzer.parsers.spool import Spool
from analyzer.parsers.tsv_rows import TsvLoader
from analyzer.parsers.validation import CUT_OFF, OVERLONG


def load_file(
    path: Path,
    head: bytes,
    engine: Engine,
    account: FileAccount,
    *,
    unfinished: bool = False,
) -> bool:
    """Load a plain TSV file where it stands, if it is as Zeek writes it: one header, then rows.

    Args:
        path: the file.
        head: its first bytes.
        engine: where to.
        account: the books.
        unfinished: whether its connections had not ended when it was written.

    Returns:
        Whether it was; if not, nothing has been loaded or counted.
    """
    lines = head.split(b"\n")[:-1]
    above = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), 0)
    if not above or b"\r" in head:
        return False
    header = Header()
    for line in lines[:above]:
        header = header.updated(line.decode("utf-8", "backslashreplace"))
    if header.fault() or header.log is None:
        return False
    loader = TsvLoader(engine, account, header, unfinished=unfinished)
    # Whatever the name of the file, that of the link means nothing special to DuckDB.
    link = engine.directory / "log.tsv"
    link.symlink_to(path.absolute())
    try:
        return loader.load_file(link, above, sum(len(line) + 1 for line in lines[:above]))
    except (OSError, duckdb.IOException):
        # It was moved away meanwhile; whoever opened it before can still read it.
        return False
    finally:
        link.unlink()


def load_stream(
    plain: PlainBytes,
    chunks: Iterable[bytes],
    engine: Engine,
    account: FileAccount,
    *,
    unfinished: bool = False,
) -> None:
    """Load a TSV stream of any shape: compressed, concatenated with other headers, broken."""
    stream = _Stream(engine, account, unfinished=unfinished)
    with closing(Spool(engine.directory / "rows.tsv", stream.load)) as spool:
        for piece in pieces(chunks, headers=True):
            match piece:
                case HeaderLine(text):
                    stream.header = stream.header.updated(text)
                case Overlong(line, length, start):
                    stream.skip_overlong(line, length, start)
                case Rows(data, line) if plain.fault and not data.endswith(b"\n"):
                    stream.skip(CUT_OFF, line)
                case Rows():
                    if stream.header != stream.spooled:
                        spool.flush()
                        stream.spooled = stream.header
                    spool.add(piece)
        spool.flush()


class _Stream:
    """Where the reading of a stream stands.

    Attributes:
        header: what the next row stands under.
        spooled: what the rows in the spool stand under.
    """

    def __init__(self, engine: Engine, account: FileAccount, *, unfinished: bool) -> None:
        self.header = self.spooled = Header()
        self._engine = engine
        self._account = account
        self._unfinished = unfinished

    def load(self, spool: Spool) -> None:
        """Load what the spool holds, or say why not."""
        header = self.spooled
        if fault := header.fault():
            self._account.lines += spool.lines
            self._account.skip_all(fault, spool.lines, spool.source_line)
        elif header.log is None:
            self._account.ignore(header.path or "unnamed")
        else:
            loader = TsvLoader(self._engine, self._account, header, unfinished=self._unfinished)
            loader.load_spool(spool)

    def skip(self, reason: str, line: int, detail: str = "") -> None:
        """Count a line that cannot be spooled, unless it is of a log that is not used anyway."""
        if self.header.log is not None or self.header.fault():
            self._account.lines += 1
            self._account.skip(reason, line, detail=detail)

    def skip_overlong(self, line: int, length: int, start: bytes) -> None:
        """Count a line that was too long, if it is a row."""
        if not start.startswith(b"#"):
            self.skip(OVERLONG, line, f"{length:,} bytes")
        elif start.startswith(b"#fields"):
            # Whatever columns it names, they are not those from before.
            self.header = Header()
