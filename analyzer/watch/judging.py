"""Judging the window: all rules on all of it, or the fast rules on the latest of it.

All of it is judged in a thread of its own, as it may take longer than an interval; DuckDB computes
outside of Python's lock, so that logs are taken in meanwhile.

The latest alone does not tell a scanner from a monitor that tries the same hosts every day. So the
fast rules look at it for suspects, and then at all that the window knows of these hosts; what they
find of that counts.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import duckdb

from analyzer.allowlist import Allowlist
from analyzer.baseline.anonymise import Key
from analyzer.baseline.baseline import Baseline
from analyzer.engine import Engine
from analyzer.findings import SUPPRESS_FOR, Finding, Severity
from analyzer.indicators import Indicator
from analyzer.networks import Network
from analyzer.pipeline import run
from analyzer.rules import Rule
from analyzer.watch.segments import Segments
from analyzer.watch.state import Segment

FAST = frozenset(
    {"scan", "brute_force", "dns_tunnel", "icmp_tunnel", "dns_transfer", "threat_intelligence"}
)
"""Detectors that judge a host by what it did itself, so that its own rows suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What records are judged by.

    Attributes:
        rules: what to look for.
        allowlist: what the site does not want to hear of.
        indicators: what threat intelligence lists.
        networks: the site's own networks.
        baseline: what is usual here; None if nothing is known.
        key: the key of its hashes, if its addresses are hashes.
        minimum: severity from which findings are reported.
    """

    rules: tuple[Rule, ...]
    allowlist: Allowlist = field(default_factory=Allowlist)
    indicators: tuple[Indicator, ...] = ()
    networks: tuple[Network, ...] = ()
    baseline: Baseline | None = None
    key: Key | None = None
    minimum: Severity = Severity.LOW

    @property
    def fast(self) -> Knowledge:
        """The fast rules alone, and of those what is loud."""
        rules = tuple(rule for rule in self.rules if rule.detector in FAST)
        return replace(self, rules=rules, minimum=max(self.minimum, Severity.HIGH))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found in some segments.

    Attributes:
        findings: those to report, loudest first.
        stages: seconds each stage took.
        seconds: how long it took in all.
        rows: rows that were judged.
        outside: sources of findings that are not ours.
        cost: seconds of a core that it took, at most `seconds`: on a machine that others use too,
            most of these may be theirs.
    """

    findings: tuple[Finding, ...]
    stages: dict[str, float]
    seconds: float
    rows: int
    outside: frozenset[str] = frozenset()
    cost: float = 0.0


class Judge:
    """Judges segments, one call at a time.

    Args:
        segments: where their files are.
        memory_limit: what tables may hold in memory before they spill to disk.
        threads: how many threads compute; None for one a core.
    """

    def __init__(self, segments: Segments, *, memory_limit: str, threads: int | None) -> None:
        self._segments = segments
        self._memory_limit = memory_limit
        self._threads = threads
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._is_stopped = False

    def judge(
        self,
        chosen: Sequence[Segment],
        knowledge: Knowledge,
        *,
        hosts: Collection[str] | None = None,
        others: Collection[Finding] = (),
    ) -> Judgement:
        """Judge segments, all of their rows or those of some hosts.

        Args:
            chosen: the segments.
            knowledge: what to judge by.
            hosts: the hosts; None for all.
            others: what was found in the days before. It adds up with what is found here, and
                what it says louder is not said here again.

        Raises:
            ResourceError: memory or disk ran out.
            InterruptedJudgementError: :meth:`interrupt` was called.
        """
        begun, used = time.perf_counter(), time.process_time()
        with Engine(memory_limit=self._memory_limit, threads=self._threads) as engine:
            self._connection = engine.connection
            try:
                self._go_on("")
                self._segments.attach(engine, chosen, hosts=hosts)
                records = engine.records(knowledge.networks, indicators=knowledge.indicators)
                report = run(
                    records,
                    knowledge.rules,
                    knowledge.baseline,
                    key=knowledge.key,
                    minimum=knowledge.minimum,
                    on_stage=self._go_on,
                )
                if others:
                    report = replace(report, all_findings=together(report.all_findings, others))
                if others or knowledge.allowlist.entries:
                    report = report.allowing(knowledge.allowlist)
            except (duckdb.InterruptException, RuntimeError):
                # DuckDB makes either of an interruption, Ibis may wrap it.
                if self._is_stopped:
                    raise InterruptedJudgementError from None
                raise
            finally:
                self._connection = None
        seconds = time.perf_counter() - begun
        return Judgement(
            findings=report.findings,
            stages=report.stages,
            seconds=seconds,
            rows=sum(segment.rows for segment in chosen),
            outside=report.outside,
            # What is taken in meanwhile is in it too; that is little beside it.
            cost=min(seconds, time.process_time() - used),
        )

    def judge_fast(
        self, latest: Sequence[Segment], window: Sequence[Segment], knowledge: Knowledge
    ) -> Judgement:
        """Judge the latest segments by the fast rules; what is found there, by the whole window.

        Raises:
            ResourceError: memory or disk ran out.
            InterruptedJudgementError: :meth:`interrupt` was called.
        """
        known = knowledge.fast
        suspected = self.judge(latest, known)
        if not suspected.findings or len(latest) == len(window):
            return suspected
        hosts = {finding.source for finding in suspected.findings}
        confirmed = self.judge(window, known, hosts=hosts)
        return replace(
            confirmed,
            seconds=suspected.seconds + confirmed.seconds,
            rows=suspected.rows,
        )

    def interrupt(self) -> None:
        """Have what is being judged end as soon as possible; nothing is judged after this."""
        self._is_stopped = True
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(duckdb.Error):
                connection.interrupt()

    def _go_on(self, _: str) -> None:
        if self._is_stopped:
            raise InterruptedJudgementError


def together(findings: Collection[Finding], others: Collection[Finding]) -> tuple[Finding, ...]:
    """Findings of the window and of the days before; of one thing that both found, the louder.

    It is one if it is about the same and as close in time as repeats within one run are joined. If
    either is found by one of them alone, it is one other thing at most that is called the same.
    """
    own = {id(each): each for each in findings}
    added: list[Finding] = []
    here, there = ({each.entities for each in some} for some in (findings, others))
    others_called_so = [each for each in findings if each.entities not in there]
    for other in others:
        same = [each for each in findings if each.entities == other.entities]
        if other.entities not in here and other.alias is not None:
            called = (each for each in others_called_so if each.alias == other.alias)
            same = sorted(called, key=lambda each: -each.score)
        same = [each for each in same if _is_close(each, other)]
        if other.entities not in here:
            same = same[:1]
            others_called_so = [each for each in others_called_so if each not in same]
        if all(each.score <= other.score for each in same):
            for each in same:
                own.pop(id(each), None)
            added.append(other)
    return (*own.values(), *added)


def _is_close(one: Finding, other: Finding) -> bool:
    return one.first <= other.last + SUPPRESS_FOR and other.first <= one.last + SUPPRESS_FOR


class InterruptedJudgementError(Exception):
    """The service is being stopped."""


T = TypeVar("T")


class Background(Generic[T]):
    """One call at a time in a thread of its own.

    Args:
        on_end: called in that thread when a call has ended.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._thread: threading.Thread | None = None
        self._result: T | None = None
        self._error: BaseException | None = None
        self._is_done = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing was begun whose result has not been taken."""
        return self._thread is None

    @property
    def has_ended(self) -> bool:
        """Whether there is a result to take."""
        return self._thread is not None and self._is_done

    def begin(self, call: Callable[[], T]) -> None:
        """Call something."""

        def work() -> None:
            try:
                self._result = call()
            except BaseException as error:  # noqa: BLE001 - whoever takes the result raises it
                self._error = error
            finally:
                self._is_done = True
                self._on_end()

        self._result, self._error, self._is_done = None, None, False
        # A daemon: it must not keep the process from ending.
        self._thread = threading.Thread(target=work, name="judging", daemon=True)
        self._thread.start()

    def wait(self, timeout: float) -> None:
        """Wait for the end of a call, `timeout` seconds at most."""
        if self._thread is not None:
            self._thread.join(timeout)

    def take(self, timeout: float | None = None) -> T | None:
        """The result; None if it is not there within `timeout` seconds.

        Raises:
            BaseException: what the call raised.
        """
        if self._thread is None:
            return None
        self._thread.join(timeout)
        if self._thread.is_alive():
            return None
        self._thread = None
        if self._error is not None:
            raise self._error
        return self._result
