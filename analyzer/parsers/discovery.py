"""From what the user named to the inputs there are: files, directories, patterns, ``-``."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from analyzer.errors import InputError, Location

STDIN = "-"

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""One path or several, as calls take them."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input.

    Attributes:
        name: as the user would name it; ``<stdin>`` for standard input.
        path: the file, None for standard input.
        named: whether the user named it, rather than a directory or pattern it is in. A file that
            was named and is no log is a fault; one that lies about in a directory is not.
    """

    name: str
    path: Path | None
    named: bool

    def open(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open it for reading; standard input stays open afterwards.

        Raises:
            OSError: it cannot be.
        """
        if self.path is not None:
            return self.path.open("rb")
        if sys.stdin is None:  # as it is where the shell closed it
            raise OSError(errno.EBADF, "standard input is closed")
        return contextlib.nullcontext(sys.stdin.buffer)


def paths_of(paths: Paths) -> list[str | os.PathLike[str]]:
    """One path or several as several."""
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def discover(paths: Iterable[str | os.PathLike[str]]) -> list[Source]:
    """Find every input, each once, in the order of the arguments and sorted within each.

    Directories are searched recursively, hidden files and directories excepted. Links are followed
    (Zeek's own ``current`` is one), and a file reached twice is read once.

    Raises:
        InputError: a path does not exist, or a pattern matches nothing.
    """
    sources: list[Source] = []
    seen: set[tuple[int, int]] = set()
    for given in paths:
        text = os.fspath(given)
        if text == STDIN:
            sources.append(Source("<stdin>", None, named=True))
            continue
        for path, named in _expand(text):
            identity = _identity(path)
            # What cannot be looked at stays: reading it will fail, and that goes into the books.
            if identity is None or identity not in seen:
                sources.append(Source(str(path), path, named))
            if identity is not None:
                seen.add(identity)
    return sources


def input_size(paths: Iterable[str | os.PathLike[str]]) -> int:
    """Bytes of all inputs together; 0 if standard input is among them, as nobody knows then.

    Raises:
        InputError: as :func:`discover` does.
    """
    sources = discover(paths)
    if any(source.path is None for source in sources):
        return 0
    return sum(_size(source.path) for source in sources if source.path)


def _expand(text: str) -> Iterator[tuple[Path, bool]]:
    path = Path(text)
    mode = _mode(path)
    if mode and stat.S_ISDIR(mode):
        yield from ((file, False) for file in _walk(path))
    elif mode:
        yield path, True
    elif glob.has_magic(text):
        matches = _matches(text)
        if not matches:
            raise InputError("no file matches", Location(text))
        for match in matches:
            if stat.S_ISDIR(_mode(match)):
                yield from ((file, False) for file in _walk(match))
            else:
                yield match, False
    else:
        raise InputError("no such file or directory", Location(text))


def _matches(pattern: str) -> list[Path]:
    """Files and directories that a pattern matches, hidden ones only if it says so."""
    # What is no part of its own matches within a part, as in a shell.
    path = Path(re.sub(r"[^/]\*\*+|\*\*+(?=[^/*])", lambda m: m[0].rstrip("*") + "*", pattern))
    top = Path(path.anchor)
    try:
        found = sorted(top.glob(str(path.relative_to(top))))
    except (OSError, ValueError):
        return []
    hidden = any(map(_is_hidden, path.parts))
    return [
        match
        for match in found
        if (hidden or not any(map(_is_hidden, match.parts)))
        and (stat.S_ISREG(_mode(match)) or stat.S_ISDIR(_mode(match)))
    ]


def _walk(top: Path) -> Iterator[Path]:
    entered: set[tuple[int, int]] = set()
    closed: list[Path] = []
    walk = os.walk(top, followlinks=True, onerror=lambda error: closed.append(Path(error.filename)))
    for directory, subdirectories, files in walk:
        identity = _identity(Path(directory))
        # A link to a directory above would otherwise lead round in circles.
        if identity is None or identity in entered:
            subdirectories.clear()
            continue
        entered.add(identity)
        subdirectories[:] = sorted(name for name in subdirectories if not _is_hidden(name))
        for name in sorted(files):
            path = Path(directory, name)
            if not _is_hidden(name) and stat.S_ISREG(_mode(path)):
                yield path
    # A directory that does not open would hide its logs silently; as an input it is a fault.
    yield from closed


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name not in {".", ".."}


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others, whatever its name; None if that cannot be seen."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _mode(path: Path) -> int:
    """Kind and permissions of what is there, links followed; 0 if nothing (to be seen) is."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
