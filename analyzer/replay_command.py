"""The ``replay`` command: its options, and what it prints."""

from __future__ import annotations

import argparse
import functools
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from analyzer.progress import progress
from analyzer.reading_options import add_paths
from analyzer.standard_streams import show

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.replay import Replay

DESCRIPTION = """Write archived logs (TSV or JSON, compressed or not) into a directory as a living
Zeek would, for tests and demonstrations: rows in the order in which they were logged, connections
when they ended; files that grow by whole lines and are rotated. Rows stay as they are, byte for
byte, unless --format or --shift-to say otherwise. Times are UTC."""


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_paths(parser)
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", required=True, help="where the logs grow")
    add("--speed", type=_speed, default=60.0, metavar="N", help="times real time, or max (60)")
    add("--rotate", type=_span, metavar="TIME", help="rotate so often, such as 1h (default: never)")
    add("--format", choices=("as-is", "tsv", "json"), default="as-is", help="(default: as-is)")
    add("--archive", type=Path, metavar="DIR", help="move rotated files there, by day, compressed")
    add("--compress", choices=("gz", "none"), help="rotated files (default: gz in an archive)")
    add(
        "--shift-to",
        choices=("none", "now"),
        default="none",
        help="now: the first row happens now, and ts of all rows moves along; other times stay",
    )
    add("--memory-limit", default="1GiB", metavar="SIZE", help="before spilling to disk (1GiB)")
    add("-q", "--quiet", action="store_true", help="no summary, no progress")
    parser.set_defaults(command=_replay)


def _speed(text: str) -> float:
    """How many times real time; infinite for ``max`` and 0."""
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 <= speed < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: expected a number, or max")
    return speed or math.inf


def _span(text: str) -> float:
    """Seconds from a text such as ``1h``."""
    from analyzer.parameters import Seconds  # noqa: PLC0415 - not needed for --help

    measure = get_args(Seconds)[1]
    seconds = measure.number(text)
    if seconds is None:
        try:
            seconds = float(text)
        except ValueError:
            message = f"{text!r} is no span of time: expected {measure.expected}"
            raise argparse.ArgumentTypeError(message) from None
    return float(seconds)


def _replay(options: argparse.Namespace) -> int:
    from analyzer.replay import replay  # noqa: PLC0415 - as in analyzer.cli

    begun = time.perf_counter()
    with progress(options) as (on_progress, on_stage):
        done = replay(
            options.paths,
            options.out,
            speed=options.speed,
            rotate=options.rotate,
            format=None if options.format == "as-is" else options.format,
            compress=options.compress,
            archive=options.archive,
            begin=time.time() if options.shift_to == "now" else None,
            memory_limit=options.memory_limit,
            on_progress=on_progress,
            on_stage=on_stage,
        )
    if not options.quiet:
        seconds = time.perf_counter() - begun
        show(functools.partial(_summary, done, seconds), error=True)
    return 0


def _summary(done: Replay, seconds: float, console: Console) -> None:
    from analyzer.writers.page import Page, counted  # noqa: PLC0415
    from analyzer.writers.problems import render_problems  # noqa: PLC0415

    page = Page(console, verbose=False)
    read = done.account.read
    logs = ", ".join(f"{count:,} {name}" for name, count in sorted(read.items()))
    rotated = f", {counted(done.rotations, 'file')} rotated" if done.rotations else ""
    page.line(f"Replayed {logs} rows in {seconds:.1f} s{rotated}", style="bold")
    render_problems(page, done.account)
