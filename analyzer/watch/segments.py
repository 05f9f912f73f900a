"""The rows of the window, as files: what was taken in at once is a segment, small ones are joined.

A segment is a Parquet file a log, of the columns that detectors need (:mod:`analyzer.derived`).
It is on the disk before the state names it, and removed after the state has forgotten it; what no
state names was left over by a crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.derived import condensed
from analyzer.engine import Engine, out_of_resources
from analyzer.errors import Location
from analyzer.parsers import json_lines, tsv
from analyzer.parsers.account import FileAccount, Problem
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.validation import OVERLONG
from analyzer.records import DETECTION_COLUMNS, LOGS
from analyzer.watch.state import Segment

if TYPE_CHECKING:
    from analyzer.watch.following import Portion

JOINED = 16
"""So many segments of a size become one, as in a log-structured merge tree (O'Neil et al. 1996)."""

MOST_ROWS = 4_000_000
"""Rows that a joined segment has at most."""

LONGEST = 3600.0
"""Seconds that a joined segment spans at most: the window's edge moves by segments."""

_SUFFIX = ".parquet"
_JOINING = "256MiB"


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
            load(plain, iter((above, portion.data)), self._engine, account)
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
                "FROM conn UNION ALL SELECT ts, ts FROM dns)"
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
            self.attach(engine, parts)
            joined = self._written(
                number, engine, min(part.first for part in parts), max(part.last for part in parts)
            )
        judged = all(part.judged for part in parts)
        return replace(joined or replace(parts[0], number=number, counts={}, size=0), judged=judged)

    def attach(self, engine: Engine, segments: Collection[Segment]) -> None:
        """Have an engine's tables be the rows of segments."""
        with out_of_resources():
            for log in LOGS:
                paths = [self._path(each.number, log) for each in segments if each.counts.get(log)]
                engine.attach(log, paths)

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

    def _path(self, number: int, log: str) -> Path:
        return self._directory / f"{number:010d}-{log}{_SUFFIX}"

    def _written(self, number: int, engine: Engine, first: float, last: float) -> Segment | None:
        counts, size = {}, 0
        for log in LOGS:
            path = self._path(number, log)
            with out_of_resources():
                if not engine.table(log).count().execute():
                    continue
                counts[log] = engine.write(log, path)
            path.chmod(0o600)
            size += path.stat().st_size
            _sync(path)
        if not counts:
            return None
        _sync(self._directory)
        return Segment(number, counts, first, last, size)


@dataclass(frozen=True, slots=True)
class Window:
    """Which segments are looked at together, newest last.

    Attributes:
        segments: all of them.
        span: seconds they may reach back.
        most: rows they may have.
    """

    segments: tuple[Segment, ...]
    span: float
    most: int

    @property
    def rows(self) -> int:
        """Rows of all logs."""
        return sum(segment.rows for segment in self.segments)

    @property
    def last(self) -> float | None:
        """The end of the last connection in it, UTC epoch seconds."""
        return max((segment.last for segment in self.segments), default=None)

    @property
    def first(self) -> float | None:
        """The beginning of the first connection in it."""
        return min((segment.first for segment in self.segments), default=None)

    def leaving(self) -> tuple[list[Segment], bool]:
        """The segments to leave now, and whether for their number of rows.

        What has not been judged stays.
        """
        last = self.last
        if last is None:
            return [], False
        old = [each for each in self.segments if each.judged and each.last < last - self.span]
        rows = self.rows - sum(each.rows for each in old)
        surplus = []
        for segment in sorted(self.segments, key=_end):
            if rows <= self.most:
                break
            if segment.judged and segment not in old:
                rows -= segment.rows
                surplus.append(segment)
        return old + surplus, bool(surplus)

    @property
    def must_be_judged(self) -> bool:
        """Whether so much has come since the last judgement that no more should come before it."""
        new = [segment for segment in self.segments if not segment.judged]
        if not new or self.last is None or self.first is None:
            return False
        known = [segment.last for segment in self.segments if segment.judged]
        moved = self.last - max(known, default=self.first)
        return sum(
            segment.rows for segment in new
        ) >= self.most / 2 or moved >= self.span / 2 + self.span / 2 * (not known)

    def latest(self, seconds: float, most: int) -> list[Segment]:
        """The segments of the last `seconds` that together have at most about so many rows."""
        last = self.last
        chosen: list[Segment] = []
        rows = 0
        for segment in sorted(self.segments, key=_end, reverse=True):
            if last is None or segment.last < last - seconds or (chosen and rows >= most):
                break
            chosen.append(segment)
            rows += segment.rows
        return chosen

    def to_join(self) -> list[Segment]:
        """Segments that should become one; empty if all is well."""
        for tier in range(_tier(MOST_ROWS) + 1):
            for run in self._runs(tier):
                if len(run) >= JOINED:
                    return run
        return []

    def _runs(self, tier: int) -> Iterator[list[Segment]]:
        run: list[Segment] = []
        for segment in sorted(self.segments, key=_end):
            fits = (
                _tier(segment.rows) <= tier
                and sum(each.rows for each in run) + segment.rows <= MOST_ROWS
                and (not run or segment.last - run[0].last <= LONGEST)
            )
            if not fits:
                yield run
                run = []
            if _tier(segment.rows) <= tier:
                run.append(segment)
        yield run


def _tier(rows: int) -> int:
    return int(math.log(max(rows, 1), JOINED))


def _end(segment: Segment) -> tuple[float, int]:
    return segment.last, segment.number


def _layout(engine: Engine) -> str:
    """What columns segments have, and what they mean: rows of another layout are no use."""
    schemas = {log: str(engine.table(log).schema()) for log in LOGS}
    meaning = str(engine.backend.compile(condensed(engine.table("open_conn"))))
    text = f"{sorted(schemas.items())} {sorted(DETECTION_COLUMNS.items())} {meaning}"
    return hashlib.sha256(text.encode()).hexdigest()


def _moved(problem: Problem, lines: int) -> Problem:
    line = problem.location.line
    if line is None:
        return problem
    return replace(problem, location=Location(problem.location.file, line + lines))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
