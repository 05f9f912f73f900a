"""``baseline show`` and ``baseline compare``: their options, and what they print."""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import OptionError
from analyzer.standard_streams import show

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[
    [argparse.Namespace],
    AbstractContextManager[tuple[Callable[[int], None], Callable[[str], None]]],
]

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


def add_compare(
    parser: argparse.ArgumentParser,
    listed: Callable[[str], list[str]],
    moment: Callable[[str], float],
    progress: Progress,
) -> None:
    """Declare the options of ``baseline compare``.

    Args:
        parser: the command's own.
        listed: parses a list of words.
        moment: parses a time.
        progress: gives functions to tell of bytes read and of stages.
    """
    add = parser.add_argument
    add("baseline", type=Path, metavar="FILE", help="the baseline")
    add("paths", nargs="+", metavar="PATH", help="a file, a directory, a pattern, or - for stdin")
    add("--host", metavar="ADDRESS", help="show this host only, all of it")
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add("--key-file", type=Path, metavar="KEY", help="of a baseline of keyed hashes")
    add("--local-nets", type=listed, default=[], metavar="CIDR,...", help="networks that are ours")
    add("--from", type=moment, dest="begin", metavar="TIME", help="records from this time on (UTC)")
    add("--to", type=moment, dest="end", metavar="TIME", help="records before this time (UTC)")
    add("--memory-limit", default="1GiB", metavar="SIZE", help="before spilling to disk (1GiB)")
    add("--threads", type=int, metavar="N", help="how many to compute with (default: one a core)")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="no progress")
    loudness.add_argument("-v", "--verbose", action="store_true", help="all hosts, all numbers")
    parser.set_defaults(command=functools.partial(_compare, progress=progress))


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


def _compare(options: argparse.Namespace, *, progress: Progress) -> int:
    if options.begin is not None and options.end is not None and options.begin >= options.end:
        raise OptionError("--from must be before --to")
    from analyzer.baseline.overview import check_hosts  # noqa: PLC0415 - as in analyzer.cli
    from analyzer.comparing import compare_records  # noqa: PLC0415

    with progress(options) as (on_progress, on_stage):
        comparison = compare_records(
            options.paths,
            options.baseline,
            key_file=options.key_file,
            local_networks=options.local_nets,
            begin=options.begin,
            end=options.end,
            memory_limit=options.memory_limit,
            threads=options.threads,
            keep_all_problems=options.verbose,
            on_progress=on_progress,
            on_stage=on_stage,
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

    line = json_line(plain)
    show(lambda console: _say(line, console))


def _say(line: str, console: Console) -> None:
    console.file.write(line)
