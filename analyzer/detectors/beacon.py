"""Beacons: a host that calls an outside one at intervals that no person leaves.

How much the intervals look like the sleeps of a program is judged by a model of their shape
(:mod:`analyzer.models.beacon`), in windows of 6 hours, a day and a week. That says that a program
calls, not what for: clocks, telemetry and update checks sleep too. So context decides how loud it
is. What is worth a person's time is a host that polls something outside that hardly anybody else
meets, or that is silent, or faster than any honest client that could keep its connection open.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyzer.detectors.beacon_context import described
from analyzer.detectors.beacon_series import CROWD, HOLDS, connections, judged, series
from analyzer.detectors.detection import (
    RARE,
    Detection,
    Detector,
    Shared,
    prevalence_modifier,
    score_on,
    shared_local_hosts,
)
from analyzer.findings import Evidence, Severity, duration
from analyzer.intervals import FAST
from analyzer.known_zones import known_zones
from analyzer.parameters import Seconds

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.records import Records

# -log10 of the share of simulated background that looks as much like a beacon -> score.
_CURVE = ((0.0, 0.0), (2.0, 0.7), (3.0, 0.85), (4.0, 0.92))
# How much payloads differ -> what that takes from the score. A check-in without orders is of one
# size, give or take some padding; contents that people fetch are not. (RITA gives its data size
# score the same weight.)
_EVEN = 0.25
_UNEVEN = ((_EVEN, 0.0), (0.75, 0.15))
# Of fewer local hosts, how rare something is says nothing.
_ENOUGH_HOSTS = 10
# Fast calls must last: a page that loads for seconds has as many of them.
_FAST_INTERVALS = 15
# Clients that look by the clock, or keep a connection alive: mail (RFC 8314), XMPP and the push
# services of Apple and Google.
_POLLED = frozenset({110, 143, 993, 995, 5222, 5223, 5228, 5229, 5230})
_WEB = frozenset({80, 443, 8000, 8008, 8080, 8443, 8888})
# Just below what is worth a line at all, and at medium.
_UNREPORTED = Severity.LOW.bound - 0.01
_LOW = Severity.MEDIUM.bound - 0.01
_UNSURE = Severity.HIGH.bound - 0.01


@dataclass(frozen=True, slots=True)
class Parameters:
    """Which series are judged, and what is known to call by the clock."""

    connections: int = field(
        default=8, metadata={"meaning": "least connections, those within seconds counted as one"}
    )
    shortest: Seconds = field(
        default=60.0, metadata={"meaning": "least time from the first connection to the last"}
    )
    known_services: tuple[str, ...] = field(
        default=(), metadata={"meaning": "domains of services that programs poll everywhere"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Series whose intervals look like sleeps, each by its best window."""
    if not records.counts["conn"]:
        return
    fewest = max(parameters.connections, 3)
    chosen = series(records, shared, fewest=fewest, shortest=parameters.shortest)
    rows = connections(records, chosen, shared)
    best = judged(records, rows, fewest=fewest - 1)
    best = best[(best.false_alarm <= HOLDS) & _lasts(best)]
    if best.empty:
        return
    frame = described(records, best, chosen, shared).assign(origin=records.first)
    hosts = shared_local_hosts(records, shared)
    found = []
    loudest: dict[tuple[Any, ...], float] = defaultdict(float)
    for row in frame.to_dict("records"):
        # A connection that lives on is cut into one every few minutes by Zeek's inactivity timeout.
        if row["ports"] == 1 and row["connections"] > 1 and row["proto"] == "tcp":
            continue
        detection = _detection(row, hosts, parameters)
        key = (row["orig_h"], row["resp_p"], row["proto"], row["name"])
        found.append((key, bool(row["by_name"]), detection))
        side = (*key, bool(row["by_name"]))
        loudest[side] = max(loudest[side], detection.score)
    named = {key for key, by_name, _ in found if by_name}
    for key, by_name, detection in found:
        # A name behind several addresses is one thing: said once, by whichever says it louder.
        name_wins = key in named and loudest[(*key, True)] >= loudest[(*key, False)]
        if by_name == name_wins:
            yield detection


def _lasts(best: pd.DataFrame) -> pd.Series[bool]:
    """Whether a cadence of seconds goes on for long enough."""
    return (best["median"] >= FAST) | (best.intervals >= _FAST_INTERVALS)


def _score(row: dict[Any, Any], hosts: int, parameters: Parameters) -> float:
    """How sure we are that the calls are worth a person's time."""
    score = score_on(-math.log10(row["false_alarm"]), _CURVE)
    score += prevalence_modifier(row["sources"], hosts)
    score -= score_on(max(_spread(row["out_spread"]), _spread(row["in_spread"])), _UNEVEN)
    silent = row["answered"] == 0
    polled = row["resp_p"] in _POLLED and not silent
    known = _is_known(row["name"], parameters)
    if polled or known or row["swept"] or row["sources"] > _many(hosts):
        return min(score, _UNREPORTED)
    if row["sources"] > _few(hosts) or _keeps_alive(row):
        return min(score, _LOW)
    odd = silent or row["direct"] or row["median"] < FAST
    if hosts < _ENOUGH_HOSTS:
        score = min(score, _UNSURE if odd or row["name"] else _LOW)
    elif not odd:
        # A program that a single host runs and that polls its maker looks the same.
        score = min(score, Severity.HIGH.highest)
    return max(min(score, 0.99), 0.0)


def _few(hosts: int) -> int:
    """How many local hosts may meet something that is rare."""
    return max(CROWD - 1, math.floor(RARE * hosts))


def _many(hosts: int) -> int:
    """From how many local hosts on, exclusively, it is a service rather than a few infections."""
    return 2 * _few(hosts)


def _spread(value: float) -> float:
    """A spread of sizes; nothing is said by what is not known."""
    return value if math.isfinite(value) else 0.0


def _keeps_alive(row: dict[Any, Any]) -> bool:
    """Whether all datagrams are of one socket: a call or tunnel kept open through a firewall."""
    return bool(row["proto"] == "udp" and row["ports"] == 1)


def _is_known(name: str, parameters: Parameters) -> bool:
    zones = {*parameters.known_services, *known_zones("telemetry", "reputation", "dnsbl")}
    labels = name.split(".")
    return any(".".join(labels[k:]) in zones for k in range(len(labels)))


def _technique(row: dict[Any, Any]) -> str:
    if row["proto"] not in {"tcp", "udp"}:
        return "T1095"
    return "T1071.001" if row["resp_p"] in _WEB else "T1571"


def _detection(row: dict[Any, Any], hosts: int, parameters: Parameters) -> Detection:
    portless = row["proto"] not in {"tcp", "udp"}
    port = None if portless else int(row["resp_p"])
    where = row["proto"] if portless else f"{port}/{row['proto']}"
    whom = row["name"] or row["resp_h"]
    silent = row["answered"] == 0
    verb = "keeps trying" if silent else "calls"
    never = ", which never answers" if silent else ""
    median = float(row["median"])
    return Detection(
        source=row["orig_h"],
        destination=row["resp_h"],
        port=port,
        proto=row["proto"],
        subject=row["name"] if row["by_name"] else "",
        first=float(row["begin"]),
        last=float(row["end"]),
        score=_score(row, hosts, parameters),
        message=(
            f"{row['orig_h']} {verb} {whom} on {where} every {duration(median)} or so, "
            f"{row['connections']:,} times in {duration(row['end'] - row['begin'])}{never}"
        ),
        evidence=tuple(_evidence(row, hosts)),
        connections=int(row["connections"]),
        technique=_technique(row),
        alone=True,
        best="failed" if silent else "first",
    )


def _evidence(row: dict[Any, Any], hosts: int) -> Iterator[Evidence]:
    yield Evidence("median interval", round(row["median"], 3), unit="s")
    yield Evidence("intervals are usually off by", round(row["deviation"], 3), unit="s")
    yield Evidence("intervals it rests on", int(row["intervals"]))
    yield Evidence("from first to last", round(row["end"] - row["begin"]), unit="s")
    yield Evidence(
        "share of other traffic as regular", f"{row['false_alarm']:.1g}", threshold=HOLDS
    )
    yield Evidence("windows it holds in", row["holds"])
    for side, name in (("out", "bytes sent each time"), ("in", "bytes received each time")):
        if math.isfinite(row[f"{side}_typical"]):
            yield Evidence(name, round(row[f"{side}_typical"]), unit="B")
            spread = round(row[f"{side}_spread"], 3)
            yield Evidence(f"{name}, spread", spread, threshold=_EVEN)
    yield Evidence("connections answered", int(row["answered"]), expected=int(row["connections"]))
    yield Evidence(
        "local hosts that met it",
        int(row["sources"]),
        threshold=_few(hosts),
    )
    yield Evidence("local hosts in all", hosts, threshold=_ENOUGH_HOSTS)
    if math.isfinite(row["met_first"]):
        yield Evidence(
            "first met after the first record", round(row["met_first"] - row["origin"]), unit="s"
        )
    if row["name"]:
        yield Evidence("known as", row["name"])
    if row["direct"]:
        yield Evidence("looked up in DNS", "never")
    if row["addresses"] > 1:
        yield Evidence("addresses it has", int(row["addresses"]))
    if row["swept"]:
        yield Evidence("part of a scan", "of its port, or of the destination's ports")


DETECTOR = Detector("beacon", Parameters, find)
