"""The names of what is met: from the connections themselves, else from what DNS said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from analyzer.detectors.detection import Shared
from analyzer.features import asked_names, plain_name
from analyzer.public_suffix import registered_domain, suffix_rules

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
    records: Records, sources: set[str], addresses: set[str]
) -> tuple[dict[tuple[str, str], str], set[str]]:
    """What DNS said of addresses.

    Returns:
        For each source and address the name asked for last that it stood in an answer to, and the
        sources that ever got an answer.
    """
    dns = records.dns
    if not records.counts["dns"]:
        return {}, set()
    answered = dns.filter(dns.orig_h.isin(sorted(sources)) & dns.answers.notnull())
    each = answered.select(
        "orig_h", "ts", name=plain_name(answered), address=answered.answers.unnest()
    )
    known = each.address.isin(sorted(addresses))
    each = each.mutate(
        address=ibis.ifelse(known, each.address, ""), name=ibis.ifelse(known, each.name, "")
    )
    last = each.group_by("orig_h", "address", "name").aggregate(ts=each.ts.max()).to_pandas()
    last = last.sort_values(["orig_h", "address", "ts", "name"])
    told = last[last.address != ""]
    keys = zip(told.orig_h, told.address, strict=True)
    return dict(zip(keys, told["name"], strict=True)), set(last.orig_h)


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
    every = [] if named is None else [named.select("orig_h", name="server_name")]
    if records.counts["dns"]:
        every.append(shared.get(asked_names, lambda: asked_names(records)).select("orig_h", "name"))
    if not names or not every:
        return {}, {}
    # Two labels first, as they are cheap, then what the public suffixes say.
    zones = sorted({".".join(name.split(".")[-2:]) for name in names})
    met = ibis.union(*every) if len(every) > 1 else every[0]
    met = met.filter(met.name.split(".")[-2:].join(".").isin(zones)).distinct()
    met = records.keep(met, "beacon_names_met")
    rules = shared.get(suffix_rules, lambda: records.keep(suffix_rules(), "suffix_rules"))
    own = registered_domain(met.select("name").distinct(), rules)
    own = records.keep(own.mutate(domain=own.domain.fill_null(own.name)), "beacon_domains")
    ours = own.filter(own.name.isin(sorted(names))).to_pandas()
    hosts = met.join(own.filter(own.domain.isin(sorted(set(ours.domain)))), "name")
    counted = hosts.group_by("domain").aggregate(hosts=hosts.orig_h.nunique()).to_pandas()
    return (
        dict(zip(ours["name"], ours.domain, strict=True)),
        dict(zip(counted.domain, counted.hosts, strict=True)),
    )
