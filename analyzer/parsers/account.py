"""The books of reading: every line of every input is either a record or skipped for a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from analyzer.errors import Location

EXAMPLES_PER_REASON = 3
"""How many places are remembered per file and reason unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that could not be read, and where."""

    location: Location
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        said = f"{self.location}: {self.reason}"
        return f"{said} ({self.detail})" if self.detail else said


@dataclass(slots=True)
class FileAccount:
    """What became of one input.

    Attributes:
        name: the path as the user would name it, ``<stdin>`` for standard input.
        size: bytes on disk, 0 where unknown.
        lines: data lines seen (header lines starting with ``#`` are none).
        packets: packets seen, in a capture.
        read: rows that became records, by log.
        skipped: lines that did not, by reason.
        examples: the first few places of each reason (all of them when `keep_all`).
        note: why the file as a whole was left alone, or where it broke; empty if all was well.
        failed: whether `note` is a fault (a broken or foreign file) and not a mere remark (a Zeek
            log of a kind that we do not use).
        keep_all: remember every example.
    """

    name: str
    size: int = 0
    lines: int = 0
    packets: int = 0
    read: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[Problem] = field(default_factory=list)
    note: str = ""
    failed: bool = False
    keep_all: bool = False

    def skip(self, reason: str, line: int | None, count: int = 1, *, detail: str = "") -> None:
        """Count `count` lines skipped for `reason`, remembering the place if it is an early one."""
        seen = self.skipped[reason]
        if count:
            self.skipped[reason] += count
        if line is not None and (self.keep_all or seen < EXAMPLES_PER_REASON):
            self.examples.append(Problem(Location(self.name, line), reason, detail))

    def skip_all(self, reason: str, count: int, line_of: Callable[[int], int]) -> None:
        """Count `count` lines skipped for one reason; `line_of` numbers them, given 0, 1, ..."""
        located = count
        if not self.keep_all:
            located = min(count, max(EXAMPLES_PER_REASON - self.skipped[reason], 0))
        for index in range(located):
            self.skip(reason, line_of(index))
        self.skip(reason, None, count - located)

    def ignore(self, log: str) -> None:
        """Note that the file, or a part of it, is a Zeek log of a kind that we do not use."""
        note = f"a Zeek {log} log, not one of conn, dns, ssl, http"
        if note not in self.note:
            self.remark(note, failed=False)

    def disown(self, log: str) -> None:
        """Take back that lines were skipped: all are of a log of a kind that we do not use."""
        self.lines = 0
        self.skipped.clear()
        self.examples.clear()
        self.ignore(log)

    def remark(self, note: str, *, failed: bool) -> None:
        """Say something about the file as a whole; remarks add up."""
        self.note = f"{self.note}; {note}" if self.note else note
        self.failed = self.failed or failed


@dataclass(slots=True)
class Account:
    """What became of all inputs together.

    Attributes:
        files: what became of each.
        captured: records that came of all captures together, by log; they are one stream.
        passed_over: packets in them that hold nothing to follow, by reason.
    """

    files: list[FileAccount] = field(default_factory=list)
    captured: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> Counter[str]:
        """Rows that became records, by log (``conn``, ``dns``, ``ssl``, ``http``)."""
        return sum((file.read for file in self.files), self.captured.copy())

    @property
    def packets(self) -> int:
        """Packets seen in captures."""
        return sum(file.packets for file in self.files)

    @property
    def skipped(self) -> Counter[str]:
        """Lines that did not, by reason."""
        return sum((file.skipped for file in self.files), Counter())

    @property
    def lines(self) -> int:
        """Data lines seen in files that we use."""
        return sum(file.lines for file in self.files)

    def nothing(self, expected: str) -> str:
        """Why nothing came of the input, in words, the first fault among them."""
        if not self.files:
            return "no files there to read"
        problem = next(self.problems(), None) or next(
            (f"{file.name}: {file.note}" for file in self.files if file.note), None
        )
        counted = f"{expected} in {len(self.files)} file(s)"
        return f"{counted}; {problem}" if problem else counted

    def problems(self) -> Iterator[Problem]:
        """Faults of whole files first, then the remembered places of skipped lines."""
        for file in self.files:
            if file.failed:
                yield Problem(Location(file.name), file.note)
        for file in self.files:
            yield from file.examples
