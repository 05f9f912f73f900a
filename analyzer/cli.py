"""The command line: the only place that reads argv, prints, or exits."""

from __future__ import annotations

import argparse
import contextlib
import functools
import sys
from collections.abc import Sequence

from analyzer.analyze_command import DESCRIPTION as ANALYZE
from analyzer.analyze_command import add_analyze
from analyzer.baseline_command import add_baseline
from analyzer.convert_command import DESCRIPTION as CONVERT
from analyzer.convert_command import add_convert
from analyzer.errors import AnalyzerError
from analyzer.evaluate_command import DESCRIPTION, add_evaluate
from analyzer.feedback_command import DESCRIPTION as FEEDBACK
from analyzer.feedback_command import add_feedback
from analyzer.replay_command import DESCRIPTION as REPLAY
from analyzer.replay_command import add_replay
from analyzer.rules_command import add_rules_commands
from analyzer.standard_streams import (
    FAILED,
    SIGNALLED,
    complain,
    escape_unencodable,
    stoppable,
    write,
)
from analyzer.version import __version__
from analyzer.watch_command import DESCRIPTION as WATCH
from analyzer.watch_command import add_watch


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0 done (findings are results, not failures), 1 something at or above
        ``--fail-on`` was found, 2 bad usage, input or rules (a rule whose cases fail, too), 130
        interrupted (or 143, terminated).
    """
    escape_unencodable()
    try:
        options = _parser().parse_args(arguments)
    finally:
        # What --help has printed; nobody may be reading any more.
        with contextlib.suppress(OSError):
            write("", sys.stdout)
    with stoppable() as stopped:
        try:
            status: int = options.command(options)
        except AnalyzerError as error:
            complain(str(error))
            return FAILED
        except (KeyboardInterrupt, RuntimeError):
            # DuckDB makes a RuntimeError of what a signal raises in the middle of a query.
            if not stopped:
                raise
            return SIGNALLED + stopped[0]
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zeek-analyzer",
        description="Find what is wrong in Zeek logs, and say why, with ATT&CK techniques.",
        epilog=_STATUS,
        # An abbreviation that works today would be another option's tomorrow.
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add = functools.partial(commands.add_parser, allow_abbrev=False)
    add_analyze(add("analyze", help="analyse logs", description=ANALYZE, epilog=_STATUS))
    add_convert(add("convert", help="captures to Zeek logs", description=CONVERT, epilog=_STATUS))
    evaluate = add("evaluate", help="compare findings with labels", description=DESCRIPTION)
    add_evaluate(evaluate)
    add_replay(add("replay", help="archived logs as a live Zeek's", description=REPLAY))
    baseline = add("baseline", help="learn what is usual, and compare with it")
    of_baseline = baseline.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_baseline(of_baseline)
    feedback = add("feedback", help="say what a finding was", description=FEEDBACK)
    add_feedback(feedback)
    watch = add("watch", help="follow a living sensor", description=WATCH)
    add_watch(watch)
    rules = add("rules", help="list, check and explain rules")
    add_rules_commands(rules.add_subparsers(title="commands", required=True, metavar="COMMAND"))
    return parser


_STATUS = """Exit status: 0 done, with or without findings; 1 a finding at or above --fail-on; 2 bad
usage, input or rules; 130 interrupted."""
