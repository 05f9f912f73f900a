"""A week of an office with slow beacons in it, as segments of half a day."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from analyzer.watch.following import Follower
from analyzer.watch.segments import Segments
from analyzer.watch.state import Segment

from .sensor import HOUR, rows_of

HALF_DAY = 12 * HOUR


def pieces(logs: Path, top: Path, length: float = HALF_DAY) -> list[Path]:
    """Directories with the rows that Zeek writes within each `length` seconds, in order."""
    found = set()
    for path in sorted(logs.glob("*.log")):
        header, rows = rows_of(path)
        lines: dict[int, list[str]] = defaultdict(list)
        for row in rows:
            lines[int(row.at // length)].append(row.line)
        for number, some in lines.items():
            directory = top / f"{number:06d}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / path.name).write_text(header + "".join(some))
            found.add(directory)
    return sorted(found)


def segment(segments: Segments, piece: Path, number: int) -> Segment:
    """The rows of a piece as a segment."""
    follower = Follower([piece])
    follower.look(1e10)
    for portion in follower.portions(1e10):
        segments.load(portion)
    written = segments.write(number, 1e10, 0.0)
    segments.clear()
    follower.close()
    assert written is not None
    return written
