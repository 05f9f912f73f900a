"""The work of learning in one call: read, leave out what is known or wrong, add up, keep."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.api import load_rules
from analyzer.baseline.anonymise import Key, anonymised, check_key, read_key, revealed
from analyzer.baseline.baseline import WINDOW, Baseline
from analyzer.baseline.creep import creeping
from analyzer.baseline.file import MOST_WINDOW, read_baseline
from analyzer.baseline.folding import folded
from analyzer.baseline.ledger import news, settled
from analyzer.baseline.rates import rates_of
from analyzer.baseline.summary import summarise
from analyzer.baseline.updating import update_baseline
from analyzer.engine import DEFAULT_MEMORY_LIMIT, out_of_resources
from analyzer.errors import OptionError
from analyzer.features import DAY
from analyzer.findings import Severity
from analyzer.learned import Learned
from analyzer.networks import parse_networks
from analyzer.opening import open_records
from analyzer.parsers.account import Account
from analyzer.parsers.discovery import Paths
from analyzer.pipeline import run
from analyzer.protection import counted, without_findings

if TYPE_CHECKING:
    from analyzer.records import Records

PROTECTED_FROM = Severity.MEDIUM
"""What findings of this severity or above are about is not learned."""

AHEAD = DAY
"""Seconds beyond the present that a sensor's clock may be wrong; later records are left out, as one
of them alone would make every other day too old."""


def learn(
    paths: Paths,
    baseline_file: str | os.PathLike[str],
    *,
    window: int | None = None,
    protected: bool = True,
    key_file: str | os.PathLike[str] | None = None,
    anonymise: bool = False,
    local_networks: Iterable[str] = (),
    begin: float | None = None,
    end: float | None = None,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    threads: int | None = None,
    keep_all_problems: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Learned:
    """Learn what is usual from logs, and keep it in a file.

    What the file knows is not learned again: the same logs twice change nothing.

    Args:
        paths: as for :func:`analyzer.analyze`.
        baseline_file: the baseline; made if it is not there.
        window: days that it is to hold from now on, back from the latest; 30 for a new one.
        protected: leave out what the shipped rules find wrong, at medium or above.
        key_file: the key of a baseline whose addresses and names are keyed hashes.
        anonymise: make a new baseline such a one.
        local_networks: as for :func:`analyzer.analyze`, and so are all that follow.
        begin: see there.
        end: see there.
        memory_limit: see there.
        threads: see there.
        keep_all_problems: see there.
        on_progress: see there.
        on_stage: see there.

    Raises:
        InputError: a path does not exist, or no record came of the input.
        BaselineError: the file holds no baseline that this version can read.
        OutputError: the file cannot be written.
        OptionError: an option makes no sense.
        ResourceError: memory or disk ran out.
    """
    if window is not None and not 1 <= window <= MOST_WINDOW:
        raise OptionError(f"window of {window} days: expected 1 to {MOST_WINDOW}")
    if anonymise and key_file is None:
        raise OptionError("keyed hashes need a key: give a key file, too")
    networks = parse_networks(local_networks)
    path = Path(baseline_file)
    key = None if key_file is None else read_key(Path(key_file))
    if path.exists():
        # Minutes of reading would be in vain.
        check_key(read_baseline(path), key, path)
    elif key is not None and not anonymise:
        raise OptionError(f"{path}: no such file; a new one with keyed hashes must be asked for")
    with open_records(
        paths,
        networks,
        begin=begin,
        end=end,
        summing=not protected,
        memory_limit=memory_limit,
        threads=threads,
        keep_all_problems=keep_all_problems,
        on_progress=on_progress,
        on_stage=on_stage,
    ) as opened:
        learned = learn_records(
            opened.records, path, key, window=window, protected=protected, on_stage=on_stage
        )
    stages = {"reading": opened.seconds, **learned.stages}
    return replace(learned, account=opened.account, stages=stages)


def learn_records(
    records: Records,
    path: Path,
    key: Key | None = None,
    *,
    window: int | None = None,
    protected: bool = True,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Learned:
    """Learn what is usual from records, and keep it in a file; see :func:`learn`.

    Args:
        records: what happened.
        path: the baseline; made if it is not there.
        key: of a baseline whose addresses and names are keyed hashes.
        window: see there.
        protected: see there.
        on_stage: see there.

    Raises:
        BaselineError: the file holds no baseline that this version can read.
        OutputError: the file cannot be written.
        ResourceError: memory or disk ran out.
    """
    lesson = _Lesson(records, path, key, window=window, protected=protected, on_stage=on_stage)
    with out_of_resources():
        baseline = update_baseline(path, lesson.learned_by, start=lesson.start)
    return replace(lesson.outcome, path=path, baseline=baseline, stages=lesson.stages)


class _Lesson:
    """Records to learn; a baseline may have to learn them again if its file has changed.

    Args:
        records: what happened.
        path: the baseline's file.
        key: the key of its hashes; None if it has none.
        window: days to hold from now on; None for as many as before.
        protected: leave out what rules find wrong.
        on_stage: told the name of each stage as it begins.
    """

    def __init__(
        self,
        records: Records,
        path: Path,
        key: Key | None,
        *,
        window: int | None,
        protected: bool,
        on_stage: Callable[[str], None],
    ) -> None:
        self._records = records
        self._path = path
        self._key = key
        self._window = window
        self._protected = protected
        self._on_stage = on_stage
        self._now = time.time()
        self.outcome = Learned(path=Path(), baseline=Baseline(), changed=False, account=Account())
        self.stages: dict[str, float] = {}

    def start(self) -> Baseline:
        """The baseline to begin with."""
        return Baseline(
            window=self._window or WINDOW, key_check=self._key.check if self._key else ""
        )

    def learned_by(self, before: Baseline) -> Baseline:
        """The baseline with what it did not know yet; itself if there is nothing.

        Raises:
            BaselineError: its addresses are hashes of another key.
        """
        check_key(before, self._key, self._path)
        held = before
        if self._window is not None and self._window != before.window:
            held = replace(before, window=self._window)
        outcome = replace(self.outcome, known={}, partly={}, outdated={}, ahead={}, flagged={})
        records, outcome = self._within(held, outcome)
        new = news(records, held)
        outcome = replace(outcome, known=new.known, partly=new.partly, records=new.records.counts)
        if not new.count:
            after = _rolled(held) if held is not before else before
        else:
            after, outcome = self._joined(held, new.records, new.tables, outcome)
        gone = set(before.days) - set(after.days)
        self.outcome = replace(outcome, changed=after is not before, gone=tuple(sorted(gone)))
        return after

    def _within(self, held: Baseline, outcome: Learned) -> tuple[Records, Learned]:
        """The records of the window, neither before it nor still to come."""
        records = self._records
        latest = self._now + AHEAD
        if records.last is not None and records.last > latest:
            kept = _between(records, None, latest)
            outcome = replace(outcome, ahead=_less(records.counts, kept.counts))
            records = kept
        days = [*held.days, *([int(records.last // DAY)] if records.last is not None else [])]
        oldest = (max(days, default=0) - held.window + 1) * DAY
        if records.first is not None and records.first < oldest:
            kept = _between(records, oldest, None)
            outcome = replace(outcome, outdated=_less(records.counts, kept.counts))
            records = kept
        return records, outcome

    def _joined(
        self,
        held: Baseline,
        records: Records,
        pieces: Mapping[str, pd.DataFrame],
        outcome: Learned,
    ) -> tuple[Baseline, Learned]:
        harmless, plain = records, self._plain(held, records)
        if self._protected:
            begun = time.perf_counter()
            self._on_stage("judging")
            harmless, findings = _harmless(records, plain)
            outcome = replace(
                outcome,
                findings=findings,
                records=harmless.counts,
                flagged=_less(records.counts, harmless.counts),
            )
            self.stages["judging"] = time.perf_counter() - begun
        self._on_stage("learning")
        begun = time.perf_counter()
        tables = summarise(harmless)
        if self._protected:
            tables["days"] = _with_left_out(tables["days"], records, harmless)
        hosts = int(tables["hours"].source.nunique())
        tables["rates"] = rates_of(plain, tables)
        if self._key is not None:
            tables = anonymised(tables, self._key)
        after = settled(folded(held.joined({**tables, **pieces}, learned=self._now)))
        self.stages["learning"] = time.perf_counter() - begun
        return after, replace(
            outcome,
            days=tuple(int(day) for day in tables["days"].day),
            rising=_rising(after),
            hosts=hosts,
        )

    def _plain(self, held: Baseline, records: Records) -> Baseline:
        """The baseline as rules can compare it with records."""
        if self._key is None or not held.days:
            return held
        seen = summarise(records)
        return revealed(held, self._key, seen["domains"].domain)


def _rising(baseline: Baseline) -> tuple[tuple[str, str, int, float], ...]:
    found = creeping(baseline)[["source", "measure", "days", "factor"]]
    return tuple(found.itertuples(index=False, name=None))


def _rolled(baseline: Baseline) -> Baseline:
    """The baseline without what its window does not hold."""
    return settled(folded(baseline.joined({})))


def _harmless(records: Records, baseline: Baseline) -> tuple[Records, int]:
    """The records that no finding is about that counts, and how many such findings there are."""
    report = run(records, load_rules(), baseline if baseline.days else None)
    # What adds findings up is about all that a host did; the findings themselves say what it is.
    loud = [
        finding
        for finding in report.all_findings
        if finding.severity >= PROTECTED_FROM and finding.rule not in report.summed
    ]
    return without_findings(records, loud), len(loud)


def _with_left_out(days: pd.DataFrame, records: Records, harmless: Records) -> pd.DataFrame:
    """The table of days with how many records were left out on each."""
    everything, kept = _by_day(records), _by_day(harmless)
    left = {day: count - kept.get(day, 0) for day, count in everything.items()}
    return days.assign(left_out=days.day.map(left).astype(float))


def _by_day(records: Records) -> dict[int, int]:
    every = records.conn.select("ts").union(records.dns.select("ts"))
    table = every.group_by(day=(every.ts / DAY).floor().cast("int64")).aggregate(
        count=every.count()
    )
    return {row["day"]: row["count"] for row in table.to_pyarrow().to_pylist()}


def _between(records: Records, begin: float | None, end: float | None) -> Records:
    tables = {"conn": records.conn, "dns": records.dns}
    for log, table in tables.items():
        kept = table if begin is None else table.filter(table.ts >= begin)
        tables[log] = kept if end is None else kept.filter(kept.ts < end)
    return counted(replace(records, **tables))


def _less(all_of_them: Mapping[str, int], kept: Mapping[str, int]) -> dict[str, int]:
    return {log: count - kept.get(log, 0) for log, count in all_of_them.items()}
