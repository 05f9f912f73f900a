"""From connections with labels and the findings that cover them to the figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from analyzer.findings import Finding, Severity
from analyzer.hosts import DAY
from analyzer.quality import Attack, Confusion, FalseAlarm, MissedHost, Quality, RuleQuality

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

_UIDS = 3
_RULE = pa.schema([("finding", pa.int64()), ("rule", pa.string())])
_ABOUT = pa.schema(
    [
        ("rule", pa.string()),
        ("orig_h", pa.string()),
        ("begin", pa.float64()),
        ("end", pa.float64()),
    ]
)


def measure(
    records: Records,
    connections: ir.Table,
    covered: ir.Table,
    findings: Sequence[Finding],
    *,
    minimum: Severity = Severity.LOW,
    judging: Collection[str] = (),
) -> Quality:
    """Count what is reported rightly and wrongly.

    Args:
        records: what the findings were made of.
        connections: see :func:`analyzer.matching.label_connections`.
        covered: see :func:`analyzer.matching.cover_connections`, of the same findings.
        findings: all of them.
        minimum: severity from which they are reported.
        judging: rules that judge findings and cover nothing of their own.
    """
    reported = [(i, f) for i, f in enumerate(findings) if f.severity >= minimum]
    sources = [(i, f.rule) for i, f in reported if f.rule not in judging]
    rules = records.keep(_table(sources, _RULE), "reported_findings")
    alerts = covered.join(rules, "finding").select("id", "rule").distinct()
    alerts = records.keep(alerts.join(connections, "id"), "alerts")
    counts = _one(
        connections.aggregate(
            attack=connections.attack.sum().fill_null(0),
            benign=(~connections.attack).sum().fill_null(0),
            unknown=(connections.attack.isnull() & connections.label.notnull()).sum().fill_null(0),
            unlabelled=connections.label.isnull().sum().fill_null(0),
        )
    )
    attack, benign = counts["attack"], counts["benign"]
    of_all = _one(alerts.aggregate(**_reported(alerts)))
    of_each = alerts.group_by("rule").aggregate(**_reported(alerts))
    by_rule = {row["rule"]: row for row in _rows(of_each)}
    nothing = {"true": 0, "false": 0, "unknown": 0}
    days = _HostDays(records, connections, [f for _, f in reported])
    names = sorted({f.rule for _, f in reported})
    return Quality(
        **counts,
        connections=_confusion(of_all, attack, benign),
        host_days=days.confusion(None),
        reported_unknown=of_all["unknown"],
        rules=tuple(
            RuleQuality(
                rule=name,
                findings=sum(1 for _, f in reported if f.rule == name),
                connections=None
                if name in judging
                else _confusion(by_rule.get(name, nothing), attack, benign),
                host_days=days.confusion(name),
                unknown=by_rule.get(name, nothing)["unknown"],
            )
            for name in names
        ),
        attacks=_attacks(connections, alerts),
        missed=_missed(connections, alerts),
        false_alarms=_false_alarms(alerts),
    )


def _reported(alerts: ir.Table) -> dict[str, ir.Scalar]:
    unknown = alerts.attack.isnull() & alerts.label.notnull()
    return {
        "true": alerts.id.nunique(where=alerts.attack),
        "false": alerts.id.nunique(where=~alerts.attack),
        "unknown": alerts.id.nunique(where=unknown),
    }


def _confusion(reported: dict[str, int], attack: int, benign: int) -> Confusion:
    true, false = reported["true"], reported["false"]
    return Confusion(true, false, attack - true, benign - false)


class _HostDays:
    """The days of hosts, and the findings about them."""

    def __init__(
        self, records: Records, connections: ir.Table, findings: Sequence[Finding]
    ) -> None:
        known = connections.filter(connections.attack.notnull())
        day = (known.ts / DAY).floor() * DAY
        table = known.group_by("orig_h", day=day).aggregate(attack=known.attack.any())
        self._days = records.keep(table, "host_days")
        rows = [(f.rule, f.source, f.first, f.last) for f in findings]
        about = records.keep(_table(rows, _ABOUT), "findings_about_hosts")
        joined = self._days.join(about, "orig_h")
        met = joined.filter((joined.begin < joined.day + DAY) & (joined.end >= joined.day))
        told = met.select("orig_h", "day", "attack", "rule").distinct()
        self._told = records.keep(told, "host_days_told")
        totals = _one(
            self._days.aggregate(
                attack=self._days.attack.sum().fill_null(0),
                benign=(~self._days.attack).sum().fill_null(0),
            )
        )
        self._attack, self._benign = totals["attack"], totals["benign"]

    def confusion(self, rule: str | None) -> Confusion:
        """The confusion of a rule, of all together for None."""
        told = self._told if rule is None else self._told.filter(self._told.rule == rule)
        told = told.select("orig_h", "day", "attack").distinct()
        counts = _one(
            told.aggregate(
                true=told.attack.sum().fill_null(0), false=(~told.attack).sum().fill_null(0)
            )
        )
        return _confusion(counts, self._attack, self._benign)


def _attacks(connections: ir.Table, alerts: ir.Table) -> tuple[Attack, ...]:
    attacks = connections.filter(connections.attack)
    found = alerts.select("id").distinct().mutate(is_found=True)
    told = attacks.left_join(found, "id").drop("id_right")
    told = told.mutate(is_found=told.is_found.fill_null(False))
    table = told.group_by("label").aggregate(
        connections=told.count(),
        detected=told.is_found.sum(),
        sources=told.orig_h.nunique(),
        sources_detected=told.orig_h.nunique(where=told.is_found),
        first=told.ts.min(),
        last=told.ts.max(),
    )
    uids = _uids(told.filter(~told.is_found), ["label"])
    rows = sorted(_rows(table), key=lambda row: (-row["connections"], row["label"]))
    return tuple(Attack(**row, missed_uids=uids.get((row["label"],), ())) for row in rows)


def _missed(connections: ir.Table, alerts: ir.Table) -> tuple[MissedHost, ...]:
    missed = connections.filter(connections.attack).anti_join(alerts, "id")
    table = missed.group_by(host="orig_h", label="label").aggregate(connections=missed.count())
    uids = _uids(missed.rename(host="orig_h"), ["host", "label"])
    rows = sorted(_rows(table), key=lambda r: (-r["connections"], r["host"], r["label"]))
    return tuple(MissedHost(**row, uids=uids.get((row["host"], row["label"]), ())) for row in rows)


def _false_alarms(alerts: ir.Table) -> tuple[FalseAlarm, ...]:
    wrong = alerts.filter(~alerts.attack)
    table = wrong.group_by("rule", "label").aggregate(
        connections=wrong.id.nunique(), sources=wrong.orig_h.nunique()
    )
    rows = sorted(_rows(table), key=lambda r: (-r["connections"], r["rule"], r["label"]))
    return tuple(FalseAlarm(**row) for row in rows)


def _uids(rows: ir.Table, keys: Sequence[str]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """A few uids for each key, the earliest first."""
    named = rows.filter(rows.uid.notnull())
    order = [named.ts, named.uid]
    ranked = named.mutate(rank=ibis.row_number().over(group_by=list(keys), order_by=order))
    few = ranked.filter(ranked["rank"] < _UIDS).order_by(*keys, "rank").select(*keys, "uid")
    shown: dict[tuple[str, ...], tuple[str, ...]] = {}
    for row in _rows(few):
        key = tuple(row[name] for name in keys)
        shown[key] = (*shown.get(key, ()), row["uid"])
    return shown


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _rows(table: ir.Table) -> list[dict[str, Any]]:
    return list(table.to_pyarrow().to_pylist())


def _one(table: ir.Table) -> dict[str, Any]:
    return _rows(table)[0]
