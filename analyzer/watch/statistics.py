"""What the service says of itself: a log in Zeek's format, and the same for Prometheus.

The log is ``analyzer_stats.log``, a row every few minutes like Zeek's own stats.log, rotated by the
day. The other is ``zeek_analyzer.prom`` in Prometheus' text format, for the node exporter's
textfile collector (https://github.com/prometheus/node_exporter#textfile-collector); it is replaced
as a whole.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from analyzer.atomic import atomic_write
from analyzer.errors import Location, OutputError
from analyzer.features import DAY
from analyzer.watch.looking import file_size
from analyzer.writers.durable import append_whole
from analyzer.zeek_format import footer, format_row, format_value, header, header_time

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

LOG = "analyzer_stats"
PROMETHEUS = "zeek_analyzer.prom"

# name, Zeek type, Prometheus type (a counter is given as its growth in the log), meaning
_COLUMNS: tuple[tuple[str, str, str, str], ...] = (
    ("rows_conn", "count", "counter", "conn rows taken in"),
    ("rows_dns", "count", "counter", "dns rows taken in"),
    ("rows_ssl", "count", "counter", "ssl rows taken in"),
    ("rows_http", "count", "counter", "http rows taken in"),
    ("lines_skipped", "count", "counter", "lines that are no records"),
    ("bytes_behind", "count", "gauge", "bytes of logs on disk that are not read yet"),
    ("lag", "interval", "gauge", "seconds since the oldest of them was written"),
    ("unreadable", "count", "gauge", "files and directories that cannot be read"),
    ("window_rows", "count", "gauge", "rows in the window"),
    ("window_span", "interval", "gauge", "seconds from the window's first to its last connection"),
    ("window_full", "bool", "gauge", "whether rows left early as there are too many"),
    ("judgements", "count", "counter", "times all rules judged the window"),
    ("fast_judgements", "count", "counter", "times the fast rules judged what is latest"),
    ("judging", "interval", "gauge", "seconds that all rules took last"),
    ("fast_judging", "interval", "gauge", "seconds that the fast rules took last"),
    ("notices", "count", "counter", "notices written"),
    ("episodes", "count", "gauge", "things said that are remembered"),
    ("complaints", "count", "counter", "times something failed that is tried again"),
    ("memory", "count", "gauge", "bytes resident"),
    ("memory_peak", "count", "gauge", "most bytes ever resident"),
    ("state_size", "count", "gauge", "bytes of the state directory"),
    ("baseline_days", "count", "gauge", "days that the baseline holds"),
    ("baseline_drift", "double", "gauge", "log2 of the latest day's connections to the usual"),
)
_LISTS: tuple[tuple[str, str, str], ...] = (
    ("findings", "rule", "notices written, by rule"),
    ("stages", "stage", "seconds that all rules took last, by stage"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The service's figures at a time.

    Attributes:
        ts: the time, UTC epoch seconds.
        values: of each column that is known.
        findings: notices written since the start, by rule.
        stages: seconds that each stage took last.
    """

    ts: float
    values: Mapping[str, float | bool | None]
    findings: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)


def memory() -> dict[str, float]:
    """Bytes that this process holds in memory, now and at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    now = peak
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        now = pages * os.sysconf("SC_PAGE_SIZE")
    return {"memory": now, "memory_peak": max(peak, now)}


def state_size(directory: Path) -> int:
    """Bytes of all files in a directory."""
    return sum(file_size(path) for path in directory.rglob("*"))


def drift(baseline: Baseline | None) -> float | None:
    """How many times as many connections as usual the latest day had, as a binary logarithm.

    None with fewer than two days: there is no usual.
    """
    if baseline is None or len(baseline.days) <= 1:
        return None
    days = baseline["days"].sort_values("day")
    *before, latest = (float(each) for each in days.connections)
    usual = median(before)
    return math.log2(latest / usual) if latest > 0 and usual > 0 else None


class StatisticsLog:
    """The log of figures, and the file for Prometheus.

    Args:
        directory: where; it is there.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / f"{LOG}.log"
        self._prometheus = directory / PROMETHEUS
        self._before: Figures | None = None

    def expose(self, figures: Figures) -> None:
        """Replace the file for Prometheus.

        Raises:
            OutputError: it cannot be written.
        """
        with atomic_write(self._prometheus) as stream:
            stream.writelines(prometheus_lines(figures))

    def append(self, figures: Figures) -> None:
        """Append a row.

        Raises:
            OutputError: it cannot be.
        """
        before = self._before
        try:
            self._rotate_if_due(figures.ts)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o644)
            try:
                begun = os.fstat(descriptor).st_size > 0
                text = "" if begun else header(LOG, _fields(), figures.ts)
                append_whole(descriptor, (text + _row(figures, before)).encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"cannot be written: {reason}", Location(str(self._path))) from error
        self._before = figures

    def _rotate_if_due(self, now: float) -> None:
        try:
            modified = self._path.stat().st_mtime
        except FileNotFoundError:
            return
        if modified // DAY >= now // DAY:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            append_whole(descriptor, footer(now).encode())
        finally:
            os.close(descriptor)
        # As Zeek names it, but by its last row: when it was opened stands inside.
        self._path.rename(self._path.with_name(f"{LOG}.{header_time(modified)}.log"))


def _fields() -> list[tuple[str, str]]:
    columns = [("ts", "time"), ("since", "interval")]
    columns += [(name, kind) for name, kind, _, _ in _COLUMNS]
    return columns + [(name, "vector[string]") for name, _, _ in _LISTS]


def _row(figures: Figures, before: Figures | None) -> str:
    values: dict[str, Any] = {"ts": figures.ts, "since": figures.ts - before.ts if before else None}
    for name, zeek_type, kind, _ in _COLUMNS:
        value = figures.values.get(name)
        if kind == "counter" and before is not None and value is not None:
            value -= before.values.get(name) or 0
        values[name] = round(value) if zeek_type == "count" and value is not None else value
    said = before.findings if before else {}
    grown = {rule: count - said.get(rule, 0) for rule, count in sorted(figures.findings.items())}
    values["findings"] = [f"{rule}={count}" for rule, count in grown.items() if count]
    values["stages"] = [f"{stage}={seconds:.3f}" for stage, seconds in figures.stages.items()]
    return format_row(format_value(values[name], kind) for name, kind in _fields())


def prometheus_lines(figures: Figures) -> Iterator[str]:
    """Figures in Prometheus' text format, version 0.0.4."""
    for name, _, kind, meaning in _COLUMNS:
        value = figures.values.get(name)
        if value is None:
            continue
        metric = f"zeek_analyzer_{name}" + "_total" * (kind == "counter")
        yield f"# HELP {metric} {meaning}\n# TYPE {metric} {kind}\n{metric} {float(value):.15g}\n"
    yield from _listed("findings_total", "counter", *_LISTS[0][1:], figures.findings)
    yield from _listed("stage_seconds", "gauge", *_LISTS[1][1:], figures.stages)
    metric = "zeek_analyzer_updated_seconds"
    yield f"# HELP {metric} when these figures were taken\n# TYPE {metric} gauge\n"
    yield f"{metric} {figures.ts:.3f}\n"


def _listed(
    name: str, kind: str, label: str, meaning: str, values: Mapping[str, float]
) -> Iterator[str]:
    metric = f"zeek_analyzer_{name}"
    yield f"# HELP {metric} {meaning}\n# TYPE {metric} {kind}\n"
    for key, value in sorted(values.items()):
        # Rules and stages are named by letters, digits and underscores.
        yield f'{metric}{{{label}="{key}"}} {float(value):.15g}\n'
