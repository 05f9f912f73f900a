"""How fast captures become logs, how much memory that takes, and how that compares.

``python -m benchmarks.captures`` repeats small captures to large ones and measures on the same
files, in the same session and in turns: the whole command, NFStream, scapy, and Zeek if there is
one. See README.md beside this file for what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.logs import compared, kept, verdict
from benchmarks.measure import (
    ROOT,
    ChildError,
    Run,
    highest_peak,
    interleaved,
    median_ratio,
    median_seconds,
    run,
    table,
)

TIMES_NFSTREAM, TIMES_SCAPY = 5.0, 300.0
"""So many times as fast at least."""

DNS_MESSAGES_A_SECOND = 100_000.0
FIRST_RUN_SECONDS = 10.0
"""The first run after installing may take so much more, as it compiles."""

MOST_MEMORY = 1024**3
"""Bytes that the largest run may take."""

_ANALYZER, _NFSTREAM, _SCAPY, _ZEEK = "analyzer convert", "NFStream", "scapy, excerpt *", "Zeek"
_COLUMNS = ("", "packets", "seconds", "packets/s", "times analyzer", "peak MiB")
_PYTHON = sys.executable
_DNS_CAPTURES = "dns-normal"


@dataclass(frozen=True, slots=True)
class Built:
    """A capture that was built.

    Attributes:
        path: the capture.
        packets: how many there are.
        dns: how many of them are DNS messages.
        excerpt: some of them.
        excerpt_packets: how many those are.
    """

    path: Path
    packets: int
    dns: int
    excerpt: Path
    excerpt_packets: int


def shared(variable: str, name: str) -> Path:
    """A directory that tests share: beside the checkout, or where a variable says."""
    return Path(os.environ.get(variable, ROOT.parent / "shared" / name))


def sources(directories: Sequence[Path]) -> list[Path]:
    """The captures in directories and below.

    Raises:
        ChildError: there are none.
    """
    found = {
        path
        for directory in directories
        for pattern in ("*.pcap", "*.pcapng")
        for path in directory.rglob(pattern)
        if path.is_file()
    }
    if not found:
        raise ChildError(f"no captures in {', '.join(map(str, directories))}: see --captures")
    return sorted(found)


def build(name: str, captures: Sequence[Path], directory: Path, amount: Sequence[str]) -> Built:
    """Build a capture; one that is there already is used again.

    Args:
        name: of it.
        captures: what it is built of.
        directory: where.
        amount: how large, as :mod:`benchmarks.repetition` is told.

    Raises:
        ChildError: it could not be built.
    """
    path, excerpt = directory / f"{name}.pcap", directory / f"{name}-excerpt.pcap"
    told = path.with_name(path.name + ".json")
    if not told.exists():
        print(f"building {path.name} ...", file=sys.stderr)
        files = ("--out", str(path), "--excerpt", str(excerpt), *map(str, captures))
        run((_PYTHON, "-m", "benchmarks.repetition", *amount, *files))
    counts = json.loads(told.read_text())
    return Built(path, counts["packets"], counts["dns"], excerpt, counts["excerpt"])


def convert(capture: Path, out: Path) -> tuple[str, ...]:
    """The whole command, as a user runs it."""
    return (_PYTHON, "-m", "analyzer", "convert", str(capture), "--out", str(out), "-q")


def commands(built: Built, work: Path) -> dict[str, tuple[str, ...]]:
    """What is measured on one capture."""
    found = {
        _ANALYZER: convert(built.path, work / "analyzer"),
        _NFSTREAM: compared("nfstream", str(built.path)),
        _SCAPY: compared("scapy", str(built.excerpt)),
    }
    if zeek := shutil.which("zeek"):
        logs = work / "zeek"
        logs.mkdir(exist_ok=True)
        found[_ZEEK] = (zeek, "-C", "-r", str(built.path), f"Log::default_logdir={logs}")
    return found


def whole(runs: Sequence[Run], share: float) -> list[Run]:
    """Runs on an excerpt as if they were on all of it: what scapy says it took, so many times.

    Raises:
        ChildError: it did not say so.
    """
    found = []
    for part in runs:
        said = re.search(r"packets in ([\d.]+) seconds", part.output)
        if said is None:
            raise ChildError(f"scapy: {part.output}")
        seconds = float(said[1])
        found.append(replace(part, seconds=part.seconds - seconds + seconds / share))
    return found


def line(name: str, packets: int, runs: Sequence[Run], base: Sequence[Run]) -> tuple[str, ...]:
    """One line of the table."""
    seconds = median_seconds(runs)
    return (
        name,
        f"{packets:,}",
        f"{seconds:.2f}",
        f"{packets / seconds:,.0f}",
        f"{median_ratio(runs, base):.2f}",
        f"{highest_peak(runs) / 2**20:,.0f}",
    )


def goal(what: str, measured: float, least: float, unit: str) -> str:
    """Whether a goal is reached, and by how much it is missed."""
    kept_ = "met" if measured >= least else f"MISSED by {least - measured:,.2f} {unit}"
    return f"  {what}: {measured:,.2f} {unit}, goal {least:,g} {unit}: {kept_}"


def measure(built: Built, repeat: int, work: Path) -> dict[str, list[Run]]:
    """Run everything on one capture, and print the table."""
    runs = interleaved(commands(built, work), repeat)
    runs[_SCAPY] = whole(runs[_SCAPY], built.excerpt_packets / built.packets)
    size = built.path.stat().st_size / 2**20
    print(f"\n{built.path.name}: {built.packets:,} packets, {size:,.0f} MiB, {repeat} runs each\n")
    lines = [line(name, built.packets, found, runs[_ANALYZER]) for name, found in runs.items()]
    print(table([_COLUMNS, *lines]))
    print(f"  * seconds are extrapolated from {built.excerpt_packets:,} packets of all")
    return runs


def report_mixed(built: Built, repeat: int, work: Path) -> None:
    """All sorts of traffic."""
    runs = measure(built, repeat, work)
    base = runs[_ANALYZER]
    for name, least in ((_NFSTREAM, TIMES_NFSTREAM), (_SCAPY, TIMES_SCAPY)):
        print(goal(f"as fast as {name.split(',')[0]}", median_ratio(runs[name], base), least, "x"))


def report_dns(built: Built, repeat: int, work: Path) -> None:
    """Traffic that is mostly DNS."""
    seconds = median_seconds(measure(built, repeat, work)[_ANALYZER])
    print(goal("DNS messages", built.dns / seconds, DNS_MESSAGES_A_SECOND, "a second"))


def report_first_run(built: Built, repeat: int, work: Path) -> None:
    """What compiling costs whoever has just installed it."""
    command = convert(built.excerpt, work / "first")
    later = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory(dir=work) as cache:
            environment = {"NUMBA_CACHE_DIR": cache}
            first, second = (run(command, environment=environment) for _ in range(2))
        later.append((first.seconds, second.seconds))
    cold, warm = (statistics.median(seconds) for seconds in zip(*later, strict=True))
    more = statistics.median(first - second for first, second in later)
    print(f"\nFirst run: {built.excerpt_packets:,} packets, {cold:.2f} s; then {warm:.2f} s\n")
    print(verdict("more for the first run", more, FIRST_RUN_SECONDS, "s"))


def report_memory(built: Built, work: Path) -> None:
    """The peak of one run over a large capture."""
    measured = run(convert(built.path, work / "memory"))
    size = built.path.stat().st_size / 2**30
    print(f"\nMemory: {built.packets:,} packets, {size:.1f} GiB, {measured.seconds:.0f} s\n")
    print(verdict("peak", measured.peak / 2**30, MOST_MEMORY / 2**30, "GiB"))


def main(arguments: list[str] | None = None) -> int:
    """Measure what the arguments say and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.captures", description=__doc__)
    add = parser.add_argument
    add(
        "--captures", type=Path, action="append", metavar="DIR",
        help="where small captures are (those that tests share); repeatable",
    )  # fmt: skip
    add("--packets", type=int, default=5_000_000, help="so many at least (5000000)")
    add("--memory-gigabytes", type=float, help="measure peak memory on so many (and as much disk)")
    add("--repeat", type=int, default=3, help="runs of each subject (3)")
    add("--keep", type=Path, metavar="DIR", help="keep built captures here, and use them again")
    options = parser.parse_args(arguments)
    default = [shared("ZEEK_ANALYZER_GOLDEN", "golden"), shared("ZEEK_ANALYZER_DATA", "data")]
    try:
        captures = sources(options.captures or default)
        dns = [path for path in captures if path.name.startswith(_DNS_CAPTURES)]
        amount = ("--packets", str(options.packets))
        with kept(options.keep) as directory, kept(None) as work:
            mixed = build(f"mixed-{options.packets}", captures, directory, amount)
            report_mixed(mixed, options.repeat, work)
            report_first_run(mixed, options.repeat, work)
            if dns:
                built = build(f"dns-{options.packets}", dns, directory, amount)
                report_dns(built, options.repeat, work)
            if options.memory_gigabytes:
                size = int(options.memory_gigabytes * 10**9)
                large = build(f"large-{size}", captures, directory, ("--bytes", str(size)))
                report_memory(large, work)
    except ChildError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
