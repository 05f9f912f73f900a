"""What learning a baseline costs, and how large its file gets.

``python -m benchmarks.baseline --rows 3000000`` measures learning beside DuckDB alone counting
pairs in the same files, in turns. ``--size`` learns thirty days of three offices and says what
a thousand hosts would need: what does not depend on hosts once, the rest for each host, by what the
larger two differ in. What the smaller two say is printed beside it: if it is far off, a file does
not grow in proportion. ``hosts`` are those of the generator; many have an IPv6 address, too, which
is another source.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

from benchmarks.logs import Logs, compared, generated, kept, verdict
from benchmarks.measure import (
    ChildError,
    Run,
    highest_peak,
    interleaved,
    median_ratio,
    median_seconds,
    run,
    table,
)

TIMES_BARE = 3.0
"""Learning may take so many times what DuckDB alone takes to count pairs in the same files."""

MOST_BYTES = 5_000_000
"""Bytes of the file of so many hosts and days."""

HOSTS, DAYS = 1000, 30
_OFFICES = (20, 50, 100)
_PYTHON = sys.executable
_BARE = "DuckDB alone, conn + dns"
_LEARN = "baseline learn --unprotected"


def learn(baseline: Path, *paths: Path) -> tuple[str, ...]:
    """The whole command, as a user runs it, without the rules."""
    named = tuple(map(str, paths))
    command = (_PYTHON, "-m", "analyzer", "baseline", "learn", *named)
    return (*command, "--baseline", str(baseline), "--unprotected", "-q")


def paired(logs: Logs, work: Path, repeat: int) -> dict[str, list[Run]]:
    """Runs of both, in turns; every one learns anew."""
    runs: dict[str, list[Run]] = {}
    for turn in range(repeat):
        commands = {
            _BARE: compared("bare", str(logs.conn), str(logs.dns)),
            _LEARN: learn(work / f"baseline-{turn}", logs.conn, logs.dns),
        }
        for name, done in interleaved(commands, 1).items():
            runs.setdefault(name, []).extend(done)
    return runs


def report_speed(rows: int, repeat: int, directory: Path, work: Path) -> None:
    """Measure learning on about so many connections, and print it."""
    logs = generated(rows, directory / str(rows))
    runs = paired(logs, work, repeat)
    print(f"\n{logs.conn_rows:,} conn and {logs.dns_rows:,} dns rows, {repeat} runs each\n")
    lines = [
        (
            name,
            f"{median_seconds(done):.2f}",
            f"{median_ratio(done, runs[_BARE]):.2f}",
            f"{highest_peak(done) / 2**20:,.0f}",
        )
        for name, done in runs.items()
    ]
    print(table([("", "seconds", "times bare", "peak MiB"), *lines]))
    ratio = median_ratio(runs[_LEARN], runs[_BARE])
    print(verdict(_LEARN, ratio, TIMES_BARE, f"x {_BARE}"))


def report_size(directory: Path, work: Path) -> None:
    """Learn a few offices, and print what a large one would need."""
    sizes = {}
    for hosts in _OFFICES:
        office = directory / f"{hosts}-hosts"
        if not (office / "truth.json").exists():
            print(f"generating {DAYS} days of {hosts} hosts ...", file=sys.stderr)
            generate = ("--hosts", str(hosts), "--days", str(DAYS), "--rotate", "86400")
            run((_PYTHON, "-m", "tests.traffic", *generate, "--out", str(office)))
        file = work / f"{hosts}-hosts"
        run(learn(file, office))
        sizes[hosts] = file.stat().st_size
        print(f"{DAYS} days of {hosts} hosts: {sizes[hosts]:,} B")
    budget = MOST_BYTES / 1e6
    for few, more in pairwise(_OFFICES):
        each = (sizes[more] - sizes[few]) / (more - few)
        megabytes = (sizes[more] + each * (HOSTS - more)) / 1e6
        named = f"extrapolated to {HOSTS:,} hosts from {few} and {more}"
        print(verdict(named, megabytes, budget, "MB"))


def main(arguments: list[str] | None = None) -> int:
    """Measure what the arguments say and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baseline", description=__doc__)
    add = parser.add_argument
    add("--rows", type=int, help="about so many connections (3000000)")
    add("--repeat", type=int, default=3, help="runs of each subject (3)")
    add("--size", action="store_true", help="measure the size of the file (minutes)")
    add("--keep", type=Path, metavar="DIR", help="keep generated logs here, and use them again")
    options = parser.parse_args(arguments)
    try:
        with kept(options.keep) as directory, kept(None) as work:
            if options.rows or not options.size:
                report_speed(options.rows or 3_000_000, options.repeat, directory, work)
            if options.size:
                report_size(directory, work)
    except ChildError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
