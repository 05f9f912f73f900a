"""The loop: take in, have it judged, say, and go on whatever fails.

Logs are looked at several times an interval. Once in each, all rules judge the window, in the
background, unless that takes more of a core than they may (:mod:`analyzer.watch.schedule`): then
they wait, and the fast rules (:data:`analyzer.watch.judging.FAST`) judge what is latest meanwhile.
Whoever reads notices has what is loud and fast within an interval, and all else as soon as the
machine allows.

A step that fails (a full disk, a directory that is gone) is complained about once and tried again
at the next look; nothing is lost by that, as what it took is kept or comes again as a whole.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from analyzer.features import DAY
from analyzer.findings import duration
from analyzer.watch.complaints import FAILURES, Complaints
from analyzer.watch.figures import Figures, figures_of
from analyzer.watch.opened import open_all
from analyzer.watch.options import Options, knowledge
from analyzer.watch.schedule import Schedule
from analyzer.watch.statistics import StatisticsLog
from analyzer.watch.waking import Wake
from analyzer.watch.work import Work

STATISTICS_EVERY = 300.0


class Service:
    """Follows, judges and says until it is stopped.

    Args:
        options: what it is told.
        complain: told of what is wrong, a line at a time.
        inform: told of what it does, in as few lines.
        clock: tells the time, UTC epoch seconds.

    Raises:
        AnalyzerError: an option makes no sense, or something that it needs is not there.
    """

    def __init__(
        self,
        options: Options,
        *,
        complain: Callable[[str], None],
        inform: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        options.check()
        known = knowledge(options)
        self._options = options
        self._clock = clock
        self._wake = Wake()
        self._is_stopped = self._rereads = False
        self._has_begun = self._has_more = False
        self._is_first = True
        self._next_row = 0.0
        self._next_forgetting = clock() + DAY
        self._inform = inform
        self._complaints = Complaints(complain, inform)
        self._schedule = Schedule(options.interval, clock())
        with contextlib.ExitStack() as stack:
            opened = open_all(options, stack, complain=complain, inform=inform, clock=clock)
            self._logs, self._state = opened.logs, opened.state
            self._follower, self._intake = opened.follower, opened.intake
            self._speaker = opened.speaker
            self._statistics = StatisticsLog(options.out)
            self._work = Work(
                options,
                opened,
                self._schedule,
                known,
                complaints=self._complaints,
                complain=complain,
                inform=inform,
                clock=clock,
                on_end=self._wake.set,
            )
            self._opened = stack.pop_all()

    def stop(self) -> None:
        """Have :meth:`run` return within seconds. For signal handlers."""
        self._is_stopped = True
        self._work.interrupt()
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
                is_waiting = self._work.is_waiting
                self._wake.wait(self._schedule.patience(self._clock(), is_waiting=is_waiting))

    def close(self) -> bool:
        """Let go of everything.

        Returns:
            Whether all has ended; else a judgement goes on that cannot be interrupted.
        """
        has_ended = self._work.end()
        # What has been since the last row would be told by none.
        with contextlib.suppress(*FAILURES):
            self._statistics.append(self._figures())
        self._opened.close()
        return has_ended

    def _turn(self, now: float) -> None:
        if self._rereads:
            self._rereads = False
            self._complaints.attempt("what is reread", self._reread)
        self._complaints.attempt("logs", self._take_in)
        self._complaints.tell_all(self._follower.faults)
        if now >= self._next_forgetting:
            self._next_forgetting = now + DAY
            self._complaints.attempt("state", partial(self._intake.forget, now))
        self._work.take()
        now = self._clock()
        is_tick = self._schedule.is_tick(now)
        if self._is_first and not self._has_more:
            # What was there before is not kept waiting for an interval.
            is_tick = True
            self._schedule.advance(now)
        self._work.begin(now, is_tick=is_tick)
        self._complaints.attempt("notices", self._flush)
        if is_tick:
            self._is_first = False
            self._complaints.attempt("figures", self._tell_figures)

    def _reread(self) -> None:
        known = knowledge(self._options)
        self._work.have_reread(known)
        allowed, listed = len(known.allowlist.entries), len(known.indicators)
        self._inform(
            f"read again: {len(known.rules)} rules, {allowed} allowed entries, {listed} indicators"
        )

    def _take_in(self) -> None:
        """Take in what is new, until it is time to judge."""
        self._follower.look(self._clock())
        if not self._has_begun:
            # What counts as read without having been read must be so after a crash, too.
            self._intake.keep_known()
            self._state.set_fact("begun", "yes")
            self._has_begun = True
            self._greet()
        self._has_more = False
        while not self._is_stopped:
            rows = self._intake.step(self._clock())
            if rows is None:
                break
            self._work.have_taken_in(rows)
            if self._intake.window.must_be_judged and not self._work.judge_now():
                return
            self._work.judge_days_now()
            if not self._follower.has_more:
                break
            if self._clock() >= self._schedule.tick:
                self._has_more = True
                break
        if self._work.is_idle:
            self._intake.tidy()

    def _greet(self) -> None:
        files = len(self._follower.identities())
        tops = ", ".join(map(str, self._options.tops))
        self._inform(
            f"following {tops} ({files} files there), judging every "
            f"{duration(self._options.interval)}; notices go to {self._options.out}"
        )

    def _flush(self) -> None:
        self._speaker.flush()
        for log in self._logs:
            log.rotate_if_due()

    def _tell_figures(self) -> None:
        figures = self._figures()
        self._statistics.expose(figures)
        if figures.ts >= self._next_row:
            self._next_row = figures.ts + STATISTICS_EVERY
            self._statistics.append(figures)

    def _figures(self) -> Figures:
        return figures_of(
            self._clock(),
            intake=self._intake,
            follower=self._follower,
            speaker=self._speaker,
            judged={**self._work.figures(), "complaints": self._complaints.count},
            stages=self._work.stages,
            state=self._options.state,
            baseline=self._work.known.baseline,
        )


def state_directory(out: Path) -> Path:
    """Where the state is if nobody says otherwise: beside the notices, hidden."""
    return out / ".state"
