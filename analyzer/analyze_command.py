"""The ``analyze`` command: its options, what it writes, and what it prints."""

from __future__ import annotations

import argparse
import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    add_times,
    reading,
)
from analyzer.standard_streams import DONE, FOUND, show

if TYPE_CHECKING:
    from analyzer.report import Report

DESCRIPTION = """Read conn and dns logs (TSV or JSON; ssl and http logs for server names) and
captures (pcap, pcapng), plain or compressed, and report what is wrong in them. Without --out a
summary goes to standard output."""


def add_analyze(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
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


def _analyze(options: argparse.Namespace) -> int:
    arguments = reading(options)
    if options.out is None and (options.format or options.strict):
        raise OptionError("--format and --strict are about notice.log, which --out DIR writes")
    if options.intel_severity and options.intel_out is None:
        raise OptionError("--intel-severity is about the indicators that --intel-out FILE writes")
    if options.format == "ecs" and options.strict:
        raise OptionError("--strict is about Zeek's columns, which --format ecs does not write")
    from analyzer.api import analyze  # noqa: PLC0415 - half a second that --help need not wait for
    from analyzer.writers import refuse_output  # noqa: PLC0415

    if options.out is not None:
        refuse_output(options.out, options.format or "tsv")

    with progress(options) as (on_progress, on_stage):
        report = analyze(
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
