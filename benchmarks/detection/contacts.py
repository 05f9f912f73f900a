"""How well failed, long and incessant contacts are told from honest ones.

    python -m benchmarks.detection.contacts [--seeds N]

Every source has one contact of the kind measured and a few ordinary ones, so what is counted is
sources. Gaps are gamma distributed, with nights off for some: neither the tests' traffic nor the
office generator makes them so. The peers are the plain rules on the same traffic: Slips's fifth
rejected reconnection, RITA's levels of long connections, and its strobe of 86,400 a day.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable

import pandas as pd
import pyarrow as pa

import analyzer
from analyzer.detectors import DETECTORS, Shared
from analyzer.engine import Engine
from analyzer.findings import Severity
from analyzer.networks import parse_networks
from analyzer.records import DETECTION_COLUMNS
from benchmarks.detection.contacts_traffic import (
    HOUR,
    Scene,
    dead,
    held_open,
    incessant,
    outage,
    session,
    stale,
    swarm,
    traffic,
)
from benchmarks.detection.figures import Figure, print_measured
from tests.traffic import office

_RULES = ("persistent_failure", "long_connection", "strobe")
_RITA_STROBE = 86_400
_RITA_LONG = 8 * HOUR
_SLIPS_REJECTED = 5


def _found(detector: str, day: pd.DataFrame, minimum: Severity) -> int:
    """Sources found at a severity or above."""
    columns = {
        name: pa.array(day[name]) if name in day else pa.nulls(len(day))
        for name in DETECTION_COLUMNS["conn"]
    }
    with Engine() as engine:
        engine.append("conn", pa.table(columns))
        records = engine.records(parse_networks(()))
        way = DETECTORS[detector]
        said = list(way.find(records, way.parameters(), Shared()))
    return len({each.source for each in said if Severity.of(each.score) >= minimum})


def _slips(day: pd.DataFrame) -> int:
    rejected = day[day.conn_state == "REJ"]
    counts = rejected.groupby(["orig_h", "resp_h", "resp_p"]).size()
    return int(counts[counts >= _SLIPS_REJECTED].index.get_level_values(0).nunique())


def _rita_long(day: pd.DataFrame) -> int:
    lasted = day.groupby(["orig_h", "resp_h"]).duration.sum()
    return int(lasted[lasted >= _RITA_LONG].index.get_level_values(0).nunique())


def _rita_strobe(day: pd.DataFrame) -> int:
    counts = day.groupby(["orig_h", "resp_h"]).size()
    return int(counts[counts >= _RITA_STROBE].index.get_level_values(0).nunique())


_FAILED, _LONG, _STROBE = "persistent_failure", "long_connection", "strobe"
_PEERS: dict[str, tuple[str, Callable[[pd.DataFrame], int]]] = {
    _FAILED: ("Slips: five rejected reconnections", _slips),
    _LONG: ("RITA: 8 hours of a pair, added up", _rita_long),
    _STROBE: ("RITA: 86,400 connections of a pair", _rita_strobe),
}
_LOW, _MEDIUM = Severity.LOW, Severity.MEDIUM

# Detector, what is simulated, in how many sources, severity, goal (negative: an upper bound).
_SCENES: tuple[tuple[str, str, Scene, int, Severity, float | None], ...] = (
    (_FAILED, "dead server, 60-2000 tries in 1-20 h", dead((60, 2000), (1, 20)), 50, _MEDIUM, 0.97),
    (
        _FAILED,
        "dead server, 60-400 tries in 36-60 min",
        dead((60, 400), (0.6, 1)),
        50,
        _MEDIUM,
        0.9,
    ),
    (_FAILED, "dead server, 25-59 tries in 1-20 h", dead((25, 59), (1, 20)), 50, _LOW, 0.97),
    (
        _FAILED,
        "dead server on 443, 60-2000 tries in 5-20 h",
        dead((60, 2000), (5, 20), web=True),
        50,
        _MEDIUM,
        0.9,
    ),
    (
        _FAILED,
        "three dead servers in turn, 60-600 tries",
        dead((60, 600), (1, 20), servers=3),
        50,
        _MEDIUM,
        0.9,
    ),
    (_FAILED, "honest: an outage of up to 3 h", outage, 50, _MEDIUM, -0.0),
    (_FAILED, "honest: an outage of up to 3 h", outage, 50, _LOW, -0.01),
    (_FAILED, "honest: update checks of a server long gone", stale, 50, _MEDIUM, -0.0),
    (_FAILED, "honest: update checks of a server long gone", stale, 50, _LOW, None),
    (_FAILED, "honest: a file sharer's peers", swarm, 10, _LOW, -0.0),
    (_LONG, "session of 4-23 h on an unusual port", session((4, 23)), 50, _MEDIUM, 0.9),
    (_LONG, "session of 4-23 h, cut every 15-60 min", session((4, 23), cut=True), 50, _MEDIUM, 0.9),
    (_LONG, "session of 2-4 h on an unusual port", session((2, 4)), 50, _LOW, 0.9),
    (_LONG, "honest: held open for 1-24 h", held_open, 50, _MEDIUM, -0.0),
    (_LONG, "honest: held open for 1-24 h", held_open, 50, _LOW, None),
    (_STROBE, "one to five connections a second, 45,000 or more", incessant, 3, _MEDIUM, 1.0),
)


def measure(seeds: int) -> list[Figure]:
    """The figures, over so many seeds."""
    figures = []
    for detector, name, scene, sources, severity, goal in _SCENES:
        peer, rule = _PEERS[detector]
        days = [traffic(7000 + seed, scene, sources) for seed in range(seeds)]
        every = sources * seeds
        figures.append(
            Figure(
                f"{name}, {severity}",
                None if goal is None else abs(goal),
                sum(_found(detector, day, severity) for day in days) / every,
                at_most=goal is not None and math.copysign(1.0, goal) < 0,
                peers={peer: sum(rule(day) for day in days) / every},
            )
        )
    return figures + _offices(seeds)


def _offices(seeds: int) -> list[Figure]:
    """False alarms of all three a clean day of forty hosts, at medium and at low."""
    loud: dict[Severity, int] = {_MEDIUM: 0, _LOW: 0}
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as directory:
            office(9000 + seed, hosts=40).write(directory)
            report = analyzer.analyze(directory, select_rules=_RULES)
        for severity in loud:
            loud[severity] += sum(finding.severity >= severity for finding in report.findings)
    return [
        Figure(f"findings in a clean office's day, {severity}", 0.0, count / seeds, at_most=True)
        for severity, count in loud.items()
    ]


if __name__ == "__main__":
    print_measured(measure, __doc__)
