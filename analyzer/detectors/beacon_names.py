"""The names of what is met: from the connections themselves, else from what DNS said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from analyzer.detectors.detection import (
    Shared,
    shared_answers,
    shared_domains,
    shared_names,
    shared_rules,
)
from analyzer.features import plain_name
from analyzer.public_suffix import registered_domain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records


def server_names(records: Records, shared: Shared) -> ir.Table:
    """The server name (SNI, Host) of each connection that carries one, in lower case.

    Columns: ``uid server_name``. Computed once per run.
    """

    def names() -> ir.Table:
        table = records.server_names
        return records.keep(
            table.mutate(server_name=table.server_name.lower()), "beacon_server_names"
        )

    return shared.get(server_names, names)


def most_carried(names: ir.Table, own: ir.Table) -> dict[int, str]:
    """The name that most connections of each series carry, by ``pair``.

    Args:
        names: from :func:`server_names`.
        own: connections by ``pair``, with their ``uid``.
    """
    table = own.select("pair", "uid").join(names, "uid").group_by("pair", "server_name")
    frame = table.aggregate(count=lambda rows: rows.count()).to_pandas()
    frame = frame.sort_values(["pair", "count", "server_name"], ascending=[True, False, True])
    frame = frame.drop_duplicates("pair")
    return dict(zip(frame.pair, frame.server_name, strict=True))


def looked_up(
    records: Records, sources: set[str], addresses: set[str], shared: Shared
) -> tuple[dict[tuple[str, str], str], set[str]]:
    """What DNS said of addresses.

    Returns:
        For each source and address the name asked for last that it stood in an answer to, and the
        sources that ever got an answer.
    """
    dns = records.dns
    if not records.counts["dns"]:
        return {}, set()
    hosts = pa.table({"orig_h": pa.array(sorted(sources), pa.string())})
    own = dns.semi_join(records.keep(hosts, "beacon_sources"), "orig_h")
    heard = own.filter(own.answers.length() > 0).select("orig_h").distinct().to_pandas()
    # Which names ever led there is known; only their answers are looked at host by host.
    places = pa.table({"address": pa.array(sorted(addresses), pa.string())})
    wanted = records.keep(places, "beacon_addresses")
    leading = shared_answers(records, shared).semi_join(wanted, "address")
    answered = own.filter(own.answers.notnull())
    answered = answered.filter(
        answered["query"].isin(leading["query"]) | answered["query"].isnull()
    )
    each = answered.select(
        "orig_h",
        "ts",
        # Zeek may have seen an answer without its question.
        name=plain_name(answered).fill_null(""),
        address=answered.answers.unnest(),
    ).semi_join(wanted, "address")
    last = each.group_by("orig_h", "address", "name").aggregate(ts=each.ts.max()).to_pandas()
    last = last.sort_values(["orig_h", "address", "ts", "name"])
    keys = zip(last.orig_h, last.address, strict=True)
    return dict(zip(keys, last["name"], strict=True)), set(heard.orig_h)


def met_domains(
    records: Records, names: set[str], named: ir.Table | None, shared: Shared
) -> tuple[dict[str, str], dict[str, int]]:
    """The registered domain of each name, and how many hosts ask for or meet names below it.

    Args:
        records: what happened.
        names: the names in question.
        named: which source met which server name; None if no servers are named.
        shared: what other rules have computed.
    """
    # Two labels first, as they are cheap, then what the public suffixes say.
    zones = sorted({".".join(name.split(".")[-2:]) for name in names})

    def within(table: ir.Table) -> ir.Table:
        return table.filter(table.name.split(".")[-2:].join(".").isin(zones))

    every = [] if named is None else [within(named.select("orig_h", name="server_name"))]
    if records.counts["dns"]:
        known = within(shared_domains(records, shared)).select("name")
        asked = shared_names(records, shared).select("orig_h", "name")
        every.append(asked.semi_join(known, "name"))
    if not names or not every:
        return {}, {}
    met = (ibis.union(*every) if len(every) > 1 else every[0]).distinct()
    met = records.keep(met, "beacon_names_met")
    own = registered_domain(met.select("name").distinct(), shared_rules(records, shared))
    own = records.keep(own.mutate(domain=own.domain.fill_null(own.name)), "beacon_domains")
    ours = own.filter(own.name.isin(sorted(names))).to_pandas()
    hosts = met.join(own.filter(own.domain.isin(sorted(set(ours.domain)))), "name")
    counted = hosts.group_by("domain").aggregate(hosts=hosts.orig_h.nunique()).to_pandas()
    return (
        dict(zip(ours["name"], ours.domain, strict=True)),
        dict(zip(counted.domain, counted.hosts, strict=True)),
    )
