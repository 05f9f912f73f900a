"""DNS tunnels: far more information in the names asked below one domain than names need.

What a tunnel sends must stand in the names it asks for, each of them once. So the names that a
source asks below a registered domain are weighed by the information they can carry, their length
times their entropy (information heavy hitters: Ozery, Nadler and Shabtai, "Information-Based Heavy
Hitters for Real-Time DNS Data Exfiltration Detection", NDSS 2024), and the heaviest hour counts.
Content networks and lookup services fill names too; they differ in that their answers are contacted
afterwards, that the same names come back, that many hosts ask them, or that the name is an address
written backwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_contacts,
)
from analyzer.features import asked_names, plain_name, with_bucket_before
from analyzer.findings import Evidence, quantity
from analyzer.parameters import Bytes, Seconds, Share
from analyzer.public_suffix import registered_domain, suffix_rules

if TYPE_CHECKING:
    from analyzer.records import Records

# No more than this many bits a character, base32 and hexadecimal being the alphabets of tunnels
# (base64 needs case, which resolvers do not keep).
_BITS = 5.0

# Times the threshold -> score.
_CURVE = ((0.0, 0.0), (1.0, 0.7), (2.0, 0.8), (8.0, 0.9), (50.0, 0.95), (10_000.0, 0.99))
# What speaks for a service that is meant to be asked: each lowers the score by so much, the size
# that RITA's prevalence modifier has, doubled because it is about the kind of traffic.
_DOUBT = 0.3

# An address written backwards, as in reputation lists (RFC 5782), or 32 hexadecimal digits.
_REVERSED_ADDRESS = re.compile(r"^(?:(?:[0-9a-f]\.){31}[0-9a-f]|(?:\d{1,3}\.){3}\d{1,3})(?:\.|$)")


@dataclass(frozen=True, slots=True)
class Parameters:
    """How much information, in which time, and what it must look like."""

    window: Seconds = field(default=3600.0, metadata={"meaning": "time weighed together"})
    information: Bytes = field(
        default=2000.0, metadata={"meaning": "information in names from which a domain is reported"}
    )
    names: int = field(default=8, metadata={"meaning": "least distinct names"})
    unique_share: Share = field(
        default=0.5, metadata={"meaning": "least share of queries for a name not asked before"}
    )
    mean_length: float = field(
        default=16.0,
        metadata={"meaning": "least mean length of the names below the domain, in characters"},
    )
    common: int = field(
        default=5, metadata={"meaning": "sources asking that much from which a domain is a service"}
    )
    lookup_zones: tuple[str, ...] = field(
        default=(), metadata={"meaning": "domains of services that encode lookups in names"}
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
    asked = shared.get(asked_names, lambda: asked_names(records))
    # Cheap and never too low: two labels stand for at least one registered domain's names.
    labels = asked.name.split(".")
    asked = asked.mutate(zone=labels[-2:].join("."))
    bucket = (asked["first"] / parameters.window).floor().cast("int64")
    bound = asked.group_by("orig_h", "zone", bucket=bucket).aggregate(
        information=(asked.name.length() * (_BITS / 8)).sum()
    )
    bound = with_bucket_before(bound, ("orig_h", "zone"), ("information",))
    heavy = bound.filter(bound.information >= parameters.information / 2)
    heavy = heavy.select("orig_h", "zone").distinct()
    rules = shared.get(suffix_rules, lambda: records.keep(suffix_rules(), "suffix_rules"))
    named = registered_domain(asked.semi_join(heavy, ["orig_h", "zone"]), rules)
    below = named.filter(named.domain.notnull() & (named.name != named.domain))
    if parameters.lookup_zones:
        below = below.filter(~below.domain.isin(parameters.lookup_zones))
    frame: pd.DataFrame = below.drop("zone").to_pandas()
    return frame


def _weighed(names: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Each source and domain with the totals of its names and its heaviest window."""
    # A lookup carries the address it is about; whatever stands behind it may still be a tunnel's.
    below = [
        _REVERSED_ADDRESS.sub("", name[: -len(domain) - 1], count=1)
        for name, domain in zip(names.name, names.domain, strict=True)
    ]
    names = names.assign(length=[len(text) for text in below], carried=information(below))
    names = names[names.length > 0].sort_values(["orig_h", "domain", "first", "name"])
    rows = []
    for (source, domain), group in names.groupby(["orig_h", "domain"], sort=False):
        if len(group) < parameters.names:
            continue
        first = group["first"].to_numpy()
        weight = np.concatenate(([0.0], np.cumsum(group.carried.to_numpy())))
        start = np.searchsorted(first, first - parameters.window, side="right")
        sums = weight[1:] - weight[start]
        end = int(np.argmax(sums))
        rows.append(
            {
                "orig_h": source,
                "domain": domain,
                "information": float(sums[end]),
                "begin": float(first[start[end]]),
                "end": float(first[end]),
                "names": len(group),
                "queries": int(group.queries.sum()),
                "data_queries": int(group.data_queries.sum()),
                "length": float(group.length.mean()),
                "first": float(first[0]),
                "last": float(group["last"].max()),
            }
        )
    return pd.DataFrame(rows, columns=_WEIGHED)


_WEIGHED = [
    "orig_h", "domain", "information", "begin", "end", "names", "queries", "data_queries",
    "length", "first", "last",
]  # fmt: skip


def information(texts: list[str]) -> npt.NDArray[np.float64]:
    """Bytes that each text can carry: its length times the entropy of its characters, over 8.

    The entropy is Shannon's, of the text's own characters (dots left out), at most 5 bits.
    """
    encoded = [text.replace(".", "").encode("utf-8", "replace") for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    result = np.zeros(len(encoded))
    # In portions, so that the table of counts stays small.
    for start in range(0, len(encoded), 8192):
        part = slice(start, start + 8192)
        size = lengths[part]
        characters = np.frombuffer(b"".join(encoded[part]), np.uint8)
        owner = np.repeat(np.arange(size.size), size)
        counts = np.bincount(owner * 256 + characters, minlength=size.size * 256)
        counts = counts.reshape(size.size, 256)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = counts / size[:, None]
            entropy = -np.where(counts > 0, share * np.log2(share), 0.0).sum(axis=1)
        result[part] = np.where(size > 0, size * np.minimum(entropy, _BITS) / 8, 0.0)
    return result


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
    unique = row["names"] / row["queries"]
    data = row["data_queries"] / row["queries"]
    score = score_on(row["information"] / parameters.information, _CURVE)
    # Free data types need no long names to be odd; address lookups do.
    short = row["length"] < parameters.mean_length and data < parameters.unique_share
    doubts = [unique < parameters.unique_share, short, contacted > 0, sources >= parameters.common]
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
                "distinct names per query", round(unique, 3), threshold=parameters.unique_share
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
