"""NXDOMAIN storms: a host asks for many names within an hour that do not exist.

Two kinds. In breadth, names below many different domains: malware that looks for its domain of the
day, or a list of names that is being tried (NXDOMAIN growth as a sign of infection: Antonakakis et
al., "From Throw-Away Traffic to Bots", USENIX Security 2012). In depth, many names below one
domain: guessing a victim's host names, or flooding its name servers with names that no cache knows
(a random subdomain attack: RFC 9520).

Each name and each domain counts once, when it is first asked for, so a dead one that is retried
all day is one. Left out is what fails by design: lookups of addresses (RFC 5782) and of files and
senders in known zones, names that a host made of another name and its search suffix, domains that
are dead for a good part of the network, and suffixes that never leave the site.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.detectors.detection import (
    PASSES_ON,
    Detection,
    Detector,
    Shared,
    score_on,
    shared_local_askers,
    shared_name_servers,
    shared_names,
)
from analyzer.features import asked_below, with_bucket_before
from analyzer.findings import Evidence
from analyzer.known_zones import below_zones, known_zones
from analyzer.parameters import Seconds, Share
from analyzer.public_suffix import domain_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# Failures over the least -> score.
_CURVE = ((0.0, 0.0), (1.0, 0.7), (4.0, 0.8), (20.0, 0.9), (100.0, 0.95))
# Most failing is a storm, a third beside ordinary names may be a crawler's or a mail server's.
_MOST = 0.5
_LOW = 0.79
_PASSED_ON = 0.6
# Labels of host names people guess are short; hashes and addresses of lookup services are not.
_LOOKUP_LENGTH = 24.0
_REVERSED = r"^([0-9a-f]\.){31}[0-9a-f]\.|^(\d{1,3}\.){3}\d{1,3}\."


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many names and domains, how fast, and for how few of the hosts."""

    window: Seconds = field(default=3600.0, metadata={"meaning": "time counted together"})
    domains: int = field(
        default=50, metadata={"meaning": "domains that do not exist from which it is reported"}
    )
    names: int = field(
        default=200,
        metadata={"meaning": "names below one domain that do not exist from which it is reported"},
    )
    share: Share = field(
        default=0.3, metadata={"meaning": "least share of them among the names newly asked for"}
    )
    common: int = field(
        default=5, metadata={"meaning": "hosts for which a domain fails that make it the network's"}
    )
    common_share: Share = field(
        default=0.1, metadata={"meaning": "and their least share of the hosts that ask"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Local hosts with a window of too many names that do not exist."""
    if not records.counts["dns"]:
        return
    asked = shared_names(records, shared)
    known = known_zones("reputation", "dnsbl", "telemetry")
    failed = asked.filter(
        (asked.refused > 0) & ~asked.name.re_search(_REVERSED) & ~below_zones(asked.name, known)
    )
    failed = records.keep(failed, "failed_names")
    crowded = _crowded(failed, parameters)
    if not crowded:
        return
    crowded &= shared_local_askers(records, shared)
    if not crowded:
        return
    ours = failed.filter(failed.orig_h.isin(sorted(crowded)))
    frame = ours.order_by("orig_h", "first", "name").to_pandas()
    frame["domain"] = frame.name.map(domain_of)
    frame = frame[frame.domain.notna()]
    hosts = int(asked.orig_h.nunique().execute())
    common = max(parameters.common, parameters.common_share * hosts)
    below = asked_below(failed, set(frame.domain), records)
    failing = below.group_by("domain").aggregate(sources=below.orig_h.nunique())
    shared_by = failing.filter(failing.sources >= common).to_pandas()
    frame = frame[~frame.domain.isin(shared_by.domain)]
    every = asked.filter(asked.orig_h.isin(sorted(crowded))).select("orig_h", "name", "first")
    names = every.order_by("orig_h", "first").to_pandas()
    servers = shared_name_servers(records, shared)
    new = {str(source): group for source, group in names.groupby("orig_h")}
    for source, group in frame.groupby("orig_h", sort=True):
        limit = _PASSED_ON if servers.get(str(source), 0) >= PASSES_ON else 1.0
        clients = servers.get(str(source), 0)
        yield from _broad(group, new[str(source)], clients, limit, parameters)
        yield from _deep(group, new[str(source)], clients, limit, parameters)


def _crowded(failed: ir.Table, parameters: Parameters) -> set[str]:
    """Sources with two neighbouring windows that hold enough names that do not exist."""
    bucket = (failed["first"] / parameters.window).floor().cast("int64")
    counted = failed.group_by("orig_h", bucket=bucket).aggregate(names=failed.count())
    pairs = with_bucket_before(counted, ("orig_h",), ("names",))
    enough = pairs.filter(pairs.names * 2 >= min(parameters.domains, parameters.names))
    return set(enough.select("orig_h").distinct().to_pandas().orig_h)


def _fullest(
    times: npt.NDArray[np.float64], every: npt.NDArray[np.float64], window: float
) -> tuple[int, float, float, float]:
    """The window with most of `times`: how many, from when to when, their share of `every`."""
    start = np.searchsorted(times, times - window, side="right")
    counts = np.arange(1, times.size + 1) - start
    end = int(np.argmax(counts))
    begin, until = float(times[start[end]]), float(times[end])
    beside = int(((every >= begin) & (every <= until)).sum())
    return int(counts[end]), begin, until, float(counts[end]) / max(beside, 1)


def _broad(
    failed: pd.DataFrame, new: pd.DataFrame, clients: int, limit: float, parameters: Parameters
) -> Iterator[Detection]:
    """The window with most domains that do not exist."""
    first = np.sort(failed.groupby("domain")["first"].min().to_numpy())
    every = new["first"].to_numpy()
    count, begin, end, share = _fullest(first, every, parameters.window)
    if count * 2 < parameters.domains or share < parameters.share:
        return
    score = min(score_on(count / parameters.domains, _CURVE), limit)
    source = str(failed.orig_h.iloc[0])
    inside = failed[failed["first"].between(begin, end)]
    yield Detection(
        source=source,
        port=53,
        first=begin,
        last=end,
        score=score if share >= _MOST else min(score, _LOW),
        message=f"{source} asked for names below {count:,} domains that do not exist",
        evidence=(
            Evidence("domains that do not exist", count, threshold=parameters.domains),
            *_shares(share, clients, parameters),
            Evidence("for example", ", ".join(inside.name.iloc[:3])),
        ),
        connections=int(inside.refused.sum()),
    )


def _deep(
    failed: pd.DataFrame, new: pd.DataFrame, clients: int, limit: float, parameters: Parameters
) -> Iterator[Detection]:
    """The domains below which a window holds most names that do not exist."""
    source = str(failed.orig_h.iloc[0])
    known: set[str] | None = None
    for domain, group in failed.groupby("domain", sort=True):
        if len(group) * 2 < parameters.names:
            continue
        known = set(new.name) if known is None else known
        made = [_is_suffixed(name, known) for name in group.name]
        own = group[~np.array(made)]
        if len(own) * 2 < parameters.names:
            continue
        below = new.name.str.endswith(f".{domain}").to_numpy()
        every = new["first"].to_numpy()[below]
        count, begin, end, share = _fullest(own["first"].to_numpy(), every, parameters.window)
        if count * 2 < parameters.names or share < parameters.share:
            continue
        length = float(own.name.str.len().mean()) - len(str(domain)) - 1
        lookups = length >= _LOOKUP_LENGTH
        score = min(score_on(count / parameters.names, _CURVE), limit)
        yield Detection(
            source=source,
            port=53,
            subject=str(domain),
            first=begin,
            last=end,
            score=score if share >= _MOST and not lookups else min(score, _LOW),
            message=f"{source} asked for {count:,} names below {domain} that do not exist",
            evidence=(
                Evidence("names that do not exist", count, threshold=parameters.names),
                *_shares(share, clients, parameters),
                Evidence(
                    "mean length below the domain",
                    round(length, 1),
                    expected=7,
                    threshold=_LOOKUP_LENGTH,
                ),
            ),
            connections=int(own.refused.sum()),
            technique="T1595.003",
            best="query",
        )


def _is_suffixed(name: str, known: set[str]) -> bool:
    """Whether a name is another one of the host's with something appended."""
    labels = name.split(".")
    return any(".".join(labels[:end]) in known for end in range(2, len(labels) - 1))


def _shares(share: float, clients: int, parameters: Parameters) -> tuple[Evidence, Evidence]:
    return (
        Evidence("share of the names newly asked for", round(share, 3), threshold=parameters.share),
        Evidence("hosts that ask it", clients, expected=0, threshold=PASSES_ON),
    )


DETECTOR = Detector("dns_nxdomain", Parameters, find)
