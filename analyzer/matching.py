"""Which connections labels speak of, and which ones findings stand for: joins in the engine.

A connection takes the label of its uid, else that of its originator at its time. Where several
labels speak of one connection, that of an attack wins, then a benign one.

A finding covers the connections of its source from its first to its last time that have its
destination, port and protocol, as far as it names them. One that names a domain and no destination
covers those that asked for the domain or a name below it (``dns.log`` by uid, server names of
``ssl.log`` and ``http.log``). One about the names a host asks for covers its DNS connections.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from analyzer.features import plain_name
from analyzer.hosts import is_about_names

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.findings import Finding
    from analyzer.labels import Labels
    from analyzer.records import Records

_DNS_PORT = 53
_KEYS = {"resp_h": pa.string(), "tried_p": pa.uint16(), "proto": pa.string()}


def label_connections(records: Records, labels: Labels) -> ir.Table:
    """Connections with their labels: ``id ts uid orig_h resp_h tried_p proto attack label``.

    `label` is null where no label speaks of the connection, `attack` also where nobody knows.
    """
    conn = records.conn.select("ts", "uid", "orig_h", "resp_h", "tried_p", "proto")
    numbered = records.keep(conn.mutate(id=ibis.row_number()), "numbered_connections")
    by_uid = records.keep(labels.by_uid, "labels_by_uid")
    by_host = records.keep(labels.by_host, "labels_by_host")
    of_uid = numbered.select("id", "uid").join(by_uid, "uid").select("id", "attack", "label")
    begun = numbered.select("id", "ts", address="orig_h").join(by_host, "address")
    of_host = begun.filter(begun.ts.between(begun.begin, begun.end))
    every = of_uid.mutate(place=ibis.literal(0)).union(
        of_host.select("id", "attack", "label").mutate(place=ibis.literal(1))
    )
    order = [every.place, every.attack.cast("int8").desc(nulls_first=False), every.label]
    ranked = every.mutate(rank=ibis.row_number().over(group_by=every.id, order_by=order))
    best = ranked.filter(ranked["rank"] == 0).select("id", "attack", "label")
    return records.keep(numbered.left_join(best, "id").drop("id_right"), "labelled_connections")


def cover_connections(
    records: Records, connections: ir.Table, findings: Sequence[Finding]
) -> ir.Table:
    """Which findings cover which connections: rows of ``id`` and ``finding`` (its index).

    Args:
        records: what the findings were made of.
        connections: of :func:`label_connections`.
        findings: whatever was found.
    """
    numbered = list(enumerate(findings))
    named = [(index, f) for index, f in numbered if f.subject and f.destination is None]
    parts = [_by_name(records, connections, named)] if named else []
    answered = set()
    if named:
        answered = set(parts[0].finding.to_pyarrow().to_pylist())
    kinds: dict[tuple[str, ...], list[tuple[int, str, Mapping[str, Any]]]] = defaultdict(list)
    for index, finding in numbered:
        if index not in answered:
            keys = _entities(finding)
            kinds[tuple(keys)].append((index, finding.source, keys))
    for place, (kind, wanted) in enumerate(sorted(kinds.items())):
        spans = records.keep(_spans(wanted, findings, kind), f"wanted_{place}")
        joined = connections.join(spans, ["orig_h", *kind])
        matching = joined.filter(joined.ts.between(joined.begin, joined.end))
        parts.append(matching.select("id", "finding"))
    if not parts:
        parts = [connections.limit(0).select("id", finding=ibis.literal(0, "int64"))]
    return records.keep(ibis.union(*parts) if len(parts) > 1 else parts[0], "covered_connections")


def _entities(finding: Finding) -> dict[str, Any]:
    """What the connections of a finding have in common beside the source."""
    port = finding.port
    if port is None and finding.destination is None and is_about_names(finding):
        port = _DNS_PORT
    values = {"resp_h": finding.destination, "tried_p": port, "proto": finding.proto}
    return {key: value for key, value in values.items() if value is not None}


def _spans(
    wanted: Sequence[tuple[int, str, Mapping[str, Any]]],
    findings: Sequence[Finding],
    kind: Sequence[str],
) -> pa.Table:
    return pa.table(
        {
            "finding": pa.array([index for index, _, _ in wanted], pa.int64()),
            "orig_h": [source for _, source, _ in wanted],
            "begin": [findings[index].first for index, _, _ in wanted],
            "end": [findings[index].last for index, _, _ in wanted],
            **{key: pa.array([keys[key] for _, _, keys in wanted], _KEYS[key]) for key in kind},
        }
    )


def _by_name(
    records: Records, connections: ir.Table, named: Sequence[tuple[int, Finding]]
) -> ir.Table:
    """The connections that asked for the domains of findings, computed."""
    wanted = pa.table(
        {
            "finding": pa.array([index for index, _ in named], pa.int64()),
            "orig_h": [finding.source for _, finding in named],
            "begin": [finding.first for _, finding in named],
            "end": [finding.last for _, finding in named],
            "below": ["." + finding.subject.lower() for _, finding in named],
        }
    )
    spans = records.keep(wanted, "wanted_names")
    dns = records.dns.select("uid", "orig_h", "ts", "query").join(spans, "orig_h")
    asked = dns.filter(
        dns.ts.between(dns.begin, dns.end)
        & (ibis.literal(".") + plain_name(dns)).endswith(dns.below)
    ).select("uid", "finding")
    servers = connections.select("uid", "orig_h", "ts").join(spans, "orig_h")
    servers = servers.filter(servers.ts.between(servers.begin, servers.end))
    met = servers.join(records.server_names, "uid")
    met = met.filter((ibis.literal(".") + met.server_name.lower()).endswith(met.below))
    uids = asked.union(met.select("uid", "finding")).distinct()
    covered = connections.select("id", "uid").join(uids, "uid").select("id", "finding").distinct()
    return records.keep(covered, "covered_by_name")
