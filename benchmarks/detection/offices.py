"""How many false alarms all rules together raise in clean offices of a workday.

    python -m benchmarks.detection.offices [--seeds N]

The offices are generated, of 120 hosts, with seeds that no test uses; nothing bad happens there.
Beside what is found stands how many hosts the plain rule names that counts destinations.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import analyzer
from analyzer.engine import Engine
from analyzer.findings import Severity
from analyzer.networks import parse_networks
from analyzer.parsers.reading import read
from benchmarks.detection.figures import Figure, print_measured
from tests.traffic import office

HOSTS = 120
FIRST_SEED = 600
_GOAL = 2.0
_DESTINATIONS = 25
_LOCAL = "10.20."


def _broad(directory: Path) -> int:
    """Hosts of the office with more than 25 destinations."""
    with Engine() as engine:
        read([directory], engine)
        conn = engine.records(parse_networks(())).conn
        local = conn.filter(conn.orig_h.startswith(_LOCAL))
        met = local.group_by("orig_h").agg(hosts=local.resp_h.nunique())
        return int(met.filter(met.hosts > _DESTINATIONS).count().execute())


def measure(seeds: int) -> list[Figure]:
    """Findings of all rules a clean day, by severity.

    Args:
        seeds: offices generated.
    """
    rules: dict[Severity, Counter[str]] = {Severity.MEDIUM: Counter(), Severity.LOW: Counter()}
    most = dict.fromkeys(rules, 0)
    broad = 0
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            office(FIRST_SEED + seed, hosts=HOSTS).write(directory)
            findings = analyzer.analyze(directory).findings
            broad += _broad(directory)
        for severity, counts in rules.items():
            loud = [each.rule for each in findings if each.severity >= severity]
            counts.update(loud)
            most[severity] = max(most[severity], len(loud))
    return [
        Figure(
            f"all rules, findings a clean day of {HOSTS} hosts, {severity} or above",
            _GOAL if severity is Severity.MEDIUM else None,
            counts.total() / seeds,
            at_most=True,
            peers={"hosts with more than 25 destinations": broad / seeds}
            if severity is Severity.MEDIUM
            else {},
            notes=(
                f"on the worst of {seeds} days: {most[severity]}",
                *(f"{count} by {rule}" for rule, count in sorted(counts.items())),
            ),
        )
        for severity, counts in rules.items()
    ]


if __name__ == "__main__":
    print_measured(measure, __doc__)
