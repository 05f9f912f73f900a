"""What the analyzer says: findings, the evidence under them, and how loud they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.mitre import Technique


class Severity(IntEnum):
    """Bands of a score. A score below :data:`LOW`'s bound is kept but not reported."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def bound(self) -> float:
        """The lowest score of this band."""
        return _BOUNDS[self]

    @property
    def highest(self) -> float:
        """The score up to which a rule of this level may go, just inside the band."""
        return _HIGHEST[self]

    @classmethod
    def of(cls, score: float) -> Severity:
        """The band a score in [0, 1] falls in."""
        return max(severity for severity in cls if score >= severity.bound)

    def __str__(self) -> str:
        return self.name.lower()

    def __format__(self, specification: str) -> str:
        return format(str(self), specification)


SUPPRESS_FOR = 3600.0
"""Seconds within which the same thing is not news again: Zeek's ``Notice::suppress_for``."""

_BOUNDS = {
    Severity.NONE: 0.0,
    Severity.LOW: 0.7,
    Severity.MEDIUM: 0.8,
    Severity.HIGH: 0.9,
    Severity.CRITICAL: 0.95,
}

_HIGHEST = {
    Severity.NONE: 0.699,
    Severity.LOW: 0.799,
    Severity.MEDIUM: 0.899,
    Severity.HIGH: 0.949,
    Severity.CRITICAL: 1.0,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number a finding rests on, beside what was expected.

    Attributes:
        name: what was measured, in words (``failed hosts``).
        observed: the value seen.
        expected: the value an ordinary source shows, if there is one.
        threshold: the value from which it counts as a finding, if it has one of its own.
        unit: the unit of all three (``B``, ``s``), empty for counts and shares.
    """

    name: str
    observed: float | str
    expected: float | str | None = None
    threshold: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        text = f"{self.name} {quantity(self.observed, self.unit)}"
        beside = []
        if self.expected is not None:
            beside.append(f"expected {quantity(self.expected, self.unit)}")
        if self.threshold is not None:
            beside.append(f"threshold {quantity(self.threshold, self.unit)}")
        return f"{text} ({', '.join(beside)})" if beside else text


# Beyond this, three significant digits are whole numbers.
_THREE_DIGITS = 1000
_SMALLEST = 1e-4


def quantity(value: float | str, unit: str = "") -> str:
    """A value with its unit as a person writes it: ``1,234``, ``0.31``, ``4.2 MB``, ``3.1 h``."""
    if isinstance(value, str):
        return value
    if unit == "B":
        return _scaled(value, 1000.0, ("B", "kB", "MB", "GB", "TB", "PB"))
    if unit == "s":
        return duration(value)
    text = _three_digits(value)
    return f"{text} {unit}" if unit else text


def _three_digits(value: float) -> str:
    """A number in three significant digits, or all those before the point; never an exponent."""
    rounded = float(f"{value:.3g}")
    if float(value).is_integer() or abs(rounded) >= _THREE_DIGITS:
        return f"{value:,.0f}"
    return f"{rounded:g}" if abs(rounded) >= _SMALLEST or not rounded else f"{rounded:.1g}"


def _scaled(value: float, step: float, units: tuple[str, ...]) -> str:
    size = 0
    while abs(float(f"{value:.3g}")) >= step and size < len(units) - 1:
        value /= step
        size += 1
    return f"{_three_digits(value) if size else f'{value:.0f}'} {units[size]}"


def duration(seconds: float) -> str:
    """A span of time in the largest unit that leaves at least 2 (``90 s``, ``12 min``)."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(seconds) >= 2 * size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds)} s"


def few_of(names: Sequence[str], shown: int = 3) -> str:
    """The first of some names, and how many more there are: ``a, b, c and 12 more``."""
    others = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {others:,} more" if others > 0 else "")


@dataclass(frozen=True, slots=True)
class ConnectionId:
    """The connection that shows a finding best: Zeek's uid and conn_id."""

    uid: str | None
    orig_h: str
    orig_p: int
    resp_h: str
    resp_p: int
    proto: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, who did it, and why we think so.

    Attributes:
        rule: id of the rule that found it.
        note: Zeek notice type (``ZeekAnalyzer::Address_Scan``).
        source: address of the host the finding is about.
        destination: the other side, if it is one host.
        port: responder port, if it is one port.
        proto: transport protocol, if it is one.
        subject: what else the finding is about beyond the addresses (a domain), or empty.
        first: time of the first connection that belongs to it, UTC epoch seconds.
        last: time of the last.
        score: how sure we are that this is worth a person's time, in [0, 1].
        techniques: ATT&CK techniques, the most fitting first.
        message: one sentence for a person.
        evidence: the numbers behind it.
        connections: how many connections (or queries) it stands for.
        uids: a few of their uids, the best one first.
        best: the connection that shows it best, if any is known.
        server_names: what the hosts called the other side in those connections (SNI, Host).
        looked_up_as: names whose DNS answers hold the destination, most asked for first; no more
            than the pipeline keeps.
    """

    rule: str
    note: str
    source: str
    first: float
    last: float
    score: float
    techniques: tuple[Technique, ...]
    message: str
    destination: str | None = None
    port: int | None = None
    proto: str | None = None
    subject: str = ""
    evidence: tuple[Evidence, ...] = ()
    connections: int = 0
    uids: tuple[str, ...] = ()
    best: ConnectionId | None = field(default=None)
    server_names: tuple[str, ...] = ()
    looked_up_as: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """The band of the score."""
        return Severity.of(self.score)

    @property
    def entities(self) -> tuple[str, str, str, int | None, str | None, str]:
        """What the finding is about, without its time: equal for repeats of the same thing."""
        return (
            self.rule,
            self.source,
            self.destination or "",
            self.port,
            self.proto,
            self.subject,
        )

    @property
    def alias(self) -> tuple[str, str, int | None, str | None, str] | None:
        """What it is about by the name of the other side instead of its address, if it has one.

        What is found of a name behind several addresses may name one of them today and another
        tomorrow.
        """
        name = self.subject
        if not name and len(self.server_names) == 1:
            (name,) = self.server_names
        return (self.rule, self.source, self.port, self.proto, name) if name else None

    @property
    def identifier(self) -> str:
        """A stable id of (rule, entities, hour of the first connection): 16 hex digits."""
        parts = [*(str(part) for part in self.entities), str(int(self.first // 3600))]
        return hashlib.sha256("\x00".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[
            :16
        ]

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Total order of findings: loudest first, then by time and by what they are about."""
        port = -1 if self.port is None else self.port
        rule, source, destination, _, proto, subject = self.entities
        return (
            -self.score,
            self.first,
            source,
            destination,
            port,
            proto or "",
            rule,
            subject,
            self.last,
            tuple(technique.id for technique in self.techniques),
            self.message,
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything above as plain values, ready for JSON or a data frame."""
        return {
            "id": self.identifier,
            "rule": self.rule,
            "note": self.note,
            "severity": str(self.severity),
            "score": round(self.score, 6),
            "source": self.source,
            "destination": self.destination,
            "port": self.port,
            "proto": self.proto,
            "subject": self.subject or None,
            "first": self.first,
            "last": self.last,
            "techniques": [technique.id for technique in self.techniques],
            "technique_names": [technique.name for technique in self.techniques],
            "tactics": sorted({tactic for t in self.techniques for tactic in t.tactics}),
            "message": self.message,
            "evidence": [
                {
                    "name": item.name,
                    "observed": item.observed,
                    "expected": item.expected,
                    "threshold": item.threshold,
                    "unit": item.unit or None,
                }
                for item in self.evidence
            ],
            "connections": self.connections,
            "uids": list(self.uids),
            "server_names": list(self.server_names),
            "looked_up_as": list(self.looked_up_as),
        }
