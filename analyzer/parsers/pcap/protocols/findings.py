"""What was found out about a connection: its services, its server, what was agreed upon in it.

Source: Zeek's ``scripts/base/frameworks/analyzer/dpd.zeek`` (what becomes of the service).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

FORGIVEN_AFTER = 10 * 1024
"""Bytes after which a violation takes no service away: ``DPD::ignore_violations_after``."""

_MOST_EXPECTED = 64


class Opener(Enum):
    """Who opens a connection that was agreed upon: an end of the one it was agreed in, or any."""

    ORIGINATOR = "originator"
    RESPONDER = "responder"
    ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A connection that was agreed upon in this one.

    Attributes:
        service: what it will be called.
        address: its responder, as upper and lower 64 bits; None for the responder of this one.
        port: the responder's port.
        opener: who will open it.
    """

    service: str
    address: tuple[int, int] | None
    port: int
    opener: Opener


class Finishing(Protocol):
    """A reader, as far as it matters here."""

    def finish(self) -> None:
        """Get no more."""


@dataclass(slots=True)
class Findings:
    """What readers found out about a connection; shared with what is tunneled in it.

    Attributes:
        services: names of services in the order in which they were confirmed.
        server_name: as the client wrote it, not validated; the first one stays.
        expected: connections that were agreed upon and not yet taken note of.
        size: bytes delivered, both ways together.
        is_unreliable: the connection was seen from its middle, or has a gap: then Zeek forgives
            violations (``TCP_ApplicationAnalyzer::AnalyzerViolation``).
        is_partial: it was seen from its middle.
        is_changed: services have changed; whoever takes note of them says that they have not.
    """

    services: list[str] = field(default_factory=list)
    server_name: bytes = b""
    expected: list[Expectation] = field(default_factory=list)
    size: int = 0
    is_unreliable: bool = False
    is_partial: bool = False
    is_changed: bool = True
    _pending: list[tuple[str, bool, Finishing | None]] = field(default_factory=list)

    def confirm(self, service: str) -> None:
        """It is this service, once the data at hand has been read."""
        self._pending.append((service, True, None))

    def violate(self, service: str, reader: Finishing | None = None) -> None:
        """It is not this service after all; its reader, if there is one, gets no more."""
        self._pending.append((service, False, reader))

    def withdraw(self, service: str) -> None:
        """It is not this service, whatever was said before."""
        self._pending = [said for said in self._pending if said[0] != service or not said[1]]
        if service in self.services:
            self.services.remove(service)
            self.is_changed = True

    @property
    def is_known(self) -> bool:
        """Whether any service is confirmed, or will be once the data at hand has been read."""
        return bool(self.services) or any(holds for _, holds, _ in self._pending)

    def name_server(self, name: bytes) -> None:
        """The client asks for this server."""
        self.server_name = self.server_name or name

    def expect(self, expectation: Expectation) -> None:
        """A connection was agreed upon. No more than some in one piece of data are believed."""
        if len(self.expected) < _MOST_EXPECTED:
            self.expected.append(expectation)

    def settle(self) -> None:
        """Make true what the data at hand has shown, in the order in which it did.

        Zeek queues these as events that are handled after each packet: so a reader that was wrong
        about one direction may still be sure by the other one, in what is replayed to it.
        """
        if not self._pending:
            return
        self.is_changed = True
        for service, holds, reader in self._pending:
            if holds:
                if service not in self.services:
                    self.services.append(service)
                continue
            if reader is not None:
                reader.finish()
            if self.size <= FORGIVEN_AFTER and service in self.services:
                self.services.remove(service)
        self._pending.clear()
