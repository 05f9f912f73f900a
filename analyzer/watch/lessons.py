"""Days that are complete are learned, in the background, each of them once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.features import DAY, HOUR
from analyzer.learning import learn_records
from analyzer.watch.former import complete_day
from analyzer.watch.interrupting import Interruption

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline
    from analyzer.watch.intake import Intake
    from analyzer.watch.judging import Knowledge
    from analyzer.watch.options import Options
    from analyzer.watch.segments import Segments
    from analyzer.watch.state import Segment


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned.

    Attributes:
        day: the day that it was learned of, since 1970.
        baseline: what is usual now.
    """

    day: int
    baseline: Baseline


class Lessons:
    """What is learned, of the window and of what has left it.

    Args:
        options: what the service is told; without a baseline nothing is learned.
        segments: the files of the window.
        intake: what there is to learn.
        complain: told of what is wrong, a line at a time.
    """

    def __init__(
        self,
        options: Options,
        segments: Segments,
        intake: Intake,
        complain: Callable[[str], None],
    ) -> None:
        self._options = options
        self._segments = segments
        self._intake = intake
        self._complain = complain
        self._interruption = Interruption()
        self._cut = 0

    def interrupt(self) -> None:
        """Have what is being learned end as soon as possible; nothing is learned after this."""
        self._interruption.interrupt()

    def due(self) -> int | None:
        """The first day that is complete, here in part at least, and not learned yet, if any."""
        last = self._intake.window.last
        if self._options.baseline is None or last is None:
            return None
        former, held = self._intake.former, self._held
        # A row of another age is no reason to learn all days since.
        oldest = int((last - max(self._options.span, DAY) - HOUR) // DAY) - 1
        for day in range(max(former.learned + 1, oldest), complete_day(last) + 1):
            if any(each.last >= day * DAY and each.first < (day + 1) * DAY for each in held):
                return day
        return None

    def work(self, known: Knowledge, day: int) -> Callable[[], Lesson]:
        """Learning a day; it may be done in any thread, and what was learned is not learned twice.

        What is returned raises what fails, and
        :class:`~analyzer.watch.judging.InterruptedJudgementError`.
        """
        options = self._options
        baseline = options.baseline
        assert baseline is not None  # noqa: S101 - else no day is due
        chosen = [each for each in self._held if each.last >= day * DAY]

        def learn() -> Lesson:
            with self._interruption.engine(
                memory_limit=options.memory_limit, threads=options.threads
            ) as engine:
                self._segments.attach(engine, chosen)
                records = engine.records(known.networks, begin=day * DAY, end=(day + 1) * DAY)
                learned = learn_records(
                    records, baseline, known.key, on_stage=self._interruption.go_on
                )
            return Lesson(day, learned.baseline)

        return learn

    def keep(self, lesson: Lesson, known: Knowledge) -> Knowledge:
        """Keep that a day was learned.

        Returns:
            What is known now.

        Raises:
            OutputError: it cannot be kept.
        """
        former = self._intake.former
        former.have_learned(lesson.day)
        if former.cut > self._cut:
            self._complain(
                f"{former.cut - self._cut} rows left before their day was learned, as there are "
                "more than the window may have: raise --window-rows"
            )
            self._cut = former.cut
        return replace(known, baseline=lesson.baseline)

    @property
    def _held(self) -> tuple[Segment, ...]:
        return (*self._intake.former.kept, *self._intake.window.segments)
