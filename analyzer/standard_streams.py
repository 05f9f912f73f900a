"""Standard output and error, and how a program ends: its status, and signals."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from analyzer.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console


DONE, FOUND, FAILED, SIGNALLED = 0, 1, 2, 128
"""Exit statuses: well; something loud enough was found; an error; plus the signal's number."""


def escape_unencodable() -> None:
    """Keep what a log holds from stopping the output: what a stream cannot encode is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


AGAIN = 5.0
"""Seconds after which an interrupt that had no effect is raised again."""


@contextlib.contextmanager
def stoppable() -> Iterator[list[int]]:
    """Let interruption and termination clean up; yields the signals that have come.

    An exception that is raised while a library imports a module or destroys an object may be lost
    there, so it is raised again until the program ends.
    """
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        if number != signal.SIGALRM:
            stopped.append(number)
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield stopped
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        for number, handler in before.items():
            signal.signal(number, handler)


def complain(message: str) -> None:
    """Say what went wrong, a line each, on standard error if there is one."""
    from analyzer.writers.page import printable  # noqa: PLC0415 - not needed where all is well

    lines = "".join(f"zeek-analyzer: {printable(line)}\n" for line in message.splitlines())
    with contextlib.suppress(OSError):
        write(lines, sys.stderr)


def write(text: str, stream: TextIO | None) -> None:
    """Write to a standard stream, all of it now.

    Raises:
        OSError: the stream takes no more; what was left over is dropped.
    """
    if stream is None:  # the shell closed it
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # Python must not fail to flush the rest again at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        raise


def show(render: Callable[[Console], None], *, error: bool = False) -> None:
    """Print what `render` prints, on standard output or error.

    Raises:
        OutputError: it cannot be written. That the reader (head, less) has seen enough is no error.
    """
    stream = sys.stderr if error else sys.stdout
    if stream is None:
        return
    # Rich would exit on a broken pipe, and with the status that means a finding.
    page = _Page(stream)
    render(console_on(page))
    try:
        write(page.getvalue(), stream)
    except BrokenPipeError:
        return
    except OSError as failure:
        name = "standard error" if error else "standard output"
        raise OutputError(f"{name} cannot be written: {failure.strerror}") from failure


def show_text(text: str) -> None:
    """Print a text as it is, whatever the width of a terminal.

    Raises:
        OutputError: as :func:`show` does.
    """
    show(lambda console: _as_it_is(text, console))


def _as_it_is(text: str, console: Console) -> None:
    console.file.write(text)


class _Page(io.StringIO):
    """Text to be written later to a stream, which says what it may consist of."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed: writable
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()


def console_on(stream: TextIO) -> Console:
    """A console that prints to a stream and reads nothing into a text."""
    from rich.console import Console  # noqa: PLC0415 - not needed for --quiet runs

    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)
