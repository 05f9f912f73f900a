"""How good findings are, against labels: the figures, and what they are of.

The units are those a connection log has. A connection is detected if a reported finding covers it
(see :mod:`analyzer.matching`). A host's day (UTC) is one on which it originated a labelled
connection; it is an attack's if one of those is, and detected if a reported finding is about the
host on that day. An attack is all connections of one label; it is detected if one of them is.
What nobody knows (labels such as Background) counts neither way and is told apart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often the two answers were given, and how often rightly.

    Attributes:
        true_positives: attacks that were reported.
        false_positives: benign ones that were.
        false_negatives: attacks that were not.
        true_negatives: benign ones that were not.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def recall(self) -> float | None:
        """The share of attacks that is reported: the detection rate; None without attacks."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def false_alarm_rate(self) -> float | None:
        """The share of what is benign that is reported; None if nothing is benign."""
        return _share(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def precision(self) -> float | None:
        """The share of what is reported that is an attack; None if nothing is reported."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; None if there is nothing to find or say."""
        wrong = self.false_positives + self.false_negatives
        return _share(2 * self.true_positives, 2 * self.true_positives + wrong)

    def as_dict(self) -> dict[str, float | int | None]:
        """Counts and rates, ready for JSON."""
        return {
            **asdict(self),
            "detection_rate": self.recall,
            "false_alarm_rate": self.false_alarm_rate,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class RuleQuality:
    """What one rule reports, against labels.

    Attributes:
        rule: its id.
        findings: how many findings it reports.
        connections: its confusion over connections; None for a rule that judges findings, which
            covers no connections of its own.
        host_days: its confusion over hosts' days.
        unknown: how many connections it covers of which nobody knows.
    """

    rule: str
    findings: int
    connections: Confusion | None
    host_days: Confusion
    unknown: int


@dataclass(frozen=True, slots=True)
class Attack:
    """All connections of one label that names an attack.

    Attributes:
        label: its name.
        connections: how many there are.
        detected: how many of them are covered by a reported finding.
        sources: how many hosts originated them.
        sources_detected: how many of those originated one that is covered.
        first: time of the first, UTC epoch seconds.
        last: time of the last.
        missed_uids: a few that are not covered, the earliest first.
    """

    label: str
    connections: int
    detected: int
    sources: int
    sources_detected: int
    first: float
    last: float
    missed_uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissedHost:
    """Connections of attacks by one host that no reported finding covers.

    Attributes:
        host: the originator.
        label: the attack.
        connections: how many there are.
        uids: a few of them, the earliest first.
    """

    host: str
    label: str
    connections: int
    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """Benign connections that a rule reports.

    Attributes:
        rule: the rule.
        label: what they are.
        connections: how many there are.
        sources: how many hosts originated them.
    """

    rule: str
    label: str
    connections: int
    sources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """All figures of an evaluation.

    Attributes:
        attack: connections that are attacks.
        benign: connections that are benign.
        unknown: connections with a label by which nobody knows.
        unlabelled: connections that no label speaks of.
        connections: the confusion of all rules together over connections.
        host_days: the same over hosts' days.
        reported_unknown: unknown connections that are reported.
        rules: the rules that report anything, by id.
        attacks: the attacks, the largest first.
        missed: hosts with connections of attacks that are missed, those with most first.
        false_alarms: what benign connections are reported, the most first.
    """

    attack: int
    benign: int
    unknown: int
    unlabelled: int
    connections: Confusion
    host_days: Confusion
    reported_unknown: int
    rules: tuple[RuleQuality, ...]
    attacks: tuple[Attack, ...]
    missed: tuple[MissedHost, ...]
    false_alarms: tuple[FalseAlarm, ...]

    @property
    def attacks_detected(self) -> int:
        """How many attacks have a connection that is reported."""
        return sum(1 for attack in self.attacks if attack.detected)

    def as_dict(self) -> dict[str, Any]:
        """Everything above as plain values, ready for JSON."""
        return {
            "labels": {
                name: getattr(self, name) for name in ("attack", "benign", "unknown", "unlabelled")
            },
            "connections": {
                **self.connections.as_dict(),
                "reported_unknown": self.reported_unknown,
            },
            "host_days": self.host_days.as_dict(),
            "attacks": {
                "all": len(self.attacks),
                "detected": self.attacks_detected,
                "by_label": [asdict(attack) for attack in self.attacks],
            },
            "rules": [
                {
                    "rule": rule.rule,
                    "findings": rule.findings,
                    "connections": rule.connections and rule.connections.as_dict(),
                    "host_days": rule.host_days.as_dict(),
                    "reported_unknown": rule.unknown,
                }
                for rule in self.rules
            ],
            "missed": [asdict(missed) for missed in self.missed],
            "false_alarms": [asdict(alarm) for alarm in self.false_alarms],
        }
