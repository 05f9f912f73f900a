"""A sensor that writes a day's logs at a chosen speed, rotates them and compresses its archive."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HOUR = 3600.0

Key = tuple[str, str, str, str]
"""Note, source, destination and port of a notice."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a log, and when Zeek writes it: when the connection is removed."""

    at: float
    log: str
    line: str


def rows_of(path: Path) -> tuple[str, list[Row]]:
    """The header of a TSV log without ``#open``, and its rows."""
    header, rows = "", []
    times = {}
    for line in path.read_text().splitlines(keepends=True):
        if line.startswith("#"):
            if line.startswith("#fields"):
                names = line.rstrip("\n").split("\t")[1:]
                times = {name: names.index(name) for name in ("ts", "duration") if name in names}
            if not line.startswith(("#open", "#close")):
                header += line
            continue
        values = line.rstrip("\n").split("\t")
        lasted = values[times["duration"]] if "duration" in times else "-"
        at = float(values[times["ts"]]) + (float(lasted) if lasted != "-" else 0.0)
        rows.append(Row(at, path.stem, line))
    return header, rows


class Sensor:
    """Plays logs back.

    Args:
        source: a directory with TSV logs.
        top: where to write: ``current`` and ``archive``.
        speed: how many times as fast as they came about.
        rotate: seconds of the logs' time between rotations.
        compress: whether the archive is compressed.
        form: how to write: ``tsv`` or ``json``.
        past: seconds of the logs that are in the archive from the beginning.

    Attributes:
        rows: all rows, in the order of their writing.
        past: how many of them are in the archive from the beginning.
        written: wall-clock times at which the rows up to a time of the logs had been written.
    """

    def __init__(
        self,
        source: Path,
        top: Path,
        *,
        speed: float,
        rotate: float = HOUR,
        compress: bool = True,
        form: str = "tsv",
        past: float = 0.0,
    ) -> None:
        self.live, self.archive = top / "current", top / "archive"
        self._speed, self._every, self._compress, self._form = speed, rotate, compress, form
        self._headers: dict[str, str] = {}
        rows: list[Row] = []
        for path in sorted(source.glob("*.log")):
            self._headers[path.stem], some = rows_of(path)
            rows += some
        self.rows = sorted(rows, key=lambda row: row.at)
        self.begin = self.rows[0].at // HOUR * HOUR
        self.written: dict[float, float] = {}
        self._opened: dict[str, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self.live.mkdir(parents=True)
        self.archive.mkdir()
        self.past = 0
        if past:
            self.past = self._write_until(0, self.begin + past)
            self._rotate(self.begin + past)
            self.begin += past
            self.written.clear()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """End before the end."""
        self._stopped.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait for the end of the logs."""
        self._thread.join()

    @property
    def is_playing(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def write_logs(self, directory: Path, moment: float) -> None:
        """Write what the logs hold up to a time of theirs, as TSV logs."""
        directory.mkdir(parents=True)
        lines: dict[str, list[str]] = defaultdict(list)
        for row in self.rows:
            if row.at <= moment:
                lines[row.log].append(row.line)
        for log, some in lines.items():
            text = self._header(log) + "".join(some)
            (directory / f"{log}.log").write_text(text)

    def _play(self) -> None:
        begun, place, hour = time.time(), self.past, self.begin
        while place < len(self.rows) and not self._stopped.is_set():
            now = self.begin + (time.time() - begun) * self._speed
            if now >= hour + self._every:
                hour += self._every
                now = min(now, hour)
                place = self._write_until(place, now)
                self._rotate(hour)
            place = self._write_until(place, now)
            time.sleep(0.05)

    def _write_until(self, place: int, now: float) -> int:
        lines: dict[str, list[str]] = defaultdict(list)
        while place < len(self.rows) and self.rows[place].at <= now:
            row = self.rows[place]
            lines[row.log].append(row.line)
            place += 1
        for log, some in lines.items():
            path = self.live / f"{log}.log"
            with path.open("a") as file:
                if path.stat().st_size == 0:
                    self._opened[log] = time.time()
                    if self._form == "tsv":
                        file.write(self._header(log))
                file.writelines(some if self._form == "tsv" else self._json(log, some))
        if lines:
            self.written[now] = time.time()
        return place

    def _header(self, log: str) -> str:
        moment = datetime.now(tz=UTC).strftime("%Y-%m-%d-%H-%M-%S")
        head, fields, rest = self._headers[log].partition("#fields")
        return f"{head}#open\t{moment}\n{fields}{rest}"

    def _json(self, log: str, lines: Iterable[str]) -> Iterable[str]:
        _, _, rest = self._headers[log].partition("#fields\t")
        names, types = (line.split("\t") for line in rest.splitlines()[:2])
        for line in lines:
            row = {}
            for name, kind, value in zip(
                names, types[1:], line.rstrip("\n").split("\t"), strict=True
            ):
                if value != "-":
                    row[name] = _plain(value, kind)
            yield json.dumps(row) + "\n"

    def _rotate(self, hour: float) -> None:
        stamp = datetime.fromtimestamp(hour, tz=UTC).strftime("%Y-%m-%d-%H-%M-%S")
        for path in sorted(self.live.glob("*.log")):
            if self._form == "tsv":
                with path.open("a") as file:
                    file.write("#close\t2026-01-01-00-00-00\n")
            target = self.archive / f"{path.stem}.{stamp}.log"
            path.rename(target)
            if self._compress:
                packed = target.with_name(f"{target.name}.gz")
                packed.write_bytes(gzip.compress(target.read_bytes(), 1))
                target.unlink()


def _plain(value: str, kind: str) -> object:
    if kind.startswith(("set", "vector")):
        inner = kind[kind.index("[") + 1 : -1]
        return [] if value == "(empty)" else [_plain(each, inner) for each in value.split(",")]
    if kind in ("count", "port", "int"):
        return int(value)
    if kind in ("time", "interval", "double"):
        return float(value)
    if kind == "bool":
        return value == "T"
    return value.replace("\\\\", "\\")


def notices(directory: Path) -> list[dict[str, str]]:
    """The rows of all notice logs of a directory, the rotated ones first."""
    rows = []
    for path in [*sorted(directory.glob("notice.*.log")), directory / "notice.log"]:
        names: list[str] = []
        for line in path.read_text().splitlines() if path.exists() else []:
            if line.startswith("#fields"):
                names = line.split("\t")[1:]
            elif not line.startswith("#"):
                rows.append(dict(zip(names, line.split("\t"), strict=True)))
    return rows


def key(notice: dict[str, str]) -> Key:
    """What a notice is about."""
    return notice["note"], notice["src"], notice["dst"], notice["p"]


LEVELS = ("low", "medium", "high", "critical")


def loudest(rows: Iterable[dict[str, str]]) -> dict[Key, str]:
    """The loudest severity of what is said, by what it is about."""
    levels: dict[Key, str] = {}
    for row in rows:
        before = levels.get(key(row), "low")
        levels[key(row)] = max(before, row["severity"], key=LEVELS.index)
    return levels
