"""The service's figures: what each is called, and what they are now."""

from __future__ import annotations

import contextlib
import math
import os
import resource
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from analyzer.watch.looking import file_size

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline
    from analyzer.watch.following import Follower
    from analyzer.watch.intake import Intake
    from analyzer.watch.speaking import Speaker

COLUMNS: tuple[tuple[str, str, str, str], ...] = (
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
    ("slow_judgements", "count", "counter", "times what is kept of the days before was judged"),
    ("slow_judging", "interval", "gauge", "seconds that it took last"),
    ("past_calls", "count", "gauge", "connections kept of the days before"),
    ("past_contacts", "count", "gauge", "pairs of hosts and services kept of them"),
    ("past_names", "count", "gauge", "names that hosts asked for or met kept of them"),
    ("past_size", "count", "gauge", "bytes on disk of what is kept of them"),
    ("past_dropped", "count", "gauge", "rows of them that there was no room for last"),
    ("notices", "count", "counter", "notices written"),
    ("episodes", "count", "gauge", "things said that are remembered"),
    ("complaints", "count", "counter", "times something failed that is tried again"),
    ("memory", "count", "gauge", "bytes resident"),
    ("memory_peak", "count", "gauge", "most bytes ever resident"),
    ("state_size", "count", "gauge", "bytes of the state directory"),
    ("baseline_days", "count", "gauge", "days that the baseline holds"),
    ("baseline_drift", "double", "gauge", "log2 of the latest day's connections to the usual"),
)
"""Name, Zeek type, Prometheus type and meaning; the log gives the growth of a counter."""

LISTS: tuple[tuple[str, str, str], ...] = (
    ("findings", "rule", "notices written, by rule"),
    ("stages", "stage", "seconds that all rules took last, by stage"),
)
"""Name, label and meaning."""


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


def figures_of(
    now: float,
    *,
    intake: Intake,
    follower: Follower,
    speaker: Speaker,
    judged: Mapping[str, float],
    stages: Mapping[str, float],
    state: Path,
    baseline: Baseline | None,
) -> Figures:
    """The service's figures now.

    Args:
        now: UTC epoch seconds.
        intake: says what was read, and what the window holds.
        follower: says what is still to be read.
        speaker: says what was said.
        judged: values of how often and how long was judged, and of what came of it.
        stages: seconds that each stage took last.
        state: the directory of the state.
        baseline: what is usual.
    """
    window, waiting = intake.window, follower.waiting
    span = None
    if window.first is not None and window.last is not None:
        span = window.last - window.first
    findings: Counter[str] = Counter()
    for (rule, _), count in speaker.said.items():
        findings[rule] += count
    return Figures(
        ts=now,
        values={
            **{f"rows_{log}": intake.read[log] for log in ("conn", "dns", "ssl", "http")},
            "lines_skipped": intake.skipped.total(),
            "bytes_behind": follower.behind,
            "lag": now - waiting if waiting is not None else 0.0,
            "unreadable": len(follower.faults),
            "window_rows": window.rows,
            "window_span": span,
            "window_full": intake.is_bounded_by_rows,
            **judged,
            "episodes": speaker.episodes,
            **memory(),
            "state_size": state_size(state),
            "baseline_days": len(baseline.days) if baseline is not None else None,
            "baseline_drift": drift(baseline),
        },
        findings=findings,
        stages=stages,
    )


def prometheus_lines(figures: Figures) -> Iterator[str]:
    """Figures in Prometheus' text format, version 0.0.4."""
    for name, _, kind, meaning in COLUMNS:
        value = figures.values.get(name)
        if value is None:
            continue
        metric = f"zeek_analyzer_{name}" + "_total" * (kind == "counter")
        yield f"# HELP {metric} {meaning}\n# TYPE {metric} {kind}\n{metric} {float(value):.15g}\n"
    yield from _listed("findings_total", "counter", *LISTS[0][1:], figures.findings)
    yield from _listed("stage_seconds", "gauge", *LISTS[1][1:], figures.stages)
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
