"""Threat intelligence: local hosts that met, looked up or named what someone has listed.

What a list says is a claim of others, of uneven worth (Li et al., "Reading the Tea Leaves: A
Comparative Analysis of Threat Intelligence", USENIX Security 2019); how loud a match is depends on
what the local host did. Data exchanged with a listed address weighs most. A lookup alone is less:
mail gateways, proxies and analysts look up what they block. A listed scanner that knocks on the
door is the weather of the Internet, even where a public server answers it. A listed URL lists one
page, while logs show its host, which many others may share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    prevalence_modifier,
    shared_local_hosts,
)
from analyzer.detectors.listed import Match, Matches, Traffic
from analyzer.features import asked_names
from analyzer.findings import Evidence, few_of, quantity
from analyzer.indicators import Indicator

if TYPE_CHECKING:
    from analyzer.records import Records

# What the local host did -> score. Bands as in Zeek's own practice: a connection to a listed place
# is for someone on duty (high), an attempt or a lookup for the day's work (medium), an answer that
# happens to hold a listed address, or a refused lookup, for a look when there is time (low), a
# knock at the door for the record (not reported).
_EXCHANGED = 0.92
_ANSWERED = 0.88
_TRIED = 0.83
_LOOKED_UP = 0.8
_REFUSED = 0.72
_IN_ANSWER = 0.72
_VISITED = 0.75
_KNOCKED = 0.4

# A network says less than an address, by a third of a band; the host of a URL says less by so much
# that no more than a low finding comes of it.
_OF_SUBNET = -0.03
_OF_URL = -0.17
# A resolver that asks for another host, which is a finding itself.
_FOR_OTHERS = 0.5


Doing = Literal["contact", "lookup", "visit"]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Which matches, and which of them are worth a line."""

    doing: Doing = field(
        default="contact",
        metadata={
            "meaning": "what is reported: a contact with what is listed, a lookup alone, or a "
            "visit from outside"
        },
    )
    visitors: int = field(
        default=10,
        metadata={
            "meaning": "listed outside hosts that a host answers, from which it is a public "
            "service and no visit is reported"
        },
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """One detection for each local host and indicator, of the kind asked for."""
    if not records.indicators:
        return
    found = shared.get(Matches, lambda: Matches(records, shared)).found
    doings = {key: _doing(match) for key, match in found.items()}
    chosen = sorted(key for key, doing in doings.items() if doing == parameters.doing)
    if not chosen:
        return
    met_by = Counter(place for (_, place), doing in doings.items() if doing != "visit")
    visitors = Counter(host for host, place in found if _is_visited(found[host, place]))
    asked_for = _asked_for_others(records, found) if parameters.doing == "lookup" else set()
    hosts = shared.get((__name__, "hosts"), lambda: _local_hosts(records, shared))
    for host, place in chosen:
        match, indicator = found[host, place], records.indicators[place]
        what, score = _judged(match)
        score += _OF_SUBNET * (indicator.kind == "subnet") + _OF_URL * indicator.of_url
        evidence = [*_about(indicator), *_done(match)]
        if parameters.doing == "visit":
            if visitors[host] >= parameters.visitors:
                score = min(score, _KNOCKED)
            name = "listed outside hosts that this host answered"
            evidence.append(Evidence(name, visitors[host], threshold=parameters.visitors))
        else:
            if (host, place) in asked_for:
                score = min(score, _FOR_OTHERS)
                evidence.append(Evidence("asked for", "another host, which is found, too"))
            # A list that has a place half of all hosts go to is wrong about it; that a place is
            # rare adds nothing to its being listed.
            score += min(prevalence_modifier(met_by[place], hosts), 0.0)
            evidence.append(Evidence("local hosts that met it", met_by[place]))
            evidence.append(Evidence("local hosts in all", hosts))
        detection = _detection(host, indicator, match, what)
        yield replace(detection, score=round(score, 6), evidence=tuple(evidence))


def _doing(match: Match) -> Doing:
    if match.reached or match.named:
        return "contact"
    return "lookup" if match.queries or match.pointed else "visit"


def _is_visited(match: Match) -> bool:
    return any(visit.answered for visit in match.visits)


def _local_hosts(records: Records, shared: Shared) -> int:
    """The hosts that a prevalence is a share of; without conn, those that asked for a name."""
    if records.counts["conn"]:
        return shared_local_hosts(records, shared)
    asked = shared.get(asked_names, lambda: asked_names(records))
    return int(asked.orig_h.nunique().execute() or 0)


def _asked_for_others(
    records: Records, found: dict[tuple[str, int], Match]
) -> set[tuple[str, int]]:
    """Lookups by a resolver that one of its clients, which is found too, asked it for."""
    lookers = {host for (host, _), match in found.items() if match.queries and not match.reached}
    if not records.counts["dns"] or not lookers:
        return set()
    dns = records.dns.filter(records.dns.resp_h.isin(sorted(lookers)))
    clients: dict[str, set[str]] = {}
    for row in dns.select("orig_h", "resp_h").distinct().to_pyarrow().to_pylist():
        clients.setdefault(row["resp_h"], set()).add(row["orig_h"])
    return {
        (host, place)
        for (host, place), match in found.items()
        if match.queries and not match.reached
        if any((client, place) in found for client in clients.get(host, ()) if client != host)
    }


def _judged(match: Match) -> tuple[str, float]:
    """What a host did, the worst of it, and how much that weighs."""
    answered = [traffic for traffic in match.reached if traffic.answered]
    exchanged = match.named or any(t.bytes_out + t.bytes_in > 0 for t in answered)
    judgements = (
        (exchanged, "reached", _EXCHANGED),
        (answered, "reached", _ANSWERED),
        (match.reached, "tried to reach", _TRIED),
        (match.queries > match.refused, "looked up", _LOOKED_UP),
        (match.queries, "looked up", _REFUSED),
        (match.pointed, "was pointed to", _IN_ANSWER),
        (_is_visited(match), "visited", _VISITED),
        (True, "visited", _KNOCKED),
    )
    return next((what, score) for holds, what, score in judgements if holds)


def _about(indicator: Indicator) -> Iterator[Evidence]:
    kind = {"address": "listed address", "subnet": "listed network", "domain": "listed domain"}
    name = "host of listed URLs" if indicator.of_url else kind[indicator.kind]
    yield Evidence(name, indicator.value)
    yield Evidence("listed by", ", ".join(indicator.sources) or "a source without a name")
    for name, texts in (
        ("described as", indicator.descriptions),
        ("see", indicator.references),
    ):
        if texts:
            yield Evidence(name, "; ".join(texts))


def _done(match: Match) -> Iterator[Evidence]:
    for traffics, name in (
        (match.reached, "connections to it"),
        (match.visits, "connections from it"),
    ):
        if traffics:
            yield Evidence(name, sum(traffic.connections for traffic in traffics), expected=0)
            yield Evidence(f"bytes sent over {name}", sum(t.bytes_out for t in traffics), unit="B")
            yield Evidence(
                f"bytes returned over {name}", sum(t.bytes_in for t in traffics), unit="B"
            )
    if match.named:
        yield Evidence("connections that name it", match.named, expected=0)
    if match.queries:
        yield Evidence("lookups", match.queries, expected=0)
        yield Evidence("lookups of names that do not exist", match.refused)
    if match.pointed:
        yield Evidence("answers that hold it", match.pointed, expected=0)
    names = sorted({*match.asked, *match.names} or match.pointers)
    if names:
        yield Evidence("names", few_of(names))


def _busiest(traffics: list[Traffic]) -> Traffic | None:
    return min(
        traffics,
        key=lambda t: (not t.answered, -t.bytes_out - t.bytes_in, -t.connections, t.address),
        default=None,
    )


def _detection(host: str, indicator: Indicator, match: Match, what: str) -> Detection:
    """The match in words; its score and evidence are still to come."""
    by = ", ".join(indicator.sources) or "threat intelligence"
    listed = f"{indicator.value}, which is listed by {by}"
    if indicator.of_url:
        listed = f"{indicator.value}, of which {by} lists a URL"
    traffic = _busiest(match.reached or match.visits)
    doing = _doing(match)
    source, destination = host, traffic.address if traffic else None
    message = f"{host} {what} {listed}"
    if doing == "contact":
        moved = sum(t.bytes_out + t.bytes_in for t in match.reached)
        if moved:
            message = f"{host} exchanged {quantity(moved, 'B')} with {listed}"
    elif doing == "lookup":
        destination = None
    else:
        # As with scans from outside, it is the visitor's doing.
        source, destination = destination or "", host
        what = "was answered by" if _is_visited(match) else "knocked at"
        message = f"{source}, listed by {by}, {what} {host}"
    connections = [t.connections for t in (match.reached or match.visits)]
    return Detection(
        source=source,
        destination=destination,
        port=traffic.port if traffic and destination else None,
        proto=traffic.proto if traffic and destination else None,
        subject="" if indicator.kind == "address" else indicator.value,
        first=match.first,
        last=match.last,
        score=0.0,
        message=message,
        connections=sum(connections) or match.queries or match.pointed,
        best="query" if doing == "lookup" else "bytes",
    )


DETECTOR = Detector("threat_intelligence", Parameters, find)
