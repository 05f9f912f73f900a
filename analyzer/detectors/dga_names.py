"""The registered domains that each host asked for, as far as an algorithm could have made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.detectors.detection import (
    Shared,
    shared_answers,
    shared_contacts,
    shared_domains,
    shared_names,
    shared_rules,
)
from analyzer.features import plain_name
from analyzer.known_zones import below_zones, known_zones

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

ALTERNATIVE_ROOTS = ("bit", "bazar", "coin", "emc", "lib")
"""Top-level domains outside the DNS root under which names can be bought and which malware uses:
Namecoin's and Emercoin's (Patsakis et al., "Unravelling Ariadne's Thread: Exploring the Threats of
Decentralised DNS", IEEE Access 8, 2020)."""

FREE_ZONES = ("mooo.com", "yi.org", "dynserv.com")
"""Zones in which anybody gets a name for free and which the Public Suffix List lacks: dynamic DNS
providers, below which Kraken made its names."""

# Share of refused questions from which a domain does not exist; the others may be lost answers.
_REFUSED = 0.5
_ADDRESS = r"^(\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:.]*)$"
# Filters answer with addresses that lead nowhere; such a name is as good as none.
_NOWHERE = r"^(127\.|0\.0\.0\.0$|::1?$)"


def asked_domains(records: Records, shared: Shared, least: int) -> pd.DataFrame:
    """A row per source and registered domain: ``orig_h domain first last queries refused``.

    Left out are sources with fewer than `least` domains, names below zones whose names are made by
    machines, names under top-level domains that do not exist (search suffixes of home routers,
    browsers' probes), and domains that are asked for mail or service records: mail servers look
    up whatever senders claim to be.
    """
    asked, rules = shared_names(records, shared), shared_rules(records, shared)
    names = shared_domains(records, shared)
    names = names.filter(names.domain.notnull())
    names = names.filter(~below_zones(names.name, known_zones().difference(FREE_ZONES)))
    roots = rules.filter(~rules.suffix.contains(".")).select(tld="suffix", is_root=True)
    labelled = names.mutate(tld=names.name.split(".")[-1])
    labelled = labelled.left_join(roots, labelled.tld == roots.tld)
    delegated = labelled.is_root.notnull() | labelled.tld.isin(ALTERNATIVE_ROOTS)
    named = labelled.filter(delegated).select("name", domain=_below_free_zones(labelled))
    named = records.keep(named, "dga_domains")
    joined = asked.join(named, "name")
    domains = joined.group_by("orig_h", "domain").aggregate(
        first=joined["first"].min(),
        last=joined["last"].max(),
        queries=joined.queries.sum().cast("int64"),
        data_queries=joined.data_queries.sum().cast("int64"),
        refused=joined.refused.sum().cast("int64"),
    )
    domains = domains.filter(domains.data_queries == 0).drop("data_queries")
    count = domains.count().over(ibis.window(group_by="orig_h"))
    domains = domains.mutate(domains=count)
    domains = domains.filter(domains.domains >= least).drop("domains")
    frame: pd.DataFrame = domains.order_by("orig_h", "first", "domain").to_pandas()
    # Many hosts ask for one domain, which is split once.
    different = frame.domain.unique()
    labels = {domain: domain.partition(".")[0] for domain in different}
    suffixes = {domain: domain.rpartition(".")[2] for domain in different}
    return frame.assign(
        refused=(frame.refused > 0) & (frame.refused >= _REFUSED * frame.queries),
        label=frame.domain.map(labels),
        tld=frame.domain.map(suffixes),
    )


def _below_free_zones(named: ir.Table) -> ir.StringValue:
    """The registered domain, with one label more below a free zone."""
    labels = named.name.split(".")
    longer = labels[ibis.greatest(labels.length() - 3, 0) :].join(".")
    return ibis.ifelse(named.domain.isin(FREE_ZONES), longer, named.domain)


def fates(domains: pd.DataFrame, records: Records, shared: Shared) -> pd.DataFrame:
    """What became of domains: adds ``address`` (the first answered, or "") and ``contacted``.

    Args:
        domains: some rows of :func:`asked_domains`.
        records: the records.
        shared: what other rules have computed.
    """
    wanted = records.keep(
        pa.table(
            {
                "orig_h": pa.array(domains.orig_h, pa.string()),
                "domain": pa.array(domains.domain, pa.string()),
            }
        ),
        "dga_wanted",
    )
    named = shared_domains(records, shared)
    named = named.mutate(domain=_below_free_zones(named)).semi_join(wanted, "domain")
    named = records.keep(named, "dga_wanted_names")
    # Most names lead to other domains, and are done with before any answer is looked at.
    queries = shared_answers(records, shared).semi_join(named, "name")["query"]
    dns = records.dns
    answered = dns.filter(dns.answers.notnull() & dns["query"].isin(queries))
    answers = answered.select("orig_h", name=plain_name(answered), address=answered.answers)
    met = answers.join(named, "name").semi_join(wanted, ["orig_h", "domain"])
    met = met.select("orig_h", "domain", address=met.address.unnest()).distinct()
    leads = met.address.re_search(_ADDRESS) & ~met.address.re_search(_NOWHERE)
    met = records.keep(met.filter(leads), "dga_answers")
    if records.counts.get("conn"):
        tried = shared_contacts(records, shared).select("orig_h", address="resp_h").distinct()
        met = met.left_join(tried.mutate(tried=True), ["orig_h", "address"]).select(
            "orig_h", "domain", "address", tried=lambda t: t.tried.fill_null(False)
        )
    else:
        met = met.mutate(tried=False)
    fate = met.group_by("orig_h", "domain").aggregate(
        # An address that was contacted is the one to look at.
        address=met.address.min(),
        reached=met.address.min(where=met.tried),
        contacted=met.tried.any(),
    )
    frame = domains.merge(fate.to_pandas(), how="left", on=["orig_h", "domain"])
    address = frame.reached.where(frame.reached.notna(), frame.address)
    return frame.assign(
        address=address.where(address.notna(), "").astype(str),
        contacted=np.asarray(frame.contacted == True, bool),  # noqa: E712 - may be missing
    ).drop(columns="reached")
