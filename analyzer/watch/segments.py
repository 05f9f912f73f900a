"""The rows of the window, as files: what was taken in at once is a segment, small ones are joined.

A segment is a Parquet file a log, of the columns that detectors need (:mod:`analyzer.derived`).
It is on the disk before the state names it, and removed after the state has forgotten it; what no
state names was left over by a crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import io
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer import derived
from analyzer.engine import Engine, out_of_resources
from analyzer.errors import Location
from analyzer.parsers import json_lines, tsv
from analyzer.parsers.account import FileAccount, Problem
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.validation import OVERLONG
from analyzer.records import DETECTION_COLUMNS, LOGS
from analyzer.version import __version__
from analyzer.watch.state import Segment
from analyzer.writers.durable import sync

if TYPE_CHECKING:
    from analyzer.watch.following import Portion

_SUFFIX = ".parquet"
NO_ROOM = ("the window's files", "make room, or have --state on another disk")
"""What a full disk keeps from being written, and what to do then."""

_JOINING = "256MiB"
_OPEN = "open_conn"


class Segments:
    """The files of segments in a directory.

    Args:
        directory: where; made if it does not exist, for its owner alone.
        memory_limit: what rows that are being taken in may take up.
        threads: how many threads parse; None for one a core.

    Raises:
        OSError: it cannot be made.
        ResourceError: memory or disk ran out.
    """

    def __init__(self, directory: Path, *, memory_limit: str, threads: int | None) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._engine = Engine(memory_limit=memory_limit, threads=threads)
        self.layout = _layout(self._engine)

    def close(self) -> None:
        """Drop what is not written."""
        self._engine.close()

    def load(self, portion: Portion) -> FileAccount:
        """Take in a portion of a log.

        Returns:
            What became of its lines, numbered as in the whole log.

        Raises:
            ResourceError: memory or disk ran out.
        """
        account = FileAccount(portion.path)
        above = portion.before.header
        lines = portion.before.lines + bool(portion.overlong)
        if portion.overlong:
            account.lines += 1
            account.skip(OVERLONG, lines, detail=f"{portion.overlong:,} bytes")
        known = len(account.examples)
        # Whether the bytes broke off is for who read them to say.
        plain = PlainBytes(io.BytesIO())
        load = tsv.load_stream if portion.stream.kind == "tsv" else json_lines.load_stream
        with out_of_resources():
            chunks = iter((above, portion.data))
            load(plain, chunks, self._engine, account, unfinished=is_unfinished(portion.path))
        shift = lines - above.count(b"\n")
        account.examples[known:] = [_moved(each, shift) for each in account.examples[known:]]
        return account

    def clear(self) -> None:
        """Drop what was taken in and not written."""
        self._engine.clear()

    def write(self, number: int, now: float, clock: float) -> Segment | None:
        """Write what was taken in since it was last cleared; None if there are no rows.

        Args:
            number: of the segment.
            now: UTC epoch seconds. No row counts as later: one wrong clock would empty the window.
            clock: the time of rows that have none (of ssl and http logs).

        Raises:
            ResourceError: the disk is full, or memory ran out.
            OSError: it cannot be written.
        """
        with out_of_resources():
            ((first, last),) = self._engine.connection.execute(
                "SELECT min(ts), max(until) FROM (SELECT ts, ts + coalesce(duration, 0) AS until "
                "FROM conn UNION ALL SELECT ts, ts FROM dns UNION ALL "
                # They are of the time in which they were seen, whenever they began.
                "SELECT ts + coalesce(duration, 0), ts + coalesce(duration, 0) FROM open_conn)"
            ).fetchall()
        if first is None:
            first = last = clock
        return self._written(number, self._engine, min(first, now), min(last, now))

    def join(self, number: int, parts: Sequence[Segment]) -> Segment:
        """Write the rows of several segments as one.

        Raises:
            ResourceError: the disk is full, or memory ran out.
            OSError: it cannot be written.
        """
        with Engine(memory_limit=_JOINING) as engine:
            self.attach(engine, parts, logs=(*LOGS, _OPEN))
            joined = self._written(
                number, engine, min(part.first for part in parts), max(part.last for part in parts)
            )
        judged = all(part.judged for part in parts)
        return replace(joined or replace(parts[0], number=number, counts={}, size=0), judged=judged)

    def attach(
        self,
        engine: Engine,
        segments: Collection[Segment],
        *,
        hosts: Collection[str] | None = None,
        logs: Collection[str] = LOGS,
    ) -> None:
        """Have an engine's tables be the rows of segments, all or those of some hosts.

        Args:
            engine: whose tables.
            segments: whose rows.
            hosts: leave out what these addresses neither began nor answered.
            logs: the tables. Without ``open_conn``, connections that are still open count as
                they were last seen (:meth:`analyzer.engine.Engine.finish_loading`).
        """
        with out_of_resources():
            for log in logs:
                unfinished = self._paths(segments, _OPEN) if log == "conn" else []
                engine.attach(
                    log,
                    self._paths(segments, log),
                    hosts=hosts,
                    unfinished=() if _OPEN in logs else unfinished,
                )

    def remove(self, segments: Collection[Segment]) -> None:
        """Remove the files of segments."""
        for segment in segments:
            for log in segment.counts:
                with contextlib.suppress(OSError):
                    self._path(segment.number, log).unlink()

    def remove_others(self, segments: Collection[Segment]) -> None:
        """Remove what is not of these segments."""
        known = {self._path(each.number, log) for each in segments for log in each.counts}
        for path in self._directory.glob(f"*{_SUFFIX}"):
            if path not in known:
                with contextlib.suppress(OSError):
                    path.unlink()

    def are_there(self, segment: Segment) -> bool:
        """Whether a segment's files are there."""
        return all(self._path(segment.number, log).is_file() for log in segment.counts)

    def _paths(self, segments: Collection[Segment], log: str) -> list[Path]:
        return [self._path(each.number, log) for each in segments if each.counts.get(log)]

    def _path(self, number: int, log: str) -> Path:
        return self._directory / f"{number:010d}-{log}{_SUFFIX}"

    def _written(self, number: int, engine: Engine, first: float, last: float) -> Segment | None:
        counts, size = {}, 0
        for log in (*LOGS, _OPEN):
            path = self._path(number, log)
            with out_of_resources(*NO_ROOM):
                if not engine.table(log).count().execute():
                    # What was written under this number and could not be kept has no owner.
                    with contextlib.suppress(OSError):
                        path.unlink()
                    continue
                counts[log] = engine.write(log, path)
            path.chmod(0o600)
            size += path.stat().st_size
            sync(path)
        if not counts:
            return None
        sync(self._directory)
        return Segment(number, counts, first, last, size)


def is_unfinished(path: str) -> bool:
    """Whether a log is of connections that had not ended when it was written, by its name.

    Zeek's ``#path`` does not say so; archives put a time behind the name.
    """
    return Path(path).name.startswith("open_")


def _layout(engine: Engine) -> str:
    """What columns segments have, and how they are worked out: others are of no use.

    Compiled queries would not do: the order of what they list is another in each process.
    """
    columns = {log: str(engine.table(log).schema()) for log in LOGS}
    try:
        meaning = inspect.getsource(derived)
    except OSError:  # installed without sources
        meaning = __version__
    text = f"{sorted(columns.items())} {sorted(DETECTION_COLUMNS.items())} {meaning}"
    return hashlib.sha256(text.encode()).hexdigest()


def _moved(problem: Problem, lines: int) -> Problem:
    line = problem.location.line
    if line is None:
        return problem
    return replace(problem, location=Location(problem.location.file, line + lines))
