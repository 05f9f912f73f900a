"""What is said of findings once all are there: one bears another out, and how common a place is.

Detectors look at their own kind of trouble. An analyst asks the same questions of every finding:
is the other side listed, who else goes there, since when, and under which name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from analyzer.detectors.detection import (
    Detection,
    shared_answers,
    shared_destinations,
    shared_local_hosts,
)
from analyzer.detectors.intelligence import DETECTOR as INTELLIGENCE
from analyzer.findings import Evidence, Finding, Severity, duration
from analyzer.indicators import domain_and_parents
from analyzer.zeek_format import format_iso8601

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.detectors import Shared
    from analyzer.records import Records
    from analyzer.rules import Rule

NAMES_KEPT = 100
"""How many of the names that a destination was looked up as stand in a finding. One address of a
content network has thousands; the evidence says how many there are."""

_NAMES_SHOWN = 3

LISTED = "other side listed by"
MET_BY = "local hosts that met it"
OF_HOSTS = "local hosts in all"
MET_FIRST = "first met"
NAMED = "looked up as"


def corroborated(found: Sequence[tuple[Rule, Detection]]) -> list[tuple[Rule, Detection]]:
    """Detections, those about a listed other side raised halfway to certain.

    That is a noisy or (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988) with even odds
    that a listed place does what it is listed for: lists are far from certain (Li et al., "Reading
    the Tea Leaves: A Comparative Analysis of Threat Intelligence", USENIX Security 2019). A match
    that is itself too weak to report raises nothing.
    """
    listed: dict[tuple[str, str], str] = {}
    for rule, match in found:
        if rule.detector == INTELLIGENCE.name and match.score >= Severity.LOW.bound:
            by = next(str(item.observed) for item in match.evidence if item.name == "listed by")
            if match.destination is not None:
                listed[match.source, match.destination] = by
                listed[match.destination, match.source] = by
            if match.subject:
                listed[match.source, match.subject] = by
    return [(rule, _raised(rule, detection, listed)) for rule, detection in found]


def _raised(rule: Rule, detection: Detection, listed: dict[tuple[str, str], str]) -> Detection:
    if rule.detector == INTELLIGENCE.name:
        return detection
    names = domain_and_parents(detection.subject.lower())
    others = [detection.destination or "", *names]
    by = next((listed[detection.source, o] for o in others if (detection.source, o) in listed), "")
    if not by:
        return detection
    return replace(
        detection,
        score=1 - (1 - detection.score) / 2,
        evidence=(*detection.evidence, Evidence(LISTED, by)),
    )


def in_context(findings: Sequence[Finding], records: Records, shared: Shared) -> list[Finding]:
    """Findings, those from low on with what is known of their outside destinations.

    Who else of the local hosts met it, since when, and the names it was looked up as; what a
    detector has said already is not said again. Two queries answer for all findings.
    """
    wanted = sorted({f.destination for f in findings if f.destination and f.severity})
    if not wanted:
        return list(findings)
    addresses = records.keep(pa.table({"address": wanted}), "context_addresses")
    places: dict[str, _Place] = {}
    if records.counts["conn"]:
        places = _places(records, shared, addresses)
        hosts = shared_local_hosts(records, shared)
    else:
        hosts = 0
    known = _names(records, addresses, shared) if records.counts["dns"] else {}
    begin = records.first or 0.0
    return [
        _with(finding, places.get(finding.destination or ""), known, hosts, begin)
        if finding.severity and _is_outside(finding.destination, places, records)
        else finding
        for finding in findings
    ]


@dataclass(frozen=True, slots=True)
class _Place:
    is_local: bool
    sources: int
    met_first: float


@dataclass(frozen=True, slots=True)
class _Names:
    most_asked: tuple[str, ...]
    number: int


def _places(records: Records, shared: Shared, addresses: ir.Table) -> dict[str, _Place]:
    table = shared_destinations(records, shared)
    rows = table.semi_join(addresses, table.resp_h == addresses.address).to_pyarrow().to_pylist()
    return {
        row["resp_h"]: _Place(row["is_local"], row["sources"], row["met_first"]) for row in rows
    }


def _is_outside(address: str | None, places: Mapping[str, _Place], records: Records) -> bool:
    if address is None:
        return False
    place = places.get(address)
    return not (place.is_local if place else records.local.is_local(address))


def _names(records: Records, addresses: ir.Table, shared: Shared) -> dict[str, _Names]:
    answers = shared_answers(records, shared)
    counted = (
        answers.filter(answers.name.notnull())
        .semi_join(addresses, "address")
        .group_by("address", "name")
        .aggregate(queries=lambda table: table.times.sum())
    )
    order = [counted.queries.desc(), counted.name]
    ranked = counted.mutate(
        place=ibis.row_number().over(group_by="address", order_by=order),
        number=counted.count().over(group_by="address"),
    )
    kept = ranked.filter(ranked.place < NAMES_KEPT).order_by("address", "place")
    names: dict[str, list[str]] = {}
    number: dict[str, int] = {}
    for row in kept.to_pyarrow().to_pylist():
        names.setdefault(row["address"], []).append(row["name"])
        number[row["address"]] = row["number"]
    return {address: _Names(tuple(most), number[address]) for address, most in names.items()}


def _with(
    finding: Finding,
    place: _Place | None,
    known: Mapping[str, _Names],
    hosts: int,
    begin: float,
) -> Finding:
    said = {item.name for item in finding.evidence}
    more: list[Evidence] = []
    if place is not None:
        more.append(Evidence(MET_BY, place.sources))
        more.append(Evidence(OF_HOSTS, hosts))
        moment = (format_iso8601(place.met_first) or "")[:19].replace("T", " ")
        into = duration(max(place.met_first - begin, 0.0))
        more.append(Evidence(MET_FIRST, f"{moment} UTC, {into} into the records"))
    names = known.get(finding.destination or "")
    if names is not None:
        listed = ", ".join(names.most_asked[:_NAMES_SHOWN])
        others = names.number - min(names.number, _NAMES_SHOWN)
        more.append(Evidence(NAMED, f"{listed} and {others:,} more" if others else listed))
    return replace(
        finding,
        evidence=(*finding.evidence, *(item for item in more if item.name not in said)),
        looked_up_as=names.most_asked if names else (),
    )
