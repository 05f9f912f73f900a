"""What a bar shows; the command line's tests cover what a run makes of it."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import pytest

from analyzer.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None, *, quiet: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress(argparse.Namespace(quiet=quiet, paths=[Path(__file__)])) as (read, stage):
        read(Path(__file__).stat().st_size // 2)
        stage("judging")
    return "" if stream is None else stream.getvalue()


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = shown(monkeypatch, Terminal(), quiet=False)
    assert "judging" in said
    assert "\x1b[?25h" in said  # the cursor is shown again


@pytest.mark.parametrize(
    ("stream", "quiet"), [(Terminal, True), (io.StringIO, False), (lambda: None, False)]
)
def test_nothing_elsewhere(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], *, quiet: bool
) -> None:
    assert shown(monkeypatch, stream(), quiet=quiet) == ""
