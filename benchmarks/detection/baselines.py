"""What a baseline adds: attacks in an office it has learned, and false alarms on its clean days.

    python -m benchmarks.detection.baselines [--seeds N]

Three days of a generated office are learned, the fourth is judged as it is, the fifth with one of
every attack that a baseline can know. Learned is what the days were, without looking for attacks.
An attack is found if a reported finding is about its source at its time, and names no other
destination and port than its own.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from analyzer.api import load_rules
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.summary import summarise
from analyzer.detectors import DETECTORS
from analyzer.engine import Engine
from analyzer.findings import Finding, Severity
from analyzer.parsers.reading import read
from analyzer.pipeline import run
from benchmarks.detection.figures import Figure, print_measured
from tests.traffic import MONDAY, Attack, office
from tests.traffic.truth import Truth

FIRST_SEED = 700
HOSTS = 40
LEARNED = 3
DAY = 86_400.0
_GOAL = 3.0

# When each begins, in hours of its day.
ATTACKS = {
    "exfiltration": 10.0,
    "chunked_exfiltration": 9.0,
    "off_hours": 3.0,
    "new_port": 11.0,
    "new_protocol": 12.0,
    "answered_scan": 13.0,
    "connection_burst": 14.0,
    "byte_burst": 15.0,
    "lateral_movement": 16.0,
}
_LARGE = 10_000_000_000


def judged(
    directory: Path, begin: float, end: float, baseline: Baseline | None
) -> tuple[Finding, ...]:
    """The reported findings of a span of logs, by all rules."""
    with Engine() as engine:
        read([directory], engine)
        records = engine.records(begin=begin, end=end)
        return run(records, load_rules(), baseline).findings


def learned(directory: Path, begin: float, end: float) -> Baseline:
    """A baseline of a span of logs."""
    with Engine() as engine:
        read([directory], engine)
        records = engine.records(begin=begin, end=end)
        summary = summarise(records)
    return Baseline().joined(summary)


def compares(finding: Finding) -> bool:
    """Whether a finding is of a rule that compares with a baseline."""
    return finding.rule in _comparing()


@cache
def _comparing() -> frozenset[str]:
    """Ids of the rules that compare; reading all rules takes longer than asking them."""
    return frozenset(
        rule.id
        for rule in load_rules()
        if rule.detector in DETECTORS and DETECTORS[rule.detector].compares
    )


def finds(finding: Finding, truth: Truth) -> bool:
    """Whether a finding is about an attack."""
    return (
        finding.source == truth.source
        and finding.first <= truth.end
        and finding.last >= truth.start
        and finding.destination in (None, truth.destination)
        and (truth.port is None or finding.port in (None, truth.port))
    )


def measure(seeds: int, hosts: int = HOSTS) -> list[Figure]:
    """Attacks found and findings of a clean day.

    Args:
        seeds: offices generated.
        hosts: hosts of each.
    """
    clean: Counter[str] = Counter()
    worst = 0
    found: Counter[tuple[str, str]] = Counter()
    there: Counter[str] = Counter()
    by_rule: dict[str, Counter[str]] = {name: Counter() for name in (*ATTACKS, _UPLOAD)}
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        traffic = office(seed, hosts=hosts, days=LEARNED + 2, attacks=[*_attacks(), *_uploads()])
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            traffic.write(directory)
            usual = learned(directory, MONDAY, MONDAY + LEARNED * DAY)
            third, fourth, fifth = (MONDAY + (LEARNED + day) * DAY for day in range(3))
            quiet = [f for f in judged(directory, third, fourth, usual) if compares(f)]
            loud = judged(directory, fourth, fifth, usual)
        medium = [f.rule for f in quiet if f.severity >= Severity.MEDIUM]
        clean.update(medium)
        worst = max(worst, len(medium))
        for truth in traffic.truth:
            name = _UPLOAD if _is_large(truth, traffic.truth) else truth.attack
            there[name] += 1
            about = [f for f in loud if finds(f, truth)]
            best = max((f.severity for f in about), default=Severity.NONE)
            if best >= (Severity.CRITICAL if name == _UPLOAD else Severity.MEDIUM):
                found[name, "all"] += 1
            if any(compares(f) for f in about):
                found[name, "compares"] += 1
            by_rule[name].update({f.rule for f in about})
    figures = [
        Figure(
            f"{name}, found at {'critical' if name == _UPLOAD else 'medium'} or above",
            1.0,
            found[name, "all"] / there[name],
            peers={"by rules that compare, at low or above": found[name, "compares"] / there[name]},
            notes=(", ".join(f"{rule} {count}" for rule, count in sorted(rules.items())),),
        )
        for name, rules in by_rule.items()
    ]
    figures.append(
        Figure(
            f"rules that compare, findings a clean day of {hosts} hosts, medium or above",
            _GOAL,
            clean.total() / seeds,
            at_most=True,
            notes=(
                f"on the worst of {seeds} days: {worst}",
                *(f"{count} by {rule}" for rule, count in sorted(clean.items())),
            ),
        )
    )
    return figures


_UPLOAD = "10 GB on 443"


def _attacks() -> list[Attack]:
    fifth = (LEARNED + 1) * DAY
    return [Attack(name, begin=fifth + hour * 3600.0) for name, hour in ATTACKS.items()]


def _uploads() -> list[Attack]:
    """An upload of 10 GB by a user's host, a server and a device."""
    begin = (LEARNED + 1) * DAY + 17 * 3600.0
    return [
        Attack("exfiltration", size=_LARGE, begin=begin),
        Attack("exfiltration", size=_LARGE, begin=begin, source="10.20.0.11"),
        Attack("exfiltration", size=_LARGE, begin=begin, source="10.20.0.1"),
    ]


def _is_large(truth: Truth, every: Sequence[Truth]) -> bool:
    same = [each for each in every if each.attack == "exfiltration"]
    return truth in same[1:]


if __name__ == "__main__":
    print_measured(measure, __doc__)
