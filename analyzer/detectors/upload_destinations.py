"""Who stands behind the outside addresses that hosts send to: names, domains, and who else goes.

A transfer to many addresses of one service is one transfer. Addresses belong together when names
below one registered domain lead to them, in DNS answers or in what clients called the server (SNI,
Host); nameless ones when they stand in one network (/24, /48).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from analyzer.detectors.beacon_names import server_names
from analyzer.detectors.detection import (
    Shared,
    shared_answers,
    shared_contacts,
    shared_rules,
)
from analyzer.public_suffix import registered_domain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# Octets of an IPv4 address, groups of an IPv6 one, that stand for its network.
_OCTETS, _GROUPS = 3, 3


def destination_domains(
    records: Records, pairs: pd.DataFrame, shared: Shared
) -> dict[str, tuple[str, str]]:
    """The name and the registered domain of addresses, where any name led there.

    Args:
        records: the records of the run.
        pairs: a row per source and destination, ``orig_h`` and ``resp_h``.
        shared: what other rules have computed.
    """
    if pairs.empty:
        return {}
    wanted = records.keep(pa.Table.from_pandas(pairs, preserve_index=False), "uploading_pairs")
    named = [_called(records, wanted, shared)]
    if records.counts.get("dns"):
        named.append(_answered(records, wanted, shared))
    rows = pd.concat(named, ignore_index=True)
    rows = rows[rows.name.str.contains(".", regex=False)]
    if rows.empty:
        return {}
    table = records.keep(pa.Table.from_pandas(rows, preserve_index=False), "uploading_names")
    rules = shared_rules(records, shared)
    frame = registered_domain(table, rules).order_by("address", "name").to_pandas()
    result: dict[str, tuple[str, str]] = {}
    for address, name, domain in zip(frame.address, frame.name, frame.domain, strict=True):
        result.setdefault(str(address), (str(name), str(domain) if domain else str(name)))
    return result


def _answered(records: Records, wanted: ir.Table, shared: Shared) -> pd.DataFrame:
    """Names in DNS answers with the addresses they led to, whoever asked."""
    answers = shared_answers(records, shared).select("name", "address")
    addresses = wanted.select(address=wanted.resp_h).distinct()
    found: pd.DataFrame = (
        answers.semi_join(addresses, "address").distinct().drop_null(["name"]).to_pandas()
    )
    return found


def _called(records: Records, wanted: ir.Table, shared: Shared) -> pd.DataFrame:
    """What clients called the servers they sent to."""
    conn = records.conn.semi_join(wanted, ["orig_h", "resp_h"])
    conn = conn.select("uid", address=conn.resp_h)
    named = conn.join(server_names(records, shared), "uid")
    table: pd.DataFrame = (
        named.select(name=named.server_name, address=named.address).distinct().to_pandas()
    )
    return table


def network_of(address: str) -> str:
    """The network an address stands in: its first three octets, or groups of IPv6."""
    if ":" in address:
        return ":".join(address.split(":")[:_GROUPS]) + "::/48"
    return ".".join(address.split(".")[:_OCTETS]) + ".0/24"


def lookup_habits(records: Records, sources: list[str], shared: Shared) -> dict[str, float]:
    """For each source, the share of its outside destinations that any DNS answer holds."""
    if not sources or not records.counts.get("dns"):
        return dict.fromkeys(sources, 0.0)
    tried = shared_contacts(records, shared)
    met = tried.filter(~tried.is_local & tried.orig_h.isin(sources) & (tried.proto != "icmp"))
    met = met.select("orig_h", "resp_h").distinct()
    answers = shared_answers(records, shared).select("address").distinct()
    known = met.left_join(answers, met.resp_h == answers.address)
    shares = known.group_by("orig_h").aggregate(share=known.address.notnull().mean()).to_pandas()
    return dict.fromkeys(sources, 0.0) | dict(zip(shares.orig_h, shares.share, strict=True))


def visitors(
    records: Records, domains: dict[str, str], shared: Shared
) -> dict[str, dict[str, float]]:
    """Which local hosts go to each domain or network, and the most they sent it in half a day.

    Args:
        records: the records of the run.
        domains: the addresses in question, each with the domain or network it belongs to.
        shared: what other rules have computed.
    """
    if not domains:
        return {}
    known = domains | _more_addresses(records, set(domains.values()) - set(domains), shared)
    table = records.keep(
        pa.table(
            {"resp_h": list(known), "place": list(known.values())},
            schema=pa.schema([("resp_h", pa.string()), ("place", pa.string())]),
        ),
        "uploading_places",
    )
    tried = shared_contacts(records, shared)
    met = tried.filter(tried.source_is_local).join(table, "resp_h")
    halves = met.group_by("place", "orig_h", "half_day").aggregate(sent=met.bytes_out.sum())
    sums = halves.group_by("place", "orig_h").aggregate(sent=halves.sent.max()).to_pandas()
    result: dict[str, dict[str, float]] = {}
    for place, source, sent in zip(sums.place, sums.orig_h, sums.sent, strict=True):
        result.setdefault(str(place), {})[str(source)] = float(sent)
    return result


def _more_addresses(records: Records, domains: set[str], shared: Shared) -> dict[str, str]:
    """Every address that a name below one of these domains led to."""
    below = sorted(domain for domain in domains if "/" not in domain)
    if not below or not records.counts.get("dns"):
        return {}
    asked = shared_answers(records, shared).select("name", "address").distinct()
    wanted = records.keep(pa.table({"domain": below}), "uploading_domains")
    joined = asked.join(
        wanted, (asked.name == wanted.domain) | asked.name.endswith("." + wanted.domain)
    )
    rows = joined.group_by("address").aggregate(domain=joined.domain.min()).to_pandas()
    return {
        str(address): str(domain) for address, domain in zip(rows.address, rows.domain, strict=True)
    }
