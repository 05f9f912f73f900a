"""What has left the window and is kept in brief: a Parquet file a table, written anew as a whole.

Which file counts is said by the state, in the same transaction in which what came to it counts as
added; so a crash leaves either what was there before or all that is new, and a file of nobody's.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from analyzer.engine import Engine, out_of_resources
from analyzer.watch.folding import SCHEMAS, Kept, nothing
from analyzer.watch.segments import NO_ROOM
from analyzer.writers.durable import sync

LAYOUT = 1
"""Of the tables. What another version has written otherwise is not read, and gathered anew."""

_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is kept of what has left the window.

    Attributes:
        number: which writing of it, from 1; 0 if nothing is kept.
        counts: rows by table.
        size: bytes on disk.
        dropped: rows left out at the last writing as there was no room for them.
        judged: the end of the last connection when it was last judged, UTC epoch seconds.
        layout: what tables it has.
    """

    number: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    size: int = 0
    dropped: int = 0
    judged: float | None = None
    layout: int = LAYOUT

    def text(self) -> str:
        """All of it as a text."""
        return json.dumps(asdict(self))


def past_of(text: str) -> Past | None:
    """What :meth:`Past.text` made a text of; None if it made none, or of another layout."""
    try:
        values = json.loads(text)
        return Past(**values) if values["layout"] == LAYOUT else None
    except (KeyError, TypeError, ValueError):
        return None


class PastFiles:
    """The files of what is kept.

    Args:
        directory: where; made if it does not exist, for its owner alone.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory

    def are_there(self, past: Past) -> bool:
        """Whether the files of what is kept are there."""
        return all(self._path(past.number, name).is_file() for name in past.counts)

    def open(self, past: Past, engine: Engine) -> Kept:
        """What is kept, as tables of an engine.

        Raises:
            ResourceError: memory ran out, or a file cannot be read.
        """
        if not past.number:
            return nothing(engine)
        with out_of_resources():
            return Kept(
                **{
                    name: engine.parquet(self._path(past.number, name), f"past_{name}")
                    for name in SCHEMAS
                }
            )

    def write(self, number: int, engine: Engine, kept: Kept) -> tuple[dict[str, int], int]:
        """Write what is kept, tables that the engine holds.

        Returns:
            Rows by table, and bytes.

        Raises:
            ResourceError: the disk is full, or memory ran out.
            OSError: it cannot be written.
        """
        counts, size = {}, 0
        for name in SCHEMAS:
            path = self._path(number, name)
            with out_of_resources(*NO_ROOM):
                counts[name] = engine.write(getattr(kept, name).get_name(), path)
            path.chmod(0o600)
            size += path.stat().st_size
            sync(path)
        sync(self._directory)
        return counts, size

    def remove_others(self, past: Past) -> None:
        """Remove what is not of this."""
        known = {self._path(past.number, name) for name in past.counts}
        for path in self._directory.glob(f"*{_SUFFIX}"):
            if path not in known:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _path(self, number: int, name: str) -> Path:
        return self._directory / f"{number:010d}-{name}{_SUFFIX}"
