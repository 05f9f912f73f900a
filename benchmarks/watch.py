"""``zeek-analyzer watch`` beside a sensor: equal to a batch run, how late, killed, fast, idle.

``python -m benchmarks.watch replay|kill|rate|idle --logs DIR`` with logs of ``python -m
tests.traffic``.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import ROOT, run
from tests.test_watch.sensor import LEVELS, Sensor, key, loudest, notices

_PYTHON = sys.executable
_HOURS = 23

SLACK = 5.0
"""Seconds beyond an interval within which a notice must be there."""


class Watch:
    """The service as a process.

    Args:
        top: what it follows.
        out: where it writes.
        options: further ones.
    """

    def __init__(self, top: Path, out: Path, *options: str) -> None:
        self._command = [_PYTHON, "-m", "analyzer", "watch", str(top), "--out", str(out), *options]
        self._out = out
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self._out.mkdir(parents=True, exist_ok=True)
        with (self._out / "stderr.txt").open("ab") as errors:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=errors)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None  # noqa: S101
        return self._process.pid

    def end(self, number: int = signal.SIGTERM) -> tuple[float, int]:
        """Send it a signal and wait.

        Returns:
            Seconds until it ended, and its status.
        """
        assert self._process is not None  # noqa: S101
        begun = time.perf_counter()
        self._process.send_signal(number)
        status = self._process.wait()
        return time.perf_counter() - begun, status


def rows_taken(out: Path) -> Counter[str]:
    """Rows of the window, by log."""
    import json  # noqa: PLC0415

    counts: Counter[str] = Counter()
    with sqlite3.connect(f"file:{out / '.state' / 'watch.sqlite'}?mode=ro", uri=True) as state:
        for (text,) in state.execute("SELECT counts FROM segments"):
            counts.update(json.loads(text))
    return counts


def settle(out: Path, expected: int, seconds: float) -> None:
    """Wait until so many rows were taken in and judged."""
    until = time.time() + seconds
    while time.time() < until:
        time.sleep(1)
        try:
            if rows_taken(out).total() >= expected and _all_judged(out):
                return
        except sqlite3.Error:
            pass


def _all_judged(out: Path) -> bool:
    with sqlite3.connect(f"file:{out / '.state' / 'watch.sqlite'}?mode=ro", uri=True) as state:
        ((waiting,),) = state.execute("SELECT count(*) FROM segments WHERE NOT judged").fetchall()
    return not waiting


def compare(logs: Path, out: Path, sensor: Sensor) -> bool:
    """Print how the notices differ from those of a batch run, and what was read twice or never."""
    batch = out.with_name(f"{out.name}-batch")
    run((_PYTHON, "-m", "analyzer", "analyze", str(logs), "--out", str(batch), "--quiet"))
    said, expected = notices(out), loudest(notices(batch))
    found = loudest(said)
    missing = {each: level for each, level in expected.items() if each not in found}
    extra = {each: level for each, level in found.items() if each not in expected}
    quieter = {
        each: (found[each], level)
        for each, level in expected.items()
        if each in found and LEVELS.index(found[each]) < LEVELS.index(level)
    }
    louder = {
        each: (found[each], level)
        for each, level in expected.items()
        if each in found and LEVELS.index(found[each]) > LEVELS.index(level)
    }
    twice = [
        each
        for each, count in Counter((*key(row), row["severity"], row["msg"]) for row in said).items()
        if count > 1
    ]
    again = {
        each: n for each, n in Counter((*key(r), r["severity"]) for r in said).items() if n > 1
    }
    rows = rows_taken(out)
    counted = Counter(row.log for row in sensor.rows)
    print(f"rows read {dict(rows)}, written {dict(counted)}")
    print(f"batch {len(expected)}, watch {len(found)} things in {len(said)} notices")
    for name, each in (
        ("missing", missing),
        ("quieter", quieter),
        ("louder", louder),
        ("extra", extra),
        ("same notice twice", twice),
        ("same thing and severity again", again),
    ):
        print(f"{name}: {len(each)}")
        for item in each.items() if isinstance(each, dict) else each:
            print("   ", item)
    return not missing and not quieter and not twice and rows == counted


class Reader:
    """Notes when each notice appears."""

    def __init__(self, path: Path) -> None:
        self.seen: list[tuple[float, dict[str, str]]] = []
        self._path = path
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._stopped.wait(0.2):
            rows = notices(self._path)
            self.seen += [(time.time(), row) for row in rows[len(self.seen) :]]

    def stop(self) -> None:
        """Stop."""
        self._stopped.set()
        self._thread.join()


class Latency(NamedTuple):
    """How late a notice was.

    Attributes:
        seconds: from the writing of its last line to the notice.
        seen: when it was there, UTC epoch seconds.
        notice: its columns.
    """

    seconds: float
    seen: float
    notice: dict[str, str]

    def __str__(self) -> str:
        notice = self.notice
        return f"{self.seconds:7.1f} s  {notice['note']} {notice['src']} {notice['severity']}"


def latencies(sensor: Sensor, reader: Reader) -> list[Latency]:
    """How late each notice was, the latest last; what is about earlier lines alone is left out."""
    written = sorted(sensor.written.items())
    ends: dict[str, float] = {}
    for row in sensor.rows:
        ts = row.line.split("\t", 1)[0]
        ends[ts] = max(ends.get(ts, 0.0), row.at)
    late = []
    for seen, notice in reader.seen:
        at = ends.get(notice["ts"], float(notice["ts"]))
        wall = next((wall for moment, wall in written if moment >= at), None)
        if wall is not None and at >= sensor.begin:
            late.append(Latency(seen - wall, seen, notice))
    return sorted(late, key=lambda each: each.seconds)


def was_due(sensor: Sensor, late: Latency, bound: float, work: Path) -> bool:
    """Whether a batch run says it of the lines that were there `bound` seconds before it was said.

    A finding may turn on lines that are not its own: what other hosts do, what a host does later.
    """
    there = [moment for moment, wall in sensor.written.items() if wall <= late.seen - bound]
    logs, out = work / "prefix", work / "prefix-out"
    for directory in (logs, out):
        shutil.rmtree(directory, ignore_errors=True)
    sensor.write_logs(logs, max(there, default=sensor.begin))
    run((_PYTHON, "-m", "analyzer", "analyze", str(logs), "--out", str(out), "--quiet"))
    level = loudest(notices(out)).get(key(late.notice))
    return level is not None and LEVELS.index(level) >= LEVELS.index(late.notice["severity"])


def are_in_time(sensor: Sensor, late: Sequence[Latency], bound: float, work: Path) -> bool:
    """Print how late notices were, and whether any of them was later than it had to be."""
    if not late:
        print("no notice about what was played")
        return False
    seconds = [each.seconds for each in late]
    print(
        f"latency of {len(late)} notices: median {statistics.median(seconds):.1f} s, "
        f"95% {seconds[math.ceil(0.95 * len(seconds)) - 1]:.1f} s, worst {seconds[-1]:.1f} s, "
        f"bound {bound:g} s"
    )
    in_time = True
    for each in late:
        verdict = ""
        if each.seconds > bound:
            due = was_due(sensor, each, bound, work)
            in_time = in_time and not due
            verdict = "  LATE" if due else "  in time: lines after its own made it worth saying"
        print(f"    {each}{verdict}", flush=True)
    print("in time" if in_time else "NOT in time")
    return in_time


def replay(options: argparse.Namespace, work: Path) -> int:
    """A day at some times its speed."""
    sensor = Sensor(
        options.logs, work / "zeek", speed=options.speed, form=options.form, past=options.past
    )
    interval = f"{options.interval}s"
    watch = Watch(work / "zeek", work / "out", "--interval", interval, "--window", options.window)
    watch.start()
    if options.past:
        settle(work / "out", sensor.past, 600)
    reader = Reader(work / "out")
    sensor.start()
    sensor.wait()
    settle(work / "out", len(sensor.rows), 300)
    time.sleep(options.interval)
    reader.stop()
    took = _figure(work / "out", "judging")
    print(f"{_seconds(watch.pid):.0f} s of CPU time; all rules took {took:.1f} s last")
    seconds, status = watch.end()
    print(f"stopped with {status} within {seconds:.1f} s")
    good = compare(options.logs, work / "out", sensor)
    late = latencies(sensor, reader)
    in_time = are_in_time(sensor, late, options.interval + SLACK, work)
    return 0 if good and in_time else 1


def kill(options: argparse.Namespace, work: Path) -> int:
    """Killed again and again."""
    chance = random.Random(options.seed)  # noqa: S311
    sensor = Sensor(
        options.logs, work / "zeek", speed=options.speed, form=options.form, past=options.past
    )
    watch = Watch(work / "zeek", work / "out", "--interval", f"{options.interval}s")
    sensor.start()
    for number in range(options.kills):
        watch.start()
        time.sleep(chance.uniform(0.3, options.longest))
        watch.end(signal.SIGKILL)
        if number % 10 == 0:
            print(f"killed {number + 1} times, playing: {sensor.is_playing}", flush=True)
    watch.start()
    sensor.wait()
    settle(work / "out", len(sensor.rows), 600)
    time.sleep(2 * options.interval)
    print("stopped:", watch.end())
    return 0 if compare(options.logs, work / "out", sensor) else 1


def rate(options: argparse.Namespace, work: Path) -> int:
    """So many conn rows a second for a while."""
    live = work / "zeek" / "current"
    live.mkdir(parents=True)
    out = work / "out"
    watch = Watch(
        work / "zeek", out, "--interval", f"{options.interval}s", "--window-rows", str(options.rows)
    )
    _archive(options.logs / "conn.log", work / "zeek", options.fill)
    watch.start()
    if options.fill:
        began = time.time()
        settle(out, options.fill, 3600)
        print(
            f"{options.fill:,} rows of the archive taken in and judged within "
            f"{time.time() - began:.0f} s, resident at most {_peak(watch.pid) / 2**20:.0f} MiB",
            flush=True,
        )
    begun, used = time.time(), _seconds(watch.pid)
    written, worst = 0, 0
    rotated = begun
    source = (options.logs / "conn.log").open()
    header = [line for _, line in zip(range(8), source, strict=False)]
    file = (live / "conn.log").open("w")
    file.writelines(header)
    peak = 0
    told = begun
    while time.time() < begun + options.seconds:
        due = int((time.time() - begun) * options.rate) - written
        lines = [line for _, line in zip(range(due), source, strict=False)]
        if len(lines) < due:
            source.seek(0)
            for _ in range(8):
                next(source)
        # A sensor's rows are of now: the window would not hold so many of a day's.
        now = f"{time.time():.6f}\t"
        file.writelines(now + line.partition("\t")[2] for line in lines)
        file.flush()
        written += len(lines)
        if time.time() >= rotated + 600:
            rotated = time.time()
            file.write("#close\t2026-01-01-00-00-00\n")
            file.close()
            (live / "conn.log").rename(live / f"conn.{int(rotated)}.log")
            file = (live / "conn.log").open("w")
            file.writelines(header)
        time.sleep(0.1)
        if time.time() >= told + 30:
            told = time.time()
            behind = int(_figure(out, "bytes_behind"))
            worst = max(worst, behind)
            peak = max(peak, _peak(watch.pid))
            taken = rows_taken(out)
            print(
                f"{told - begun:6.0f} s: written {written:,}, window {taken.total():,}, "
                f"bytes behind {behind:,}, resident at most {peak / 2**20:.0f} MiB, "
                f"{(_seconds(watch.pid) - used) / (told - begun):.2f} cores",
                flush=True,
            )
    print("stopped:", watch.end())
    return 0


def _archive(source: Path, top: Path, rows: int) -> None:
    """Write so many rows, an hour a file, of the day up to now."""
    if not rows:
        return
    each = -(-rows // _HOURS)
    begin = time.time() - _HOURS * 3600.0
    with source.open() as log:
        header = [line for _, line in zip(range(8), log, strict=False)]
        for hour in range(_HOURS):
            with (top / f"conn.{hour:02d}.log").open("w") as file:
                file.writelines(header)
                for number in range(min(each, rows - hour * each)):
                    line = log.readline()
                    if not line or line.startswith("#"):
                        log.seek(0)
                        line = [line for _, line in zip(range(9), log, strict=False)][-1]
                    ts = begin + (hour + number / each) * 3600.0
                    file.write(f"{ts:.6f}\t{line.partition(chr(9))[2]}")
                file.write("#close\t2026-01-01-00-00-00\n")


def idle(options: argparse.Namespace, work: Path) -> int:
    """What it costs when nothing happens, with an archive of so many files."""
    top = work / "zeek"
    for number in range(options.rows if options.rows < 10**6 else 2000):
        directory = top / f"2026-{number // 720:02d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"conn.{number}.log").write_text("")
    shutil.copy(options.logs / "conn.log", top / "conn.log")
    watch = Watch(top, work / "out", "--interval", f"{options.interval}s")
    watch.start()
    time.sleep(90)
    before = _seconds(watch.pid)
    time.sleep(options.seconds)
    share = (_seconds(watch.pid) - before) / options.seconds
    print(f"idle: {share:.2%} of a core")
    print("stopped:", watch.end())
    return 0


def _figure(out: Path, name: str) -> float:
    """One of the figures that the service tells of itself; 0 as long as it is not there."""
    path = out / "zeek_analyzer.prom"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith(f"zeek_analyzer_{name} "):
            return float(line.split()[1])
    return 0.0


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def _seconds(pid: int) -> float:
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / 100


def main(arguments: list[str] | None = None) -> int:
    """Run one of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch", description=__doc__)
    parser.add_argument("what", choices=("replay", "kill", "rate", "idle"))
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--work", type=Path, help="keep everything there")
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--past", type=float, default=0.0, help="seconds that are there before")
    parser.add_argument("--window", default="24h")
    parser.add_argument("--interval", type=float, default=60.0)
    parser.add_argument("--form", choices=("tsv", "json"), default="tsv")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--longest", type=float, default=8.0, help="seconds until it is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=20_000.0)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--fill", type=int, default=0, help="rows of the day before, for rate")
    parser.add_argument("--seconds", type=float, default=600.0)
    options = parser.parse_args(arguments)
    what = {"replay": replay, "kill": kill, "rate": rate, "idle": idle}[options.what]
    if options.work is not None:
        shutil.rmtree(options.work, ignore_errors=True)
        options.work.mkdir(parents=True)
        return what(options, options.work)
    with tempfile.TemporaryDirectory() as directory:
        return what(options, Path(directory))


if __name__ == "__main__":
    sys.exit(main())
