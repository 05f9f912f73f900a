"""Findings as documents of the Elastic Common Schema, one JSON object a line.

Names and allowed values: the Elastic Common Schema, https://www.elastic.co/docs/reference/ecs (all
of them exist in 8.17 and in 9.x). What the schema has no field for stands below ``zeek_analyzer``,
and Zeek's uids in ``zeek.session_id``, where Elastic's own Zeek integration puts them.

A field always has the same type, and an address is only an ``ip`` where it is one: Elasticsearch
refuses the whole document otherwise.
"""

from __future__ import annotations

import ipaddress
import math
from typing import TYPE_CHECKING, Any

from analyzer.atomic import atomic_write
from analyzer.findings import Severity
from analyzer.writers.ecs_threat import threat
from analyzer.writers.jsonl import json_line
from analyzer.writers.notice import Written, unsuppressed
from analyzer.writers.ownership import refuse_foreign_notices
from analyzer.zeek_format import format_iso8601

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from analyzer.findings import Evidence, Finding

ECS_VERSION = "8.17.0"

MODULE = "zeek_analyzer"
"""``event.module`` of all our documents, and the name of our own object in them."""

_PROGRAM = "zeek-analyzer"

# What Elastic's detection engine and endpoint give for these words: their ``risk_score``, see
# https://www.elastic.co/docs/solutions/security/detect-and-alert/create-detection-rule.
_SEVERITIES = {
    Severity.NONE: 0,
    Severity.LOW: 21,
    Severity.MEDIUM: 47,
    Severity.HIGH: 73,
    Severity.CRITICAL: 99,
}

# https://www.elastic.co/docs/reference/ecs/ecs-network: IANA's keyword, lower case.
_TRANSPORTS = {4: {"icmp": "icmp"}, 6: {"icmp": "ipv6-icmp"}}

_DNS_PORTS = {53, 5353, 5355}


def write_ecs(findings: Iterable[Finding], path: Path) -> Written:
    """Write findings as ECS documents, atomically: the same ones that a notice.log would hold.

    Args:
        findings: the findings to write, in any order.
        path: the file; one that exists is replaced.

    Returns:
        How many documents were written, and how many repeats were suppressed.

    Raises:
        OutputError: the file cannot be written, or holds what is not ours.
    """
    refuse_foreign_notices(path)
    given = tuple(findings)
    kept = unsuppressed(given)
    with atomic_write(path) as stream:
        stream.writelines(ecs_lines(kept))
    return Written(len(kept), len(given) - len(kept))


def ecs_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Each finding as one line, with its line feed, in the order given."""
    for finding in findings:
        yield json_line(ecs_document(finding))


def ecs_document(finding: Finding) -> dict[str, Any]:
    """One finding as an ECS document; what it lacks is left out.

    ``@timestamp`` and ``event.end`` are the time of the last connection, as in our notice.log.
    ``source`` is the host that the finding is about, whichever side of its connections it was;
    ``destination`` is the other side if it is one host, under the name that the host called it by,
    or else the one that it was looked up as. What has many connections has many source ports: the
    connection that shows it best stands in ``zeek_analyzer.connection``.
    """
    last = format_iso8601(finding.last)
    risk = round(finding.score * 100, 4)
    document: dict[str, Any] = {
        "@timestamp": last,
        "ecs": {"version": ECS_VERSION},
        "event": {
            "kind": "alert",
            "category": ["intrusion_detection", "network"],
            "type": ["info"],
            "module": MODULE,
            "dataset": f"{MODULE}.finding",
            "provider": _PROGRAM,
            "id": finding.identifier,
            "severity": _SEVERITIES[finding.severity],
            # Ours is out of one hundred already.
            "risk_score": risk,
            "risk_score_norm": risk,
            "start": format_iso8601(finding.first),
            "end": last,
            "duration": _nanoseconds(finding.last - finding.first),
        },
        "message": finding.message,
        "rule": {
            "id": finding.rule,
            "name": finding.note,
            "ruleset": _PROGRAM,
            "reference": finding.techniques[0].url if finding.techniques else None,
        },
        "source": _endpoint(finding.source, None, None),
        "destination": _endpoint(finding.destination, finding.port, _name(finding)),
        "network": _network(finding),
        "dns": {"question": _question(finding)},
        "threat": threat(finding.techniques),
        "related": {"ip": _addresses(finding), "hosts": _hosts(finding)},
        "zeek": {"session_id": list(finding.uids)},
        MODULE: _own(finding),
    }
    present: dict[str, Any] = _without_unset(document)
    return present


def _endpoint(address: str | None, port: int | None, domain: str | None) -> dict[str, Any]:
    known = {} if address is None else {"address": address, "ip": _ip(address)}
    return {**known, "port": port, "domain": domain}


def _name(finding: Finding) -> str | None:
    """What the other side is called."""
    # The other side of a question is a resolver, not the name in the question.
    about = _subject_name(finding) if finding.port not in _DNS_PORTS else None
    return next(iter((*finding.server_names, *finding.looked_up_as, about)), None)


def _subject_name(finding: Finding) -> str | None:
    """The subject if it is a name of DNS, not a network or a word of ours."""
    named = "." in finding.subject and " " not in finding.subject
    network = _version(finding.subject.partition("/")[0]) is not None
    return finding.subject if named and not network else None


def _question(finding: Finding) -> dict[str, Any]:
    name = _subject_name(finding)
    if name is None:
        return {}
    # It comes with the database's tables, which a conversion of captures need not load.
    from analyzer.public_suffix import domain_of  # noqa: PLC0415

    return {"name": name, "registered_domain": domain_of(name)}


def _network(finding: Finding) -> dict[str, Any]:
    version = _version(finding.source)
    transport = finding.proto or (finding.best.proto if finding.best is not None else None)
    if transport == "unknown_transport":
        transport = None
    if transport is not None and version is not None:
        transport = _TRANSPORTS[version].get(transport, transport)
    return {
        "transport": transport,
        "type": None if version is None else f"ipv{version}",
        "protocol": "dns" if finding.port in _DNS_PORTS else None,
    }


def _addresses(finding: Finding) -> list[str]:
    best = finding.best
    shown = (best.orig_h, best.resp_h) if best is not None else ()
    every = (finding.source, finding.destination or "", *shown)
    return list(dict.fromkeys(ip for address in every if (ip := _ip(address)) is not None))


def _hosts(finding: Finding) -> list[str]:
    names = (*finding.server_names, *finding.looked_up_as, _subject_name(finding))
    return list(dict.fromkeys(name for name in names if name))


def _own(finding: Finding) -> dict[str, Any]:
    best = finding.best
    connection = None
    if best is not None:
        connection = {
            "uid": best.uid,
            "orig_h": best.orig_h,
            "orig_p": best.orig_p,
            "resp_h": best.resp_h,
            "resp_p": best.resp_p,
            "proto": best.proto,
        }
    return {
        "score": float(round(finding.score, 6)),
        "severity": str(finding.severity),
        "subject": finding.subject or None,
        "connections": finding.connections,
        "connection": connection,
        "evidence": [_evidence(each) for each in finding.evidence],
        "summary": "; ".join(str(each) for each in finding.evidence) or None,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    """A piece of evidence, words and numbers in fields of their own, as a field has one type."""
    fields: dict[str, Any] = {"name": evidence.name}
    for name, value in (("observed", evidence.observed), ("expected", evidence.expected)):
        if isinstance(value, str):
            fields[f"{name}_text"] = value
        elif value is not None and math.isfinite(value):
            fields[name] = float(value)
    if evidence.threshold is not None and math.isfinite(evidence.threshold):
        fields["threshold"] = float(evidence.threshold)
    return {**fields, "unit": evidence.unit or None}


def _nanoseconds(seconds: float) -> int | None:
    try:
        return round(seconds * 1e6) * 1000
    except (OverflowError, ValueError):
        return None


def _ip(address: str) -> str | None:
    """The address if Elasticsearch takes it for one: it knows no zones of IPv6."""
    return None if _version(address) is None else address


def _version(address: str) -> int | None:
    if "%" in address:
        return None
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return None


def _without_unset(value: Any) -> Any:  # noqa: ANN401 - JSON is whatever JSON is
    """A value without members that are None or, in the end, empty."""
    if isinstance(value, dict):
        kept = {key: _without_unset(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != {}}
    if isinstance(value, list):
        return [_without_unset(item) for item in value] or None
    return value
