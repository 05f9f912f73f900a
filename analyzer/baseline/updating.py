"""Changing a baseline's file so that nobody else's change is lost.

Whoever changes a file reads it, works for seconds or minutes, and replaces it. A lock held all
that time would make others wait, and a sensor's hourly run hang behind a person's; so a lock is
held only while the file is compared with what was read and replaced, and if somebody was faster the
change is worked out anew on what they wrote. The lock is on the directory: the file itself is
replaced, and a file for the lock alone would be left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from analyzer.atomic import atomic_write_bytes
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import MODE, baseline_bytes, baseline_content, parse_baseline
from analyzer.errors import Location, OutputError


def update_baseline(
    path: Path,
    change: Callable[[Baseline], Baseline],
    *,
    start: Callable[[], Baseline] | None = None,
) -> Baseline:
    """Replace a baseline in a file by what is made of it.

    Args:
        path: the file.
        change: makes another baseline of one, more than once if somebody else changes the file
            meanwhile; what it raises leaves the file as it was. If it gives the same object back,
            nothing is written.
        start: gives the baseline to begin with where there is no file; without it that is an error.

    Returns:
        What the file holds then.

    Raises:
        BaselineError: the file holds no baseline that this version can read.
        OutputError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    while True:
        content = _content(target, must_exist=start is None)
        if content is None:
            assert start is not None  # noqa: S101 - or the content would be there
            before = start()
        else:
            before = parse_baseline(content, str(path))
        after = change(before)
        if after is before and content is not None:
            return after
        written = baseline_bytes(after)
        with _alone(target):
            if _content(target, must_exist=False) == content:
                with atomic_write_bytes(target, mode=MODE) as stream:
                    stream.write(written)
                return after


def _content(path: Path, *, must_exist: bool) -> bytes | None:
    return baseline_content(path) if must_exist or path.exists() else None


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold off whoever else would replace a file of the same directory."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", Location(str(path))) from error
    try:
        # Some file systems know no locks; there, the comparison alone has to do.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
