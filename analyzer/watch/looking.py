"""Which files there are, at little cost: a directory is listed again only once it has changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

Identity = tuple[int, int]
"""Device and inode."""

# Names of a directory may change again within the tick of its clock in which they were listed.
_TICK = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as it was when looked at."""

    path: str
    identity: Identity
    size: int
    modified: int
    """Nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class _Listing:
    modified: int
    directories: tuple[str, ...]
    files: tuple[str, ...]
    is_settled: bool


class Lookout:
    """Looks for files below directories, links followed, what is hidden left out.

    Args:
        tops: the directories.
        excluded: directories not to enter.

    Attributes:
        faults: what cannot be looked at, and why, as of the last look.
    """

    def __init__(self, tops: Collection[Path], excluded: Collection[Path] = ()) -> None:
        self._tops = tuple(map(str, tops))
        self._excluded = tuple(excluded)
        self._listings: dict[str, _Listing] = {}
        self._at_rest: dict[str, Seen] = {}
        self.faults: dict[str, str] = {}

    def rest(self, seen: Seen) -> None:
        """Take it that a file stays as it is, as long as nothing changes in its directory."""
        self._at_rest[seen.path] = seen

    def look(self, now: float) -> Iterator[Seen]:
        """Every file there is now, each once, in a fixed order.

        Args:
            now: UTC epoch seconds.
        """
        self.faults = {}
        entered: set[Identity] = set()
        for excluded in self._excluded:
            state = _state(str(excluded))
            if state is not None:
                entered.add((state.st_dev, state.st_ino))
        listings: dict[str, _Listing] = {}
        at_rest: dict[str, Seen] = {}
        met: set[Identity] = set()
        waiting = list(reversed(self._tops))
        while waiting:
            directory = waiting.pop()
            listing = self._listing(directory, entered, now)
            if listing is None:
                continue
            is_same = self._listings.get(directory) is listing
            listings[directory] = listing
            waiting.extend(reversed(listing.directories))
            for name in listing.files:
                seen = self._at_rest.get(name) if is_same else None
                if seen is not None:
                    at_rest[name] = seen
                else:
                    seen = self._seen(name)
                if seen is not None and seen.identity not in met:
                    met.add(seen.identity)
                    yield seen
        self._listings, self._at_rest = listings, at_rest

    def _seen(self, path: str) -> Seen | None:
        try:
            state = os.stat(path)  # noqa: PTH116 - a Path for each of many files costs
        except FileNotFoundError:
            return None
        except OSError as error:
            self.faults[path] = error.strerror or str(error)
            return None
        if not stat.S_ISREG(state.st_mode):
            return None
        return Seen(path, (state.st_dev, state.st_ino), state.st_size, state.st_mtime_ns)

    def _listing(self, directory: str, entered: set[Identity], now: float) -> _Listing | None:
        try:
            state = os.stat(directory)  # noqa: PTH116 - see above
            identity = (state.st_dev, state.st_ino)
            # A link to a directory above would otherwise lead round in circles.
            if identity in entered:
                return None
            entered.add(identity)
            known = self._listings.get(directory)
            if known is not None and known.is_settled and known.modified == state.st_mtime_ns:
                return known
            directories: list[str] = []
            files: list[str] = []
            with os.scandir(directory) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if not entry.name.startswith("."):
                        (directories if entry.is_dir() else files).append(entry.path)
        except OSError as error:
            self.faults[directory] = error.strerror or str(error)
            return None
        settled = state.st_mtime_ns / 1e9 < now - _TICK
        return _Listing(state.st_mtime_ns, tuple(directories), tuple(files), settled)


def _state(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - see above
    except OSError:
        return None


def file_size(path: Path) -> int:
    """Bytes of a file, 0 if it is gone or none."""
    state = _state(str(path))
    return state.st_size if state is not None and stat.S_ISREG(state.st_mode) else 0
