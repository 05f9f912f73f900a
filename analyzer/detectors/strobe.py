"""Strobes: one local host connects with one outside service again and again without a pause.

RITA calls a pair that makes 86,400 connections a day, one a second, a strobe. Counted by the day,
one that runs for the six hours of a log goes unseen. Here the *rate* over the time it lasted and
the *number* of connections that the rate rests on each give a score, and the lower one counts. A
few minutes at any rate are a burst, for the detector of that name.

Not looked at are contacts inside (monitors poll by the second), and DNS and NTP, whose servers are
asked at any pace. A source most of whose connections go elsewhere is a proxy, an address translator
or a crawler, and its busiest partner is the most popular of many; it is kept, but not reported as
more than a hint. Connections that are not answered are a flood, or are held up by a firewall.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    prevalence_modifier,
    score_on,
    shared_local_hosts,
)
from analyzer.detectors.outward import (
    KEYS,
    is_reachable,
    met_by,
    outward,
    port_of,
    service,
    technique,
)
from analyzer.features import DAY
from analyzer.findings import Evidence, duration
from analyzer.parameters import Share

if TYPE_CHECKING:
    from analyzer.records import Records

# Connections a day over the threshold -> score, and all connections over it -> score. At RITA's
# 86,400 a day: low from 0.3 a second and four hours' worth of one a second, medium from one a
# second and half a day's worth.
_RATES = ((0.1, 0.5), (0.3, 0.7), (1.0, 0.8), (10.0, 0.9), (100.0, 0.95))
_NUMBERS = ((1 / 24, 0.5), (1 / 6, 0.7), (0.5, 0.8), (1.0, 0.85), (5.0, 0.9), (50.0, 0.95))
_HINT = 0.79
# A strobe that begins late in a half day leaves little in it.
_NEARLY = 0.25


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many connections, and of whom."""

    connections: int = field(
        default=86_400, metadata={"meaning": "connections a day that make a strobe"}
    )
    own_share: Share = field(
        default=0.25,
        metadata={"meaning": "share of the source's outside connections below which it is a hint"},
    )
    flood_share: Share = field(
        default=0.9, metadata={"meaning": "share without an answer from which it is a flood"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Pairs that connected too often for too long."""
    out = outward(records, shared)
    halves = out.group_by(*KEYS, "half_day").aggregate(
        connections=out.connections.sum().cast("int64"),
        failed=out.failed.sum().cast("int64"),
        first=out["first"].min(),
        last=out["last"].max(),
        size=(out.bytes_out + out.bytes_in).sum(),
    )
    # A half day that does not hold its part of the least number is a pause.
    least = parameters.connections * _NUMBERS[0][0]
    busy = halves.filter(halves.connections >= least * _NEARLY)
    pairs = busy.group_by(*KEYS).aggregate(
        connections=busy.connections.sum().cast("int64"),
        failed=busy.failed.sum().cast("int64"),
        first=busy["first"].min(),
        last=busy["last"].max(),
        lasted=(busy["last"] - busy["first"]).sum(),
        size=busy["size"].sum(),
    )
    pairs = pairs.filter(pairs.connections >= least)
    rows = pairs.order_by(*KEYS).to_pyarrow().to_pylist()
    rows = [row for row in rows if is_reachable(row["resp_h"])]
    if not rows:
        return
    own = out.filter(out.orig_h.isin(sorted({row["orig_h"] for row in rows})))
    totals = own.group_by("orig_h").aggregate(connections=own.connections.sum().cast("int64"))
    every = {row["orig_h"]: row["connections"] for row in totals.to_pyarrow().to_pylist()}
    met = met_by((row["resp_h"] for row in rows), records, shared)
    hosts = shared_local_hosts(records, shared)
    for row in rows:
        around = _Around(every[row["orig_h"]], met.get(row["resp_h"], 1), hosts)
        yield _detection(row, around, parameters)


@dataclass(frozen=True, slots=True)
class _Around:
    """The source's outside connections, the local hosts that meet the destination, and all."""

    connections: int
    met: int
    hosts: int


def _detection(row: dict[str, Any], around: _Around, parameters: Parameters) -> Detection:
    source, destination = row["orig_h"], row["resp_h"]
    port, proto, count = row["resp_p"], row["proto"], row["connections"]
    lasted = max(row["lasted"], 1.0)
    rate = count / lasted
    share = count / max(around.connections, count)
    failed = row["failed"] / count
    score = min(
        score_on(rate * DAY / parameters.connections, _RATES),
        score_on(count / parameters.connections, _NUMBERS),
    )
    score += prevalence_modifier(around.met, around.hosts)
    if share < parameters.own_share:
        score = min(score, _HINT)
    flood = failed >= parameters.flood_share
    return Detection(
        source=source,
        destination=destination,
        port=port_of(port, proto),
        proto=proto,
        first=float(row["first"]),
        last=float(row["last"]),
        score=round(min(max(score, 0.0), 1.0), 6),
        message=(
            f"{source} connected to {destination} {count:,} times {service(port, proto)} in "
            f"{duration(round(lasted))}, {rate:.2g} times a second"
        ),
        evidence=(
            Evidence("connections", count, threshold=parameters.connections),
            Evidence("time they took", round(lasted), unit="s"),
            Evidence(
                "connections a second",
                round(rate, 3),
                threshold=round(parameters.connections / DAY, 3),
            ),
            Evidence(
                "share of the source's outside connections",
                round(share, 3),
                threshold=parameters.own_share,
            ),
            Evidence("share without an answer", round(failed, 3), threshold=parameters.flood_share),
            Evidence("bytes a connection", round(row["size"] / count), unit="B"),
            Evidence("local hosts that met it", around.met, expected=around.hosts),
        ),
        connections=count,
        technique="T1498.001" if flood else technique(port, proto),
        alone=True,
        best="failed" if flood else "first",
    )


DETECTOR = Detector("strobe", Parameters, find)
