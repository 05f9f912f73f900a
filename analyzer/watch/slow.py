"""Judging a week for slow beacons, on what is kept of it in brief and on the window.

It is done once an hour of the logs' time: who calls every few hours can wait so long. What has left
the window since is added to what is kept (:mod:`analyzer.watch.folding`); then the detectors of
:data:`analyzer.watch.folding.SLOW` judge the calls of all services that were called before the
window began, those in the window included.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from analyzer.engine import Engine
from analyzer.features import HOUR
from analyzer.pipeline import run
from analyzer.watch.folding import SLOW, as_records, bounded, flagged, folded, reaching_back
from analyzer.watch.interrupting import Interruption
from analyzer.watch.judging import Judgement, Knowledge
from analyzer.watch.past import Past, PastFiles
from analyzer.watch.segments import Segments
from analyzer.watch.state import Segment

EVERY = HOUR
"""Seconds of the logs' time between judgements."""

# Connections that are still open are kept once they have ended.
_CONNECTIONS, _NAMES = ("conn", "dns", "open_conn"), ("ssl", "http")


@dataclass(frozen=True, slots=True)
class Rows:
    """The segments that are looked at.

    Attributes:
        summed: those added to the past before, for the names of connections that ended later.
        left: those that have left the window since.
        window: those in it.
    """

    summed: tuple[Segment, ...]
    left: tuple[Segment, ...]
    window: tuple[Segment, ...]

    @property
    def last(self) -> float | None:
        """The end of the last connection, UTC epoch seconds."""
        return max((each.last for each in (*self.left, *self.window)), default=None)


@dataclass(frozen=True, slots=True)
class SlowJudgement:
    """What was found in a week.

    Attributes:
        judgement: that.
        past: what is kept from now on; its files are there.
        rows: what was looked at; `left` has become part of the past.
    """

    judgement: Judgement
    past: Past
    rows: Rows


class SlowJudge:
    """Adds to the past and judges it, one call at a time.

    Args:
        segments: where the files of segments are.
        files: where those of the past are.
        span: seconds that the past reaches back.
        most: rows that each of its tables may have.
        memory_limit: what tables may hold in memory before they spill to disk.
        threads: how many threads compute; None for one a core.
    """

    def __init__(
        self,
        segments: Segments,
        files: PastFiles,
        *,
        span: float,
        most: int,
        memory_limit: str,
        threads: int | None,
    ) -> None:
        self._segments = segments
        self._files = files
        self._span = span
        self._most = most
        self._interruption = Interruption()
        self._engine = partial(
            self._interruption.engine, memory_limit=memory_limit, threads=threads
        )

    def interrupt(self) -> None:
        """Have what is being judged end as soon as possible; nothing is judged after this."""
        self._interruption.interrupt()

    def judge(self, past: Past, rows: Rows, known: Knowledge) -> SlowJudgement:
        """Add what has left the window to the past, and judge it with the window.

        Args:
            past: what is kept so far.
            rows: what to look at.
            known: what to judge by.

        Raises:
            ResourceError: memory or disk ran out.
            OSError: the past cannot be written.
            InterruptedJudgementError: :meth:`interrupt` was called.
        """
        begun = time.perf_counter()
        last = rows.last or 0.0
        kept = self._added(past, rows, known, last - self._span)
        rules = tuple(rule for rule in known.rules if rule.detector in SLOW)
        judgement = Judgement((), {}, 0.0, 0)
        if rules and kept.counts.get("calls"):
            judgement = self._judged(kept, rows, replace(known, rules=rules), last - self._span)
        seconds = time.perf_counter() - begun
        return SlowJudgement(replace(judgement, seconds=seconds), replace(kept, judged=last), rows)

    def _added(self, past: Past, rows: Rows, known: Knowledge, begin: float) -> Past:
        if not rows.left:
            return past
        with self._engine() as engine:
            self._attach(engine, rows, rows.left)
            records = engine.records(known.networks)
            kept = folded(self._files.open(past, engine), records, begin=begin)
            together = as_records(kept, records, flagged(kept, records.local))
            kept, dropped = bounded(kept, together, self._most)
            number = past.number + 1
            counts, size = self._files.write(number, engine, kept)
        return replace(past, number=number, counts=counts, size=size, dropped=dropped)

    def _judged(self, past: Past, rows: Rows, known: Knowledge, begin: float) -> Judgement:
        with self._engine() as engine:
            self._attach(engine, rows, rows.window)
            records = engine.records(known.networks, indicators=known.indicators)
            known_calls = self._files.open(past, engine)
            kept = folded(known_calls, records, begin=begin, only_known=True)
            kept = reaching_back(kept, known_calls, records)
            report = run(
                as_records(kept, records, flagged(kept, records.local)),
                known.rules,
                known.baseline,
                key=known.key,
                minimum=known.minimum,
                on_stage=self._interruption.go_on,
            )
        if known.allowlist.entries:
            report = report.allowing(known.allowlist)
        return Judgement(
            report.findings, report.stages, 0.0, sum(past.counts.values()), report.outside
        )

    def _attach(self, engine: Engine, rows: Rows, chosen: Sequence[Segment]) -> None:
        """Have an engine hold segments, with the names of their connections wherever these are."""
        self._segments.attach(engine, chosen, logs=_CONNECTIONS)
        self._segments.attach(engine, (*rows.summed, *rows.left, *rows.window), logs=_NAMES)
