"""Fan-out: many new hosts on one port at once, even though they answer.

A scan or a worm whose targets answer leaves no failures to walk on. What is left is its breadth: a
source reaches many hosts that it never reached before, on one port, within minutes, and does not
come back. Two kinds of honest breadth are told apart. A host that looks for names first (browsing)
meets outside hosts that stood in DNS answers, and nearly all of them answer, while a scanner takes
addresses from thin air (Whyte, Kranakis and van Oorschot, "DNS-based Detection of Scanning Worms in
an Enterprise Network", NDSS 2005). A monitor or backup server meets many local hosts, but returns
to them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import ibis
import numpy as np
import numpy.typing as npt
from ibis import _
from scipy.special import bdtrc

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_answers,
    shared_contacts,
)
from analyzer.detectors.outward import INFRASTRUCTURE_PORTS
from analyzer.features import with_bucket_before
from analyzer.findings import Evidence, Severity, duration
from analyzer.parameters import Seconds, Share

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

_DNS_PORT = 53

# Share of hosts met elsewhere from which a source is one that looks up what it meets.
_HABIT = 0.7
_ROUTINE = 0.5

# Chance of so many unanswered outside contacts in an honest window; below it, they speak.
_CHANCE = 1e-3
# Failures beyond which no honest failure share is worth looking further.
_MOST = 1000

# New hosts over the threshold -> score.
_CURVE = ((0.0, 0.0), (0.75, 0.7), (1.0, 0.8), (2.0, 0.85), (5.0, 0.9), (20.0, 0.95), (1e4, 0.99))


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many new hosts, how fast."""

    proto: Literal["tcp", "icmp"] = field(
        default="tcp", metadata={"meaning": "protocol of the contacts"}
    )
    window: Seconds = field(default=300.0, metadata={"meaning": "time in which hosts are met"})
    hosts: int = field(
        default=20,
        metadata={"meaning": "new hosts on one port from which it is reported at medium"},
    )
    return_share: Share = field(
        default=0.2, metadata={"meaning": "share of hosts returned to from which it is a routine"}
    )
    honest_failure: Share = field(
        default=0.1,
        metadata={"meaning": "share of outside hosts that do not answer a host that looks them up"},
    )
    lookup_horizon: Seconds = field(
        default=3600.0, metadata={"meaning": "how long before a contact its name may be looked up"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Sources that met more new hosts on one port than their lookups and routine explain."""
    met = _met(records, parameters, shared)
    if not met.count().execute():
        return
    has_answers = _has_answers(records, shared)
    if has_answers:
        known = _answered(records, met, shared)
        met = met.left_join(known, met.resp_h == known.address).drop("address")
        met = records.keep(met.mutate(known=met.known.fill_null(False)), "fan_out_known")
    else:
        met = met.mutate(known=False)
    # Where most fail, the walk of the scan detector has more to say.
    rows = [
        row
        for row in _widest(_suspects(met, records, parameters, has_answers=has_answers), parameters)
        if row["hosts"] <= 2 * row["succeeded"]
    ]
    if not rows:
        return
    if not has_answers:
        rows = [
            row
            for row in rows
            if row["is_local"]
            or _chance(row["hosts"] - row["succeeded"], row["hosts"], parameters) <= _CHANCE
        ]
    sources = {row["orig_h"] for row in rows if not row["is_local"]}
    habits = _habits(met, sources) if has_answers else {}
    asked = {} if has_answers else _asked(records, sources)
    for row in rows:
        if row["is_local"]:
            explained: _Explained | None = _Explained()
        elif has_answers:
            every_met, every_known = habits[row["orig_h"]]
            elsewhere = every_met - row["hosts"]
            habitual = elsewhere >= parameters.hosts and (
                every_known - row["known"] >= _HABIT * elsewhere
            )
            explained = _Explained(row["known"], habitual)
        else:
            explained = _explained_by_number(row, asked, parameters)
        if explained is not None:
            yield from _detection(row, explained, parameters)


def _met(records: Records, parameters: Parameters, shared: Shared) -> ir.Table:
    """Whom each crowded source met, with the time of the first contact; local sources only."""
    table = shared_contacts(records, shared)
    table = table.filter(
        (table.proto == parameters.proto) & ~table.resp_p.isin(INFRASTRUCTURE_PORTS)
    )
    table = table.group_by("orig_h", "resp_p", "resp_h", "is_local").aggregate(
        first=table["first"].min(),
        last=table["last"].max(),
        connections=table.connections.sum().cast("int64"),
        answered=table.answered.any(),
        local_orig=table.local_orig.any(),
    )
    table = records.keep(table, "fan_out_contacts")
    crowded = _crowded(table, parameters).group_by("orig_h").aggregate(flag=lambda t: t.flag.any())
    sources = crowded.to_pandas()
    local = sources.orig_h[records.local.are_local(sources.orig_h, sources.flag)]
    if local.empty:
        return table.limit(0)
    return table.filter(table.orig_h.isin(sorted(local)))


def _crowded(met: ir.Table, parameters: Parameters, **more: ir.Deferred) -> ir.Table:
    """The spans of two windows in which a source met enough hosts on a port, on one side."""
    keys = ("orig_h", "resp_p", "is_local")
    bucket = (met["first"] / parameters.window).floor().cast("int64")
    counted = met.group_by(*keys, bucket=bucket).aggregate(
        hosts=met.count(), flag=met.local_orig.any(), **more
    )
    pairs = with_bucket_before(counted, keys, ("hosts", *more))
    return pairs.filter(pairs.hosts >= _least(parameters))


def _suspects(
    met: ir.Table, records: Records, parameters: Parameters, *, has_answers: bool
) -> ir.Table:
    """The contacts of every source, port and side that may have a window worth a line."""
    crowded = _crowded(met, parameters, unknown=(~_.known).sum(), failed=(~_.answered).sum())
    # Without DNS answers only failures speak for the outside, and so few never do.
    speaks = crowded.unknown >= _least(parameters)
    if not has_answers:
        speaks = crowded.failed >= _least_failures(parameters)
    kept = crowded.filter(crowded.is_local | speaks).select("orig_h", "resp_p", "is_local")
    suspects = records.keep(kept.distinct(), "fan_out_suspects")
    return records.keep(met.semi_join(suspects, ["orig_h", "resp_p", "is_local"]), "fan_out_crowd")


def _least_failures(parameters: Parameters) -> int:
    """The fewest failures that are unlikely in any window, the smallest that holds them."""
    smallest = math.ceil(_least(parameters))
    counts = (k for k in range(1, _MOST) if _chance(k, max(k, smallest), parameters) <= _CHANCE)
    return next(counts, _MOST)


def _chance(failed: int, hosts: int, parameters: Parameters) -> float:
    """Chance of at least so many silent ones among hosts that an honest source meets."""
    return float(bdtrc(failed - 1, hosts, parameters.honest_failure)) if failed else 1.0


def _has_answers(records: Records, shared: Shared) -> bool:
    def look() -> bool:
        dns = records.dns
        return bool(records.counts["dns"]) and bool(dns.answers.notnull().any().execute())

    return shared.get((__name__, "answers"), look)


def _least(parameters: Parameters) -> float:
    """New hosts below which no window is worth a line."""
    values, scores = zip(*_CURVE, strict=True)
    return float(values[scores.index(Severity.LOW.bound)] * parameters.hosts)


def _answered(records: Records, met: ir.Table, shared: Shared) -> ir.Table:
    """The outside addresses met that stand in some DNS answer."""
    outside = met.filter(~met.is_local).select(address=met.resp_h).distinct()
    answers = shared_answers(records, shared).select("address")
    return answers.semi_join(outside, "address").distinct().mutate(known=True)


def _habits(met: ir.Table, sources: set[str]) -> dict[str, tuple[int, int]]:
    """For each source, how many outside hosts it met, and how many of them were looked up."""
    outside = met.filter(~met.is_local & met.orig_h.isin(sorted(sources)))
    table = outside.group_by("orig_h").aggregate(
        met=outside.count(), known=outside.known.sum().cast("int64")
    )
    return {row["orig_h"]: (row["met"], row["known"]) for row in table.to_pyarrow().to_pylist()}


def _widest(met: ir.Table, parameters: Parameters) -> list[dict[str, Any]]:
    """For each source, port and side, the window with most hosts that lookups do not explain."""
    keys = ("orig_h", "resp_p", "is_local")
    span = ibis.range_window(
        group_by=keys, order_by="first", preceding=parameters.window, following=0
    )
    window = met.select(
        *keys,
        end="first",
        hosts=met.count().over(span),
        known=met.known.sum().over(span).cast("int64"),
        succeeded=met.answered.sum().over(span).cast("int64"),
        returned=(met["last"] - met["first"] > parameters.window).sum().over(span).cast("int64"),
        begin=met["first"].min().over(span),
        connections=met.connections.sum().over(span).cast("int64"),
    )
    window = window.filter(window.hosts >= _least(parameters))
    best = ibis.row_number().over(
        group_by=keys,
        order_by=[(window.hosts - window.known).desc(), window.hosts.desc(), window.end],
    )
    widest = window.mutate(rank=best)
    widest = widest.filter(widest["rank"] == 0).order_by(*keys)
    return list(widest.to_pyarrow().to_pylist())


def _asked(records: Records, sources: set[str]) -> dict[str, npt.NDArray[np.float64]]:
    """When each source asked a resolver."""
    conn = records.conn
    if not sources:
        return {}
    asked = conn.filter((conn.resp_p == _DNS_PORT) & conn.orig_h.isin(sorted(sources)))
    frame = asked.select("orig_h", "ts").to_pandas()
    return {str(source): group.ts.to_numpy() for source, group in frame.groupby("orig_h")}


@dataclass(frozen=True, slots=True)
class _Explained:
    """What lookups say of the hosts met in a window.

    Attributes:
        hosts: how many of them they account for.
        habitual: whether the source is known to look up what it meets.
    """

    hosts: int = 0
    habitual: bool = True


def _explained_by_number(
    row: dict[str, Any], asked: dict[str, npt.NDArray[np.float64]], parameters: Parameters
) -> _Explained | None:
    """Without dns.log: as many hosts as questions were asked; None if none is ever seen."""
    times = asked.get(row["orig_h"])
    if times is None:
        return None
    begin = row["begin"] - parameters.lookup_horizon
    questions = int(((times >= begin) & (times <= row["end"])).sum())
    return _Explained(min(questions, row["hosts"]), habitual=False)


def _detection(
    row: dict[str, Any], explained: _Explained, parameters: Parameters
) -> Iterator[Detection]:
    new, inside = row["hosts"], row["is_local"]
    failed = new - row["succeeded"]
    if not explained.habitual and _chance(failed, new, parameters) > _CHANCE:
        # Looked up where we cannot see it (an encrypted resolver, another address of the host).
        return
    unexplained = new - explained.hosts
    returned = row["returned"] / new
    score = score_on(unexplained / parameters.hosts, _CURVE)
    if returned >= parameters.return_share:
        score = min(score, _ROUTINE)
    where = "local hosts" if inside else "outside hosts"
    icmp = parameters.proto == "icmp"
    how = "with ICMP requests" if icmp else f"on {row['resp_p']}/tcp"
    lookups = "" if inside else f", {unexplained} of them without a name looked up"
    span = duration(row["end"] - row["begin"])
    yield Detection(
        source=row["orig_h"],
        port=None if icmp else row["resp_p"],
        proto=parameters.proto,
        first=row["begin"],
        last=row["end"],
        score=score,
        message=f"{row['orig_h']} reached {new} new {where} {how} within {span}{lookups}",
        evidence=(
            Evidence(
                f"new {where}",
                new,
                expected=None if inside else explained.hosts,
                threshold=parameters.hosts,
            ),
            Evidence("hosts returned to", round(returned, 3), threshold=parameters.return_share),
            Evidence(
                "of them without an answer",
                failed,
                expected=None if inside else round(new * parameters.honest_failure),
            ),
        ),
        connections=row["connections"],
        technique="T1018" if icmp else None,
    )


DETECTOR = Detector("fan_out", Parameters, find)
