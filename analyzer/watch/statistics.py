"""What the service says of itself: a log in Zeek's format, and the same for Prometheus.

The log is ``analyzer_stats.log``, a row every few minutes like Zeek's own stats.log, rotated by the
day. The other is ``zeek_analyzer.prom`` in Prometheus' text format, for the node exporter's
textfile collector (https://github.com/prometheus/node_exporter#textfile-collector); it is replaced
as a whole.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from analyzer.atomic import atomic_write
from analyzer.errors import Location, OutputError
from analyzer.features import DAY
from analyzer.watch.figures import COLUMNS, LISTS, Figures, prometheus_lines
from analyzer.writers.durable import append_whole
from analyzer.zeek_format import footer, format_row, format_value, header, header_time

LOG = "analyzer_stats"
PROMETHEUS = "zeek_analyzer.prom"


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
    columns += [(name, kind) for name, kind, _, _ in COLUMNS]
    return columns + [(name, "vector[string]") for name, _, _ in LISTS]


def _row(figures: Figures, before: Figures | None) -> str:
    values: dict[str, Any] = {"ts": figures.ts, "since": figures.ts - before.ts if before else None}
    for name, zeek_type, kind, _ in COLUMNS:
        value = figures.values.get(name)
        if kind == "counter" and before is not None and value is not None:
            value -= before.values.get(name) or 0
        values[name] = round(value) if zeek_type == "count" and value is not None else value
    said = before.findings if before else {}
    grown = {rule: count - said.get(rule, 0) for rule, count in sorted(figures.findings.items())}
    values["findings"] = [f"{rule}={count}" for rule, count in grown.items() if count]
    values["stages"] = [f"{stage}={seconds:.3f}" for stage, seconds in figures.stages.items()]
    return format_row(format_value(values[name], kind) for name, kind in _fields())
