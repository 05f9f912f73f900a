"""Long DNS names: a name that is longer than names are, below a domain nobody else asks.

What leaves a network in DNS stands in names, and a single one holds up to some 150 octets of
payload (RFC 1035 allows 255 octets in all), too little for the detector of tunnels and enough for a
key or a command. How unlikely a length is follows from the names asked here: lengths compared on a
logarithmic scale, their tail fitted (:mod:`analyzer.tails`). Long names are ordinary below content
networks, clouds and lookup services, whose zones are known, asked by several hosts, asked for other
names before, or contacted afterwards. So what counts is a long name below a domain without any of
that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_contacts,
    shared_local_askers,
    shared_names,
)
from analyzer.features import HOUR, asked_below, plain_name
from analyzer.findings import Evidence
from analyzer.known_zones import below_zones, known_zones
from analyzer.parameters import Probability
from analyzer.public_suffix import domain_of
from analyzer.tails import Tail, fit_tail

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.records import Records

# Where too few names tell: one in fifty has over 40 characters, and one in e of those 25% more.
_PRIOR_TAIL = Tail(threshold=float(np.log(40.0)), share=0.02, scale=0.22, support=0)
# A tail that falls faster would make every name of a quiet network impossible.
_LEAST_SCALE = 0.1

# Characters below the domain, over the least -> score. A name cannot be longer than 253.
_CURVE = ((0.0, 0.0), (1.0, 0.7), (1.9, 0.8), (2.5, 0.85))
# Characters in an hour from which the detector of tunnels has more to say: 2 kB in hexadecimal.
_TUNNEL = 4000
# What speaks for a service lowers the score by so much, as in dns_tunnel.py.
_DOUBT = 0.3


@dataclass(frozen=True, slots=True)
class Parameters:
    """From where on a name is long, and whose names may be."""

    false_alarm: Probability = field(
        default=1e-3, metadata={"meaning": "tail probability from which a name is long"}
    )
    length: int = field(
        default=90, metadata={"meaning": "least characters below the registered domain"}
    )
    common: int = field(
        default=3, metadata={"meaning": "hosts asking below a domain that make it a service"}
    )
    habit: int = field(
        default=5,
        metadata={"meaning": "domains below which a host asks for long names as a habit"},
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Local hosts and domains with a name too long to be one."""
    if not records.counts["dns"]:
        return
    asked = shared_names(records, shared)
    lengths = asked.group_by(length=asked.name.length()).aggregate(names=asked.count())
    lengths = lengths.order_by("length").to_pandas()
    if lengths.empty or lengths.length.max() < parameters.length:
        return
    sample = np.repeat(np.log(lengths.length.to_numpy(float)), lengths.names.to_numpy())
    tail = fit_tail(sample, prior=_PRIOR_TAIL, least_scale=_LEAST_SCALE)
    chances = tail.probability(np.log(lengths.length.to_numpy(float)))
    unlikely = lengths.length[chances <= parameters.false_alarm]
    if unlikely.empty:
        return
    least = max(int(unlikely.min()), parameters.length)
    long = asked.filter((asked.name.length() >= least) & ~below_zones(asked.name, known_zones()))
    frame = long.order_by("orig_h", "first", "name").to_pandas()
    frame["domain"] = frame.name.map(domain_of)
    below = frame.name.str.len() - frame.domain.str.len() - 1
    frame = frame[
        (below >= parameters.length) & frame.orig_h.isin(shared_local_askers(records, shared))
    ]
    if frame.empty:
        return
    about = _about(set(frame.domain), records, shared)
    contacted = _contacted(frame, records, shared)
    domains = frame.groupby("orig_h").domain.nunique().to_dict()
    for (source, domain), group in frame.groupby(["orig_h", "domain"], sort=True):
        longest = group.name.iloc[int(group.name.str.len().to_numpy().argmax())]
        chance = float(tail.probability(np.log([len(longest)]))[0])
        facts = {
            "orig_h": source,
            "domain": domain,
            "longest": longest,
            "chance": chance,
            "names": len(group),
            "queries": int(group.queries.sum()),
            "first": float(group["first"].min()),
            "last": float(group["last"].max()),
            "domains": domains[source],
            "contacted": (source, domain) in contacted,
            "sources": about[domain].orig_h.nunique(),
            "met_first": float(about[domain]["first"].min()),
        }
        own = about[domain][about[domain].orig_h == source]
        if own.characters.max() < _TUNNEL:
            yield _detection(facts, parameters)


def _about(domains: set[str], records: Records, shared: Shared) -> dict[str, pd.DataFrame]:
    """For each domain, who asked how much below it in each hour."""
    names = asked_below(shared_names(records, shared), domains, records)
    table = names.group_by(
        "domain", "orig_h", hour=(names["first"] / HOUR).floor().cast("int64")
    ).aggregate(characters=names.name.length().sum(), first=names["first"].min())
    frame = table.order_by("domain", "orig_h", "hour").to_pandas()
    return {str(domain): group for domain, group in frame.groupby("domain")}


def _contacted(frame: pd.DataFrame, records: Records, shared: Shared) -> set[tuple[str, str]]:
    """The sources and domains of long names whose answers the source then tried to reach."""
    if not records.counts.get("conn"):
        return set()
    rows = pa.Table.from_pandas(frame[["orig_h", "name", "domain"]], preserve_index=False)
    wanted = records.keep(rows, "long_asked")
    dns = records.dns.filter(records.dns.answers.notnull())
    dns = dns.filter(dns["query"].length() >= int(frame.name.str.len().min()))
    named = dns.select("orig_h", "answers", name=plain_name(dns)).join(wanted, ["orig_h", "name"])
    addresses = named.select("orig_h", "domain", resp_h=named.answers.unnest()).distinct()
    met = addresses.semi_join(shared_contacts(records, shared), ["orig_h", "resp_h"])
    pairs = met.select("orig_h", "domain").distinct().to_pyarrow().to_pylist()
    return {(row["orig_h"], row["domain"]) for row in pairs}


def _detection(facts: dict[str, Any], parameters: Parameters) -> Detection:
    longest, domain = facts["longest"], facts["domain"]
    length = len(longest) - len(domain) - 1
    known_for = max(facts["first"] - facts["met_first"], 0.0)
    doubts = [
        facts["sources"] >= parameters.common,
        known_for > HOUR,
        facts["contacted"],
        facts["domains"] >= parameters.habit,
    ]
    score = score_on(length / parameters.length, _CURVE) - _DOUBT * sum(doubts)
    plural = "a name" if facts["names"] == 1 else f"{facts['names']:,} names"
    return Detection(
        source=facts["orig_h"],
        subject=domain,
        port=53,
        first=facts["first"],
        last=facts["last"],
        score=max(score, 0.0),
        message=(
            f"{facts['orig_h']} asked for {plural} of up to {length} characters below {domain}"
        ),
        evidence=(
            Evidence(
                "characters below the domain", length, expected=7, threshold=parameters.length
            ),
            Evidence(
                "tail probability of the length",
                f"{facts['chance']:.1g}",
                threshold=parameters.false_alarm,
            ),
            Evidence(
                "hosts asking below the domain",
                facts["sources"],
                expected=1,
                threshold=parameters.common,
            ),
            Evidence("domain known before for", round(known_for), threshold=HOUR, unit="s"),
            Evidence("answers contacted", "yes" if facts["contacted"] else "no"),
            Evidence("domains with such names", facts["domains"], threshold=parameters.habit),
        ),
        connections=facts["queries"],
        best="query",
    )


DETECTOR = Detector("dns_long_name", Parameters, find)
