"""Records as the daily summaries that a baseline is made of, and that it judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ibis
import pandas as pd
import pyarrow as pa

from analyzer.baseline.bins import SHAPES
from analyzer.baseline.numbered import Numbered, numbered
from analyzer.baseline.samples import SLOT, application_name, reference, windows
from analyzer.baseline.tables import LAYOUTS
from analyzer.derived import FIRST_USER_PORT
from analyzer.features import DAY, HOUR
from analyzer.public_suffix import registered_domain, suffix_rules

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

Summary = Mapping[str, pd.DataFrame]
"""Tables by name, as :data:`analyzer.baseline.tables.LAYOUTS` has them; absent ones are empty."""

# Ports of one source and day that are listed; a peer-to-peer client uses thousands.
_MOST_PORTS = 64
# RFC 6335: where remote procedure calls and passive transfers inside a site get their ports.
_FIRST_DYNAMIC_PORT = 49152
# Domains of one source and day that are listed.
_MOST_NAMES = 10

_DNS_NEIGHBOURS = (5353, 5355, 137)


def summarise(
    records: Records, rules: Callable[[], ir.Table] | None = None
) -> dict[str, pd.DataFrame]:
    """Sum up records by day, source, hour, port, peer and name.

    Args:
        records: what happened; :attr:`Records.local` says which hosts are local.
        rules: gives the Public Suffix List (:func:`analyzer.public_suffix.suffix_rules`), where
            others of the run hold it, too; asked for only if there are names.

    Returns:
        Every table that records can fill; rows are in order of their keys.
    """
    tables: dict[str, ir.Table] = {}
    conn = numbered(records)
    met = _meetings(conn, records)
    own = met.filter(met.is_local).drop("is_local")
    tables["hours"] = _hours(own, conn, records)
    tables["network"] = _network(records)
    tables |= _shapes(conn, records)
    tables["ports"] = _ports(own, conn)
    tables["port_hours"] = _port_hours(own, conn)
    tables["peers"] = _peers(own, conn)
    tables["offered"] = _offered(met, conn)
    tables["reference"] = reference(conn, records)
    tables["windows"] = windows(conn)
    tables |= _lookups(records, rules or (lambda: records.keep(suffix_rules(), "suffix_rules")))
    tables["days"] = _days(records)
    return {name: _frame(name, table) for name, table in tables.items()}


def _frame(name: str, table: ir.Table) -> pd.DataFrame:
    layout = LAYOUTS[name]
    numbers = {key: f"{key}_number" for key in layout.keys if f"{key}_number" in table.columns}
    rows = table.select(*layout.schema.names, *numbers.values())
    rows = rows.order_by(*(numbers.get(key, key) for key in layout.keys)).to_pyarrow()
    return layout.frame(pa.Table.from_batches(rows.to_batches(), rows.schema))


def day_of(ts: ir.FloatingValue) -> ir.IntegerValue:
    """The day of a time."""
    return (ts / DAY).floor().cast("int32")


def _meetings(conn: Numbered, records: Records) -> ir.Table:
    """Who tried to reach whom in which hour.

    Columns: ``orig resp proto port application hour`` (hours since 1970), ``connections failed
    bytes_out bytes_in is_local outside``.
    """
    rows = conn.rows.filter(~conn.rows.is_group)
    met = rows.group_by(
        "orig", "resp", "proto", "port", "application", hour=rows.minute // 60
    ).aggregate(
        connections=rows.count(),
        failed=(~rows.answered).sum(),
        bytes_out=rows.orig_bytes.cast("float64").sum().fill_null(0.0),
        bytes_in=rows.resp_bytes.cast("float64").sum().fill_null(0.0),
        is_local=rows.is_local.any(),
        outside=rows.outside.any(),
    )
    return records.keep(met, "baseline_met")


def _hours(own: ir.Table, conn: Numbered, records: Records) -> ir.Table:
    dns = records.dns
    own = own.mutate(hour=own.hour.cast("int32"))
    hours = own.group_by("orig", "hour").aggregate(
        connections=own.connections.sum(),
        failed=own.failed.sum(),
        bytes_out=own.bytes_out.sum(),
        bytes_in=own.bytes_in.sum(),
    )
    # Whom it met has one row a port; outside is one property of a peer.
    peers = own.select("orig", "hour", "resp", "outside").distinct()
    peers = peers.group_by("orig", "hour").aggregate(
        destinations=peers.count(), outside=peers.outside.sum()
    )
    hours = hours.join(peers, ["orig", "hour"])
    rows = conn.rows.filter(conn.rows.is_local)
    minutes = rows.group_by("orig", "minute").aggregate(connections=rows.count())
    busiest = minutes.group_by("orig", hour=(minutes.minute // 60).cast("int32")).aggregate(
        busiest=minutes.connections.max()
    )
    hours = hours.left_join(busiest, ["orig", "hour"]).drop("orig_right", "hour_right")
    hours = conn.with_address(hours, "orig", "orig_h")
    asked = dns.filter(~dns.resp_p.isin(_DNS_NEIGHBOURS).fill_null(False))
    asked = asked.group_by("orig_h", hour=(asked.ts / HOUR).floor().cast("int32"))
    questions = asked.aggregate(queries=lambda t: t.count())
    questions = questions.semi_join(_sources(own, conn, records), "orig_h")
    whole = hours.outer_join(questions, ["orig_h", "hour"])
    hour = ibis.coalesce(whole.hour, whole.hour_right)
    return whole.select(
        source=ibis.coalesce(whole.orig_h, whole.orig_h_right),
        day=(hour // 24).cast("int32"),
        hour=(hour % 24).cast("uint8"),
        **{
            name: whole[name].cast("float64").fill_null(0.0)
            for name in (
                "connections",
                "failed",
                "bytes_out",
                "bytes_in",
                "destinations",
                "outside",
                "busiest",
                "queries",
            )
        },
    )


def _sources(own: ir.Table, conn: Numbered, records: Records) -> ir.Table:
    """The local hosts, those too that are seen in dns alone."""
    asking = records.dns.select("orig_h").distinct().to_pandas().orig_h
    alone = set(asking[records.local.are_local(asking)])
    rows = pa.table({"orig_h": pa.array(sorted(alone), pa.string())})
    held = records.keep(rows, "baseline_askers")
    met = conn.with_address(own.select("orig").distinct(), "orig", "orig_h")
    return records.keep(met.union(held, distinct=True), "baseline_sources")


def _network(records: Records) -> ir.Table:
    conn, dns = records.conn, records.dns
    slots = conn.group_by(at=(conn.ts / SLOT).floor().cast("int64")).aggregate(
        connections=conn.count(),
        failed=(conn.request & ~conn.answered).sum(),
        bytes_out=conn.orig_bytes.cast("float64").sum(),
        bytes_in=conn.resp_bytes.cast("float64").sum(),
    )
    asked = dns.group_by(at=(dns.ts / SLOT).floor().cast("int64")).aggregate(queries=dns.count())
    whole = slots.outer_join(asked, "at")
    at = ibis.coalesce(whole["at"], whole["at_right"])
    in_day = int(DAY / SLOT)
    return whole.select(
        day=(at // in_day).cast("int32"),
        slot=(at % in_day).cast("int16"),
        **{
            name: whole[name].cast("float64").fill_null(0.0)
            for name in ("connections", "failed", "bytes_out", "bytes_in", "queries")
        },
    )


def _shapes(conn: Numbered, records: Records) -> dict[str, ir.Table]:
    rows = conn.rows.filter(conn.rows.is_local)
    each = []
    for metric in SHAPES:
        counted = rows.group_by(
            "orig", "proto", "port", day=_day(rows.minute), bin=rows[metric]
        ).aggregate(connections=rows.count())
        each.append(counted.mutate(metric=ibis.literal(metric)))
    every = records.keep(ibis.union(*each), "baseline_shapes")
    # Ephemeral ports that one host alone uses are no service.
    users = every.group_by("proto", "port", "day").aggregate(users=every.orig.nunique())
    served = users.filter((users.port < FIRST_USER_PORT) | (users.users > 1))
    known = every.left_join(served, ["proto", "port", "day"])
    port = ibis.ifelse(known.users.isnull(), 0, known.port).cast("uint16")
    shapes = every.group_by("orig", "metric", "day", "bin").aggregate(
        connections=every.connections.sum().cast("float64")
    )
    services = known.group_by("proto", "metric", "day", "bin", port=port).aggregate(
        connections=known.connections.sum().cast("float64")
    )
    return {
        "shapes": conn.with_address(shapes, "orig", "source"),
        "service_shapes": services.mutate(proto=conn.proto_name(services.proto)),
    }


def _day(minute: ir.IntegerValue) -> ir.IntegerValue:
    return (minute // (24 * 60)).cast("int32")


def _ports(own: ir.Table, conn: Numbered) -> ir.Table:
    day = (own.hour // 24).cast("int32")
    used = own.group_by("orig", "proto", "outside", "port", "application", day=day).aggregate(
        connections=own.connections.sum().cast("float64"), bytes_out=own.bytes_out.sum()
    )
    used = conn.with_address(used, "orig", "source").mutate(
        proto=conn.proto_name(used.proto), application=application_name(used.application)
    )
    order = ibis.row_number().over(
        group_by=("source", "day"),
        order_by=[
            ibis.desc("connections"),
            ibis.asc("proto"),
            ibis.asc("port"),
            ibis.asc("application"),
            ibis.asc("outside"),
        ],
    )
    used = used.mutate(rank=order)
    is_rest = (used["rank"] >= _MOST_PORTS) & (used.port >= FIRST_USER_PORT)
    folded = used.mutate(
        port=ibis.ifelse(is_rest, 0, used.port).cast("uint16"),
        application=ibis.ifelse(is_rest, "", used.application),
    )
    keys = ("source", "proto", "port", "application", "outside", "day")
    return folded.group_by(*keys).aggregate(
        connections=folded.connections.sum(), bytes_out=folded.bytes_out.sum()
    )


def _port_hours(own: ir.Table, conn: Numbered) -> ir.Table:
    met = own.filter(~own.outside & (own.failed < own.connections))
    hours = met.select(
        "orig",
        "proto",
        pair=(met.hour % 24) // 2,
        # Ports that a service got for the occasion come and go, whatever the hour.
        port=ibis.ifelse(met.port >= _FIRST_DYNAMIC_PORT, 0, met.port).cast("uint16"),
        day=(met.hour // 24).cast("int32"),
    ).distinct()
    bit = ibis.literal(1, "int32") << hours.pair.cast("int32")
    used = hours.group_by("orig", "proto", "port", "day").aggregate(hours=bit.sum().cast("int16"))
    named = conn.with_address(used, "orig", "source")
    return named.mutate(proto=conn.proto_name(named.proto))


def _peers(own: ir.Table, conn: Numbered) -> ir.Table:
    met = own.group_by("orig", "resp", "outside").aggregate(
        first_day=(own.hour.min() // 24).cast("int32"),
        last_day=(own.hour.max() // 24).cast("int32"),
    )
    # Numbers are in order of their addresses, and there is no longer table to sort.
    met = met.mutate(source_number=met.orig, peer_number=met.resp)
    return conn.with_address(conn.with_address(met, "orig", "source"), "resp", "peer")


def _offered(met: ir.Table, conn: Numbered) -> ir.Table:
    """Ports on which local hosts answer; one that only one host ever met may be ephemeral."""
    answered = met.filter(~met.outside & (met.failed < met.connections))
    daily = answered.group_by(
        "resp", "proto", "port", day=(answered.hour // 24).cast("int32")
    ).aggregate(clients=answered.orig.nunique())
    offered = daily.group_by("resp", "proto", "port").aggregate(
        first_day=daily.day.min(),
        last_day=daily.day.max(),
        clients=daily.clients.max().cast("float64"),
    )
    named = conn.with_address(offered, "resp", "source")
    return named.mutate(proto=conn.proto_name(named.proto))


def _lookups(records: Records, rules: Callable[[], ir.Table]) -> dict[str, ir.Table]:
    dns = records.dns
    asked = dns.filter(dns["query"].notnull() & ~dns.resp_p.isin(_DNS_NEIGHBOURS).fill_null(False))
    day = day_of(asked.ts)
    raw = asked.group_by("orig_h", "query", day=day).aggregate(
        queries=asked.count(), refused=(asked.rcode_name == "NXDOMAIN").fill_null(False).any()
    )
    raw = records.keep(raw, "baseline_questions")
    raw = raw.semi_join(records.keep(_asking(raw, records), "baseline_asking"), "orig_h")
    raw = raw.mutate(name=raw["query"].lower().re_replace(r"\.$", "")).drop("query")
    raw = records.keep(raw, "baseline_asked")
    if not raw.count().execute():
        return {name: _nothing(name, records) for name in ("lookups", "names", "domains")}
    domains = registered_domain(raw.select("name").distinct(), rules())
    domains = records.keep(domains, "baseline_domains")
    named = raw.left_join(domains, "name").drop("name_right")
    lookups = named.group_by("day", source="orig_h").aggregate(
        queries=named.queries.sum().cast("float64"),
        names=named.name.nunique().cast("float64"),
        domains=named.domain.nunique().cast("float64"),
        refused=named.name.nunique(where=named.refused).cast("float64"),
        letters=named.name.length().sum().cast("float64"),
        longest=named.name.length().max().cast("float64"),
    )
    of_domain = named.filter(named.domain.notnull())
    counted = of_domain.group_by("domain", "day", source="orig_h").aggregate(
        queries=of_domain.queries.sum().cast("float64")
    )
    counted = records.keep(counted, "baseline_named")
    rank = ibis.row_number().over(
        group_by=("source", "day"), order_by=[ibis.desc("queries"), ibis.asc("domain")]
    )
    top = counted.mutate(rank=rank)
    daily = counted.group_by("domain", "day").aggregate(sources=counted.source.nunique())
    return {
        "lookups": lookups,
        "names": top.filter(top["rank"] < _MOST_NAMES),
        "domains": daily.group_by("domain").aggregate(
            first_day=daily.day.min(),
            last_day=daily.day.max(),
            sources=daily.sources.max().cast("float64"),
        ),
    }


def _asking(raw: ir.Table, records: Records) -> pa.Table:
    asking = raw.select("orig_h").distinct().to_pandas().orig_h
    local = asking[records.local.are_local(asking)]
    return pa.table({"orig_h": pa.array(sorted(local), pa.string())})


def _nothing(name: str, records: Records) -> ir.Table:
    return records.keep(LAYOUTS[name].schema.empty_table(), f"baseline_no_{name}")


def _days(records: Records) -> ir.Table:
    conn = records.conn.select("ts", is_conn=1)
    every = conn.union(records.dns.select("ts", is_conn=0))
    return every.group_by(day=day_of(every.ts)).aggregate(
        connections=every.is_conn.sum().cast("float64"),
        questions=(1 - every.is_conn).sum().cast("float64"),
        left_out=ibis.literal(0.0),
        first=every.ts.min(),
        last=every.ts.max(),
    )
