"""The ``evaluate`` command: its options, and what it prints."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import OptionError
from analyzer.findings import Severity
from analyzer.standard_streams import show

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.evaluation import Evaluation

DESCRIPTION = """Analyse logs and compare the findings with labels: detection rate, false alarms,
precision, recall and F1, by connection, by host and day and by attack, for each rule and in all,
and what is missed. Labels are CSV, TSV or JSON lines with uid,label or address,label[,from,to], or
Stratosphere's labelled logs. Without --labels, and without --tune, the logs themselves must have
labels."""

Progress = Callable[
    [argparse.Namespace],
    AbstractContextManager[tuple[Callable[[int], None], Callable[[str], None]]],
]


def add_evaluate(
    parser: argparse.ArgumentParser, listed: Callable[[str], list[str]], progress: Progress
) -> None:
    """Declare the command's options.

    Args:
        parser: the command's own.
        listed: parses a list of words.
        progress: gives functions to tell of bytes read and of stages.
    """
    add = parser.add_argument
    levels = [str(severity) for severity in Severity if severity]
    add("paths", nargs="+", metavar="PATH", help="a file, a directory, a pattern, or - for stdin")
    add("--labels", action="append", metavar="FILE", help="labels; may be given more than once")
    add("--tune", action="store_true", help="propose thresholds; changes nothing")
    add("--precision", type=float, metavar="P", help="for --tune: the precision to reach (0.95)")
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add("--rules", type=Path, metavar="DIR", help="use these rules instead of the shipped ones")
    add("--select", type=listed, default=[], metavar="RULE,...", help="run these rules only")
    add("--ignore", type=listed, default=[], metavar="RULE,...", help="do not run these rules")
    add("--local-nets", type=listed, default=[], metavar="CIDR,...", help="networks that are ours")
    add("--min-severity", choices=levels, default="low", help="what counts as reported (low)")
    add("--memory-limit", default="1GiB", metavar="SIZE", help="before spilling to disk (1GiB)")
    add("--threads", type=int, metavar="N", help="how many to compute with (default: one a core)")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="no progress")
    loudness.add_argument("-v", "--verbose", action="store_true", help="all of every list")
    parser.set_defaults(command=functools.partial(_evaluate, progress=progress))


def _evaluate(options: argparse.Namespace, *, progress: Progress) -> int:
    if options.precision is not None and not options.tune:
        raise OptionError("--precision is what --tune is to reach")
    from analyzer.evaluation import evaluate  # noqa: PLC0415 - as in analyzer.cli
    from analyzer.tuning import PRECISION  # noqa: PLC0415

    # Where nothing else is said, labels are looked for where the records are.
    labels = options.labels or (None if options.tune else options.paths)
    with progress(options) as (on_progress, on_stage):
        evaluation = evaluate(
            options.paths,
            labels,
            tune=options.tune,
            precision=PRECISION if options.precision is None else options.precision,
            rules_directory=options.rules,
            select_rules=options.select,
            ignore_rules=options.ignore,
            local_networks=options.local_nets,
            minimum=Severity[options.min_severity.upper()],
            memory_limit=options.memory_limit,
            threads=options.threads,
            keep_all_problems=options.verbose,
            on_progress=on_progress,
            on_stage=on_stage,
        )
    _print(evaluation, options)
    return 0


def _print(evaluation: Evaluation, options: argparse.Namespace) -> None:
    if options.json:
        from analyzer.writers.jsonl import json_line  # noqa: PLC0415

        line = json_line(evaluation.as_dict())
        show(lambda console: _say(line, console))
        return
    from analyzer.writers.evaluation import render_evaluation  # noqa: PLC0415

    show(
        functools.partial(
            render_evaluation,
            evaluation.report,
            evaluation.quality,
            evaluation.proposals,
            evaluation.account,
            verbose=options.verbose,
        )
    )


def _say(line: str, console: Console) -> None:
    console.file.write(line)
