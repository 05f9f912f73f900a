"""``baseline show`` and ``baseline compare``: their options, and what they print."""

from __future__ import annotations

import argparse
import functools
import time
from pathlib import Path
from typing import Any

from analyzer.progress import progress
from analyzer.reading_options import (
    add_loudness,
    add_networks,
    add_paths,
    add_resources,
    add_times,
    reading,
)
from analyzer.standard_streams import show, show_text

SHOW = """Show what a baseline knows of the network, or of a host: sizes of connections, hours and
days, ports, protocols, peers, services, DNS, and how much of it there is, how old it is and how far
it has drifted. Spreads are factors: x 2 means that half to twice the centre is one robust standard
deviation."""

COMPARE = """Put every number of some records beside what is usual, for the network and for each
host, and say how many robust standard deviations it is off. The baseline is not changed; days that
it has in common with the records are left out of it."""


def add_show(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``baseline show``."""
    add = parser.add_argument
    add("baseline", type=Path, metavar="FILE", help="the baseline")
    add("--host", metavar="ADDRESS", help="show this host instead of the network")
    add("--json", action="store_true", help="print one JSON object: the network and every host")
    add("--key-file", type=Path, metavar="KEY", help="to show addresses instead of keyed hashes")
    add("-v", "--verbose", action="store_true", help="all of every list")
    parser.set_defaults(command=_show)


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``baseline compare``."""
    add = parser.add_argument
    add("baseline", type=Path, metavar="FILE", help="the baseline")
    add_paths(parser)
    add("--host", metavar="ADDRESS", help="show this host only, all of it")
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add("--key-file", type=Path, metavar="KEY", help="of a baseline of keyed hashes")
    add_networks(parser)
    add_times(parser)
    add_resources(parser)
    add_loudness(parser, quiet="no progress", verbose="all hosts, all numbers")
    parser.set_defaults(command=_compare)


def _show(options: argparse.Namespace) -> int:
    from analyzer.baseline.file import read_baseline  # noqa: PLC0415 - as in analyzer.cli
    from analyzer.baseline.overview import overview  # noqa: PLC0415

    baseline = read_baseline(options.baseline)
    if options.key_file is not None:
        from analyzer.baseline.anonymise import check_key, read_key, revealed  # noqa: PLC0415

        key = read_key(options.key_file)
        check_key(baseline, key, options.baseline)
        baseline = revealed(baseline, key, ())
    asked = [] if options.host is None else [options.host]
    if options.json:
        _print_json(overview(baseline, asked or None).as_dict())
        return 0
    from analyzer.writers.baseline import render_overview  # noqa: PLC0415

    show(
        functools.partial(
            render_overview,
            overview(baseline, asked),
            str(options.baseline),
            now=time.time(),
            verbose=options.verbose,
        )
    )
    return 0


def _compare(options: argparse.Namespace) -> int:
    arguments = reading(options)
    from analyzer.baseline.overview import check_hosts  # noqa: PLC0415 - as in analyzer.cli
    from analyzer.comparing import compare_records  # noqa: PLC0415

    with progress(options) as (on_progress, on_stage):
        comparison = compare_records(
            options.paths,
            options.baseline,
            key_file=options.key_file,
            on_progress=on_progress,
            on_stage=on_stage,
            **arguments,
        )
    hosts = [] if options.host is None else [options.host]
    check_hosts(hosts, [str(one.host) for one in comparison.compared.hosts])
    if options.json:
        _print_json(comparison.as_dict(hosts))
        return 0
    from analyzer.writers.comparison import render_comparison  # noqa: PLC0415

    show(
        functools.partial(
            render_comparison,
            comparison.compared,
            comparison.account,
            hosts=hosts,
            verbose=options.verbose,
        )
    )
    return 0


def _print_json(plain: dict[str, Any]) -> None:
    from analyzer.writers.jsonl import json_line  # noqa: PLC0415

    show_text(json_line(plain))
