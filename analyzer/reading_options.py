"""The options that all commands have which read records: how they are declared, what they mean."""

from __future__ import annotations

import argparse
import contextlib
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from analyzer.errors import OptionError
from analyzer.findings import Severity

LEVELS = [str(severity) for severity in Severity if severity]
"""The words for severities, from the lowest."""

_COMPACT_DATE = re.compile(r"[0-9]{8}")


class Resources(TypedDict):
    """Whose records to read, and with how much, as the arguments that calls take."""

    local_networks: list[str]
    memory_limit: str
    threads: int | None
    keep_all_problems: bool


class Reading(Resources):
    """Likewise, and of which time; UTC epoch seconds."""

    begin: float | None
    end: float | None


def add_paths(options: argparse._ActionsContainer) -> None:
    """Declare what is to be read, as ``paths``."""
    add = options.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, a directory, a pattern, or - for stdin")


def add_rules(options: argparse._ActionsContainer) -> None:
    """Declare which rules are to judge, as ``rules``, ``select`` and ``ignore``."""
    add = options.add_argument
    add("--rules", type=Path, metavar="DIR", help="use these rules instead of the shipped ones")
    add("--select", type=listed, default=[], metavar="RULE,...", help="run these rules only")
    add("--ignore", type=listed, default=[], metavar="RULE,...", help="do not run these rules")


def add_networks(options: argparse._ActionsContainer) -> None:
    """Declare whose records they are, as ``local_nets``."""
    add = options.add_argument
    add("--local-nets", type=listed, default=[], metavar="CIDR,...", help="networks that are ours")


def add_times(options: argparse._ActionsContainer) -> None:
    """Declare of which time they are to be, as ``begin`` and ``end``."""
    add = options.add_argument
    add("--from", type=moment, dest="begin", metavar="TIME", help="records from this time on (UTC)")
    add("--to", type=moment, dest="end", metavar="TIME", help="records before this time (UTC)")


def add_resources(
    options: argparse._ActionsContainer,
    memory_limit: str = "1GiB",
    of: str = "before spilling to disk",
) -> None:
    """Declare what the work may take, as ``memory_limit`` and ``threads``.

    Args:
        options: a parser, or a group of its options.
        memory_limit: unless another is given.
        of: what it limits.
    """
    add = options.add_argument
    add("--memory-limit", default=memory_limit, metavar="SIZE", help=f"{of} ({memory_limit})")
    add("--threads", type=int, metavar="N", help="how many to compute with (default: one a core)")


def add_loudness(options: argparse._ActionsContainer, quiet: str, verbose: str) -> None:
    """Declare how much is said, as ``quiet`` and ``verbose``.

    Args:
        options: a parser, or a group of its options.
        quiet: what is not said then.
        verbose: what is said then.
    """
    loudness = options.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help=quiet)
    loudness.add_argument("-v", "--verbose", action="store_true", help=verbose)


def resources(options: argparse.Namespace) -> Resources:
    """What :func:`add_networks`, :func:`add_resources` and :func:`add_loudness` were told."""
    return Resources(
        local_networks=options.local_nets,
        memory_limit=options.memory_limit,
        threads=options.threads,
        keep_all_problems=options.verbose,
    )


def reading(options: argparse.Namespace) -> Reading:
    """Likewise, and what :func:`add_times` was.

    Raises:
        OptionError: the time ends before it begins.
    """
    if options.begin is not None and options.end is not None and options.begin >= options.end:
        raise OptionError("--from must be before --to")
    return Reading(**resources(options), begin=options.begin, end=options.end)


def listed(text: str) -> list[str]:
    """The words of a list with commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def moment(text: str) -> float:
    """Epoch seconds from epoch seconds or ISO 8601; UTC where no offset is given.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    # 20260119 is a date: as seconds it would be a day in 1970.
    if not _COMPACT_DATE.fullmatch(text):
        with contextlib.suppress(ValueError):
            seconds = float(text)
            if math.isfinite(seconds):
                return seconds
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        message = f"{text!r} is no time: expected 2026-01-19, 2026-01-19T08:00 or epoch seconds"
        raise argparse.ArgumentTypeError(message) from None
