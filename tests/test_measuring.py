"""The counts under the figures, of a little traffic whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.findings import Finding, Severity
from analyzer.matching import cover_connections, label_connections
from analyzer.measuring import measure
from analyzer.quality import (
    Attack,
    Confusion,
    FalseAlarm,
    MissedHost,
    Quality,
    RuleQuality,
)
from tests.test_detectors import DAY, START, connection, holding
from tests.test_matching import finding, labels

# Host 5 is a bot for two days, 6 is attacked with, 7 is a user, of 8 nobody knows.
CONN = [
    *(connection(k, "10.0.0.5", "203.0.113.9", 443, uid=f"B{k}") for k in range(4)),
    *(connection(DAY + k, "10.0.0.5", "203.0.113.9", 443, uid=f"L{k}") for k in range(2)),
    *(connection(k, "10.0.0.6", f"10.0.1.{k}", 22, uid=f"S{k}") for k in range(3)),
    *(connection(k, "10.0.0.7", "198.51.100.1", 443, uid=f"U{k}") for k in range(5)),
    *(connection(k, "10.0.0.8", "198.51.100.1", 443, uid=f"N{k}") for k in range(2)),
    connection(9, "10.0.0.9", "198.51.100.1", 443, uid="X"),
]
LABELS = labels(
    [
        *((f"B{k}", True, "CC") for k in range(4)),
        *((f"L{k}", True, "CC") for k in range(2)),
        *((f"S{k}", True, "Scan") for k in range(3)),
        *((f"U{k}", False, "Dropbox") for k in range(5)),
        *((f"N{k}", None, "Background") for k in range(2)),
    ]
)
BOT = finding(
    rule="beacon",
    source="10.0.0.5",
    destination="203.0.113.9",
    first=START + 1,
    last=START + 3,
    score=0.9,
)
USER = finding(rule="beacon", source="10.0.0.7", first=START, last=START + 1, score=0.75)
AGAIN = finding(rule="strobe", source="10.0.0.7", first=START + 1, last=START + 1, score=0.71)
NOBODY = finding(rule="strobe", source="10.0.0.8", first=START, last=START, score=0.71)
WEAK = finding(rule="fan_out", source="10.0.0.6", first=START, last=START + 9, score=0.6)
SUM = finding(rule="compromised_host", source="10.0.0.5", first=START, last=START + DAY, score=0.9)


def measured(findings: Sequence[Finding], minimum: Severity = Severity.LOW) -> Quality:
    with holding(CONN) as records:
        connections = label_connections(records, LABELS)
        covered = cover_connections(records, connections, findings)
        return measure(
            records,
            connections,
            covered,
            findings,
            minimum=minimum,
            judging={"compromised_host"},
        )


def test_all_figures() -> None:
    quality = measured([BOT, USER, AGAIN, NOBODY, WEAK, SUM])
    assert (quality.attack, quality.benign, quality.unknown, quality.unlabelled) == (9, 5, 2, 1)
    assert quality.connections == Confusion(3, 2, 6, 3)
    # Days of host 5 (two), 6 and 7; nobody knows of 8.
    assert quality.host_days == Confusion(2, 1, 1, 0)
    assert quality.reported_unknown == 1
    assert quality.rules == (
        RuleQuality("beacon", 2, Confusion(3, 2, 6, 3), Confusion(1, 1, 2, 0), 0),
        RuleQuality("compromised_host", 1, None, Confusion(2, 0, 1, 1), 0),
        RuleQuality("strobe", 2, Confusion(0, 1, 9, 4), Confusion(0, 1, 3, 0), 1),
    )
    assert quality.attacks == (
        Attack("CC", 6, 3, 1, 1, START, START + DAY + 1, ("B0", "L0", "L1")),
        Attack("Scan", 3, 0, 1, 0, START, START + 2, ("S0", "S1", "S2")),
    )
    assert quality.attacks_detected == 1
    assert quality.missed == (
        MissedHost("10.0.0.5", "CC", 3, ("B0", "L0", "L1")),
        MissedHost("10.0.0.6", "Scan", 3, ("S0", "S1", "S2")),
    )
    assert quality.false_alarms == (
        FalseAlarm("beacon", "Dropbox", 2, 1),
        FalseAlarm("strobe", "Dropbox", 1, 1),
    )


def test_what_is_not_reported_detects_nothing() -> None:
    quality = measured([BOT, USER, WEAK], Severity.MEDIUM)
    assert quality.connections == Confusion(3, 0, 6, 5)
    assert [rule.rule for rule in quality.rules] == ["beacon"]
    everything = measured([BOT, USER, WEAK], Severity.NONE)
    assert everything.connections == Confusion(6, 2, 3, 3)


def test_no_findings() -> None:
    quality = measured([])
    assert quality.connections == Confusion(0, 0, 9, 5)
    assert quality.host_days == Confusion(0, 0, 3, 1)
    assert (quality.rules, quality.false_alarms, quality.reported_unknown) == ((), (), 0)
    assert [attack.detected for attack in quality.attacks] == [0, 0]
