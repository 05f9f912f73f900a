"""From records to a report: run the rules, tell repeats from news, show the best connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from analyzer.accumulation import accumulated, outside_sources
from analyzer.allowlist import Allowlist
from analyzer.baseline.feedback import verdicts_in_force
from analyzer.baseline.tables import LAYOUTS
from analyzer.baseline.verdicts import moved
from analyzer.context import corroborated, in_context
from analyzer.detectors import ACCUMULATORS, DETECTORS, Detection, Shared
from analyzer.engine import out_of_resources
from analyzer.exemplars import exemplars
from analyzer.familiarity import familiar
from analyzer.findings import SUPPRESS_FOR, Evidence, Finding, Severity
from analyzer.overlap import clearest
from analyzer.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.baseline.anonymise import Key
    from analyzer.baseline.baseline import Baseline
    from analyzer.records import Records
    from analyzer.rules import Rule

Stage = Callable[[str], None]


def run(
    records: Records,
    rules: Sequence[Rule],
    baseline: Baseline | None = None,
    *,
    key: Key | None = None,
    minimum: Severity = Severity.LOW,
    on_stage: Stage = lambda _: None,
) -> Report:
    """Judge records by rules.

    Args:
        records: what happened.
        rules: what to look for.
        baseline: what was learned to be usual on this network, if anything was.
        key: the key of its hashes, if its addresses are hashes.
        minimum: severity from which findings are reported.
        on_stage: told the name of each stage as it begins.

    Raises:
        ResourceError: memory or disk ran out.
    """
    stages: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        on_stage(name)
        begun = time.perf_counter()
        try:
            with out_of_resources():
                yield
        finally:
            stages[name] = stages.get(name, 0.0) + time.perf_counter() - begun

    shared = Shared(baseline, key)
    verdicts = LAYOUTS["verdicts"].empty() if baseline is None else verdicts_in_force(baseline, key)
    found: list[tuple[Rule, Detection]] = []
    for rule in rules:
        if rule.detector in ACCUMULATORS:
            continue
        with stage(rule.detector):
            detections = DETECTORS[rule.detector].find(records, rule.parameters, shared)
            found.extend((rule, detection) for detection in _merged(detections))
    if baseline is not None:
        with stage("context"):
            found = familiar(found, records, shared)
    found = clearest(corroborated(found))
    with stage("exemplars"):
        findings = list(_findings(records, found, verdicts, minimum))
    with stage("context"):
        findings = in_context(findings, records, shared)
    with stage("hosts"):
        outside = outside_sources(findings, records, shared)
        return Report(
            all_findings=tuple(findings),
            minimum=minimum,
            records=records.counts,
            first=records.first,
            last=records.last,
            rules=tuple(rule.id for rule in rules),
            outside=outside,
            summed=frozenset(rule.id for rule in rules if rule.detector in ACCUMULATORS),
            add_up=partial(accumulated, tuple(rules), outside=outside),
            stages=stages,
        ).allowing(Allowlist())


def _about(detection: Detection) -> tuple[str, str, int, str, str]:
    port = -1 if detection.port is None else detection.port
    return (
        detection.source,
        detection.destination or "",
        port,
        detection.proto or "",
        detection.subject,
    )


def _merged(detections: Iterable[Detection]) -> Iterator[Detection]:
    """Detections with repeats of the same thing joined: those that overlap or soon follow."""
    current: Detection | None = None
    for later in sorted(detections, key=lambda d: (_about(d), d.first, d.last, -d.score)):
        if current is None:
            current = later
        elif _about(current) == _about(later) and later.first <= current.last + SUPPRESS_FOR:
            current = _joined(current, later)
        else:
            yield current
            current = later
    if current is not None:
        yield current


def _joined(one: Detection, later: Detection) -> Detection:
    louder = later if later.score > one.score else one
    # Overlapping windows hold the same connections; others add up.
    overlap = later.first <= one.last
    connections = max(one.connections, later.connections)
    return replace(
        louder,
        first=one.first,
        last=max(one.last, later.last),
        connections=connections if overlap else one.connections + later.connections,
    )


def _findings(
    records: Records,
    found: Sequence[tuple[Rule, Detection]],
    verdicts: pd.DataFrame,
    minimum: Severity,
) -> Iterator[Finding]:
    loud = []
    for rule, detection in found:
        finding = _after_verdicts(rule.finding(detection), verdicts)
        if finding.severity < minimum:
            yield finding
        else:
            loud.append((finding, detection))
    shown = exemplars(records, [detection for _, detection in loud])
    for (finding, _), connections in zip(loud, shown, strict=True):
        uids = dict.fromkeys(connection.uid for connection, _ in connections if connection.uid)
        names = sorted({name for _, name in connections if name})
        evidence = (Evidence("server name", ", ".join(names)),) if names else ()
        yield replace(
            finding,
            uids=tuple(uids),
            best=connections[0][0] if connections else None,
            evidence=finding.evidence + evidence,
            server_names=tuple(names),
        )


def _after_verdicts(finding: Finding, verdicts: pd.DataFrame) -> Finding:
    """A finding whose score is moved by what people said of the like."""
    after = moved(finding.score, finding, verdicts)
    if not after.evidence:
        return finding
    return replace(finding, score=after.score, evidence=(*finding.evidence, *after.evidence))
