"""The work of a run in one call: read, judge, report."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from analyzer import rules
from analyzer.allowlist import read_allowlists
from analyzer.baseline.anonymise import check_key, read_key
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import read_baseline
from analyzer.baseline.state import state_of
from analyzer.detectors import PARAMETERS
from analyzer.detectors.comparison import judged_days
from analyzer.engine import DEFAULT_MEMORY_LIMIT
from analyzer.errors import OptionError
from analyzer.findings import Severity
from analyzer.intelligence import Intelligence
from analyzer.networks import parse_networks
from analyzer.opening import open_records
from analyzer.parsers.discovery import Paths, paths_of
from analyzer.pipeline import run
from analyzer.report import Report


def load_rules(directory: Path | None = None) -> tuple[rules.Rule, ...]:
    """The rules in a directory, the shipped ones by default.

    Raises:
        RuleError: a rule breaks the contract; the message says where.
    """
    if directory is None:
        return _shipped_rules()
    return rules.load_rules(directory, detectors=PARAMETERS)


@cache
def _shipped_rules() -> tuple[rules.Rule, ...]:
    # As constant as the program they belong to, and a third of a second to read.
    return rules.load_rules(detectors=PARAMETERS)


def analyze(
    paths: Paths,
    *,
    rules_directory: Path | None = None,
    select_rules: Collection[str] = (),
    ignore_rules: Collection[str] = (),
    local_networks: Iterable[str] = (),
    intelligence: Iterable[str | os.PathLike[str]] = (),
    allow: Iterable[str | os.PathLike[str]] = (),
    baseline: str | os.PathLike[str] | Baseline | None = None,
    key_file: str | os.PathLike[str] | None = None,
    minimum: Severity = Severity.LOW,
    begin: float | None = None,
    end: float | None = None,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    threads: int | None = None,
    keep_all_problems: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Report:
    """Read logs and judge them by rules.

    Args:
        paths: logs, directories of logs, patterns; ``-`` is standard input.
        rules_directory: rules to use instead of the shipped ones.
        select_rules: ids or patterns of the only rules to run; all if empty.
        ignore_rules: ids or patterns of rules not to run.
        local_networks: local networks in CIDR notation; by default those Zeek marked as local, else
            private space.
        intelligence: files of indicators in the format of Zeek's Intel framework, directories of
            such files, patterns; what they list is looked for, and what else is found there weighs
            more.
        allow: allowlists (:mod:`analyzer.allowlist`): findings to leave out of the report.
        baseline: what was learned to be usual on this network (:func:`analyzer.learn`), or its
            file; it is read only. Without one, days are judged by the other days of the records.
        key_file: the key of a baseline whose addresses and names are keyed hashes.
        minimum: severity from which findings are reported.
        begin: leave out records before this time (UTC epoch seconds).
        end: leave out records from this time on.
        memory_limit: what tables may hold in memory before they spill to disk.
        threads: how many threads compute; by default one a core.
        keep_all_problems: remember the place of every line skipped, not only the first few.
        on_progress: told of input bytes as they are read.
        on_stage: told the name of each stage as it begins.

    Returns:
        What was found, on which records, and what became of the input.

    Raises:
        InputError: a path does not exist, or no record (or indicator) came of the input.
        RuleError: a rule breaks the contract.
        AllowlistError: an allowlist cannot be read or makes no sense.
        BaselineError: the file holds no baseline that this version can read, or one of another key.
        OptionError: an option makes no sense.
        ResourceError: memory or disk ran out.
    """
    every = load_rules(rules_directory)
    chosen = rules.select(every, select_rules, ignore_rules)
    networks = parse_networks(local_networks)
    allowlist = read_allowlists(paths_of(allow))
    allowlist.check_rules([rule.id for rule in every])
    usual = (
        baseline
        if baseline is None or isinstance(baseline, Baseline)
        else read_baseline(Path(baseline))
    )
    key = None if key_file is None else read_key(Path(key_file))
    if usual is not None:
        named_file = "baseline" if isinstance(baseline, Baseline | None) else baseline
        check_key(usual, key, Path(named_file))
    elif key is not None:
        raise OptionError("a key is for a baseline of keyed hashes: give that, too")
    lists = paths_of(intelligence)
    known = Intelligence(lists, keep_all_problems=keep_all_problems)
    with open_records(
        paths,
        networks,
        begin=begin,
        end=end,
        indicators=known.indicators,
        memory_limit=memory_limit,
        threads=threads,
        keep_all_problems=keep_all_problems,
        on_progress=on_progress,
        on_stage=on_stage,
    ) as opened:
        report = run(opened.records, chosen, usual, key=key, minimum=minimum, on_stage=on_stage)
    judged = judged_days(opened.records)
    report = replace(
        report,
        account=opened.account,
        baseline=None if usual is None else state_of(usual, totals=False, judged=judged),
        intelligence=known.account if lists else None,
        stages={"reading": opened.seconds, **report.stages},
    )
    # Without entries the report is as the pipeline made it.
    return report.allowing(allowlist) if allowlist.entries else report
