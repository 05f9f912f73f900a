"""The ``convert`` command: its options, and what it prints."""

from __future__ import annotations

import argparse
import functools
import time
from pathlib import Path

from analyzer.progress import progress
from analyzer.standard_streams import DONE, show

DESCRIPTION = """Write the conn.log and dns.log that Zeek would have written for captures (pcap,
pcapng, plain or compressed). Several captures are one stream of packets, in order of time.
Checksums are not verified, as with zeek -C: network cards fill them in after the capture."""


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add(
        "paths", nargs="+", metavar="CAPTURE", help="a file, a directory, a pattern, or - for stdin"
    )
    add("--out", type=Path, metavar="DIR", required=True, help="write conn.log and dns.log there")
    add("--format", choices=("tsv", "json"), default="tsv", help="of the logs (default: tsv)")
    add("-q", "--quiet", action="store_true", help="no summary, no progress")
    parser.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    from analyzer.conversion import convert  # noqa: PLC0415 - as in analyzer.analyze_command

    begun = time.perf_counter()
    with progress(options) as (on_progress, _):
        done = convert(options.paths, options.out, format=options.format, on_progress=on_progress)
    if not options.quiet:
        from analyzer.writers.terminal import render_conversion  # noqa: PLC0415

        seconds = time.perf_counter() - begun
        show(functools.partial(render_conversion, done.account, seconds), error=True)
    return DONE
