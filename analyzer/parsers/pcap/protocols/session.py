"""One connection's readers: which are tried, which are sure, which were wrong.

Source: Zeek's ``src/analyzer/Analyzer.cc`` (confirmation, violation), ``protocol/pia/PIA.cc``
(signatures over the beginning of a connection, replay of it into the reader that they name).
"""

# ruff: noqa: ARG002 - not every reader asks which side it reads

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.parsers.pcap.protocols.findings import Findings

MATCHED_BYTES = 1024
"""Bytes of a connection, both ways together, in which signatures are looked for: Zeek's
``dpd_buffer_size`` with ``dpd_match_only_beginning``. The chunk that goes beyond still counts."""

MOST_BUFFERED = 16 * 1024
"""Bytes that a reader waits for at most; what is longer is no message that tells a protocol."""

_MOST_OPENED = 2 * MATCHED_BYTES
_LONGEST_OPENING = 300
"""Bytes after which a pattern for the very beginning cannot match any more."""

_DEEPEST_TUNNEL = 4


class Reader:
    """Reads one protocol, as far as it takes to be sure of it.

    Attributes:
        service: the name that is confirmed.
        resumes: whether it can go on after something that was wrong.
        is_sure: whether it has confirmed its service.
    """

    service = ""
    resumes = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self.is_sure = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the next bytes of one direction, or one datagram."""
        raise NotImplementedError

    def gap(self, *, is_originator: bool) -> None:
        """Some bytes were never seen. Most readers cannot go on."""
        self.finish()

    def confirm(self) -> None:
        """It is this protocol."""
        if not self.is_sure:
            self.is_sure = True
            self.session.findings.confirm(self.service)

    def violate(self) -> None:
        """It cannot be this protocol: stop, and take back that it is."""
        if not self.session.findings.is_unreliable:
            self.session.findings.violate(self.service, self)
        elif not self.resumes:
            self.finish()

    def finish(self) -> None:
        """Nothing more to find out."""
        self.session.remove(self)

    def replace_by(self, reader: Reader) -> None:
        """Hand the rest of the connection to another reader (after STARTTLS and the like)."""
        self.session.remove(self)
        self.session.add(reader)


class StreamReader(Reader):
    """A reader that keeps what it has not read yet of each direction of a stream."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._rest = (bytearray(), bytearray())

    def _with(self, data: bytes, *, is_originator: bool) -> bytearray:
        """What is left to read of a direction, now that more of it has come."""
        rest = self._rest[is_originator]
        rest += data
        return rest


@dataclass(frozen=True, slots=True)
class Opening:
    """What one side's bytes begin with.

    Attributes:
        pattern: matched from the first byte on.
        first: which bytes can be the first; empty if any can.
        later: looked for anywhere, for openings that any line may hold.
    """

    pattern: re.Pattern[bytes]
    first: bytes = b""
    later: re.Pattern[bytes] | None = None

    def matches(self, data: bytes | bytearray) -> bool:
        """Whether a connection that begins so may be meant."""
        if self.pattern.match(data) is not None:
            return True
        return self.later is not None and self.later.search(data) is not None


@dataclass(frozen=True, slots=True)
class Signature:
    """How connections begin that one reader is for, whatever their port.

    Attributes:
        reader: the reader.
        originator: what the originator sends, None if that does not matter.
        responder: likewise of the responder.
        needs_both: whether both are needed; otherwise one of them will do.
    """

    reader: type[Reader]
    originator: Opening | None
    responder: Opening | None
    needs_both: bool = False


class Signatures:
    """All signatures of a transport protocol, found by the first byte of what is looked at."""

    def __init__(self, *signatures: Signature) -> None:
        self._sides: tuple[list[tuple[Signature, Opening]], ...] = ([], [])
        for signature in signatures:
            for side, opening in enumerate((signature.responder, signature.originator)):
                if opening is not None:
                    self._sides[side].append((signature, opening))
        self._known: dict[tuple[int, bool], tuple[tuple[Signature, Opening], ...]] = {}

    def beginning_with(
        self, first: int, *, is_originator: bool
    ) -> tuple[tuple[Signature, Opening], ...]:
        """Those that may match what begins with a byte."""
        key = (first, is_originator)
        if key not in self._known:
            self._known[key] = tuple(
                (signature, opening)
                for signature, opening in self._sides[is_originator]
                if not opening.first or first in opening.first
            )
        return self._known[key]


class Session:
    """The readers of one connection, or of what is tunneled in one.

    Args:
        signatures: what further readers are found by.
        readers: those that the responder's port suggests.
        findings: where what is found goes.
        has_datagrams: whether what is delivered are datagrams, each with a beginning of its own.
        depth: how many connections this one is inside of.
    """

    __slots__ = (
        "_candidates",
        "_matched",
        "_opened",
        "_replayed",
        "depth",
        "findings",
        "has_datagrams",
        "is_matching",
        "readers",
        "signatures",
    )

    def __init__(
        self,
        signatures: Signatures | None,
        readers: Sequence[type[Reader]] = (),
        *,
        findings: Findings | None = None,
        has_datagrams: bool = False,
        depth: int = 0,
    ) -> None:
        self.findings = Findings() if findings is None else findings
        self.signatures = signatures
        self.has_datagrams, self.depth = has_datagrams, depth
        self.readers: list[Reader] = [reader(self) for reader in readers]
        self.is_matching = signatures is not None
        self._opened = (bytearray(), bytearray())
        self._replayed: list[tuple[bytes, bool]] = []
        self._candidates: list[list[tuple[Signature, Opening]] | None] = [None, None]
        self._matched: set[type[Reader]] = set()

    @property
    def is_finished(self) -> bool:
        """Whether nothing more can be found out."""
        return not self.readers and not self.is_matching

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Hand the next bytes of one direction (or one datagram) to every reader."""
        if not self.depth:
            self.findings.size += len(data)
        if len(self.readers) == 1:
            self.readers[0].deliver(data, is_originator=is_originator)
        else:
            for reader in tuple(self.readers):
                if reader in self.readers:
                    reader.deliver(data, is_originator=is_originator)
        if self.is_matching and not self.depth and self.findings.is_known:
            self._stop_matching()
        if self.is_matching:
            self._match(data, is_originator=is_originator)
        if not self.depth:
            self.findings.settle()

    def gap(self, *, is_originator: bool) -> None:
        """Some bytes of one direction were never seen."""
        self.findings.is_unreliable = True
        self._stop_matching()
        for reader in tuple(self.readers):
            reader.gap(is_originator=is_originator)

    def add(self, reader: Reader) -> None:
        """Let one more reader have what comes from now on."""
        self.readers.append(reader)

    def remove(self, reader: Reader) -> None:
        """Let a reader have no more; it need not be there."""
        if reader in self.readers:
            self.readers.remove(reader)

    def continue_with(self, reader: Reader) -> None:
        """Let one reader alone go on, where what came before is known already."""
        self._stop_matching()
        self.add(reader)

    def inner(self) -> Session | None:
        """A session for what is tunneled in this one; None if it is nested too deep."""
        if self.depth >= _DEEPEST_TUNNEL:
            return None
        return Session(
            self.signatures,
            findings=self.findings,
            depth=self.depth + 1,
        )

    def _match(self, data: bytes, *, is_originator: bool) -> None:
        opened = self._opened[is_originator]
        opened += data[: _MOST_OPENED - len(opened)]
        self._replayed.append((data, is_originator))
        candidates = self._candidates[is_originator]
        if (candidates is None or self.has_datagrams) and data and self.signatures:
            found = self.signatures.beginning_with(data[0], is_originator=is_originator)
            candidates = self._candidates[is_originator] = list(found)
        beginning = data if self.has_datagrams else opened
        for candidate in tuple(candidates or ()):
            signature, opening = candidate
            if not opening.matches(beginning):
                if len(opened) < _LONGEST_OPENING or opening.later is not None:
                    continue
            elif not signature.needs_both or signature.reader in self._matched:
                self._start(signature.reader)
            else:
                self._matched.add(signature.reader)
            if candidates:
                candidates.remove(candidate)
        if len(self._opened[0]) + len(self._opened[1]) > MATCHED_BYTES:
            self._stop_matching()

    def _start(self, kind: type[Reader]) -> None:
        if any(reader.service == kind.service for reader in self.readers):
            return
        reader = kind(self)
        self.readers.append(reader)
        for data, is_originator in tuple(self._replayed):
            if reader in self.readers:
                reader.deliver(data, is_originator=is_originator)

    def _stop_matching(self) -> None:
        self.is_matching = False
        self._opened[0].clear()
        self._opened[1].clear()
        self._replayed.clear()
