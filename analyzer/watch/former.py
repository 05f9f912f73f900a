"""Segments that are no part of the window any more, and what they are kept for.

Those that have left wait to be added to what is kept of the days before; those added last are kept
for the names of connections that end later. Those of a day that is still to be learned are kept
until it has been: a window of a day does not reach back to its beginning once it is complete.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from analyzer.features import DAY, HOUR
from analyzer.watch.past import Past
from analyzer.watch.state import Place, Segment, State
from analyzer.watch.window import without_oldest

PAST = "past"
"""The fact that says what is kept of what has left the window (:mod:`analyzer.watch.past`)."""

_LEARNED = "learned"


def complete_day(last: float) -> int:
    """The latest day since 1970 that is complete; an hour after its end, as rows come late.

    Args:
        last: the end of the last connection, UTC epoch seconds.
    """
    return int((last - HOUR) // DAY) - 1


class Former:
    """Segments that were in the window.

    Args:
        state: where it is kept what they are kept for.
        most: rows of those that are still to be learned, and of those let go (:meth:`let_go`).
        keeps_left: those that leave wait to be added to the past.
        keeps_unlearned: those of a day that is still to be learned are kept.

    Attributes:
        left: those that have left and are to be added to the past.
        summed: those that were added last.
        unlearned: those that are kept to be learned alone.
        gone: those that nothing needs any more; their files may be in use until they are removed.
        cut: rows still to be learned for which there was no room, since the start.

    Raises:
        OutputError: the state cannot be written.
    """

    def __init__(self, state: State, *, most: int, keeps_left: bool, keeps_unlearned: bool) -> None:
        self._state = state
        self._most = most
        self._keeps_left = keeps_left
        self._keeps_unlearned = keeps_unlearned
        unwanted: list[Place] = []
        if not keeps_left:
            unwanted += ["left", "summed"]
        if not keeps_unlearned:
            unwanted.append("unlearned")
        numbers = [each.number for place in unwanted for each in state.segments(place)]
        if numbers:
            with state.transaction():
                state.drop_segments(numbers)
        self.left: list[Segment] = []
        self.summed: list[Segment] = []
        self.unlearned: list[Segment] = []
        self.gone: list[Segment] = []
        self.cut = 0
        self._next = self._read()
        self._load()

    @property
    def kept(self) -> tuple[Segment, ...]:
        """All that are kept, the first to come first."""
        every = (*self.unlearned, *self.summed, *self.left)
        return tuple(sorted(every, key=lambda each: each.number))

    @property
    def learned(self) -> int:
        """The day since 1970 that was learned last; -1 if none was."""
        return int(self._state.fact(_LEARNED, "-1"))

    def leave(self, leaving: Sequence[Segment], last: float) -> None:
        """Keep that segments leave the window, in a transaction that :meth:`have_left` follows.

        Args:
            leaving: the segments.
            last: the end of the last connection, UTC epoch seconds.
        """
        if not leaving:
            return
        if self._keeps_left:
            self._state.place_segments([each.number for each in leaving], "left")
        else:
            self._drop(leaving, last)
        self._next = self._read()

    def have_left(self, leaving: Sequence[Segment], last: float) -> None:
        """What segments have left for is kept."""
        if leaving:
            self._load(leaving, last)

    def have_summed(self, past: Past, added: Collection[Segment], last: float) -> None:
        """What has left the window was added to the past, and this is that.

        Raises:
            OutputError: it cannot be kept.
        """
        with self._state.transaction():
            self._state.set_fact(PAST, past.text())
            if added:
                self._drop(self.summed, last)
                self._state.place_segments([each.number for each in added], "summed")
                self._next = self._read()
        if added:
            self._load(last=last)

    def let_go(self, last: float) -> int:
        """Let go of what waits to be added to the past beyond the rows of a window.

        Returns:
            How many rows that were.

        Raises:
            OutputError: it cannot be kept.
        """
        _, gone = without_oldest(self.left, self._most)
        if gone:
            with self._state.transaction():
                self._drop(gone, last)
                self._next = self._read()
            self._load(last=last)
        return sum(each.rows for each in gone)

    def have_learned(self, day: int) -> None:
        """A day was learned, or nothing of it is there to learn.

        Raises:
            OutputError: it cannot be kept.
        """
        done = [each for each in self.unlearned if each.last < (day + 1) * DAY]
        with self._state.transaction():
            self._state.set_fact(_LEARNED, str(day))
            self._state.drop_segments(each.number for each in done)
            self._next = self._read()
        self._load()

    def _drop(self, segments: Sequence[Segment], last: float) -> None:
        """Drop segments but for those that are to be learned, and those that need not be now."""
        begin = self._unlearned_from(last)
        wanted = [each for each in (*self.unlearned, *segments) if each.last >= begin]
        kept, _ = without_oldest(wanted, self._most)
        numbers = {each.number for each in kept}
        self._state.place_segments(numbers, "unlearned")
        every = (*self.unlearned, *segments)
        self._state.drop_segments(each.number for each in every if each.number not in numbers)

    def _unlearned_from(self, last: float) -> float:
        """When the first day begins of which anything is to be kept, UTC epoch seconds."""
        if not self._keeps_unlearned:
            return math.inf
        return max(self.learned + 1, complete_day(last)) * DAY

    def _read(self) -> tuple[list[Segment], list[Segment], list[Segment]]:
        read = self._state.segments
        return read("left"), read("summed"), read("unlearned")

    def _load(self, leaving: Sequence[Segment] = (), last: float = math.inf) -> None:
        """Have it as the state has it; what was read in the transaction, so that this cannot fail.

        Else the files of what was dropped would be nobody's.
        """
        before = (*self.kept, *leaving)
        self.left, self.summed, self.unlearned = self._next
        now = {each.number for each in self.kept}
        gone = [each for each in before if each.number not in now]
        self.gone += gone
        if self._keeps_unlearned and last < math.inf:
            begin = self._unlearned_from(last)
            self.cut += sum(each.rows for each in gone if each.last >= begin)
