"""The days before the window: what is kept of them, when it is judged, and what became of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analyzer.findings import Finding
from analyzer.watch.former import PAST
from analyzer.watch.intake import Intake
from analyzer.watch.past import Past, PastFiles, past_of
from analyzer.watch.slow import EVERY, Rows, SlowJudge, SlowJudgement

if TYPE_CHECKING:
    from analyzer.watch.judging import Knowledge
    from analyzer.watch.options import Options
    from analyzer.watch.segments import Segments
    from analyzer.watch.state import State

SHARE = 0.05
"""The part of the time that judging them may take."""

AGAIN = 60.0
"""Seconds after which it is tried again if it failed."""


class Days:
    """The days before the window.

    Args:
        options: what the service is told.
        state: where it is kept what counts.
        segments: the files of the window.
        intake: what leaves the window.
        complain: told of what is wrong, a line at a time.

    Attributes:
        judgements: how often they were judged since the start.
        seconds: how long that took last.
        findings: what was found last.

    Raises:
        OSError: the directory cannot be made.
    """

    def __init__(
        self,
        options: Options,
        state: State,
        segments: Segments,
        intake: Intake,
        complain: Callable[[str], None],
    ) -> None:
        self._files = PastFiles(options.state / "past")
        self._intake = intake
        self._complain = complain
        self._half = options.span / 2
        self._judge = SlowJudge(
            segments,
            self._files,
            span=options.slow_span,
            most=options.slow_most,
            memory_limit=options.memory_limit,
            threads=options.threads,
        )
        text = state.fact(PAST)
        past = past_of(text) if options.keeps_days else Past()
        if past is None or not self._files.are_there(past):
            if text:
                complain("what was kept of the days before cannot be used; it is gathered anew")
            past = Past()
        self._past = past
        self._files.remove_others(past)
        self.judgements = 0
        self.seconds = 0.0
        self.findings: tuple[Finding, ...] = ()
        self._not_before = self._failed = 0.0

    def interrupt(self) -> None:
        """Have what is being judged end as soon as possible; nothing is judged after this."""
        self._judge.interrupt()

    def is_due(self, now: float) -> bool:
        """Whether an hour of the logs has passed or the service was begun, and there is time.

        Args:
            now: UTC epoch seconds.
        """
        # What was found before a restart is not known any more.
        after = EVERY if self.judgements else 0.0
        return now >= self._not_before and self._have_passed(after)

    def is_overdue(self, now: float) -> bool:
        """Whether half a window of the logs has passed: more would leave without being judged."""
        return now >= self._failed + AGAIN and self._have_passed(self._half)

    def work(self, known: Knowledge) -> Callable[[], SlowJudgement]:
        """What is to be done, as of now; it may be done in another thread."""
        past, rows = self._past, self._rows
        return lambda: self._judge.judge(past, rows, known)

    def fail(self, now: float) -> None:
        """It came to nothing, and is tried again; what waits for that must not grow for ever.

        Raises:
            OutputError: that cannot be kept.
        """
        self._failed = now
        self._not_before = now + AGAIN
        rows = self._intake.former.let_go(self._rows.last or 0.0)
        if rows:
            self._complain(f"{rows} rows that left the window are not kept for slow beacons")

    def keep(self, judged: SlowJudgement, now: float) -> None:
        """What was found is said: keep what was made of the past.

        Raises:
            OutputError: it cannot be kept; it is done again.
        """
        self.seconds = judged.judgement.seconds
        self._not_before = now + self.seconds * (1 / SHARE - 1)
        self._intake.former.have_summed(judged.past, judged.rows.left, self._rows.last or 0.0)
        if judged.past.dropped and not self._past.dropped:
            self._complain(
                f"there is no room for {judged.past.dropped} rows of the days before: slow beacons "
                "may be missed, raise --slow-rows"
            )
        self._past = judged.past
        self._files.remove_others(judged.past)
        self.findings = judged.judgement.findings
        self.judgements += 1

    def figures(self) -> dict[str, float]:
        """Figures by name."""
        past = self._past
        return {
            "slow_judgements": self.judgements,
            "slow_judging": self.seconds,
            **{f"past_{name}": past.counts.get(name, 0) for name in ("calls", "contacts", "names")},
            "past_size": past.size,
            "past_dropped": past.dropped,
        }

    @property
    def _rows(self) -> Rows:
        former = self._intake.former
        window = self._intake.window.segments
        return Rows(tuple(former.summed), tuple(former.left), window)

    def _have_passed(self, seconds: float) -> bool:
        rows, past = self._rows, self._past
        if rows.last is None or not (rows.left or past.number):
            return False
        return past.judged is None or rows.last - past.judged >= seconds
