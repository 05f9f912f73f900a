"""Detections that say of the same traffic what another already says more clearly.

An implant that calls every minute is a beacon, a persistent failure once its server is gone, and a
strobe if it hurries; a DNS tunnel is also a rare type, a volume and a heap of long names. All of it
is true, but it is one thing to look at. The clearest account keeps its score; the others become a
hint that says whose.

- *Channels* (beacon, persistent failure, strobe, long connection) speak of how one service outside
  is met. They yield to a louder one of each other, and to what says what the channel is for
  (exfiltration, an ICMP tunnel) if its severity is theirs or more, where source, destination, port
  and protocol are the same.
- *Counts of DNS questions* yield to a louder tunnel or to generated names of the same host, and
  *bursts of connections* to whatever else is found of their source and is as severe, if those are
  at least half of what was counted in its time: then the count is accounted for.

- *What is unusual* beside a baseline yields to whatever else is found of the same traffic and is as
  severe, and to a louder finding of what is unusual there. The same traffic is that of one source
  at one time, where neither names a destination, port, protocol or subject that contradicts the
  other. A host's whole volume is accounted for by what moves bytes, and by at least half of its
  connections.

What accounts for a channel must last at least half of its time: an upload of a minute does not
account for a day of calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.detectors import DETECTORS, Detection, burst
from analyzer.findings import Evidence, Severity

if TYPE_CHECKING:
    from analyzer.rules import Rule

SAID_BY = "said more clearly by"
"""Evidence of what became a hint: the rule that accounts for it."""

_CHANNELS = frozenset({"beacon", "persistent_failure", "strobe", "long_connection"})
_USES = frozenset({"exfiltration", "icmp_tunnel"})
_COUNTS_OF_NAMES = frozenset({"dns_long_name", "dns_nxdomain", "dns_type", "dns_volume"})
_KINDS_OF_NAMES = frozenset({"dns_tunnel", "dga"})

# The part of its time, and of its questions, that accounts for a detection.
_MOST = 0.5


def clearest(found: Sequence[tuple[Rule, Detection]]) -> list[tuple[Rule, Detection]]:
    """Detections, those that another one from medium on accounts for as a hint at most.

    Args:
        found: what all rules found, in any order; it is kept.
    """
    loud: dict[str, list[tuple[Rule, Detection]]] = defaultdict(list)
    for rule, detection in sorted(found, key=lambda each: (-_score(*each), each[0].id)):
        if _score(rule, detection) >= Severity.MEDIUM.bound:
            loud[detection.source].append((rule, detection))
    return [(rule, _hinted(rule, detection, loud[detection.source])) for rule, detection in found]


def _hinted(rule: Rule, detection: Detection, loud: Sequence[tuple[Rule, Detection]]) -> Detection:
    """A detection beside those of its source from medium on, loudest first."""
    is_louder = True
    for other_rule, other in loud:
        if other is detection:
            is_louder = False
        elif _accounts(other_rule, other, rule, detection, is_louder=is_louder):
            return replace(
                detection,
                score=min(detection.score, Severity.LOW.highest),
                evidence=(*detection.evidence, Evidence(SAID_BY, other_rule.id)),
            )
    return detection


def _accounts(
    other_rule: Rule, other: Detection, rule: Rule, detection: Detection, *, is_louder: bool
) -> bool:
    """Whether the other says what a detection is."""
    both = min(detection.last, other.last) - max(detection.first, other.first)
    if other_rule.id == rule.id or both < 0:
        return False
    is_as_severe = Severity.of(_score(other_rule, other)) >= Severity.of(_score(rule, detection))
    if DETECTORS[rule.detector].compares:
        compares_too = DETECTORS[other_rule.detector].compares
        return (is_louder if compares_too else is_as_severe) and _is_same_traffic(
            other_rule, other, detection
        )
    if rule.detector in _CHANNELS:
        return (
            detection.destination is not None
            and _service(detection) == _service(other)
            and both >= _MOST * (detection.last - detection.first)
            and (
                (other_rule.detector in _CHANNELS and is_louder)
                or (other_rule.detector in _USES and is_as_severe)
            )
        )
    if rule.detector in _COUNTS_OF_NAMES:
        speaks = other_rule.detector in _KINDS_OF_NAMES and is_louder
    else:
        # What is merely unusual explains no burst; the burst explains why it is.
        explains = not DETECTORS[other_rule.detector].compares
        speaks = (
            _is_burst(rule) and other_rule.detector != rule.detector and is_as_severe and explains
        )
    return speaks and _is_most(other, detection)


def _is_most(other: Detection, detection: Detection) -> bool:
    """Whether the other has at least half as many connections in the time of a detection."""
    both = min(detection.last, other.last) - max(detection.first, other.first)
    lasted = other.last - other.first
    within = other.connections * (both / lasted if lasted else 1.0)
    return within >= _MOST * detection.connections


def _is_same_traffic(other_rule: Rule, other: Detection, detection: Detection) -> bool:
    """Whether what is unusual at the time of another detection may be that very thing."""
    pairs = zip(_about(detection), _about(other), strict=True)
    if any(one and two and one != two for one, two in pairs):
        return False
    named = any(_about(detection))
    return named or other_rule.detector in _USES or _is_most(other, detection)


def _about(detection: Detection) -> tuple[str | int | None, ...]:
    return (*_service(detection), detection.subject)


def _score(rule: Rule, detection: Detection) -> float:
    """What will be said of a detection, whose rule may not go as far."""
    return min(detection.score, rule.level.highest)


def _is_burst(rule: Rule) -> bool:
    return isinstance(rule.parameters, burst.Parameters) and rule.parameters.of == "connections"


def _service(detection: Detection) -> tuple[str | None, int | None, str | None]:
    return (detection.destination, detection.port, detection.proto)
