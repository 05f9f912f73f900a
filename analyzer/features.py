"""What several detectors measure, one definition each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from analyzer.networks import is_group

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import ibis.expr.types as ir

    from analyzer.records import Records

HOUR = 3600.0
HALF_DAY = 12 * HOUR
DAY = 24 * HOUR


def conversations(records: Records) -> ir.Table:
    """Who met whom: a row per source, destination, port, protocol, half day and kind of traffic.

    Columns: ``orig_h resp_h resp_p proto request half_day`` (half days since 1970; `resp_p` and
    `request` as in :mod:`analyzer.derived`), ``first last`` (times), ``connections``, ``answered``
    (whether any was), ``failed`` (how many were not), ``bytes_out bytes_in`` (payload of originator
    and responder, floats), ``packets_out`` (of the originator), ``longest`` (the longest duration,
    s), ``lasted`` (all durations added, s), ``login_service`` (index into
    :data:`analyzer.derived.LOGIN_SERVICES`), ``local_orig local_resp`` (what Zeek said of either).
    Computed once per run.
    """
    conn = records.conn
    table = conn.group_by(
        "orig_h",
        "resp_h",
        "proto",
        "request",
        resp_p=conn.tried_p,
        half_day=(conn.ts / HALF_DAY).floor().cast("int64"),
    ).aggregate(
        first=conn.ts.min(),
        last=conn.ts.max(),
        connections=conn.count(),
        answered=conn.answered.any(),
        failed=(~conn.answered).sum(),
        bytes_out=conn.orig_bytes.cast("float64").sum().fill_null(0.0),
        bytes_in=conn.resp_bytes.cast("float64").sum().fill_null(0.0),
        packets_out=conn.orig_pkts.sum().fill_null(0),
        longest=conn.duration.max().cast("float64").fill_null(0.0),
        lasted=conn.duration.cast("float64").sum().fill_null(0.0),
        login_service=conn.login_service.max(),
        local_orig=conn.local_orig.any(),
        local_resp=conn.local_resp.any(),
    )
    return records.keep(table, "conversations")


def with_bucket_before(counted: ir.Table, keys: Sequence[str], names: Sequence[str]) -> ir.Table:
    """Counts of each key and bucket with those of the bucket before added.

    Whatever lies in one window lies in two neighbouring buckets that are as wide.

    Args:
        counted: a row per key and ``bucket`` (whole numbers).
        keys: the columns of the key.
        names: the columns to add up.
    """
    order = ibis.window(group_by=tuple(keys), order_by="bucket")
    follows = counted.bucket.lag().over(order) == counted.bucket - 1
    return counted.mutate(
        **{
            name: counted[name]
            + ibis.ifelse(follows, counted[name].lag().over(order), 0).fill_null(0)
            for name in names
        }
    )


def both_ways(conn: ir.Table) -> ir.IntegerColumn:
    """Payload bytes of both sides together, 0 where they are not known."""
    return conn.orig_bytes.fill_null(0) + conn.resp_bytes.fill_null(0)


def contacts(records: Records, met: ir.Table) -> ir.Table:
    """Who tried to reach whom: the requests among :func:`conversations`, `met`.

    They have ``source_is_local`` and ``is_local`` (the destination) beside what Zeek said of the
    source. Multicast and broadcast are left out. Computed once per run.
    """
    asked = met.filter(met.request & ~is_group(met.resp_h)).drop("request")
    known = _localities(asked, records)
    sources = known.select(orig_h="address", source_is_local="is_local")
    destinations = known.select(resp_h="address", is_local="is_local")
    asked = asked.drop("local_resp").join(sources, "orig_h").join(destinations, "resp_h")
    return records.keep(asked, "contacts")


def _localities(asked: ir.Table, records: Records) -> ir.Table:
    """Every address with whether it is local, each looked up once."""
    ends = asked.select(address="orig_h", flag="local_orig").union(
        asked.select(address="resp_h", flag="local_resp")
    )
    addresses = ends.group_by("address").aggregate(flag=ends.flag.any()).to_pandas()
    local = records.local.are_local(addresses.address, addresses.flag)
    rows = pa.table({"address": addresses.address.to_list(), "is_local": local}, _LOCALITY)
    return records.keep(rows, "known_addresses")


_LOCALITY = pa.schema([("address", pa.string()), ("is_local", pa.bool_())])


def destinations(records: Records, tried: ir.Table) -> ir.Table:
    """How common each destination is among local hosts, from :func:`contacts`, `tried`.

    Columns: ``resp_h is_local``, ``sources`` (local hosts that tried it, all of them on any port),
    ``met_first`` (when the first did). Computed once per run.
    """
    local = tried.filter(tried.source_is_local)
    table = local.group_by("resp_h", "is_local").aggregate(
        sources=local.orig_h.nunique(), met_first=local["first"].min()
    )
    return records.keep(table, "destinations")


def local_hosts(tried: ir.Table) -> int:
    """How many local hosts tried to reach anyone: what a prevalence is a share of."""
    return int(tried.filter(tried.source_is_local).orig_h.nunique().execute() or 0)


# Multicast DNS, LLMNR and NetBIOS name service (RFC 6762, 4795, 1002) ask the neighbours.
_NEIGHBOUR_PORTS = (5353, 5355, 137)

# Reverse lookups, and suffixes that never leave a site: RFC 6761, 6762, 8375, and ICANN's list of
# names never to be delegated (SAC113 reserves .internal).
_SITE_SUFFIXES = (
    ".arpa",
    ".local",
    ".localhost",
    ".localdomain",
    ".lan",
    ".home",
    ".corp",
    ".internal",
    ".intranet",
    ".private",
    ".test",
    ".invalid",
)

# Types that carry free data and that hosts rarely ask for by themselves.
_DATA_TYPES = ("TXT", "NULL", "CNAME", "MX", "KEY", "SRV", "PRIVATE", "CERT", "DNSKEY", "URI", "RP")


def plain_name(dns: ir.Table) -> ir.StringValue:
    """The name asked for in lower case, without a trailing dot."""
    name = dns["query"].lower()
    return ibis.ifelse(name.endswith("."), name.substr(0, name.length() - 1), name)


def asked_names(records: Records) -> ir.Table:
    """Which host asked for which name: a row per source and name.

    Columns: ``orig_h name`` (lower case, no trailing dot), ``first last`` (times), ``queries``,
    ``data_queries`` (of types that carry free data), ``refused`` (NXDOMAIN). Questions to the
    neighbours, reverse lookups, names of one label and site suffixes are left out. Computed once
    per run.
    """
    dns = records.dns
    asked = dns.filter(~dns.resp_p.isin(_NEIGHBOUR_PORTS).fill_null(False))
    # Most questions are repeats: they are counted before their names are looked at.
    raw = asked.group_by("orig_h", "query").aggregate(
        first=asked.ts.min(),
        last=asked.ts.max(),
        queries=asked.count(),
        data_queries=asked.qtype_name.isin(_DATA_TYPES).fill_null(False).sum(),
        refused=(asked.rcode_name == "NXDOMAIN").fill_null(False).sum(),
    )
    named = raw.mutate(name=plain_name(raw))
    site = ibis.or_(*(named.name.endswith(suffix) for suffix in _SITE_SUFFIXES))
    named = named.filter(named.name.contains(".") & ~site)
    table = named.group_by("orig_h", "name").aggregate(
        first=named["first"].min(),
        last=named["last"].max(),
        **{
            count: named[count].sum().cast("int64")
            for count in ("queries", "data_queries", "refused")
        },
    )
    return records.keep(table, "asked_names")


def asked_below(asked: ir.Table, domains: Collection[str], records: Records) -> ir.Table:
    """The names of :func:`asked_names`, `asked`, that are one of `domains` or below one.

    They have the domain as ``domain``; no domain may lie below another.
    """
    wanted = records.keep(pa.table({"domain": pa.array(sorted(domains), pa.string())}), "domains")
    labels = asked.name.split(".")
    count = labels.length()
    tails = [
        asked.filter(count >= depth).mutate(
            domain=labels[ibis.greatest(count - depth, 0) :].join(".")
        )
        for depth in sorted({domain.count(".") + 1 for domain in domains})
    ]
    return ibis.union(*tails).semi_join(wanted, "domain") if tails else asked.limit(0)


def dns_questions(records: Records) -> ir.Table:
    """Who asked whom for which types, a row per source, server, type and hour.

    Columns: ``orig_h resp_h qtype_name`` (null where Zeek saw the answer alone), ``hour`` (hours
    since 1970), ``queries``, ``accepted`` (NOERROR), ``first last`` (times). Questions to the
    neighbours and to groups are left out, and so are messages without a question. Computed once
    per run.
    """
    dns = records.dns
    asked = dns.filter(dns["query"].notnull() & ~dns.resp_p.isin(_NEIGHBOUR_PORTS).fill_null(False))
    table = asked.group_by(
        "orig_h", "resp_h", "qtype_name", hour=(asked.ts / HOUR).floor().cast("int64")
    ).aggregate(
        queries=asked.count(),
        accepted=(asked.rcode_name == "NOERROR").fill_null(False).sum(),
        first=asked.ts.min(),
        last=asked.ts.max(),
    )
    table = table.filter(~is_group(table.resp_h))
    return records.keep(table, "dns_questions")


def name_servers(questions: ir.Table) -> ir.Table:
    """The hosts that answer questions, from :func:`dns_questions`: resolvers and name servers.

    Columns: ``orig_h`` (such a host), ``clients`` (how many hosts ask it).
    """
    answering = questions.filter(questions.accepted > 0)
    return answering.group_by(orig_h="resp_h").aggregate(clients=answering.orig_h.nunique())
