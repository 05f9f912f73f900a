"""The ``baseline`` commands: their options, and what they print."""

from __future__ import annotations

import argparse
import functools
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from analyzer.baseline_show_command import COMPARE, SHOW, add_compare, add_show
from analyzer.errors import OptionError
from analyzer.standard_streams import show

Progress = Callable[
    [argparse.Namespace],
    AbstractContextManager[tuple[Callable[[int], None], Callable[[str], None]]],
]

_LEARN = """Learn what is usual on a network from its logs, and keep it in a file. Learning is
incremental: a day at a time gives what all of them at once give, days older than the window leave,
and what is known already is not learned again. What the shipped rules find wrong at medium or above
is left out."""

_WINDOW = re.compile(r"([1-9][0-9]{0,3})d")


def add_baseline(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    listed: Callable[[str], list[str]],
    moment: Callable[[str], float],
    progress: Progress,
) -> None:
    """Declare the commands and their options.

    Args:
        commands: where they are added.
        listed: parses a list of words.
        moment: parses a time.
        progress: gives functions to tell of bytes read and of stages.
    """
    add = functools.partial(commands.add_parser, allow_abbrev=False)
    learn = add("learn", help="learn what is usual", description=_LEARN)
    _add_learn(learn, listed, moment, progress)
    add_show(add("show", help="show what is usual", description=SHOW))
    compare = add("compare", help="put records beside what is usual", description=COMPARE)
    add_compare(compare, listed, moment, progress)


def _add_learn(
    parser: argparse.ArgumentParser,
    listed: Callable[[str], list[str]],
    moment: Callable[[str], float],
    progress: Progress,
) -> None:
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, a directory, a pattern, or - for stdin")
    add("--baseline", type=Path, metavar="FILE", required=True, help="made if it is not there")
    add(
        "--window", type=_window, metavar="DAYS", help="to hold, such as 30d (default of a new one)"
    )
    add("--unprotected", action="store_true", help="learn also what rules find wrong; faster")
    add("--anonymise", action="store_true", help="addresses and names of a new one as keyed hashes")
    add("--key-file", type=Path, metavar="KEY", help="key of keyed hashes, 16 bytes or more")
    add("--local-nets", type=listed, default=[], metavar="CIDR,...", help="networks that are ours")
    add("--from", type=moment, dest="begin", metavar="TIME", help="records from this time on (UTC)")
    add("--to", type=moment, dest="end", metavar="TIME", help="records before this time (UTC)")
    add("--memory-limit", default="1GiB", metavar="SIZE", help="before spilling to disk (1GiB)")
    add("--threads", type=int, metavar="N", help="how many to compute with (default: one a core)")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="no summary, no progress")
    loudness.add_argument("-v", "--verbose", action="store_true", help="every line skipped")
    parser.set_defaults(command=functools.partial(_learn, progress=progress))


def _window(text: str) -> int:
    found = _WINDOW.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no window: expected days such as 30d")
    return int(found[1])


def _learn(options: argparse.Namespace, progress: Progress) -> int:
    from analyzer.learning import learn  # noqa: PLC0415 - a second that --help need not wait for

    if options.begin is not None and options.end is not None and options.begin >= options.end:
        raise OptionError("--from must be before --to")
    with progress(options) as (on_progress, on_stage):
        learned = learn(
            options.paths,
            options.baseline,
            window=options.window,
            protected=not options.unprotected,
            key_file=options.key_file,
            anonymise=options.anonymise,
            local_networks=options.local_nets,
            begin=options.begin,
            end=options.end,
            memory_limit=options.memory_limit,
            threads=options.threads,
            keep_all_problems=options.verbose,
            on_progress=on_progress,
            on_stage=on_stage,
        )
    if not options.quiet:
        from analyzer.writers.learning import render_learned  # noqa: PLC0415

        summary = functools.partial(render_learned, learned, verbose=options.verbose)
        # The result is the file; this is about it.
        show(summary, error=True)
    return 0
