"""Records as the daily summaries that a baseline is made of, and that it judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ibis
import pandas as pd
import pyarrow as pa

from analyzer.baseline.bins import SHAPES, shape_bin
from analyzer.baseline.samples import SLOT, application_name, reference, smallest, windows
from analyzer.baseline.tables import LAYOUTS
from analyzer.derived import FIRST_USER_PORT
from analyzer.features import DAY, HOUR
from analyzer.networks import is_group
from analyzer.public_suffix import registered_domain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

Summary = Mapping[str, pd.DataFrame]
"""Tables by name, as :data:`analyzer.baseline.tables.LAYOUTS` has them; absent ones are empty."""

# Ports of one source and day that are listed; a peer-to-peer client uses thousands.
_MOST_PORTS = 64
# Domains of one source and day that are listed.
_MOST_NAMES = 10

_DNS_NEIGHBOURS = (5353, 5355, 137)


def summarise(records: Records, rules: Callable[[], ir.Table]) -> dict[str, pd.DataFrame]:
    """Sum up records by day, source, hour, port, peer and name.

    Args:
        records: what happened; :attr:`Records.local` says which hosts are local.
        rules: gives the Public Suffix List (:func:`analyzer.public_suffix.suffix_rules`), held.

    Returns:
        Every table that records can fill; rows are in order of their keys.
    """
    tables: dict[str, ir.Table] = {}
    met = _meetings(records)
    own = records.keep(met.filter(met.source_is_local), "baseline_own")
    tables["hours"] = _hours(own, records)
    tables["network"] = _network(records)
    tables |= _shapes(own, records)
    tables["ports"] = _ports(own)
    tables["peers"] = records.keep(_peers(own), "baseline_peers")
    tables["offered"] = _offered(met)
    tables["reference"] = reference(
        records, tables["peers"].select(orig_h="source", resp_h="peer", outside="outside")
    )
    tables["windows"] = smallest(windows(records, own.select("orig_h").distinct()))
    tables |= _lookups(records, rules)
    tables["days"] = _days(records)
    return {name: _frame(name, table) for name, table in tables.items()}


def _frame(name: str, table: ir.Table) -> pd.DataFrame:
    layout = LAYOUTS[name]
    rows = table.select(*layout.schema.names).order_by(*layout.keys).to_pyarrow()
    return layout.frame(pa.Table.from_batches(rows.to_batches(), rows.schema))


def day_of(ts: ir.FloatingValue) -> ir.IntegerValue:
    """The day of a time."""
    return (ts / DAY).floor().cast("int32")


def _meetings(records: Records) -> ir.Table:
    """Who tried to reach whom in which hour; whether either is local.

    Columns: ``orig_h resp_h resp_p proto application hour`` (hours since 1970), ``connections
    failed bytes_out bytes_in source_is_local outside``.
    """
    conn = records.conn
    conn = conn.filter(conn.request)
    met = conn.group_by(
        "orig_h",
        "resp_h",
        "proto",
        "application",
        resp_p=conn.tried_p,
        hour=(conn.ts / HOUR).floor().cast("int32"),
    ).aggregate(
        connections=conn.count(),
        failed=(~conn.answered).sum(),
        bytes_out=conn.orig_bytes.cast("float64").sum().fill_null(0.0),
        bytes_in=conn.resp_bytes.cast("float64").sum().fill_null(0.0),
        local_orig=conn.local_orig.any(),
        local_resp=conn.local_resp.any(),
    )
    met = records.keep(met.filter(~is_group(met.resp_h)), "baseline_meetings")
    ends = met.select(address="orig_h", flag="local_orig").union(
        met.select(address="resp_h", flag="local_resp")
    )
    known = ends.group_by("address").aggregate(flag=ends.flag.any()).to_pandas()
    local = records.local.are_local(known.address, known.flag)
    rows = pa.table(
        {"address": pa.array(known.address, pa.string()), "is_local": pa.array(local, pa.bool_())}
    )
    held = records.keep(rows, "baseline_addresses")
    sources = held.select(orig_h="address", source_is_local="is_local")
    destinations = held.select(resp_h="address", outside=~held.is_local)
    met = met.drop("local_orig", "local_resp").join(sources, "orig_h")
    return records.keep(met.join(destinations, "resp_h"), "baseline_met")


def _hours(own: ir.Table, records: Records) -> ir.Table:
    conn, dns = records.conn, records.dns
    # Whom it met has one row a port; outside is one property of a peer.
    hours = own.group_by("orig_h", "hour").aggregate(
        connections=own.connections.sum(),
        failed=own.failed.sum(),
        bytes_out=own.bytes_out.sum(),
        bytes_in=own.bytes_in.sum(),
        destinations=own.resp_h.nunique(),
        outside=own.resp_h.nunique(where=own.outside),
    )
    minutes = conn.filter(conn.request).group_by(
        "orig_h", minute=(conn.ts / 60.0).floor().cast("int32")
    )
    minutes = minutes.aggregate(connections=lambda t: t.count())
    busiest = minutes.group_by("orig_h", hour=minutes.minute // 60).aggregate(
        busiest=minutes.connections.max()
    )
    asked = dns.filter(~dns.resp_p.isin(_DNS_NEIGHBOURS).fill_null(False))
    asked = asked.group_by("orig_h", hour=(asked.ts / HOUR).floor().cast("int32"))
    questions = asked.aggregate(queries=lambda t: t.count())
    local = _sources(own, records)
    questions = questions.semi_join(local, "orig_h")
    hours = hours.left_join(busiest.mutate(hour=busiest.hour.cast("int32")), ["orig_h", "hour"])
    hours = hours.drop("orig_h_right", "hour_right")
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


def _sources(own: ir.Table, records: Records) -> ir.Table:
    """The local hosts, those too that are seen in dns alone."""
    asking = records.dns.select("orig_h").distinct().to_pandas().orig_h
    alone = set(asking[records.local.are_local(asking)])
    rows = pa.table({"orig_h": pa.array(sorted(alone), pa.string())})
    held = records.keep(rows, "baseline_askers")
    return records.keep(own.select("orig_h").union(held, distinct=True), "baseline_sources")


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


def _shapes(own: ir.Table, records: Records) -> dict[str, ir.Table]:
    conn = records.conn
    conn = conn.filter(conn.request)
    local = own.select("orig_h").distinct()
    each = []
    for metric in SHAPES:
        counted = conn.group_by(
            "orig_h", "proto", port=conn.tried_p, day=day_of(conn.ts), bin=shape_bin(conn, metric)
        ).aggregate(connections=conn.count())
        each.append(counted.semi_join(local, "orig_h").mutate(metric=ibis.literal(metric)))
    every = records.keep(ibis.union(*each), "baseline_shapes")
    total = every.connections.sum().cast("float64")
    # Ephemeral ports that one host alone uses are no service.
    users = every.group_by("proto", "port", "day").aggregate(users=every.orig_h.nunique())
    served = users.filter((users.port < FIRST_USER_PORT) | (users.users > 1))
    known = every.left_join(served, ["proto", "port", "day"])
    port = ibis.ifelse(known.users.isnull(), 0, known.port).cast("uint16")
    return {
        "shapes": every.group_by("metric", "day", "bin", source="orig_h").aggregate(
            connections=total
        ),
        "service_shapes": known.group_by("proto", "metric", "day", "bin", port=port).aggregate(
            connections=known.connections.sum().cast("float64")
        ),
    }


def _ports(own: ir.Table) -> ir.Table:
    day = (own.hour // 24).cast("int32")
    used = own.group_by(
        "proto",
        "outside",
        source="orig_h",
        port="resp_p",
        application=application_name(own.application),
        day=day,
    ).aggregate(connections=own.connections.sum().cast("float64"), bytes_out=own.bytes_out.sum())
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


def _peers(own: ir.Table) -> ir.Table:
    return own.group_by("outside", source="orig_h", peer="resp_h").aggregate(
        first_day=(own.hour.min() // 24).cast("int32"),
        last_day=(own.hour.max() // 24).cast("int32"),
    )


def _offered(met: ir.Table) -> ir.Table:
    """Ports on which local hosts answer; one that only one host ever met may be ephemeral."""
    answered = met.filter(~met.outside & (met.failed < met.connections))
    daily = answered.group_by(
        "resp_h", "proto", "resp_p", day=(answered.hour // 24).cast("int32")
    ).aggregate(clients=answered.orig_h.nunique())
    return daily.group_by("proto", source="resp_h", port="resp_p").aggregate(
        first_day=daily.day.min(),
        last_day=daily.day.max(),
        clients=daily.clients.max().cast("float64"),
    )


def _lookups(records: Records, rules: Callable[[], ir.Table]) -> dict[str, ir.Table]:
    dns = records.dns
    asked = dns.filter(dns["query"].notnull() & ~dns.resp_p.isin(_DNS_NEIGHBOURS).fill_null(False))
    day = day_of(asked.ts)
    raw = asked.group_by("orig_h", "query", day=day).aggregate(
        queries=asked.count(), refused=(asked.rcode_name == "NXDOMAIN").fill_null(False).any()
    )
    raw = raw.semi_join(records.keep(_asking(raw, records), "baseline_asking"), "orig_h")
    raw = raw.mutate(name=raw["query"].lower().re_replace(r"\.$", ""))
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
