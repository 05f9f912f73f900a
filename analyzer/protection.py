"""What findings are about, left out of records: what is learned as usual must be harmless."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from analyzer.features import plain_name
from analyzer.hosts import is_about_names
from analyzer.matching import cover_connections

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.findings import Finding
    from analyzer.records import Records


def without_findings(records: Records, findings: Sequence[Finding]) -> Records:
    """The records that no finding is about.

    Connections are left out if a finding covers them (:mod:`analyzer.matching`). DNS transactions
    are left out with their connection, and if a finding is about the domain they ask for or, where
    it names none, about the names that their host asks for at that time.
    """
    if not findings:
        return records
    numbered = records.keep(records.conn.mutate(id=ibis.row_number()), "protected_connections")
    covered = records.keep(
        cover_connections(records, numbered, findings).select("id").distinct(), "protected_ids"
    )
    uids = numbered.semi_join(covered, "id").select("uid").distinct()
    uids = records.keep(uids.filter(uids.uid.notnull()), "protected_uids")
    conn = numbered.anti_join(covered, "id").drop("id")
    dns = _other_questions(records, findings)
    dns = dns.anti_join(uids, "uid")
    return counted(replace(records, conn=conn, dns=dns))


def counted(records: Records) -> Records:
    """Records with how many there are and their times as their tables have them."""
    bounds = [
        table.aggregate(count=table.count(), first=table.ts.min(), last=table.ts.max())
        .to_pyarrow()
        .to_pylist()[0]
        for table in (records.conn, records.dns)
    ]
    return replace(
        records,
        counts={"conn": bounds[0]["count"], "dns": bounds[1]["count"]},
        first=min((b["first"] for b in bounds if b["count"]), default=None),
        last=max((b["last"] for b in bounds if b["count"]), default=None),
    )


def _other_questions(records: Records, findings: Sequence[Finding]) -> ir.Table:
    """The DNS transactions that are about no finding's names."""
    about = [
        finding
        for finding in findings
        if (finding.subject and finding.destination is None) or is_about_names(finding)
    ]
    numbered = records.keep(records.dns.mutate(id=ibis.row_number()), "protected_questions")
    if not about:
        return numbered.drop("id")
    wanted = pa.table(
        {
            "orig_h": [finding.source for finding in about],
            "begin": [finding.first for finding in about],
            "end": [finding.last for finding in about],
            # Every name ends in nothing.
            "below": ["." + f.subject.lower() if f.subject else "" for f in about],
        }
    )
    spans = records.keep(wanted, "protected_names")
    asked = numbered.select("id", "orig_h", "ts", name=plain_name(numbered)).join(spans, "orig_h")
    asked = asked.filter(
        asked.ts.between(asked.begin, asked.end)
        & (ibis.literal(".") + asked.name.fill_null("")).endswith(asked.below)
    )
    return numbered.anti_join(asked.select("id").distinct(), "id").drop("id")
