"""Taking in what is new: read, parsed, written, and all of it kept in one transaction or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import get_args

from analyzer.parsers.account import Problem
from analyzer.watch.following import Follower
from analyzer.watch.former import Former
from analyzer.watch.segments import Segments
from analyzer.watch.state import Place, Segment, State
from analyzer.watch.window import Window

ROUND = 1 << 27
"""About as many bytes as are taken in at once."""

FORGET = 30 * 86400.0
"""Seconds after which a log is forgotten of which there is no file any more."""

_LAYOUT = "layout"


class Intake:
    """Takes rows from logs into the window.

    Args:
        state: where it is kept what was taken in.
        segments: where rows are kept.
        follower: reads the logs.
        span: seconds that the window reaches back.
        most: rows that it may have.
        keeps_left: what leaves the window is kept until it is added to the past.
        keeps_unlearned: what leaves the window is kept until its day has been learned.
        on_problem: told of the first few lines of each file that are no records.

    Attributes:
        window: what is to be judged.
        read: rows taken in since the start, by log.
        skipped: lines that were no records, by reason.
        is_bounded_by_rows: whether the window does not reach back as far as it should.
        lost: rows of the window whose files are gone, as of the start.
        former: what has left the window and is needed still.

    Raises:
        OutputError: the state cannot be written.
    """

    def __init__(
        self,
        state: State,
        segments: Segments,
        follower: Follower,
        *,
        span: float,
        most: int,
        keeps_left: bool = False,
        keeps_unlearned: bool = False,
        on_problem: Callable[[Problem], None],
    ) -> None:
        self._state = state
        self._segments = segments
        self._follower = follower
        self._on_problem = on_problem
        held = {place: state.segments(place) for place in get_args(Place)}
        gone = [
            segment
            for segments_there in held.values()
            for segment in segments_there
            if not segments.are_there(segment)
        ]
        self.lost = sum(segment.rows for segment in gone)
        if gone:
            with state.transaction():
                state.drop_segments(segment.number for segment in gone)
        self.window = _without(Window(tuple(held["window"]), span, most), gone)
        self.former = Former(
            state, most=most, keeps_left=keeps_left, keeps_unlearned=keeps_unlearned
        )
        self.read: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.is_bounded_by_rows = False
        segments.remove_others((*self.window.segments, *self.former.kept))

    def step(self, now: float) -> int | None:
        """Take in some of what is new.

        Args:
            now: UTC epoch seconds.

        Returns:
            How many rows that were; None if nothing is new.

        Raises:
            AnalyzerError: it cannot be kept; it comes again.
            OSError: likewise.
        """
        try:
            return self._step(now)
        except BaseException:
            self._follower.refuse()
            raise
        finally:
            self._segments.clear()

    def _step(self, now: float) -> int | None:
        read: Counter[str] = Counter()
        skipped: Counter[str] = Counter()
        problems: list[Problem] = []
        for portion in self._follower.portions(now, ROUND):
            account = self._segments.load(portion)
            read += account.read
            skipped += account.skipped
            problems += account.examples
        advanced, rested = self._follower.advanced, self._follower.rested
        if not advanced and not rested:
            # There is nothing to keep; what was looked at need not be looked at again.
            self._follower.accept()
            return None
        clock = self.window.last or now
        segment = self._segments.write(self._next, now, clock)
        window = self.window
        if segment is not None:
            window = replace(window, segments=(*window.segments, segment))
        leaving, bounded = window.leaving()
        others = [self._follower.streams.get(rest.number) for rest in rested]
        with self._state.transaction():
            if segment is not None:
                self._state.keep_segment(segment)
            self.former.leave(leaving, window.last or now)
            self._state.keep_streams([each for each in others if each is not None])
            self._state.keep_streams(advanced)
            self._state.keep_resting(rested)
        self._follower.accept()
        self.window = _without(window, leaving)
        self.former.have_left(leaving, window.last or now)
        if leaving:
            self.is_bounded_by_rows = bounded
        self.read += read
        self.skipped += skipped
        for problem in problems:
            self._on_problem(problem)
        return read.total()

    def keep_known(self) -> None:
        """Keep which logs are known, those too of which nothing is to be read.

        Raises:
            OutputError: it cannot be kept.
        """
        streams = self._follower.streams
        with self._state.transaction():
            self._state.keep_streams(streams[number] for number in streams.numbers())

    def have_judged(self, judged: Collection[Segment]) -> None:
        """All rules have judged segments, and what they said is kept: these may leave.

        Raises:
            OutputError: it cannot be kept.
        """
        numbers = {each.number for each in judged if not each.judged}
        with self._state.transaction():
            self._state.have_judged(numbers)
        self.window = replace(
            self.window,
            segments=tuple(
                replace(each, judged=each.judged or each.number in numbers)
                for each in self.window.segments
            ),
        )

    def tidy(self) -> None:
        """Remove files and join small ones; nothing may be reading them.

        Raises:
            AnalyzerError: there is no room.
            OSError: likewise.
        """
        self._segments.remove(self.former.gone)
        self.former.gone.clear()
        parts = self.window.to_join()
        if not parts:
            return
        joined = self._segments.join(self._next, parts)
        with self._state.transaction():
            self._state.drop_segments(each.number for each in parts)
            self._state.keep_segment(joined)
        window = _without(self.window, parts)
        self.window = replace(window, segments=(*window.segments, joined))
        self._segments.remove(parts)

    def forget(self, now: float) -> None:
        """Forget logs and files that are gone.

        Raises:
            OutputError: it cannot be kept.
        """
        here = self._follower.identities()
        files = [rest.seen.identity for rest in self._state.resting()]
        lost = self._follower.lost(now - FORGET)
        with self._state.transaction():
            self._state.drop_resting(identity for identity in files if identity not in here)
            self._state.drop_streams(lost)
        for number in lost:
            self._follower.streams.drop(number)

    @property
    def _next(self) -> int:
        known = (*self.window.segments, *self.former.gone, *self.former.kept)
        return max((each.number for each in known), default=0) + 1


def _without(window: Window, leaving: list[Segment]) -> Window:
    gone = {each.number for each in leaving}
    kept = tuple(each for each in window.segments if each.number not in gone)
    return replace(window, segments=kept)


def start_anew_if_changed(state: State, segments: Segments) -> bool:
    """Forget a window whose rows another version wrote with other columns; it is read again.

    Logs that were read from within the last window are read from their beginning, as far as they
    are still there; what was said is remembered, so that nothing of it is said again.

    Returns:
        Whether that was so.

    Raises:
        OutputError: it cannot be kept.
    """
    before = state.fact(_LAYOUT)
    if before == segments.layout:
        return False
    held = [segment for place in get_args(Place) for segment in state.segments(place)]
    with state.transaction():
        if before and held:
            begin = min(each.first for each in held)
            again = [each for each in state.streams() if each.touched >= begin]
            state.keep_streams(replace(each, offset=0, lines=0, header=b"") for each in again)
            numbers = {each.number for each in again}
            files = [rest.seen.identity for rest in state.resting() if rest.number in numbers]
            state.drop_resting(files)
        state.drop_segments(each.number for each in held)
        state.set_fact(_LAYOUT, segments.layout)
    return bool(before and held)
