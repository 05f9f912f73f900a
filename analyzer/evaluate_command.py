"""The ``evaluate`` command: its options, and what it prints."""

from __future__ import annotations

import argparse
import functools
from typing import TYPE_CHECKING

from analyzer.errors import OptionError
from analyzer.findings import Severity
from analyzer.progress import progress
from analyzer.reading_options import (
    LEVELS,
    add_loudness,
    add_networks,
    add_paths,
    add_resources,
    add_rules,
    resources,
)
from analyzer.standard_streams import show, show_text

if TYPE_CHECKING:
    from analyzer.evaluation import Evaluation

DESCRIPTION = """Analyse logs and compare the findings with labels: detection rate, false alarms,
precision, recall and F1, by connection, by host and day and by attack, for each rule and in all,
and what is missed. Labels are CSV, TSV or JSON lines with uid,label or address,label[,from,to], or
Stratosphere's labelled logs. Without --labels, and without --tune, the logs themselves must have
labels."""


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_paths(parser)
    add = parser.add_argument
    add("--labels", action="append", metavar="FILE", help="labels; may be given more than once")
    add("--tune", action="store_true", help="propose thresholds; changes nothing")
    add("--precision", type=float, metavar="P", help="for --tune: the precision to reach (0.95)")
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add_rules(parser)
    add_networks(parser)
    add("--min-severity", choices=LEVELS, default="low", help="what counts as reported (low)")
    add_resources(parser)
    add_loudness(parser, quiet="no progress", verbose="all of every list")
    parser.set_defaults(command=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
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
            minimum=Severity[options.min_severity.upper()],
            on_progress=on_progress,
            on_stage=on_stage,
            **resources(options),
        )
    _print(evaluation, options)
    return 0


def _print(evaluation: Evaluation, options: argparse.Namespace) -> None:
    if options.json:
        from analyzer.writers.jsonl import json_line  # noqa: PLC0415

        show_text(json_line(evaluation.as_dict()))
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
