"""What must survive the process: how far each log was read, the window, what was said.

A SQLite database in the state directory, written in transactions that are on the disk when they
return (WAL, synchronous=FULL), so that whatever kills the process finds either all of a step or
nothing of it. Rows of the window are files beside it (:mod:`analyzer.watch.segments`); one counts
from the transaction on that names it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from analyzer.errors import Location, OutputError
from analyzer.version import __version__
from analyzer.watch.following import Rest
from analyzer.watch.looking import Identity, Seen
from analyzer.watch.streams import Stream

VERSION = 2
"""Of the tables below. A later program takes over an earlier one's, not the other way round."""

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE streams (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, head TEXT NOT NULL, head_size INTEGER NOT NULL,
    "offset" INTEGER NOT NULL, lines INTEGER NOT NULL, header BLOB NOT NULL, path TEXT NOT NULL,
    touched REAL NOT NULL);
CREATE TABLE resting (
    device INTEGER NOT NULL, inode INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL,
    modified INTEGER NOT NULL, stream INTEGER NOT NULL, PRIMARY KEY (device, inode));
CREATE TABLE segments (
    number INTEGER PRIMARY KEY, counts TEXT NOT NULL, first REAL NOT NULL,
    last REAL NOT NULL, size INTEGER NOT NULL, judged INTEGER NOT NULL,
    place TEXT NOT NULL DEFAULT 'window');
CREATE TABLE episodes (
    number INTEGER PRIMARY KEY, entities TEXT NOT NULL, first REAL NOT NULL, last REAL NOT NULL,
    severity INTEGER NOT NULL, said REAL NOT NULL);
CREATE TABLE outbox (number INTEGER PRIMARY KEY, finding TEXT NOT NULL);
"""

# From each version to the next.
_UPGRADES = {1: "ALTER TABLE segments ADD COLUMN place TEXT NOT NULL DEFAULT 'window'"}

_NAME = "watch.sqlite"

Place = Literal["window", "left", "summed", "unlearned"]
"""Where a segment is: in the window, or what it is kept for (:mod:`analyzer.watch.former`)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Some rows of the window.

    Attributes:
        number: which one; they are numbered in the order of their coming.
        counts: rows by log.
        first: when the first of its connections and questions began, UTC epoch seconds.
        last: when the last of them ended.
        size: bytes on disk.
        judged: whether all rules have judged its rows, and what they said was kept.
    """

    number: int
    counts: dict[str, int]
    first: float
    last: float
    size: int
    judged: bool = False

    @property
    def rows(self) -> int:
        """Rows of all logs."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Episode:
    """One thing that was said and may be going on.

    Attributes:
        number: which one; 0 if it is not kept yet.
        entities: what it is about, as JSON of :attr:`analyzer.findings.Finding.entities`, or of
            these and of :attr:`analyzer.findings.Finding.alias`.
        first: when it began, UTC epoch seconds; this does not change any more.
        last: when it was last seen.
        severity: the loudest that it was said.
        said: what `last` was when it was last said.
    """

    number: int
    entities: str
    first: float
    last: float
    severity: int
    said: float


class State:
    """The database. A context manager.

    Args:
        directory: where; made if it does not exist, for its owner alone.

    Attributes:
        is_new: whether there was none.

    Raises:
        OutputError: it cannot be opened or written, is damaged, or of a later version.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / _NAME
        with self._complaints():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.is_new = not self._path.exists()
            # Made here so that it is never open to others; what SQLite puts beside it is like it.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(self._path, isolation_level=None, timeout=5.0)
            try:
                self._open()
            except BaseException:
                self._database.close()
                raise

    def _open(self) -> None:
        execute = self._database.execute
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        ((version,),) = execute("PRAGMA user_version").fetchall()
        if version > VERSION:
            raise OutputError(
                f"was written by a later version of zeek-analyzer (format {version}, this one "
                f"knows {VERSION}); use that one, or another --state directory",
                Location(str(self._path)),
            )
        if version == 0:
            with self.transaction():
                for statement in _TABLES.split(";"):
                    execute(statement)
                execute(f"PRAGMA user_version = {VERSION}")
        elif version < VERSION:
            with self.transaction():
                for step in range(version, VERSION):
                    execute(_UPGRADES[step])
                execute(f"PRAGMA user_version = {VERSION}")
        self.set_fact("written by", __version__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()

    @contextlib.contextmanager
    def _complaints(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            location = Location(str(self._path))
            raise OutputError(f"cannot be used: {reason}", location) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes made inside are kept when the block ends, none if it fails.

        Raises:
            OutputError: they cannot be kept.
        """
        with self._complaints():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._database.execute("ROLLBACK")

    def fact(self, name: str, default: str = "") -> str:
        """A single value kept under a name."""
        rows = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchall()
        return str(rows[0][0]) if rows else default

    def set_fact(self, name: str, value: str) -> None:
        """Keep a single value under a name."""
        with self._complaints():
            self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def streams(self) -> list[Stream]:
        """The logs that are known."""
        names = 'number, kind, head, head_size, "offset", lines, header, path, touched'
        rows = self._database.execute(f"SELECT {names} FROM streams ORDER BY number").fetchall()
        keys = names.replace('"', "").split(", ")
        return [Stream(**dict(zip(keys, row, strict=True))) for row in rows]

    def keep_streams(self, streams: Iterable[Stream]) -> None:
        """Keep how far logs were read."""
        self._database.executemany(
            "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    each.number,
                    each.kind,
                    each.head,
                    each.head_size,
                    each.offset,
                    each.lines,
                    each.header,
                    each.path,
                    each.touched,
                )
                for each in streams
            ],
        )

    def drop_streams(self, numbers: Iterable[int]) -> None:
        """Forget logs."""
        self._database.executemany(
            "DELETE FROM streams WHERE number = ?", [(number,) for number in numbers]
        )

    def forget_logs(self) -> None:
        """Forget which logs were read, and the window with them; what was said is remembered.

        Raises:
            OutputError: that cannot be kept.
        """
        with self.transaction():
            for table in ("streams", "resting", "segments"):
                self._database.execute(f"DELETE FROM {table}")

    def resting(self) -> list[Rest]:
        """Files of which nothing more will come."""
        rows = self._database.execute(
            "SELECT path, device, inode, size, modified, stream FROM resting ORDER BY path"
        ).fetchall()
        return [
            Rest(Seen(path, (device, inode), size, modified), stream)
            for path, device, inode, size, modified, stream in rows
        ]

    def keep_resting(self, resting: Iterable[Rest]) -> None:
        """Keep that nothing more will come of files."""
        rows = [
            (*rest.seen.identity, rest.seen.path, rest.seen.size, rest.seen.modified, rest.number)
            for rest in resting
        ]
        self._database.executemany("INSERT OR REPLACE INTO resting VALUES (?, ?, ?, ?, ?, ?)", rows)

    def drop_resting(self, identities: Iterable[Identity]) -> None:
        """Forget files."""
        self._database.executemany(
            "DELETE FROM resting WHERE device = ? AND inode = ?", list(identities)
        )

    def segments(self, place: Place = "window") -> list[Segment]:
        """The segments of a place, in the order of their coming."""
        rows = self._database.execute(
            "SELECT number, counts, first, last, size, judged FROM segments WHERE place = ? "
            "ORDER BY number",
            (place,),
        ).fetchall()
        return [
            Segment(number, json.loads(counts), first, last, size, bool(judged))
            for number, counts, first, last, size, judged in rows
        ]

    def keep_segment(self, segment: Segment) -> None:
        """Have a segment in the window."""
        self._database.execute(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, 'window')",
            (
                segment.number,
                json.dumps(segment.counts),
                segment.first,
                segment.last,
                segment.size,
                segment.judged,
            ),
        )

    def have_judged(self, numbers: Iterable[int]) -> None:
        """Note that segments were judged."""
        self._database.executemany(
            "UPDATE segments SET judged = 1 WHERE number = ?", [(number,) for number in numbers]
        )

    def place_segments(self, numbers: Iterable[int], place: Place) -> None:
        """Have segments be somewhere else."""
        self._database.executemany(
            "UPDATE segments SET place = ? WHERE number = ?", [(place, each) for each in numbers]
        )

    def drop_segments(self, numbers: Iterable[int]) -> None:
        """Forget segments."""
        self._database.executemany(
            "DELETE FROM segments WHERE number = ?", [(number,) for number in numbers]
        )

    def episodes(self) -> list[Episode]:
        """What was said."""
        rows = self._database.execute("SELECT * FROM episodes ORDER BY number").fetchall()
        return [Episode(*row) for row in rows]

    def keep_episodes(self, episodes: Iterable[Episode]) -> None:
        """Remember what was said, or how it goes on; each has a number."""
        self._database.executemany(
            "INSERT OR REPLACE INTO episodes VALUES (?, ?, ?, ?, ?, ?)",
            [
                (each.number, each.entities, each.first, each.last, each.severity, each.said)
                for each in episodes
            ],
        )

    def drop_episodes(self, numbers: Iterable[int]) -> None:
        """Forget what is long over."""
        self._database.executemany(
            "DELETE FROM episodes WHERE number = ?", [(number,) for number in numbers]
        )

    def outbox(self) -> list[tuple[int, str]]:
        """Findings that are to be written, or may have been, in order."""
        return self._database.execute(
            "SELECT number, finding FROM outbox ORDER BY number"
        ).fetchall()

    def put_out(self, findings: Sequence[str]) -> None:
        """Have findings written."""
        self._database.executemany(
            "INSERT INTO outbox (finding) VALUES (?)", [(finding,) for finding in findings]
        )

    def sent(self, numbers: Iterable[int]) -> None:
        """Findings of the outbox have been written."""
        self._database.executemany(
            "DELETE FROM outbox WHERE number = ?", [(number,) for number in numbers]
        )
