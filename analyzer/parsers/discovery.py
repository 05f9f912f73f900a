"""From what the user named to the inputs there are: files, directories, patterns, ``-``."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import InputError, Location

STDIN = "-"


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
            status = path.stat()
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                sources.append(Source(str(path), path, named))
    return sources


def input_size(paths: Iterable[str | os.PathLike[str]]) -> int:
    """Bytes of all inputs together; 0 if standard input is among them, as nobody knows then.

    Raises:
        InputError: as :func:`discover` does.
    """
    sources = discover(paths)
    if any(source.path is None for source in sources):
        return 0
    return sum(source.path.stat().st_size for source in sources if source.path)


def _expand(text: str) -> Iterator[tuple[Path, bool]]:
    path = Path(text)
    if path.is_dir():
        yield from ((file, False) for file in _walk(path))
    elif path.exists():
        yield path, True
    elif glob.has_magic(text):
        matches = sorted(glob.glob(text, recursive=True))
        if not matches:
            raise InputError("no file matches", Location(text))
        for match in map(Path, matches):
            if match.is_dir():
                yield from ((file, False) for file in _walk(match))
            else:
                yield match, False
    else:
        raise InputError("no such file or directory", Location(text))


def _walk(top: Path) -> Iterator[Path]:
    entered: set[tuple[int, int]] = set()
    for directory, subdirectories, files in os.walk(top, followlinks=True):
        status = os.stat(directory)
        # A link to a directory above would otherwise lead round in circles.
        if (status.st_dev, status.st_ino) in entered:
            subdirectories.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        subdirectories[:] = sorted(name for name in subdirectories if not name.startswith("."))
        for name in sorted(files):
            path = Path(directory, name)
            if not name.startswith(".") and _is_file(path):
                yield path


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False
