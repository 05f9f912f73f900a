"""Exfiltration: far more sent to an outside place than comes back, than is usual, or than it needs.

An amount counts if it is a push (sent several times what came back: the producer-consumer ratio of
Bullard and Gerth, "PCR: A New Flow Metric", FloCon 2014), if its tail probability over all that
local hosts send is small (:mod:`analyzer.detectors.uploads`), and if it is more than what is
unremarkable for such a place. That is least for an address that no name led to, more for a server
with a name on a port where people upload, and grows with the share of local hosts that go there.
What comes back every day at its hour, what many hosts do, and what a server passes on that collects
from others, are backups, services and relays. Local destinations are not looked at: moving data
inside is staging (T1074), which bursts show.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    prevalence_modifier,
    score_on,
)
from analyzer.detectors.transfers import DAY, HOUR, Transfer, connections_of, transfers
from analyzer.detectors.upload_context import Context, contexts
from analyzer.detectors.upload_destinations import destination_domains, network_of
from analyzer.detectors.uploads import Population, Usual, population, uploads, usual_of
from analyzer.findings import Evidence, duration, quantity
from analyzer.parameters import Bytes, Probability

if TYPE_CHECKING:
    from analyzer.records import Records

# Chunks and sums are made of pieces down to a twentieth of the least amount.
_PIECE = 1 / 20
# Where people upload with a name or without: the web, mail, SSH with git and file copies, FTP.
_ORDINARY_PORTS = (20, 21, 22, 25, 80, 443, 465, 587, 990, 993, 8080, 8443)
# Where calls are relayed: STUN and TURN (RFC 8489, 8656), Google Meet and Zoom media, each by its
# own firewall guide. A shared screen is sent and hardly anything comes back.
_CALL_PORTS = frozenset({*range(3478, 3482), *range(8801, 8811), *range(19302, 19310)})
# Share of outside destinations in DNS answers from which a nameless one says something.
_HABIT = 0.7

# How many times the floor is unremarkable. Slips reports 500 MB to one host (README, "data
# upload"); a server with a name on an ordinary port is low from half of that, medium from 760 MB.
_NAMED_ORDINARY, _NAMED, _UNTOLD_ORDINARY, _CALL = 24.0, 3.0, 9.0, 10.0
# Of each percent of local hosts that go there, a fifth more.
_SHARE_WEIGHT = 20.0
_ENOUGH_HOSTS = 10
# However common the place is: so much more than anyone else sends there is no use of it.
_UNLIKE_OTHERS = 100.0

# log10 of the amount over what is unremarkable -> score: low from there, medium from 3 times,
# critical from 40 times (10 GB to a server with a name).
_CURVE = ((-2.0, 0.0), (0.0, 0.7), (0.5, 0.8), (1.1, 0.9), (1.6, 0.95), (4.0, 0.99))
_ROUTINE, _UNSURE = 0.5, 0.75
# Other days that make a routine: by the clock for places with a name, without one, at any time.
_NIGHTS, _NAMELESS_NIGHTS, _DAYS = 1, 2, 2
# A backup is over in some hours.
_NIGHT = 4 * HOUR
# Hosts that upload as much make a service of it: so many, and so large a share of all.
_USERS, _USERS_SHARE, _LIKE = 5, 0.05, 0.25
# What passes on that much of what at least two hosts gave it is a relay: no history of two days
# says otherwise.
_RELAYED, _CONTRIBUTORS, _HISTORY = 0.5, 2.0, 2 * DAY
# First met that long before: the channel was there, and then it was used.
_CHANNEL = 600.0
# A synchronised folder is sent for as long as its host is seen, give or take so much.
_STEADY, _EDGE = 5 * HOUR, 1.5 * HOUR
_LEAST_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """How much, how one-sided and how unusual."""

    pace: Literal["at once", "slowly"] = field(
        default="at once",
        metadata={"meaning": "whether at least half of it was sent within an hour, or less"},
    )
    floor: Bytes = field(default=10e6, metadata={"meaning": "least bytes sent within a day"})
    ratio: float = field(default=3.0, metadata={"meaning": "least bytes sent for each received"})
    false_alarm: Probability = field(
        default=1e-4, metadata={"meaning": "tail probability from which an amount is reported"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Uploads of the asked-for pace that are unusual and matter."""
    key = (__name__, parameters.floor, parameters.ratio, parameters.false_alarm)
    for case in shared.get(key, lambda: _cases(records, parameters, shared)):
        slow = case.transfer.hour_share < _HALF
        if slow == (parameters.pace == "slowly"):
            detection = _detection(case, records, parameters)
            if detection.score >= _LEAST_SCORE:
                yield detection


_HALF = 0.5


@dataclass(frozen=True)
class _Case:
    """One unusual upload with all that it is judged by."""

    transfer: Transfer
    context: Context
    name: str
    usual: Usual
    chance: float
    samples: int

    @property
    def port(self) -> int:
        """The port that most was sent to."""
        sums = self.transfer.rows.groupby("resp_p").sent.sum()
        return int(sums[sums == sums.max()].index.min())

    @property
    def proto(self) -> str:
        """The protocol that most was sent by."""
        sums = self.transfer.rows.groupby("proto").sent.sum()
        return str(sums[sums == sums.max()].index.min())


def _cases(records: Records, parameters: Parameters, shared: Shared) -> list[_Case]:
    """Every transfer that is a push and beyond the tail, with its context."""
    sent = uploads(records, shared)
    large = parameters.floor * _PIECE
    pieces = sent.filter(sent.sent >= large).order_by("orig_h", "resp_h", "half_day").to_pandas()
    pairs = pieces[["orig_h", "resp_h"]].drop_duplicates()
    if pieces.sent.sum() < parameters.floor:
        return []
    domains = destination_domains(records, pairs, shared)
    places = {
        address: domains[address][1] if address in domains else network_of(address)
        for address in pairs.resp_h.unique()
    }
    pairs = pairs.assign(place=pairs.resp_h.map(places))
    sums = pieces.assign(place=pieces.resp_h.map(places)).groupby(["orig_h", "place"]).sent.sum()
    heavy = sums[sums >= parameters.floor].index
    pairs = pairs[pd.MultiIndex.from_frame(pairs[["orig_h", "place"]]).isin(heavy)]
    if pairs.empty:
        return []
    rows = connections_of(records, pairs[["orig_h", "resp_h"]], large)
    rows = rows.assign(place=rows.resp_h.map(places))
    pushes = [
        transfer
        for transfer in transfers(rows, parameters.floor)
        if transfer.sent >= parameters.ratio * transfer.received
    ]
    if not pushes:
        return []
    everyone = population(sent)
    chances = _chances(records, pushes, places, everyone, shared)
    kept = [
        (push, usual, chance)
        for push, (usual, chance) in zip(pushes, chances, strict=True)
        if chance <= parameters.false_alarm
    ]
    around = contexts(records, [push for push, _, _ in kept], places, shared)
    return [
        _Case(
            transfer=push,
            context=context,
            name=_name(push, domains),
            usual=usual,
            chance=chance,
            samples=everyone.samples,
        )
        for (push, usual, chance), context in zip(kept, around, strict=True)
    ]


def _name(push: Transfer, domains: dict[str, tuple[str, str]]) -> str:
    """The name of where most was sent, empty if no name led there."""
    addresses = push.rows.groupby("resp_h").sent.sum().sort_values(ascending=False, kind="stable")
    names = [domains[address][0] for address in addresses.index if address in domains]
    return names[0] if names else ""


def _chances(
    records: Records,
    pushes: list[Transfer],
    places: dict[str, str],
    everyone: Population,
    shared: Shared,
) -> list[tuple[Usual, float]]:
    """What each source usually sends elsewhere, and the tail probability of what it sent."""
    sent = uploads(records, shared)
    sources = sorted({push.source for push in pushes})
    own = sent.filter(sent.orig_h.isin(sources)).select("orig_h", "resp_h", "sent").to_pandas()
    by_source = {str(source): rows for source, rows in own.groupby("orig_h")}
    result = []
    for push in pushes:
        rows = by_source[push.source]
        # One amount for each destination: what goes to one of them every night says little of what
        # is usual towards another.
        elsewhere = rows[rows.resp_h.map(places.get) != push.place].groupby("resp_h").sent.max()
        usual = usual_of(elsewhere.to_numpy(), everyone.usual)
        chance = float(everyone.tail.probability(usual.above(push.sent)))
        result.append((usual, chance))
    return result


def _unremarkable(case: _Case, parameters: Parameters) -> float:
    """Bytes that may go to such a place without a second look."""
    transfer, context = case.transfer, case.context
    ordinary = case.port in _ORDINARY_PORTS
    times = 1.0
    if transfer.chunks:
        # Nobody uploads in connections of one size by hand.
        times = 1.0
    elif case.name:
        times = _NAMED_ORDINARY if ordinary else _NAMED
    elif ordinary and context.lookups < _HABIT:
        times = _UNTOLD_ORDINARY
    if case.proto == "udp" and case.port in _CALL_PORTS:
        times *= _CALL
    if context.hosts >= _ENOUGH_HOSTS and not _is_unlike_others(case):
        times *= 1 + _SHARE_WEIGHT * context.others / context.hosts
    return parameters.floor * times


def _is_unlike_others(case: _Case) -> bool:
    most = max(case.context.others_sent, default=0.0)
    return case.transfer.sent > _UNLIKE_OTHERS * most


def _score(case: _Case, parameters: Parameters) -> float:
    transfer, context = case.transfer, case.context
    over = math.log10(transfer.sent / _unremarkable(case, parameters))
    modifier = prevalence_modifier(context.others + 1, context.hosts)
    if _is_unlike_others(case):
        modifier = max(modifier, 0.0)
    score = score_on(over, _CURVE)
    # A rare place makes what is reported louder, and nothing worth a report by itself.
    score = min(0.99, score + modifier) if score >= _UNSURE or modifier < 0 else score
    steady = _is_steady(case)
    if _is_routine(case) or _is_service(case) or (steady and not transfer.chunks):
        return min(score, _ROUTINE)
    relayed = (
        context.collected >= _RELAYED * transfer.sent and context.contributors >= _CONTRIBUTORS
    )
    sharing = context.swarm and transfer.sent < _HALF * context.sent_in_all
    if (relayed and transfer.first - context.seen < _HISTORY) or sharing or steady:
        score = min(score, _UNSURE)
    return max(0.0, score)


def _is_routine(case: _Case) -> bool:
    """Whether other days have the like: by the clock, or since it is known."""
    transfer, context = case.transfer, case.context
    nights = transfer.clock_likes if transfer.last - transfer.first <= _NIGHT else 0
    if nights >= (_NIGHTS if case.name else _NAMELESS_NIGHTS):
        return True
    return bool(case.name) and transfer.likes >= _DAYS and context.met - context.seen <= DAY


def _is_steady(case: _Case) -> bool:
    """Whether a server with a name is sent to for as long as the source is seen."""
    transfer, context = case.transfer, case.context
    span = transfer.last - transfer.first
    return (
        bool(case.name)
        and span >= _STEADY
        and transfer.active_hours >= _HALF * span / HOUR
        and context.met - context.seen <= _EDGE
        and (context.seen_last - transfer.last <= _EDGE or context.seen_last - context.seen > DAY)
    )


def _is_service(case: _Case) -> bool:
    """Whether many hosts upload as much there."""
    context = case.context
    users = sum(sent >= _LIKE * case.transfer.sent for sent in context.others_sent)
    known = bool(case.name) or case.port in _ORDINARY_PORTS
    return known and users >= max(_USERS, _USERS_SHARE * context.hosts)


def _technique(case: _Case) -> str:
    """Which technique it looks like: limited sizes, a web service, a channel that stood."""
    if case.transfer.chunks or case.transfer.hour_share < _HALF:
        return "T1030"
    if case.name and case.port in _WEB_PORTS:
        return "T1567"
    return "T1041" if case.transfer.first - case.context.met > _CHANNEL else "T1048"


_WEB_PORTS = (80, 443, 8080, 8443)


def _detection(case: _Case, records: Records, parameters: Parameters) -> Detection:
    transfer, context = case.transfer, case.context
    addresses = sorted(transfer.rows.resp_h.unique())
    alone = len(addresses) == 1
    where = f"{addresses[0]}" if alone else f"{len(addresses)} addresses of {transfer.place}"
    called = f" ({case.name})" if case.name and alone else ""
    ratio = transfer.sent / max(transfer.received, 1.0)
    usual = float(np.expm1(case.usual.busy))
    return Detection(
        source=transfer.source,
        destination=addresses[0] if alone else None,
        subject="" if alone else transfer.place,
        port=case.port,
        proto=case.proto,
        first=transfer.first,
        last=transfer.last,
        score=_score(case, parameters),
        message=(
            f"{transfer.source} sent {quantity(transfer.sent, 'B')} to {where}{called} "
            f"on {case.port}/{case.proto} within {duration(transfer.lasted)} and got "
            f"{quantity(transfer.received, 'B')} back"
        ),
        evidence=(
            Evidence(
                "bytes sent",
                round(transfer.sent),
                expected=round(usual),
                threshold=round(_unremarkable(case, parameters)),
                unit="B",
            ),
            Evidence("bytes sent for each received", round(ratio, 1), threshold=parameters.ratio),
            Evidence("tail probability", f"{case.chance:.1g}", threshold=parameters.false_alarm),
            Evidence("uploads it is judged against", case.samples),
            Evidence("of them of this host, to others", case.usual.samples),
            Evidence("name that leads there", case.name or "none"),
            Evidence("local hosts that met it", context.others + 1, expected=context.hosts),
            Evidence(
                "most that another of them sent there",
                round(max(context.others_sent, default=0.0)),
                unit="B",
            ),
            Evidence("first met before it", round(transfer.first - context.met), unit="s"),
            Evidence("records before it", round(transfer.first - (records.first or 0.0)), unit="s"),
            Evidence("other days with the like", transfer.likes, expected=0),
            Evidence("connections of one size", transfer.chunks, expected=0),
            Evidence(
                "share of all it sent outside then",
                round(min(1.0, transfer.sent / max(context.sent_in_all, 1.0)), 3),
            ),
            Evidence("given to it by local hosts", round(context.collected), unit="B"),
        ),
        connections=int(transfer.rows.connections.sum()),
        technique=_technique(case),
        best="bytes",
    )


DETECTOR = Detector("exfiltration", Parameters, find)
