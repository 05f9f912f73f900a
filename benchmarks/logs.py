"""How fast the analyzer is, how much memory it takes, and how that compares.

``python -m benchmarks.logs --rows 3000000 --rows 12000000`` generates an office's traffic and
measures on the same files, in the same session and in turns: DuckDB alone counting pairs, the whole
command with all rules, and zat. See README.md beside this file for what the figures mean.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import (
    ChildError,
    Run,
    count_rows,
    excerpt,
    highest_peak,
    interleaved,
    median_ratio,
    median_seconds,
    run,
    table,
)

TIMES_BARE = 6.0
"""All rules may take so many times what DuckDB alone takes to count pairs in the same files."""

TIMES_BARE_ROWS = 12_000_000
"""From so many connections on; below, the start of the program weighs too much."""

MOST_MEMORY = 2 * 1024**3
"""Bytes that the largest run may take."""

COLD_START_SECONDS, COLD_START_ROWS, COLD_START_REPEAT = 3.0, 2500, 5

ZAT_MOST_ROWS, ZAT_SLICE = 3_000_000, 300_000
"""A data frame of more rows fills the memory, and a reader of rows needs minutes."""

_PYTHON = sys.executable
_BARE = "DuckDB alone, conn"
_BARE_BOTH = "DuckDB alone, conn + dns"
_COLUMNS = ("", "rows", "seconds", "rows/s", "times bare", "peak MiB")


@dataclass(frozen=True, slots=True)
class Logs:
    """One generated set of logs and its size."""

    conn: Path
    dns: Path
    conn_rows: int
    dns_rows: int


@dataclass(frozen=True, slots=True)
class Subject:
    """One line of the table.

    Attributes:
        command: what is run.
        rows: how many rows it reads.
        share: which share of the connections they are, where a slice stands for the whole.
    """

    command: tuple[str, ...]
    rows: int
    share: float = 1.0


def generated(rows: int, directory: Path) -> Logs:
    """Logs of about so many connections; those that are there already are used again.

    Raises:
        ChildError: they could not be generated.
    """
    conn, dns = directory / "conn.log", directory / "dns.log"
    # truth.json is written last.
    if not (directory / "truth.json").exists():
        print(f"generating {rows:,} connections ...", file=sys.stderr)
        generate = (_PYTHON, "-m", "tests.traffic", "--rows", str(rows), "--out", str(directory))
        run(generate)
        (directory / "ssl.log").unlink(missing_ok=True)
    return Logs(conn, dns, count_rows(conn), count_rows(dns))


def analyze(*paths: Path, out: Path, quiet: bool = True) -> tuple[str, ...]:
    """The whole command, as a user runs it."""
    named = tuple(map(str, paths))
    return (_PYTHON, "-m", "analyzer", "analyze", *named, "--out", str(out), *["-q"] * quiet)


def compared(*names: str) -> tuple[str, ...]:
    """A command of :mod:`benchmarks.subjects`."""
    return (_PYTHON, "-m", "benchmarks.subjects", *names)


def stages(logs: Logs, out: Path) -> str:
    """The analyzer's own seconds by stage, on one run over both logs."""
    said = run(analyze(logs.conn, logs.dns, out=out, quiet=False), environment={"COLUMNS": "1000"})
    found = re.search(r"^Seconds\s*\n\s*(.+)$", said.output, re.MULTILINE)
    return found[1] if found else "not said"


def subjects(logs: Logs, work: Path) -> dict[str, Subject]:
    """What is measured on one set of logs."""
    both = logs.conn_rows + logs.dns_rows
    conn, dns = str(logs.conn), str(logs.dns)
    found = {
        _BARE: Subject(compared("bare", conn), logs.conn_rows),
        _BARE_BOTH: Subject(compared("bare", conn, dns), both),
        "analyzer, conn": Subject(analyze(logs.conn, out=work), logs.conn_rows),
        "analyzer, conn + dns": Subject(analyze(logs.conn, logs.dns, out=work), both),
    }
    if logs.conn_rows <= ZAT_MOST_ROWS:
        part = work / "slice.log"
        excerpt(logs.conn, part, ZAT_SLICE)
        rows = min(ZAT_SLICE, logs.conn_rows)
        found["zat LogToDataFrame, conn"] = Subject(compared("zat-frame", conn), logs.conn_rows)
        found["zat ZeekLogReader, slice *"] = Subject(
            compared("zat-rows", str(part)), rows, rows / logs.conn_rows
        )
    return found


def line(name: str, subject: Subject, runs: list[Run], base: list[Run]) -> tuple[str, ...]:
    """One line of the table."""
    seconds = median_seconds(runs)
    return (
        name,
        f"{subject.rows:,}",
        f"{seconds:.2f}",
        f"{subject.rows / seconds:,.0f}",
        f"{median_ratio(runs, base) / subject.share:.2f}",
        f"{highest_peak(runs) / 2**20:,.0f}",
    )


def verdict(what: str, measured: float, budget: float, unit: str) -> str:
    """Whether a budget is met, and by how much it is missed."""
    kept = "met" if measured <= budget else f"MISSED by {measured - budget:.2f} {unit}"
    return f"  {what}: {measured:.2f} {unit}, budget {budget:g} {unit}: {kept}"


def report_logs(rows: int, repeat: int, directory: Path, work: Path) -> None:
    """Measure all subjects on about so many connections, and print the table."""
    logs = generated(rows, directory / str(rows))
    measured = subjects(logs, work)
    runs = interleaved({name: subject.command for name, subject in measured.items()}, repeat)
    base = runs[_BARE]
    print(f"\n{logs.conn_rows:,} conn and {logs.dns_rows:,} dns rows, {repeat} runs each\n")
    lines = [line(name, subject, runs[name], base) for name, subject in measured.items()]
    print(table([_COLUMNS, *lines]))
    if any(subject.share < 1 for subject in measured.values()):
        print("  * times bare is extrapolated from the slice to the whole, row by row")
    print(f"  seconds by stage, conn + dns: {stages(logs, work)}")
    if rows >= TIMES_BARE_ROWS:
        for name, alone in (("analyzer, conn", _BARE), ("analyzer, conn + dns", _BARE_BOTH)):
            ratio = median_ratio(runs[name], runs[alone])
            print(verdict(f"{name}, all rules", ratio, TIMES_BARE, f"x {alone}"))


def report_cold_start(rows: int, directory: Path, work: Path) -> None:
    """Measure the whole command on a few connections out of a set of logs, and print it."""
    logs = generated(rows, directory / str(rows))
    # Rows from all over the set, so that they span its time.
    step = max(1, logs.conn_rows // COLD_START_ROWS)
    few = (work / "few" / "conn.log", work / "few" / "dns.log")
    for source, target in zip((logs.conn, logs.dns), few, strict=True):
        excerpt(source, target, COLD_START_ROWS, step=step)
    runs = interleaved({"": analyze(*few, out=work)}, COLD_START_REPEAT)[""]
    print(f"\nStart: {count_rows(few[0]):,} conn and {count_rows(few[1]):,} dns rows\n")
    print(verdict("whole command", median_seconds(runs), COLD_START_SECONDS, "s"))
    print(f"  peak {highest_peak(runs) / 2**20:,.0f} MiB")


def report_memory(rows: int, directory: Path, work: Path) -> None:
    """Measure the peak memory of one run over many connections, and print it."""
    logs = generated(rows, directory / str(rows))
    print(f"\nMemory: {logs.conn_rows:,} conn and {logs.dns_rows:,} dns rows, default limit\n")
    for name, paths in (("conn", (logs.conn,)), ("conn + dns", (logs.conn, logs.dns))):
        measured = run(analyze(*paths, out=work))
        gibibytes = measured.peak / 2**30
        print(verdict(f"{name}, peak", gibibytes, MOST_MEMORY / 2**30, "GiB"))
        print(f"  {name}, {measured.seconds:.1f} s")


@contextmanager
def kept(directory: Path | None) -> Iterator[Path]:
    """The directory given, or else one that is removed in the end."""
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        yield directory.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="benchmark-logs-") as name:
            yield Path(name)


def main(arguments: list[str] | None = None) -> int:
    """Measure what the arguments say and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logs", description=__doc__)
    add = parser.add_argument
    add("--rows", type=int, action="append", help="about so many connections (3000000); repeatable")
    add("--memory-rows", type=int, help="measure peak memory on so many (5 GB of disk, minutes)")
    add("--repeat", type=int, default=3, help="runs of each subject (3)")
    add("--keep", type=Path, metavar="DIR", help="keep generated logs here, and use them again")
    options = parser.parse_args(arguments)
    sizes = options.rows or [3_000_000]
    try:
        with kept(options.keep) as directory, kept(None) as work:
            for rows in sizes:
                report_logs(rows, options.repeat, directory, work)
            report_cold_start(min(sizes), directory, work)
            if options.memory_rows:
                report_memory(options.memory_rows, directory, work)
    except ChildError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
