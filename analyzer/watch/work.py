"""What is computed beside the loop: the window, what is latest of it, the days before, lessons.

The window comes first. The days before it are judged, and complete days are learned, while the
window can wait; the fast rules have a thread of their own, for when all rules cannot keep up.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from analyzer.baseline.coverage import date_of
from analyzer.findings import Finding
from analyzer.watch.complaints import Complaints
from analyzer.watch.days import Days
from analyzer.watch.judging import Background, Judge, Judgement, Knowledge
from analyzer.watch.lessons import Lesson, Lessons
from analyzer.watch.opened import TAKING_IN, Opened
from analyzer.watch.options import Options
from analyzer.watch.schedule import Schedule
from analyzer.watch.slow import SlowJudgement
from analyzer.watch.state import Segment
from analyzer.writers.intel import write_intel

LATEST, LATEST_ROWS = 3600.0, 2_000_000
"""What the fast rules look at: so many seconds, and about so many rows at most."""

LESSON_AGAIN = 600.0
"""Seconds after which a lesson that failed is tried again: the window waits while it is learned."""


class Work:
    """Judges and learns in threads of its own, and says what was found.

    Args:
        options: what the service is told.
        opened: what it works with.
        schedule: when to judge.
        known: what to judge by.
        complaints: told of what fails.
        complain: told of what is wrong, a line at a time.
        inform: told of what was done.
        clock: tells the time, UTC epoch seconds.
        on_end: called in another thread when some of the work is done.

    Attributes:
        known: what is judged by from now on.
        days: the days before the window.
    """

    def __init__(
        self,
        options: Options,
        opened: Opened,
        schedule: Schedule,
        known: Knowledge,
        *,
        complaints: Complaints,
        complain: Callable[[str], None],
        inform: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float],
        on_end: Callable[[], None],
    ) -> None:
        self.known = known
        self.days = Days(options, opened.state, opened.segments, opened.intake, complain)
        self._options = options
        self._intake, self._speaker = opened.intake, opened.speaker
        self._schedule, self._complaints, self._clock = schedule, complaints, clock
        self._inform = inform
        judge = partial(Judge, opened.segments, threads=options.threads)
        self._judge = judge(memory_limit=options.memory_limit)
        self._fast_judge = judge(memory_limit=TAKING_IN)
        self._lessons = Lessons(options, opened.segments, opened.intake, complain)
        self._background = Background[Judgement | SlowJudgement | Lesson](on_end)
        self._fast = Background[Judgement](on_end)
        self._job: Literal["window", "days", "lesson"] = "window"
        self._lesson: int | None = None
        self._no_lesson_before = 0.0
        self._judging: tuple[Segment, ...] = ()
        # Rows taken in since all rules, or the fast ones, judged the window.
        new = sum(each.rows for each in opened.intake.window.segments if not each.judged)
        self._unjudged = self._unjudged_fast = new
        self._is_due = self._is_stopped = False
        self._counts: Counter[str] = Counter()
        self._stages: dict[str, float] = {}
        # What all rules found last: the fast ones do not look for all of it.
        self._found: tuple[Finding, ...] = ()
        self._fast_seconds = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being computed."""
        return self._background.is_idle and self._fast.is_idle

    @property
    def is_waiting(self) -> bool:
        """Whether the window would be judged, but that it has to wait for its turn."""
        return self._is_due and self._background.is_idle

    @property
    def stages(self) -> dict[str, float]:
        """Seconds that each stage of the last judgement took."""
        return self._stages

    def interrupt(self) -> None:
        """Have all that is being computed end as soon as possible; nothing is after this."""
        self._is_stopped = True
        for each in (self._judge, self._fast_judge, self.days, self._lessons):
            each.interrupt()

    def end(self) -> bool:
        """Wait for the end of it all, for some seconds.

        Returns:
            Whether all has ended; else something goes on that cannot be interrupted.
        """
        working = [each for each in (self._background, self._fast) if not each.is_idle]
        if working:
            self.interrupt()
        for each in working:
            # Whatever it was, nobody waits for it any more.
            with contextlib.suppress(Exception):
                each.take(timeout=2.0)
        return self.is_idle

    def have_taken_in(self, rows: int) -> None:
        """So many rows have come to the window."""
        self._unjudged += rows
        self._unjudged_fast += rows

    def have_reread(self, known: Knowledge) -> None:
        """What was judged by the old rules is judged by new ones, and somebody waits for it."""
        self.known = known
        self._unjudged = self._unjudged_fast = max(1, self._intake.window.rows)
        self._schedule.hurry()

    def begin(self, now: float, *, is_tick: bool) -> None:
        """Begin what is due.

        Args:
            now: UTC epoch seconds.
            is_tick: whether the window is due if there is anything new.
        """
        if is_tick:
            self._is_due = self._is_due or self._unjudged > 0
        self._begin_window(now)
        is_late = self._is_due or (not self._background.is_idle and self._schedule.is_hopeless)
        if is_tick and is_late and self._unjudged_fast and self._fast.is_idle:
            self._begin_fast()

    def take(self) -> None:
        """Take what is done, and say what was found."""
        self._take_background()
        self._take_fast()

    def judge_now(self) -> bool:
        """Judge the window before anything else is taken in: there is more than it holds.

        Returns:
            Whether it was judged; if not, nothing may be taken in.
        """
        while self._intake.window.must_be_judged and not self._is_stopped:
            if self._background.is_idle:
                if not self._schedule.may_hurry(self._clock()):
                    return False
                self._is_due = True
                self._schedule.hurry()
                self._begin_window(self._clock())
            self._background.wait(1.0)
            self._take_background()
        return not self._is_stopped

    def judge_days_now(self) -> None:
        """Judge the days before, before anything else is taken in, if much has left the window."""
        if not self.days.is_overdue(self._clock()):
            return
        begun = False
        while not self._is_stopped:
            if self._background.is_idle:
                if begun:
                    break
                self._begin_days()
                begun = True
            self._background.wait(1.0)
            self._take_background()

    def figures(self) -> dict[str, float]:
        """Figures by name."""
        return {
            **{name: self._counts[name] for name in ("judgements", "fast_judgements", "notices")},
            "judging": self._schedule.seconds,
            "fast_judging": self._fast_seconds,
            **self.days.figures(),
        }

    def _begin_window(self, now: float) -> None:
        if not self._background.is_idle or self._is_stopped:
            return
        if not self._is_due or self._schedule.is_early(now, self._intake.window.awaiting):
            if self.days.is_due(now) and self._schedule.has_time_for(self.days.seconds, now):
                self._begin_days()
            return
        segments = self._intake.window.segments
        self._is_due, self._unjudged, self._judging = False, 0, segments
        # Of what is being judged: a day is compared with others before it is one of them.
        self._lesson = self._lessons.due() if now >= self._no_lesson_before else None
        self._job = "window"
        self._background.begin(
            partial(self._judge.judge, segments, self.known, others=self.days.findings)
        )

    def _begin_days(self) -> None:
        self._job = "days"
        self._background.begin(self.days.work(self.known))

    def _begin_fast(self) -> None:
        window, known = self._intake.window, self.known
        latest = window.latest(LATEST, LATEST_ROWS)
        if not latest or not known.fast.rules or self._is_stopped:
            return
        self._unjudged_fast = 0
        self._fast.begin(partial(self._fast_judge.judge_fast, latest, window.segments, known))

    def _take_background(self) -> None:
        if not self._background.has_ended:
            return
        if self._job == "days":
            self._take_days()
        elif self._job == "lesson":
            self._take_lesson()
        else:
            self._take_window()

    def _take_window(self) -> None:
        """Say what was found in the window, and begin to learn the day that it completes."""
        judgement = self._complaints.attempt("judging", self._background.take)
        now = self._clock()
        if not isinstance(judgement, Judgement):
            # It failed: what it was about is judged with what comes next.
            self._unjudged = max(self._unjudged, 1)
            self._schedule.failed(now)
            return
        self._counts["judgements"] += 1
        self._stages, self._found = judgement.stages, judgement.findings
        self._schedule.judged(judgement.seconds, judgement.cost, now)
        judging = self._judging

        def keep() -> None:
            self._say(judgement)
            self._intake.have_judged(judging)

        self._complaints.attempt("notices", keep)
        self._complaints.attempt("indicators", partial(self._write_indicators, judgement))
        if self._lesson is not None and not self._is_stopped:
            self._job = "lesson"
            self._background.begin(self._lessons.work(self.known, self._lesson))

    def _take_days(self) -> None:
        """Say what was found in the days before, and keep what was made of them."""
        judged = self._complaints.attempt("judging the days before", self._background.take)
        now = self._clock()

        def keep() -> bool:
            assert isinstance(judged, SlowJudgement)  # noqa: S101
            self._say(judged.judgement)
            self.days.keep(judged, now)
            return True

        if judged is None or not self._complaints.attempt("notices", keep):
            self._complaints.attempt("state", partial(self.days.fail, now))

    def _take_lesson(self) -> None:
        """Know what was learned."""
        lesson = self._complaints.attempt("baseline", self._background.take)
        known = None
        if isinstance(lesson, Lesson):
            kept = partial(self._lessons.keep, lesson, self.known)
            known = self._complaints.attempt("state", kept)
        if known is None:
            self._no_lesson_before = self._clock() + LESSON_AGAIN
        elif isinstance(lesson, Lesson):
            self.known = known
            days = len(lesson.baseline.days)
            self._inform(f"{date_of(lesson.day)} was learned; the baseline has {days} days")

    def _take_fast(self) -> None:
        if not self._fast.has_ended:
            return
        judgement = self._complaints.attempt("fast rules", self._fast.take)
        if judgement is None:
            self._unjudged_fast = max(self._unjudged_fast, 1)
            return
        self._counts["fast_judgements"] += 1
        self._fast_seconds = judgement.seconds
        self._complaints.attempt("notices", partial(self._say, judgement, also=self._found))

    def _say(self, judgement: Judgement, also: Sequence[Finding] = ()) -> None:
        self._counts["notices"] += self._speaker.say(judgement.findings, also=also)
        if self._intake.window.last is not None:
            self._speaker.forget(self._intake.window.last)

    def _write_indicators(self, judgement: Judgement) -> None:
        if self._options.intel_out is not None:
            write_intel(
                judgement.findings,
                self._options.intel_out,
                minimum=self._options.intel_severity,
                outside=judgement.outside,
                local_networks=self.known.networks,
            )
