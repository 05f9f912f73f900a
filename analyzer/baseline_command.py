"""The ``baseline`` commands: their options, and what they print."""

from __future__ import annotations

import argparse
import functools
import re
from pathlib import Path

from analyzer.baseline_show_command import COMPARE, SHOW, add_compare, add_show
from analyzer.progress import progress
from analyzer.reading_options import (
    add_loudness,
    add_networks,
    add_paths,
    add_resources,
    add_times,
    reading,
)
from analyzer.standard_streams import show

_LEARN = """Learn what is usual on a network from its logs, and keep it in a file. Learning is
incremental: a day at a time gives what all of them at once give, days older than the window leave,
and what is known already is not learned again. What the shipped rules find wrong at medium or above
is left out."""

_WINDOW = re.compile(r"([1-9][0-9]{0,3})d")


def add_baseline(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands and their options."""
    add = functools.partial(commands.add_parser, allow_abbrev=False)
    _add_learn(add("learn", help="learn what is usual", description=_LEARN))
    add_show(add("show", help="show what is usual", description=SHOW))
    add_compare(add("compare", help="put records beside what is usual", description=COMPARE))


def _add_learn(parser: argparse.ArgumentParser) -> None:
    add_paths(parser)
    add = parser.add_argument
    add("--baseline", type=Path, metavar="FILE", required=True, help="made if it is not there")
    add(
        "--window", type=_window, metavar="DAYS", help="to hold, such as 30d (default of a new one)"
    )
    add("--unprotected", action="store_true", help="learn also what rules find wrong; faster")
    add("--anonymise", action="store_true", help="addresses and names of a new one as keyed hashes")
    add("--key-file", type=Path, metavar="KEY", help="key of keyed hashes, 16 bytes or more")
    add_networks(parser)
    add_times(parser)
    add_resources(parser)
    add_loudness(parser, quiet="no summary, no progress", verbose="every line skipped")
    parser.set_defaults(command=_learn)


def _window(text: str) -> int:
    found = _WINDOW.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no window: expected days such as 30d")
    return int(found[1])


def _learn(options: argparse.Namespace) -> int:
    from analyzer.learning import learn  # noqa: PLC0415 - a second that --help need not wait for

    arguments = reading(options)
    with progress(options) as (on_progress, on_stage):
        learned = learn(
            options.paths,
            options.baseline,
            window=options.window,
            protected=not options.unprotected,
            key_file=options.key_file,
            anonymise=options.anonymise,
            on_progress=on_progress,
            on_stage=on_stage,
            **arguments,
        )
    if not options.quiet:
        from analyzer.writers.learning import render_learned  # noqa: PLC0415

        summary = functools.partial(render_learned, learned, verbose=options.verbose)
        # The result is the file; this is about it.
        show(summary, error=True)
    return 0
