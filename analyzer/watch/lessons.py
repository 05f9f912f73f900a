"""Days that are complete are learned, in the background, each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.engine import Engine
from analyzer.features import DAY, HOUR
from analyzer.learning import learn_records
from analyzer.watch.complaints import FAILURES, Complaints

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline
    from analyzer.watch.judging import Knowledge
    from analyzer.watch.options import Options
    from analyzer.watch.segments import Segments
    from analyzer.watch.state import Segment, State
    from analyzer.watch.window import Window

_LEARNED = "learned"


class Lessons:
    """What is learned of the window, and which day was learned last.

    Args:
        options: what the service is told; without a baseline nothing is learned.
        state: where the day learned last is kept.
        segments: the files of the window.
        complaints: told if a day cannot be learned.
    """

    def __init__(
        self, options: Options, state: State, segments: Segments, complaints: Complaints
    ) -> None:
        self._options = options
        self._state = state
        self._segments = segments
        self._complaints = complaints
        self._lesson: tuple[int, Baseline] | str | None = None

    def due(self, window: Window) -> int | None:
        """The day that is complete and not learned yet, if any; an hour late, as rows come late."""
        if self._options.baseline is None or window.last is None:
            return None
        day = int((window.last - HOUR) // DAY) - 1
        first = window.first
        learned = int(self._state.fact(_LEARNED, "-1"))
        if day <= learned or first is None or first >= (day + 1) * DAY:
            return None
        return day

    def learn(self, segments: Sequence[Segment], known: Knowledge, day: int) -> None:
        """Learn a day, in any thread; what was learned before is not learned twice."""
        options = self._options
        if options.baseline is None:
            return
        try:
            with Engine(memory_limit=options.memory_limit, threads=options.threads) as engine:
                self._segments.attach(engine, segments)
                records = engine.records(known.networks, begin=day * DAY, end=(day + 1) * DAY)
                self._lesson = day, learn_records(records, options.baseline, known.key).baseline
        except FAILURES as error:
            self._lesson = str(error)

    def kept(self, known: Knowledge) -> Knowledge:
        """The knowledge with what was learned since it was asked for last.

        Raises:
            OutputError: that it was learned cannot be kept.
        """
        lesson, self._lesson = self._lesson, None
        if isinstance(lesson, str):
            self._complaints.tell("baseline", lesson)
        elif lesson is not None:
            day, baseline = lesson
            self._state.set_fact(_LEARNED, str(day))
            return replace(known, baseline=baseline)
        return known
