"""Which rows are judged together, when they leave, and which files of them should be one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.watch.state import Segment

JOINED = 16
"""So many segments of a size become one, as in a log-structured merge tree (O'Neil et al. 1996)."""

MOST_ROWS = 4_000_000
"""Rows that a joined segment has at most."""

LONGEST = 3600.0
"""Seconds that a joined segment spans at most: the window's edge moves by segments."""


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
    def awaiting(self) -> float:
        """How much has come since the last judgement, beside what may come before the next is over.

        That is half of the rows that the window may have, or half of its span; all of its span
        before the first.
        """
        new = [segment for segment in self.segments if not segment.judged]
        if not new or self.last is None or self.first is None:
            return 0.0
        known = [segment.last for segment in self.segments if segment.judged]
        moved = self.last - max(known, default=self.first)
        rows = sum(segment.rows for segment in new)
        return max(2 * rows / self.most, moved / (self.span / 2 if known else self.span))

    @property
    def must_be_judged(self) -> bool:
        """Whether so much has come since the last judgement that no more should come before it."""
        return self.awaiting >= 1.0

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


def without_oldest(waiting: Sequence[Segment], most: int) -> tuple[list[Segment], list[Segment]]:
    """Segments that together have no more than so many rows, the newest, and the others.

    Args:
        waiting: all of them.
        most: rows.
    """
    kept: list[Segment] = []
    others: list[Segment] = []
    rows = 0
    for segment in sorted(waiting, key=_end, reverse=True):
        rows += segment.rows
        (kept if rows <= most else others).append(segment)
    return kept[::-1], others


def _tier(rows: int) -> int:
    return int(math.log(max(rows, 1), JOINED))


def _end(segment: Segment) -> tuple[float, int]:
    return segment.last, segment.number
