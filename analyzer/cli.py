"""The command line: the only place that reads argv, prints, or exits."""

from __future__ import annotations

import argparse
import contextlib
import functools
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.baseline_command import add_baseline
from analyzer.errors import AnalyzerError, OptionError
from analyzer.evaluate_command import DESCRIPTION, add_evaluate
from analyzer.feedback_command import DESCRIPTION as FEEDBACK
from analyzer.feedback_command import add_feedback
from analyzer.findings import Severity
from analyzer.progress import progress
from analyzer.reading_options import (
    LEVELS,
    add_loudness,
    add_networks,
    add_paths,
    add_resources,
    add_rules,
    add_times,
    reading,
)
from analyzer.replay_command import DESCRIPTION as REPLAY
from analyzer.replay_command import add_replay
from analyzer.standard_streams import (
    complain,
    escape_unencodable,
    show,
    stoppable,
    write,
)
from analyzer.version import __version__
from analyzer.watch_command import DESCRIPTION as WATCH
from analyzer.watch_command import add_watch

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.report import Report

DONE, FOUND, FAILED, SIGNALLED = 0, 1, 2, 128


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
    _add_analyze(add("analyze", help="analyse logs", description=_ANALYZE, epilog=_STATUS))
    _add_convert(add("convert", help="captures to Zeek logs", description=_CONVERT, epilog=_STATUS))
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
    _add_rules(rules.add_subparsers(title="commands", required=True, metavar="COMMAND"))
    return parser


_STATUS = """Exit status: 0 done, with or without findings; 1 a finding at or above --fail-on; 2 bad
usage, input or rules; 130 interrupted."""

_ANALYZE = """Read conn and dns logs (TSV or JSON; ssl and http logs for server names) and captures
(pcap, pcapng), plain or compressed, and report what is wrong in them. Without --out a summary goes
to standard output."""

_CONVERT = """Write the conn.log and dns.log that Zeek would have written for captures (pcap,
pcapng, plain or compressed). Several captures are one stream of packets, in order of time.
Checksums are not verified, as with zeek -C: network cards fill them in after the capture."""


def _add_analyze(parser: argparse.ArgumentParser) -> None:
    add_paths(parser)
    looking = parser.add_argument_group("what to look for")
    add_rules(looking)
    add = looking.add_argument
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add("--baseline", type=Path, metavar="FILE", help="what is usual here (see baseline learn)")
    add("--key-file", type=Path, metavar="KEY", help="of a baseline of keyed hashes")
    add("--intel", **repeated, metavar="PATH", help="indicators (Zeek's Intel format); repeatable")
    add_networks(looking)
    add_times(looking)
    reporting = parser.add_argument_group("what to report, and where")
    add = reporting.add_argument
    add("--allow", **repeated, metavar="FILE", help="leave out what this list allows; repeatable")
    add("--min-severity", choices=LEVELS, default="low", help="report from here on (default: low)")
    add("--fail-on", choices=LEVELS, metavar="LEVEL", help="exit with 1 if this loud or louder")
    add("--out", type=Path, metavar="DIR", help="write notice.log and findings.jsonl there")
    add("--format", choices=("tsv", "json", "ecs"), help="of notice.log; ecs: notice.ecs.ndjson")
    add("--strict", action="store_true", help="write Zeek's own notice columns only")
    add("--report", type=Path, metavar="FILE", help="write the summary as a web page, too")
    add("--intel-out", type=Path, metavar="FILE", help="write indicators in Zeek's Intel format")
    add("--intel-severity", choices=LEVELS, help="of what makes indicators (default: high)")
    add_loudness(
        reporting,
        quiet="no summary, no progress",
        verbose="every finding, line skipped, entry not used",
    )
    add_resources(parser.add_argument_group("resources"))
    parser.set_defaults(command=_analyze)


def _add_convert(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "paths", nargs="+", metavar="CAPTURE", help="a file, a directory, a pattern, or - for stdin"
    )
    add("--out", type=Path, metavar="DIR", required=True, help="write conn.log and dns.log there")
    add("--format", choices=("tsv", "json"), default="tsv", help="of the logs (default: tsv)")
    add("-q", "--quiet", action="store_true", help="no summary, no progress")
    parser.set_defaults(command=_convert)


def _add_rules(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, command, text in (
        ("list", _rules_list, "list the rules"),
        ("check", _rules_check, "validate the rules and run their test cases; 2 if any fails"),
        ("show", _rules_show, "explain a rule"),
        ("notices", _rules_notices, "declare the rules' notice types in Zeek's language"),
    ):
        described = text.capitalize() + "."
        parser = commands.add_parser(name, help=text, description=described, allow_abbrev=False)
        parser.add_argument("--rules", type=Path, metavar="DIR", help="instead of the shipped ones")
        if name == "show":
            parser.add_argument("rule", metavar="RULE", help="its id, or a pattern of ids")
        parser.set_defaults(command=command)


def _analyze(options: argparse.Namespace) -> int:
    arguments = reading(options)
    if options.out is None and (options.format or options.strict):
        raise OptionError("--format and --strict are about notice.log, which --out DIR writes")
    if options.intel_severity and options.intel_out is None:
        raise OptionError("--intel-severity is about the indicators that --intel-out FILE writes")
    if options.format == "ecs" and options.strict:
        raise OptionError("--strict is about Zeek's columns, which --format ecs does not write")
    import analyzer  # noqa: PLC0415 - half a second that --help and --version need not wait for
    from analyzer.writers import refuse_output  # noqa: PLC0415

    if options.out is not None:
        refuse_output(options.out, options.format or "tsv")

    with progress(options) as (on_progress, on_stage):
        report = analyzer.analyze(
            options.paths,
            rules_directory=options.rules,
            select_rules=options.select,
            ignore_rules=options.ignore,
            intelligence=options.intel,
            allow=options.allow,
            baseline=options.baseline,
            key_file=options.key_file,
            minimum=Severity[options.min_severity.upper()],
            on_progress=on_progress,
            on_stage=on_stage,
            **arguments,
        )
    _write(report, options)
    limit = Severity[options.fail_on.upper()] if options.fail_on else None
    if limit is not None and any(f.severity >= limit for f in report.not_allowed):
        return FOUND
    return DONE


def _convert(options: argparse.Namespace) -> int:
    import analyzer  # noqa: PLC0415 - see above

    begun = time.perf_counter()
    with progress(options) as (on_progress, _):
        done = analyzer.convert(
            options.paths, options.out, format=options.format, on_progress=on_progress
        )
    if not options.quiet:
        from analyzer.writers.terminal import render_conversion  # noqa: PLC0415

        seconds = time.perf_counter() - begun
        show(functools.partial(render_conversion, done.account, seconds), error=True)
    return DONE


def _write(report: Report, options: argparse.Namespace) -> None:
    from analyzer.networks import parse_networks  # noqa: PLC0415
    from analyzer.writers import write_html, write_intel, write_output  # noqa: PLC0415
    from analyzer.writers.terminal import render  # noqa: PLC0415

    if options.out is not None:
        write_output(
            report.findings,
            options.out,
            format=options.format or "tsv",
            strict=options.strict,
            written=time.time(),
        )
    if options.report is not None:
        write_html(report, options.report)
    if options.intel_out is not None:
        write_intel(
            report.not_allowed,
            options.intel_out,
            minimum=Severity[(options.intel_severity or "high").upper()],
            outside=report.outside,
            local_networks=parse_networks(options.local_nets),
        )
    if not options.quiet:
        # With --out the results are files, and what is said about them is not a result.
        summary = functools.partial(render, report, verbose=options.verbose)
        show(summary, error=options.out is not None)


def _rules_list(options: argparse.Namespace) -> int:
    from analyzer import load_rules  # noqa: PLC0415
    from analyzer.writers.rules import render_list  # noqa: PLC0415

    show(functools.partial(render_list, load_rules(options.rules)))
    return DONE


def _rules_check(options: argparse.Namespace) -> int:
    from analyzer import load_rules  # noqa: PLC0415
    from analyzer.checking import check  # noqa: PLC0415
    from analyzer.writers.rules import render_check  # noqa: PLC0415

    status = DONE
    rules = load_rules(options.rules)
    for rule in rules:
        wrong = check(rule, beside=rules)
        show(functools.partial(render_check, rule, wrong))
        if wrong:
            status = FAILED
    return status


def _rules_show(options: argparse.Namespace) -> int:
    from analyzer import load_rules  # noqa: PLC0415
    from analyzer.rules import select  # noqa: PLC0415
    from analyzer.writers.rules import render_page  # noqa: PLC0415

    for rule in select(load_rules(options.rules), [options.rule], []):
        show(functools.partial(render_page, rule))
    return DONE


def _rules_notices(options: argparse.Namespace) -> int:
    from analyzer import load_rules  # noqa: PLC0415
    from analyzer.writers.zeek_types import notice_types  # noqa: PLC0415

    # The types of the shipped rules are in the Zeek package already.
    shipped = load_rules() if options.rules else ()
    text = notice_types(load_rules(options.rules), besides=shipped)
    show(lambda console: _print_script(text, console))
    return DONE


def _print_script(text: str, console: Console) -> None:
    # As it is: a terminal's width is no matter of a file's.
    console.file.write(text)
