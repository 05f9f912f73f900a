"""How long a host has known a place: what it has met for days is less likely to be an implant's.

Timing cannot tell a control server from a licence server, but a licence server was there last week.
RITA takes 0.15 off the score of what was first seen long ago (its first-seen modifier,
config.hjson), and so do we, of places outside that a baseline knows the host to have met for at
least half of its days, and two. A place is not forgotten for that: what was critical is still
reported.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.detectors.comparison import shared_comparisons
from analyzer.findings import Evidence, Severity

if TYPE_CHECKING:
    from analyzer.detectors import Detection, Shared
    from analyzer.records import Records
    from analyzer.rules import Rule

DECREASE = 0.15
"""What is taken off a score."""

KNOWN_SINCE = "met on earlier days, since"

_FEWEST_DAYS = 2
_EPOCH = dt.date(1970, 1, 1).toordinal()
# What speaks of how one service outside is met, by its rhythm and its length alone.
_BY_RHYTHM = frozenset({"beacon", "strobe", "long_connection"})


def familiar(
    found: Sequence[tuple[Rule, Detection]], records: Records, shared: Shared
) -> list[tuple[Rule, Detection]]:
    """Detections, the score of those lowered that are about places known for days.

    Without a baseline they are as they were.
    """
    if shared.baseline is None or not any(map(_speaks_of_rhythm, found)):
        return list(found)
    (comparison,) = shared_comparisons(records, shared) or (None,)
    if comparison is None:
        return list(found)
    peers = comparison.baseline["peers"]
    peers = peers[peers.outside & peers.source.isin({each.source for _, each in found})]
    met = dict(
        zip(
            zip(peers.source, peers.peer, strict=True),
            zip(peers.first_day, peers.last_day, strict=True),
            strict=True,
        )
    )
    fewest = max(_FEWEST_DAYS, len(comparison.baseline.days) / 2)
    result = []
    for rule, detection in found:
        first, last = met.get((detection.source, detection.destination), (0, -1))
        is_familiar = _speaks_of_rhythm((rule, detection)) and last - first + 1 >= fewest
        result.append((rule, _lowered(detection, first) if is_familiar else detection))
    return result


def _speaks_of_rhythm(each: tuple[Rule, Detection]) -> bool:
    rule, detection = each
    return (
        rule.detector in _BY_RHYTHM
        and detection.destination is not None
        and detection.score >= Severity.LOW.bound
    )


def _lowered(detection: Detection, day: int) -> Detection:
    since = dt.date.fromordinal(_EPOCH + int(day)).isoformat()
    return replace(
        detection,
        score=detection.score - DECREASE,
        evidence=(*detection.evidence, Evidence(KNOWN_SINCE, since)),
    )
