"""The summary as a web page of its own: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from analyzer.report import Report
from analyzer.writers.atomic import atomic_write
from analyzer.writers.terminal import render

_WIDTH = 110


def write_html(report: Report, path: Path) -> None:
    """Write the whole summary, every finding included, as HTML.

    Raises:
        OutputError: the file cannot be written.
    """
    console = Console(
        file=io.StringIO(), record=True, width=_WIDTH, force_terminal=True, highlight=False
    )
    render(report, console, verbose=True)
    with atomic_write(path) as file:
        file.write(console.export_html(inline_styles=True))
