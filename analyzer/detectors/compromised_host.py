"""A host about which several independent findings add up: more than any of them says alone.

This judges findings, not records. What is independent, and how it adds up, is said in
:mod:`analyzer.hosts`. Slips accumulates its evidence by host in the same way, by weights
(https://stratospherelinuxips.readthedocs.io/en/develop/architecture.html).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from analyzer.detectors.detection import Accumulation, Accumulator, Detection
from analyzer.findings import Evidence, Finding, Severity
from analyzer.hosts import Combination, by_host, combine, days, touched_tactics
from analyzer.mitre import TACTICS
from analyzer.parameters import Measure, Seconds, Share
from analyzer.zeek_format import format_iso8601


@dataclass(frozen=True, slots=True)
class Parameters:
    """What must come together."""

    score: Share = field(
        default=Severity.HIGH.bound, metadata={"meaning": "combined score from which it counts"}
    )
    groups: Annotated[int, Measure("a number of at least 2", low=2)] = field(
        default=2, metadata={"meaning": "independent pieces of evidence that there must be"}
    )
    loudest: Share = field(
        default=Severity.MEDIUM.bound,
        metadata={"meaning": "score that the loudest must have; weak ones alone never add up"},
    )
    window: Seconds = field(default=86_400.0, metadata={"meaning": "time in which they add up"})


def find(
    findings: Sequence[Finding], parameters: Parameters, outside: Collection[str]
) -> Iterator[Accumulation]:
    """Each local host, once in a window, about which enough was found.

    Args:
        findings: the findings of all detectors. Those below low do not count.
        parameters: what must come together.
        outside: sources that are not ours; whoever scans us from there is no host of ours.
    """
    loud = [f for f in findings if f.severity >= Severity.LOW and f.source not in outside]
    for host, about in by_host(loud).items():
        told_until = -math.inf
        for begin, active in days(about, parameters.window):
            if begin < told_until or active[0].score < parameters.loudest:
                continue
            combination = combine(active)
            if combination.score >= parameters.score and len(combination.groups) >= (
                parameters.groups
            ):
                told_until = begin + parameters.window
                detection = _detection(host, active, combination, parameters)
                # What lasts for days is told of each day anew, and each time is another finding.
                first, last = max(detection.first, begin), min(detection.last, told_until)
                yield Accumulation(replace(detection, first=first, last=last), active)


def _detection(
    host: str, findings: Sequence[Finding], combination: Combination, parameters: Parameters
) -> Detection:
    heads = [group[0] for group in combination.groups]
    began = _began(findings)
    rules = ", ".join(f"{head.rule} {head.score:.2f}" for head in heads)
    evidence = (
        Evidence("independent pieces of evidence", len(heads), threshold=parameters.groups),
        Evidence("combined score", round(combination.score, 3), threshold=parameters.score),
        Evidence("loudest finding", round(heads[0].score, 3), threshold=parameters.loudest),
        *(Evidence(f"{tactic} since", time) for tactic, time in began.items()),
        Evidence("findings", len(findings)),
    )
    return Detection(
        source=host,
        first=min(finding.first for finding in findings),
        last=max(finding.last for finding in findings),
        score=round(combination.score, 6),
        message=f"{host} shows {', '.join(began)} in {len(heads)} independent ways: {rules}",
        connections=sum(head.connections for head in heads),
        evidence=evidence,
    )


def _began(findings: Sequence[Finding]) -> dict[str, str]:
    """The tactics that findings show, in ATT&CK's order, each with the time it was first seen."""
    began: dict[str, str] = {}
    for tactic in touched_tactics(findings):
        first = min(f.first for f in findings if tactic in touched_tactics([f]))
        began[TACTICS[tactic].name] = format_iso8601(first) or f"{first:.0f} s after 1970"
    return began


ACCUMULATOR = Accumulator("compromised_host", Parameters, find)
