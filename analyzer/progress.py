"""How far a command has come, shown on a terminal."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator

from analyzer.standard_streams import console_on


@contextlib.contextmanager
def progress(
    options: argparse.Namespace,
) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """Functions to tell of bytes read and of stages; they show a bar on a terminal only.

    Args:
        options: of a command: whether it is to be ``quiet``, and the ``paths`` it reads.

    Raises:
        InputError: a path does not exist.
    """
    if options.quiet or sys.stderr is None or not sys.stderr.isatty():
        yield (lambda _: None), (lambda _: None)
        return
    # Neither is needed where nobody looks.
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn  # noqa: PLC0415

    from analyzer.parsers.discovery import input_size  # noqa: PLC0415

    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console_on(sys.stderr), transient=True) as bar:
        task = bar.add_task("reading", total=input_size(options.paths) or None)
        yield (
            lambda count: bar.advance(task, count),
            lambda stage: bar.update(task, description=stage),
        )
