"""The summary as a web page of its own: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from analyzer.atomic import atomic_write
from analyzer.report import Report
from analyzer.writers.terminal import render

_WIDTH = 110

# Should anything of a log ever get past the escaping, the policy keeps it from doing anything.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>zeek-analyzer</title>
<style>
body {{ color: {foreground}; background-color: {background}; }}
pre {{ font-family: Menlo, 'DejaVu Sans Mono', Consolas, 'Courier New', monospace; }}
</style>
</head>
<body>
<pre>{code}</pre>
</body>
</html>
"""


def write_html(report: Report, path: Path) -> None:
    """Write the whole summary, every finding included, as HTML.

    Raises:
        OutputError: the file cannot be written.
    """
    # Colours are the page's own, whatever the terminal of this run can show.
    console = Console(
        file=io.StringIO(),
        record=True,
        width=_WIDTH,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        highlight=False,
        _environ={},
    )
    render(report, console, verbose=True)
    with atomic_write(path) as file:
        file.write(console.export_html(inline_styles=True, code_format=_PAGE))
