"""The loop: take in, judge, say, and go on whatever fails.

Logs are looked at several times an interval. Once in each, all rules judge the window, in the
background, unless that takes more of a core than they may (:mod:`analyzer.watch.schedule`): then
they wait, and the fast rules (:data:`analyzer.watch.judging.FAST`) judge what is latest meanwhile.
Whoever reads notices has what is loud and fast within an interval, and all else as soon as the
machine allows.

Days before the window are judged, and complete days are learned, while nothing else is.

A step that fails (a full disk, a directory that is gone) is complained about once and tried again
at the next look; nothing is lost by that, as what it took is kept or comes again as a whole.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from analyzer.features import DAY
from analyzer.watch.complaints import Complaints
from analyzer.watch.days import Days
from analyzer.watch.figures import figures_of
from analyzer.watch.following import Follower
from analyzer.watch.intake import Intake, start_anew_if_changed
from analyzer.watch.judging import (
    Background,
    Judge,
    Judgement,
)
from analyzer.watch.lessons import Lesson, Lessons
from analyzer.watch.options import Options, knowledge
from analyzer.watch.schedule import Schedule
from analyzer.watch.segments import Segments
from analyzer.watch.slow import SlowJudgement
from analyzer.watch.speaking import Speaker, notice_key
from analyzer.watch.state import Segment, State
from analyzer.watch.statistics import StatisticsLog
from analyzer.watch.streams import Streams
from analyzer.writers.appending import AppendingLog
from analyzer.writers.durable import claim
from analyzer.writers.intel import write_intel
from analyzer.writers.log_kinds import LogKind

LATEST, LATEST_ROWS = 3600.0, 2_000_000
"""What the fast rules look at: so many seconds, and about so many rows at most."""

STATISTICS_EVERY = 300.0
_TAKING_IN = "256MiB"


class Service:
    """Follows, judges and says until it is stopped.

    Args:
        options: what it is told.
        complain: told of what is wrong, a line at a time.
        clock: tells the time, UTC epoch seconds.

    Raises:
        AnalyzerError: an option makes no sense, or something that it needs is not there.
    """

    def __init__(
        self,
        options: Options,
        *,
        complain: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        options.check()
        self._options = options
        self._complain = complain
        self._clock = clock
        self._knowledge = knowledge(options)
        self._wake = threading.Event()
        self._is_stopped = False
        self._rereads = False
        self._complaints = Complaints(complain)
        self._counts: Counter[str] = Counter()
        self._stages: dict[str, float] = {}
        self._fast_seconds = 0.0
        # Rows taken in since all rules, or the fast ones, judged the window.
        self._unjudged = self._unjudged_fast = 0
        self._judging: tuple[Segment, ...] = ()
        self._is_due = self._has_begun = self._has_more = False
        self._is_first = True
        self._next_row = 0.0
        self._schedule = Schedule(options.interval, clock())
        self._job: Literal["window", "days", "lesson"] = "window"
        self._lesson: int | None = None
        self._next_forgetting = clock() + DAY
        with contextlib.ExitStack() as stack:
            self._open(options, stack)
            self._opened = stack.pop_all()

    def _open(self, options: Options, stack: contextlib.ExitStack) -> None:
        now = self._clock()
        kinds: tuple[LogKind, ...] = (options.format, "findings")
        self._logs = tuple(
            stack.enter_context(
                AppendingLog(
                    options.out,
                    format=kind,
                    strict=options.strict and kind == options.format,
                    clock=self._clock,
                    key=notice_key,
                )
            )
            for kind in kinds
        )
        self._state = stack.enter_context(State(options.state))
        stack.callback(os.close, claim(options.state / "watch.sqlite"))
        self._segments = Segments(
            options.state / "window", memory_limit=_TAKING_IN, threads=options.threads
        )
        stack.callback(self._segments.close)
        if start_anew_if_changed(self._state, self._segments):
            self._complain("another version has written the window; logs are read again")
        if options.start == "beginning":
            self._state.forget_logs()
        since = float("-inf")
        if options.start == "end":
            since = float("inf")
        elif options.start == "stopped" and not self._state.fact("begun"):
            since = now - options.span
        self._follower = Follower(
            options.tops,
            excluded=(options.out, options.state),
            streams=Streams(self._state.streams()),
            resting=self._state.resting(),
            since=since,
        )
        stack.callback(self._follower.close)
        self._intake = Intake(
            self._state,
            self._segments,
            self._follower,
            span=options.span,
            most=options.most,
            keeps_left=options.keeps_days,
            keeps_unlearned=options.baseline is not None,
            on_problem=lambda problem: self._complain(str(problem)),
        )
        new = sum(each.rows for each in self._intake.window.segments if not each.judged)
        self._unjudged = self._unjudged_fast = new
        self._speaker = Speaker(
            self._state, self._logs, options.span, kept=max(options.span, options.slow_span)
        )
        if self._intake.lost:
            self._complain(f"{self._intake.lost} rows of the window are gone from {options.state}")
        if self._speaker.unreadable:
            self._complain(
                f"{self._speaker.unreadable} findings that another version meant to write are lost"
            )
        self._statistics = StatisticsLog(options.out)
        threads = options.threads
        self._judge = Judge(self._segments, memory_limit=options.memory_limit, threads=threads)
        self._fast_judge = Judge(self._segments, memory_limit=_TAKING_IN, threads=threads)
        self._lessons = Lessons(options, self._segments, self._intake, self._complain)
        self._days = Days(options, self._state, self._segments, self._intake, self._complain)
        self._background = Background[Judgement | SlowJudgement | Lesson](self._wake.set)
        self._fast = Background[Judgement](self._wake.set)

    def stop(self) -> None:
        """Have :meth:`run` return within seconds. For signal handlers."""
        self._is_stopped = True
        self._judge.interrupt()
        self._fast_judge.interrupt()
        self._days.interrupt()
        self._lessons.interrupt()
        self._wake.set()

    def reread(self) -> None:
        """Have rules, allowlists and intelligence read again. For signal handlers."""
        self._rereads = True
        self._wake.set()

    def run(self) -> None:
        """Follow, judge and say until :meth:`stop`."""
        while not self._is_stopped:
            self._wake.clear()
            self._turn(self._clock())
            if not self._has_more and not self._is_stopped:
                is_waiting = self._is_due and self._background.is_idle
                self._wake.wait(self._schedule.patience(self._clock(), is_waiting=is_waiting))

    def _turn(self, now: float) -> None:
        if self._rereads:
            self._rereads = False
            self._complaints.attempt("what is reread", self._reread)
        self._complaints.attempt("logs", self._take_in)
        self._tell_faults()
        if now >= self._next_forgetting:
            self._next_forgetting = now + DAY
            self._complaints.attempt("state", partial(self._intake.forget, now))
        self._take_judgement()
        self._take_fast()
        now = self._clock()
        is_tick = self._schedule.is_tick(now)
        if self._is_first and not self._has_more:
            # What was there before is not kept waiting for an interval.
            is_tick = True
            self._schedule.advance(now)
        if is_tick:
            self._is_first = False
            self._is_due = self._is_due or self._unjudged > 0
        self._begin_judging(now)
        is_late = self._is_due or (not self._background.is_idle and self._schedule.is_hopeless)
        if is_tick and is_late and self._unjudged_fast and self._fast.is_idle:
            self._begin_fast()
        self._complaints.attempt("notices", self._flush)
        if is_tick:
            self._complaints.attempt("figures", self._tell_figures)

    def _tell_figures(self) -> None:
        now = self._clock()
        figures = figures_of(
            now,
            intake=self._intake,
            follower=self._follower,
            speaker=self._speaker,
            judged={
                **{name: self._counts[name] for name in ("judgements", "fast_judgements")},
                "judging": self._schedule.seconds,
                "fast_judging": self._fast_seconds,
                **self._days.figures(),
                "notices": self._counts["notices"],
                "complaints": self._complaints.count,
            },
            stages=self._stages,
            state=self._options.state,
            baseline=self._knowledge.baseline,
        )
        self._statistics.expose(figures)
        if now >= self._next_row:
            self._next_row = now + STATISTICS_EVERY
            self._statistics.append(figures)

    def close(self) -> bool:
        """Let go of everything.

        Returns:
            Whether all has ended; else a judgement goes on that cannot be interrupted.
        """
        working = [each for each in (self._background, self._fast) if not each.is_idle]
        if working:
            self.stop()
        for each in working:
            # Whatever it was, nobody waits for it any more.
            with contextlib.suppress(Exception):
                each.take(timeout=2.0)
        has_ended = all(each.is_idle for each in working)
        self._opened.close()
        return has_ended

    def _take_in(self) -> None:
        """Take in what is new, until it is time to judge."""
        self._follower.look(self._clock())
        if not self._has_begun:
            # What counts as read without having been read must be so after a crash, too.
            self._intake.keep_known()
            self._state.set_fact("begun", "yes")
            self._has_begun = True
        self._has_more = False
        while not self._is_stopped:
            rows = self._intake.step(self._clock())
            if rows is None:
                break
            self._unjudged += rows
            self._unjudged_fast += rows
            if self._intake.window.must_be_judged and not self._judge_now():
                return
            self._judge_days_now()
            if not self._follower.has_more:
                break
            if self._clock() >= self._schedule.tick:
                self._has_more = True
                break
        if self._background.is_idle and self._fast.is_idle:
            self._intake.tidy()

    def _judge_now(self) -> bool:
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
                self._begin_judging(self._clock())
            self._background.wait(1.0)
            self._take_judgement()
        return not self._is_stopped

    def _judge_days_now(self) -> None:
        """Judge the days before, before anything else is taken in, if much has left the window."""
        if not self._days.is_overdue(self._clock()):
            return
        begun = False
        while not self._is_stopped:
            if self._background.is_idle:
                if begun:
                    break
                self._begin_days()
                begun = True
            self._background.wait(1.0)
            self._take_judgement()

    def _begin_days(self) -> None:
        self._job = "days"
        self._background.begin(self._days.work(self._knowledge))

    def _take_days(self) -> None:
        """Say what was found in the days before, and keep what was made of them."""
        judged = self._complaints.attempt("judging the days before", self._background.take)
        now = self._clock()

        def keep() -> bool:
            assert isinstance(judged, SlowJudgement)  # noqa: S101
            self._say(judged.judgement)
            self._days.keep(judged, now)
            return True

        if judged is None or not self._complaints.attempt("notices", keep):
            self._complaints.attempt("state", partial(self._days.fail, now))

    def _begin_judging(self, now: float) -> None:
        if not self._background.is_idle or self._is_stopped:
            return
        if not self._is_due or self._schedule.is_early(now, self._intake.window.awaiting):
            if self._days.is_due(now) and self._schedule.has_time_for(self._days.seconds, now):
                self._begin_days()
            return
        segments = self._intake.window.segments
        self._is_due, self._unjudged, self._judging = False, 0, segments
        # Of what is being judged: a day is compared with others before it is one of them.
        self._lesson = self._lessons.due()
        self._job = "window"
        self._background.begin(
            partial(self._judge.judge, segments, self._knowledge, others=self._days.findings)
        )

    def _take_judgement(self) -> None:
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
        self._stages = judgement.stages
        self._schedule.judged(judgement.seconds, judgement.cost, now)
        judging = self._judging

        def keep() -> None:
            self._say(judgement)
            self._intake.have_judged(judging)

        self._complaints.attempt("notices", keep)
        self._complaints.attempt("indicators", partial(self._write_indicators, judgement))
        if self._lesson is not None and not self._is_stopped:
            self._job = "lesson"
            self._background.begin(self._lessons.work(self._knowledge, self._lesson))

    def _take_lesson(self) -> None:
        """Know what was learned."""
        lesson = self._complaints.attempt("baseline", self._background.take)
        if isinstance(lesson, Lesson):
            kept = partial(self._lessons.keep, lesson, self._knowledge)
            self._knowledge = self._complaints.attempt("state", kept) or self._knowledge

    def _begin_fast(self) -> None:
        window, known = self._intake.window, self._knowledge
        latest = window.latest(LATEST, LATEST_ROWS)
        if not latest or not known.fast.rules or self._is_stopped:
            return
        self._unjudged_fast = 0
        self._fast.begin(partial(self._fast_judge.judge_fast, latest, window.segments, known))

    def _take_fast(self) -> None:
        if not self._fast.has_ended:
            return
        judgement = self._complaints.attempt("fast rules", self._fast.take)
        if judgement is None:
            self._unjudged_fast = max(self._unjudged_fast, 1)
            return
        self._counts["fast_judgements"] += 1
        self._fast_seconds = judgement.seconds
        self._complaints.attempt("notices", partial(self._say, judgement))

    def _say(self, judgement: Judgement) -> None:
        self._counts["notices"] += self._speaker.say(judgement.findings)
        if self._intake.window.last is not None:
            self._speaker.forget(self._intake.window.last)

    def _write_indicators(self, judgement: Judgement) -> None:
        if self._options.intel_out is not None:
            write_intel(
                judgement.findings,
                self._options.intel_out,
                minimum=self._options.intel_severity,
                outside=judgement.outside,
                local_networks=self._knowledge.networks,
            )

    def _flush(self) -> None:
        self._speaker.flush()
        for log in self._logs:
            log.rotate_if_due()

    def _reread(self) -> None:
        self._knowledge = knowledge(self._options)
        # What was judged by the old rules is judged by the new ones, and somebody waits for it.
        self._unjudged = self._unjudged_fast = max(1, self._intake.window.rows)
        self._schedule.hurry()

    def _tell_faults(self) -> None:
        self._complaints.tell_all(self._follower.faults)


def state_directory(out: Path) -> Path:
    """Where the state is if nobody says otherwise: beside the notices, hidden."""
    return out / ".state"
