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

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
)
from analyzer.detectors.transfers import Transfer, connections_of, transfers
from analyzer.detectors.upload_context import contexts
from analyzer.detectors.upload_destinations import destination_domains, network_of
from analyzer.detectors.upload_scores import HALF, Case, score, technique, unremarkable
from analyzer.detectors.uploads import Population, Usual, population, uploads, usual_of
from analyzer.findings import Evidence, duration, quantity
from analyzer.parameters import Bytes, Probability

if TYPE_CHECKING:
    from analyzer.records import Records

# Chunks and sums are made of pieces down to a twentieth of the least amount.
_PIECE = 1 / 20
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
        slow = case.transfer.hour_share < HALF
        if slow == (parameters.pace == "slowly"):
            detection = _detection(case, records, parameters)
            if detection.score >= _LEAST_SCORE:
                yield detection


def _cases(records: Records, parameters: Parameters, shared: Shared) -> list[Case]:
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
        Case(
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


def _detection(case: Case, records: Records, parameters: Parameters) -> Detection:
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
        score=score(case, parameters.floor),
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
                threshold=round(unremarkable(case, parameters.floor)),
                unit="B",
            ),
            Evidence("bytes sent for each received", round(ratio, 1), threshold=parameters.ratio),
            Evidence("tail probability", f"{case.chance:.1g}", threshold=parameters.false_alarm),
            Evidence("uploads it is judged against", case.samples),
            Evidence("of them of this host, to others", case.usual.samples),
            Evidence("name that leads there", case.name or "none"),
            Evidence("local hosts that met it", context.others + 1, expected=context.hosts),
            Evidence(
                "most that another sent there in half a day",
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
        technique=technique(case),
        best="bytes",
    )


DETECTOR = Detector("exfiltration", Parameters, find)
