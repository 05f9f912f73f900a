"""Standard output and error; the command line's tests cover what comes of them together."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
import time

import pytest
from rich.console import Console

from analyzer import standard_streams
from analyzer.errors import OutputError
from analyzer.standard_streams import (
    complain,
    console_on,
    escape_unencodable,
    show,
    show_text,
    stoppable,
    write,
)


def test_what_cannot_be_encoded_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, "ascii"))
    monkeypatch.setattr(sys, "stderr", None)
    escape_unencodable()
    write("é\udcff", sys.stdout)
    assert content.getvalue() == b"\\xe9\\udcff"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_interruptions_until_the_end(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stoppable() as stopped:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert stopped == [number]
    assert signal.getsignal(number) is before


def test_signals_belong_to_the_main_thread() -> None:
    seen: list[object] = []

    def run() -> None:
        with stoppable() as stopped:
            seen.extend([stopped, signal.getsignal(signal.SIGINT)])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [[], signal.getsignal(signal.SIGINT)]


def test_complaints_are_a_line_each_and_printable(capsys: pytest.CaptureFixture[str]) -> None:
    complain("a.yaml:1: wrong\nb\x1b[2J.yaml:2: wrong, too")
    assert capsys.readouterr() == (
        "",
        "zeek-analyzer: a.yaml:1: wrong\nzeek-analyzer: b\\x1b[2J.yaml:2: wrong, too\n",
    )


def test_a_stream_that_breaks_is_given_up() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        with pytest.raises(BrokenPipeError):
            write("text", stream)
        # Neither the rest of it nor what follows fails again.
        write("more", stream)


def test_show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def render(console: Console) -> None:
        console.print("a [bold] page")

    show(render)
    assert capsys.readouterr() == ("a [bold] page\n", "")
    show(render, error=True)
    assert capsys.readouterr() == ("", "a [bold] page\n")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        show(render)
    monkeypatch.setattr(sys, "stdout", None)
    show(render)


def test_what_cannot_be_shown_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as stream:  # noqa: PTH123 - opened the wrong way on purpose
        monkeypatch.setattr(sys, "stderr", stream)
        with pytest.raises(OutputError, match="standard error cannot be written: "):
            show(lambda console: console.print("page"), error=True)


def test_a_page_is_made_for_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    encodings = []
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "latin-1"))
    show(lambda console: encodings.append(console.encoding))
    assert encodings == ["latin-1"]
    assert console_on(sys.stdout).encoding == "latin-1"


def test_an_interrupt_that_is_lost_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard_streams, "AGAIN", 0.02)
    before = signal.getsignal(signal.SIGALRM)
    with stoppable() as stopped:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            time.sleep(10)
    assert stopped == [signal.SIGTERM]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_text_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    text = "[bold]a long line, longer than a terminal is wide[/bold] :smile:\nx"
    show_text(text)
    assert capsys.readouterr() == (text, "")
