"""DNS tunnels: far more information in the names asked below one domain than names need.

What a tunnel sends must stand in the names it asks for, each of them once. So the names that a
source asks below a registered domain are weighed by the information they can carry
(:mod:`analyzer.information`), and the heaviest hour counts (heavy hitters: Ozery, Nadler
and Shabtai, "Information-Based Heavy Hitters for Real-Time DNS Data Exfiltration Detection", NDSS
2024).

Content networks and lookup services fill names too; they differ in that their answers are contacted
afterwards, that the same names come back later, that many hosts ask them, or that the name is an
address written backwards.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_contacts,
    shared_domains,
    shared_names,
)
from analyzer.features import plain_name, with_bucket_before
from analyzer.findings import Evidence, quantity
from analyzer.information import information
from analyzer.known_zones import below_zones, known_zones
from analyzer.parameters import Bytes, Seconds, Share

if TYPE_CHECKING:
    from analyzer.records import Records

# The most a character of a host name carries: letters of one case, digits, hyphen and underscore.
# Other octets stand in names as escapes of four characters, which are worth no less.
_MOST_BITS = math.log2(38)
_FIRST_ABOVE_ASCII = 0x80
_SURROGATES = 0xDC00  # PEP 383
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")

# Times the threshold -> score.
_CURVE = ((0.0, 0.0), (1.0, 0.7), (2.0, 0.8), (8.0, 0.9), (50.0, 0.95), (10_000.0, 0.99))
# What speaks for a service that is meant to be asked: each lowers the score by so much, the size
# that RITA's prevalence modifier has, doubled because it is about the kind of traffic.
_DOUBT = 0.3

# An address written backwards, as in reputation lists (RFC 5782), or 32 hexadecimal digits.
_REVERSED_ADDRESS = re.compile(r"^(?:(?:[0-9a-f]\.){31}[0-9a-f]|(?:\d{1,3}\.){3}\d{1,3})(?:\.|$)")

# A question for A, AAAA and HTTPS at once, and a resolver's retries (RFC 1035, 7.2: seconds apart)
# are one use of a name; what is asked again after a minute is used again.
_AGAIN = 60.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """How much information, in which time, and what it must look like."""

    window: Seconds = field(default=3600.0, metadata={"meaning": "time weighed together"})
    information: Bytes = field(
        default=1700.0, metadata={"meaning": "information in names from which a domain is reported"}
    )
    names: int = field(default=8, metadata={"meaning": "least distinct names"})
    unique_share: Share = field(
        default=0.5, metadata={"meaning": "least share of names not asked again later"}
    )
    mean_length: float = field(
        default=12.0,
        metadata={"meaning": "least mean length of the names below the domain, in characters"},
    )
    common: int = field(
        default=5, metadata={"meaning": "sources asking that much from which a domain is a service"}
    )
    lookup_zones: tuple[str, ...] = field(
        default=(),
        metadata={"meaning": "more zones, besides the known ones, that encode lookups in names"},
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Sources and domains whose heaviest window carries more than names need."""
    if not records.counts["dns"]:
        return
    names = _names_below(records, parameters, shared)
    if names.empty:
        return
    weighed = _weighed(names, parameters)
    heavy = weighed[weighed.information >= parameters.information / 2]
    if heavy.empty:
        return
    followed = _followed(heavy, records, shared)
    sources: dict[Any, int] = heavy.groupby("domain").orig_h.nunique().to_dict()
    for row in heavy.sort_values(["orig_h", "domain"]).to_dict("records"):
        contacted = followed.get((row["orig_h"], row["domain"]), 0.0)
        yield _detection(row, contacted, sources[row["domain"]], parameters)


def _names_below(records: Records, parameters: Parameters, shared: Shared) -> pd.DataFrame:
    """Names of every source and domain that could reach half the threshold, with their domain."""
    domains = shared_domains(records, shared)
    domains = domains.filter(domains.domain.notnull() & (domains.name != domains.domain))
    asked = shared_names(records, shared).join(domains, "name")
    # Cheap and never too low: as if every character carried the most it can.
    bucket = (asked["first"] / parameters.window).floor().cast("int64")
    bound = asked.group_by("orig_h", "domain", bucket=bucket).aggregate(
        information=((asked.name.length() - asked.domain.length()) * (_MOST_BITS / 8)).sum()
    )
    bound = with_bucket_before(bound, ("orig_h", "domain"), ("information",))
    heavy = bound.filter(bound.information >= parameters.information / 2)
    heavy = records.keep(heavy.select("orig_h", "domain").distinct(), "heavy_bounds")
    if not heavy.count().execute():
        return pd.DataFrame()
    # Each name is looked at once, however many hosts ask for it.
    named = records.keep(domains.semi_join(heavy, "domain"), "heavy_names")
    lookups = known_zones("reputation", "dnsbl", "telemetry").union(parameters.lookup_zones)
    named = named.filter(~below_zones(named.name, lookups))
    below = shared_names(records, shared).join(named, "name").semi_join(heavy, ["orig_h", "domain"])
    frame: pd.DataFrame = below.to_pandas()
    return frame


def _weighed(names: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Each source and domain with the totals of its names and its heaviest window."""
    # A lookup carries the address it is about; whatever stands behind it may still be a tunnel's.
    below = [
        _ESCAPE.sub(_octet, _REVERSED_ADDRESS.sub("", name[: -len(domain) - 1], count=1))
        for name, domain in zip(names.name, names.domain, strict=True)
    ]
    kept = pd.Series(below, names.index, dtype=object)  # surrogates are no text to Arrow
    names = names.assign(below=kept, length=[len(text) for text in below])
    names = names[names.length > 0].sort_values(["orig_h", "domain", "first", "name"])
    keys = names.groupby(["orig_h", "domain"], sort=False)
    names = names[keys["name"].transform("size") >= parameters.names]
    keys = names.groupby(["orig_h", "domain"], sort=False)
    names = names.assign(carried=information(names.below.tolist(), keys.ngroup().to_numpy()))
    rows = []
    for (source, domain), group in names.groupby(["orig_h", "domain"], sort=False):
        first = group["first"].to_numpy()
        weight = np.concatenate(([0.0], np.cumsum(group.carried.to_numpy())))
        start = np.searchsorted(first, first - parameters.window, side="right")
        sums = weight[1:] - weight[start]
        end = int(np.argmax(sums))
        again = (group["last"] - group["first"] > _AGAIN) & (group.queries > 1)
        rows.append(
            {
                "orig_h": source,
                "domain": domain,
                "information": float(sums[end]),
                "names": len(group),
                "unique": float(1 - again.mean()),
                "queries": int(group.queries.sum()),
                "data_queries": int(group.data_queries.sum()),
                "length": float(group.length.mean()),
                "first": float(first[0]),
                "last": float(group["last"].max()),
            }
        )
    return pd.DataFrame(rows, columns=_WEIGHED)


def _octet(escape: re.Match[str]) -> str:
    value = int(escape[1], 16)
    return chr(value) if value < _FIRST_ABOVE_ASCII else chr(_SURROGATES + value)


_WEIGHED = [
    "orig_h", "domain", "information", "names", "unique", "queries", "data_queries", "length",
    "first", "last",
]  # fmt: skip


def _followed(
    heavy: pd.DataFrame, records: Records, shared: Shared
) -> dict[tuple[str, str], float]:
    """For each source and domain, the share of its address answers that it then connected to."""
    if not records.counts.get("conn"):
        return {}
    wanted = records.keep(pa.Table.from_pandas(heavy[["orig_h", "domain"]]), "heavy_domains")
    dns = records.dns
    answered = dns.filter(dns.answers.notnull() & dns.orig_h.isin(heavy.orig_h.unique().tolist()))
    asked = answered.select("orig_h", name=plain_name(answered), address=answered.answers).join(
        wanted, "orig_h"
    )
    asked = asked.filter(asked.name.endswith("." + asked.domain))
    addresses = asked.select("orig_h", "domain", address=asked.address.unnest()).distinct()
    addresses = addresses.filter(addresses.address.re_search(r"^(\d+\.\d+\.\d+\.\d+|[0-9a-f:]+)$"))
    tried = shared_contacts(records, shared)
    pairs = tried.select("orig_h", "resp_h").distinct()
    met = addresses.left_join(
        pairs.mutate(met=True),
        [addresses.orig_h == pairs.orig_h, addresses.address == pairs.resp_h],
    )
    shares = met.group_by("orig_h", "domain").aggregate(share=met.met.fill_null(False).mean())
    return {(row["orig_h"], row["domain"]): row["share"] for row in shares.to_pyarrow().to_pylist()}


def _detection(
    row: dict[Any, Any], contacted: float, sources: int, parameters: Parameters
) -> Detection:
    data = row["data_queries"] / row["queries"]
    score = score_on(row["information"] / parameters.information, _CURVE)
    # Free data types need no long names to be odd; address lookups do.
    short = row["length"] < parameters.mean_length and data < parameters.unique_share
    doubts = [
        row["unique"] < parameters.unique_share,
        short,
        contacted > 0,
        sources >= parameters.common,
    ]
    score = max(0.0, score - _DOUBT * sum(doubts))
    return Detection(
        source=row["orig_h"],
        subject=row["domain"],
        proto="udp",
        port=53,
        first=row["first"],
        last=row["last"],
        score=score,
        message=(
            f"{row['orig_h']} asked for {row['names']:,} names below {row['domain']} "
            f"that can carry {quantity(row['information'], 'B')} within an hour"
        ),
        evidence=(
            Evidence(
                "information in an hour's names",
                round(row["information"]),
                threshold=parameters.information,
                unit="B",
            ),
            Evidence(
                "share of names not asked again later",
                round(row["unique"], 3),
                threshold=parameters.unique_share,
            ),
            Evidence("mean length below the domain", round(row["length"], 1), expected=7.0),
            Evidence("share of TXT, NULL, CNAME and the like", round(data, 3), expected=0.02),
            Evidence("sources asking as much", sources, threshold=parameters.common),
            Evidence("answered addresses contacted", round(contacted, 3)),
        ),
        connections=row["queries"],
        best="query",
    )


DETECTOR = Detector("dns_tunnel", Parameters, find)
