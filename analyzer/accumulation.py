"""The stage after all detectors: what their findings add up to, host by host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

from analyzer.detectors import ACCUMULATORS, Accumulation, Shared
from analyzer.detectors.detection import shared_contacts
from analyzer.exemplars import SHOWN
from analyzer.findings import Finding

if TYPE_CHECKING:
    from analyzer.mitre import Technique
    from analyzer.records import Records
    from analyzer.rules import Rule


def outside_sources(
    findings: Sequence[Finding], records: Records, shared: Shared
) -> frozenset[str]:
    """The sources of findings that are not ours.

    That is what is known of those that tried to reach somebody, else what their address says.
    """
    sources = sorted({finding.source for finding in findings})
    if not sources:
        return frozenset()
    contacts = shared_contacts(records, shared)
    known = contacts.filter(contacts.orig_h.isin(sources))
    rows = known.select("orig_h", "source_is_local").distinct().to_pyarrow().to_pylist()
    is_local = {row["orig_h"]: row["source_is_local"] for row in rows}
    return frozenset(
        source for source in sources if not is_local.get(source, records.local.is_local(source))
    )


def accumulated(
    rules: Sequence[Rule], findings: Sequence[Finding], outside: Collection[str]
) -> list[Finding]:
    """The findings of the rules that judge findings.

    Args:
        rules: all rules of the run.
        findings: what the others found.
        outside: their sources that are not ours.
    """
    ordered = sorted(findings, key=lambda finding: finding.sort_key)
    return [
        _finding(rule, accumulation)
        for rule in rules
        if rule.detector in ACCUMULATORS
        for accumulation in ACCUMULATORS[rule.detector].find(ordered, rule.parameters, outside)
    ]


def _finding(rule: Rule, accumulation: Accumulation) -> Finding:
    """A finding with the techniques and the connections of those that it rests on."""
    detection, rests_on = accumulation.detection, accumulation.rests_on
    finding = rule.finding(detection)
    return replace(
        finding,
        techniques=tuple(_main_techniques(rests_on)) or finding.techniques,
        uids=tuple(islice(dict.fromkeys(_uids(rests_on)), SHOWN)),
        best=next((finding.best for finding in rests_on if finding.best), None),
    )


def _main_techniques(findings: Sequence[Finding]) -> dict[Technique, None]:
    return dict.fromkeys(finding.techniques[0] for finding in findings if finding.techniques)


def _uids(findings: Sequence[Finding]) -> Iterator[str]:
    """The best uid of each finding, then the second best of each, and so on."""
    ranks = zip_longest(*(finding.uids for finding in findings))
    return (uid for uid in chain.from_iterable(ranks) if uid is not None)
