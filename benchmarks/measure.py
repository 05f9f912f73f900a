"""Running programs and measuring them: seconds, peak memory, medians over interleaved runs.

A child's peak memory is what the kernel reports when it ends. The kernel counts the moment before
the child's program is loaded, too, when it still shares the memory of this process: so whoever
measures must stay small, and imports no library that is not needed here.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: children run in it, so that they import the code that stands beside this file."""

_TOLD = 15
"""How many of a failed child's last lines are shown."""

# ru_maxrss is in KiB on Linux and in bytes on macOS.
_RSS_UNIT = 1 if os.uname().sysname == "Darwin" else 1024


class ChildError(Exception):
    """A program that was to be measured failed, so there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program.

    Attributes:
        seconds: wall clock time, the start of the process included.
        peak: largest resident memory, in bytes.
        output: what it printed, errors after results.
    """

    seconds: float
    peak: int
    output: str


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
    """Run a program in a fresh process and measure it.

    Args:
        command: the program and its arguments.
        environment: variables to set beside the present ones.

    Raises:
        ChildError: it did not end well; the message holds its last words.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        said = _content(output) + _content(errors)
    if child.returncode:
        last = "\n".join(said.splitlines()[-_TOLD:])
        raise ChildError(f"{' '.join(command)}: ended with {child.returncode}\n{last}")
    return Run(seconds, usage.ru_maxrss * _RSS_UNIT, said)


def _content(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")


def interleaved(commands: Mapping[str, Sequence[str]], repeat: int) -> dict[str, list[Run]]:
    """Run every command `repeat` times, in turns (A B A B ...), so that load strikes all alike.

    Returns:
        The runs of each command; runs at the same place stood next to each other in time.
    """
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            runs[name].append(run(command))
    return runs


def median_seconds(runs: Sequence[Run]) -> float:
    """The median of the runs' seconds."""
    return statistics.median(run.seconds for run in runs)


def median_ratio(runs: Sequence[Run], base: Sequence[Run]) -> float:
    """The median of the ratios of neighbouring runs: how many times as long as the base."""
    pairs = zip(runs, base, strict=True)
    return statistics.median(run.seconds / other.seconds for run, other in pairs)


def highest_peak(runs: Sequence[Run]) -> int:
    """The largest peak memory of the runs, in bytes."""
    return max(run.peak for run in runs)


def count_rows(path: Path) -> int:
    """Rows of a log as Zeek writes it in TSV; reading it brings it into the file cache, too."""
    lines = marks = 0
    with path.open("rb") as file:
        for line in file:
            if not line.startswith(b"#"):
                break
            marks += 1
        file.seek(0)
        last = b""
        while block := file.read(1 << 22):
            lines += block.count(b"\n")
            last = (last + block)[-1024:]
    closed = last.rstrip(b"\n").rpartition(b"\n")[2].startswith(b"#close")
    return lines - marks - closed


def excerpt(source: Path, target: Path, rows: int, *, step: int = 1) -> None:
    """Write the header of a TSV log and every `step`-th of its rows, `rows` at most."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left, index = rows, 0
    with source.open("rb") as lines, target.open("wb") as file:
        for line in lines:
            if line.startswith(b"#"):
                # A stamp at the end closes the whole log and not its excerpt.
                if not line.startswith(b"#close"):
                    file.write(line)
                continue
            if index % step == 0:
                file.write(line)
                left -= 1
                if not left:
                    break
            index += 1


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
