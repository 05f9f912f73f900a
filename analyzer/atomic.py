"""Files that are either the old ones or complete new ones, never half of something."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from analyzer.errors import Location, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def atomic_write(path: Path, *, mode: int = 0o644) -> Iterator[TextIO]:
    r"""Open a text stream whose content replaces `path` when the block ends without an error.

    The text goes to a new file of an unpredictable name in the same directory, reaches the disk,
    and is then renamed over `path`: a reader sees the old content or all of the new. On any error
    the new file is removed and `path` is as it was. Missing parent directories are created. A
    symbolic link stays, and the file that it points to is replaced. The stream is UTF-8 with
    ``\n`` line ends on every system.

    Args:
        path: the file to write.
        mode: permission bits of the new file, less those that the umask takes away.

    Raises:
        OutputError: `path` exists and is no regular file, or the system refuses one of the steps
            above or a write inside the block; the message gives the path and the reason.
    """
    with atomic_write_bytes(path, mode=mode) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
        try:
            yield text
            text.flush()
        finally:
            # Closing is for whoever opened what stands below.
            with contextlib.suppress(OSError):
                text.detach()


@contextlib.contextmanager
def atomic_write_bytes(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a stream of bytes; all else is as with :func:`atomic_write`."""
    try:
        with _replacement(path, mode) as stream:
            yield stream
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot be written: {reason}", Location(str(path))) from error


@contextlib.contextmanager
def _replacement(path: Path, mode: int) -> Iterator[IO[bytes]]:
    target = Path(os.path.realpath(path))
    _refuse_special(target, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A dot and .tmp, so that neither a shell's *.log nor a log shipper's pattern catches it.
    temporary = target.parent / f".zeek-analyzer-{secrets.token_hex(8)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _refuse_special(target: Path, path: Path) -> None:
    # Renaming over a device or a pipe (/dev/null, as root) would replace it with a plain file.
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(kind):
        raise OutputError("is a directory, expected a file to write", Location(str(path)))
    if not stat.S_ISREG(kind):
        raise OutputError("is not a regular file", Location(str(path)))
