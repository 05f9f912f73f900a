r"""A notice log that grows: whole lines at its end, rotated as Zeek rotates its own.

For who follows a sensor and for the log shippers behind it. A shipper reads whole lines and knows a
file by its inode, so nothing that was appended is ever changed: a file grows, is renamed (TSV after
``#close``), and the next notice begins a new one. A rotated log is called as Zeek's
``Log::rotation_format_func`` (``base/frameworks/logging/main.zeek``) calls it,
``notice.YYYY-MM-DD-HH-MM-SS.log`` by the time of its ``#open``, here in UTC as everything; one
second later if that name is taken.

Appending returns when the lines are on the disk. After a crash a last line without its end is cut
off, never completed: its finding was not reported as written, so it comes again, and a shipper has
not taken half a line. Half a header goes the same way. The :class:`~analyzer.writers.journal.
Journal` beside the log then tells which findings are in it, so that none is written twice.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from analyzer.errors import Location, OutputError
from analyzer.writers.durable import append_whole, claim, sync
from analyzer.writers.journal import Journal
from analyzer.writers.log_kinds import LogKind, log_header, log_line, log_name
from analyzer.writers.ownership import refuse_foreign_notices, refuse_zeek_directory
from analyzer.writers.recovery import is_closed, is_tsv, opening_time, without_torn_line
from analyzer.zeek_format import footer, header_time

if TYPE_CHECKING:
    from analyzer.findings import Finding

DAY = 86400.0


class AppendingLog:
    """A log of findings in a directory, to append to. A context manager.

    Args:
        directory: where; it is made if it does not exist.
        format: ``tsv``, ``json`` or ``ecs`` for a log of notices, ``findings`` for
            ``findings.jsonl``. The log of this name is this object's alone until :meth:`close`;
            one in another format that is there is rotated away.
        strict: write Zeek's 26 columns alone (``tsv`` and ``json``).
        rotate_every: seconds; a log does not go across their multiples in UTC (an hour, a day, as
            ``Log::default_rotation_interval``). None: only :meth:`rotate` rotates.
        clock: tells the time, UTC epoch seconds.
        key: what tells one notice from another in the journal; by default the finding's identifier.

    Raises:
        OutputError: the directory cannot be written, is Zeek's own, or somebody else appends to
            the log; or it is not ours.
    """

    def __init__(
        self,
        directory: Path,
        *,
        format: LogKind = "tsv",  # noqa: A002 - the word of the option it comes from
        strict: bool = False,
        rotate_every: float | None = DAY,
        clock: Callable[[], float] = time.time,
        key: Callable[[Finding], str] = lambda finding: finding.identifier,
    ) -> None:
        self.path = directory / log_name(format)
        self._format = format
        self._strict = strict
        self._every = rotate_every
        self._clock = clock
        self._key = key
        self._log: int | None = None
        self._opened = 0.0
        with self._complaints():
            directory.mkdir(parents=True, exist_ok=True)
            refuse_zeek_directory(directory)
            self._claim: int | None = claim(self.path)
            try:
                self._journal = Journal(directory / f".{self.path.stem}.journal")
                self._recover()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def written(self) -> frozenset[str]:
        """The keys of the findings that stand in this log and in the one rotated before it.

        They are on the disk. After a crash it is these that must not be appended again, whatever
        else was remembered.
        """
        return frozenset((*self._journal.rotated, *self._journal.current))

    def append(self, findings: Sequence[Finding]) -> None:
        """Append findings in the order given, all of them or, on an error, none.

        Raises:
            OutputError: they could not be written.
        """
        if not findings:
            return
        with self._complaints():
            self.rotate_if_due()
            self._follow()
            log = self._begin() if self._log is None else self._log
            start = os.fstat(log).st_size
            content, ends = b"", []
            if not start:
                self._opened = self._clock()
                content = self._header()
            for finding in findings:
                content += log_line(self._format, finding, strict=self._strict).encode()
                ends.append((self._key(finding), start + len(content)))
            self._journal.intend(os.fstat(log).st_ino, self._opened, start, ends)
            try:
                append_whole(log, content)
            except OSError:
                self._journal.forget(start)
                raise

    def rotate_if_due(self) -> Path | None:
        """Rotate the log if it is of an earlier interval. For calling now and then.

        Returns:
            Where the log is now, if it was rotated.

        Raises:
            OutputError: it could not be.
        """
        if self._every is None or self._log is None:
            return None
        due = self._opened // self._every < self._clock() // self._every
        return self.rotate() if due else None

    def rotate(self) -> Path | None:
        """Close the log and rename it; the next append begins a new one.

        Returns:
            Where the log is now; None if there was nothing in it.

        Raises:
            OutputError: it could not be.
        """
        with self._complaints():
            self._follow()
            if self._log is None or not os.fstat(self._log).st_size:
                return None
            if is_tsv(self._log) and not is_closed(self._log):
                append_whole(self._log, footer(self._clock()).encode())
            return self._rename()

    def close(self) -> None:
        """Let go of the log. It stays open in Zeek's sense: it has no ``#close``."""
        self._let_go()
        self._journal.close()
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    @contextmanager
    def _complaints(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"cannot be written: {reason}", Location(str(self.path))) from error

    def _header(self) -> bytes:
        return log_header(self._format, self._opened, strict=self._strict).encode()

    def _begin(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._log = os.open(self.path, flags, 0o644)
        sync(self.path.parent)
        return self._log

    def _follow(self) -> None:
        """See whether somebody has renamed, replaced, removed or made the log."""
        try:
            here = self.path.stat(follow_symlinks=False)
        except FileNotFoundError:
            changed = self._log is not None
        else:
            changed = self._log is None or not os.path.samestat(here, os.fstat(self._log))
        if changed:
            self._let_go()
            self._recover()

    def _let_go(self) -> None:
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _recover(self) -> None:
        """Open the log that is there, and mend what a crash has left."""
        refuse_foreign_notices(self.path)
        self._settle_rotated()
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._log = os.open(self.path, flags)
        except FileNotFoundError:
            self._journal.settle(0)
            return
        state = os.fstat(self._log)
        regular = stat.S_ISREG(state.st_mode)
        if not regular or os.pread(self._log, 1, 0) not in (b"", b"#", b"{"):
            raise OutputError("is no log of ours", Location(str(self.path)))
        size = without_torn_line(self._log)
        known = state.st_ino == self._journal.inode
        # A log of JSON without a journal was open when it was last written, at least.
        self._opened = opening_time(self._log) or (
            self._journal.opened if known else state.st_mtime
        )
        self._journal.settle(size if known else 0)
        if size and not self._goes_on(self._log):
            self.rotate()

    def _settle_rotated(self) -> None:
        """If the log was renamed and a crash kept that from the journal, tell it."""
        if self._journal.inode is None:
            return
        for file in self.path.parent.glob(f"{self.path.stem}.*{self.path.suffix}"):
            state = file.stat(follow_symlinks=False)
            if state.st_ino == self._journal.inode:
                self._journal.settle(state.st_size)
                self._journal.rotate()
                return

    def _goes_on(self, log: int) -> bool:
        """Whether what we append would belong to the log that is there."""
        if self._format != "tsv":
            return not is_tsv(log)
        expected = self._header()
        return os.pread(log, len(expected), 0) == expected and not is_closed(log)

    def _rotated_name(self, moment: float) -> Path:
        name = f"{self.path.stem}.{header_time(moment)}{self.path.suffix}"
        return self.path.with_name(name)

    def _rename(self) -> Path:
        moment = self._opened
        while (target := self._rotated_name(moment)).exists() or target.is_symlink():
            moment += 1
        # Nobody else makes files here, see claim().
        self.path.rename(target)
        sync(self.path.parent)
        self._journal.rotate()
        self._let_go()
        return target
