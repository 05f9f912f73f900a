"""DNS volume: far more questions in an hour than a host ever asks, and than hosts ask here.

Counts are compared in log1p, since traffic multiplies rather than adds. What is expected of a host
is the median of its hours, drawn towards the population's where it has few of them; what exceeds it
is cut by its tail probability over the hours of all local hosts (:mod:`analyzer.tails`). So a
resolver, a mail server or a crawler is judged by its own ordinary hours. Volume alone does not say
what it is for (a tunnel, a flood, a script gone wild), which keeps this low unless it is without
example.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer.detectors.detection import (
    PASSES_ON,
    Detection,
    Detector,
    Shared,
    score_on,
    shared_local_askers,
    shared_name_servers,
    shared_questions,
)
from analyzer.findings import Evidence
from analyzer.parameters import Probability
from analyzer.tails import Tail, fit_tail

if TYPE_CHECKING:
    from analyzer.records import Records

# The weight of the population beside a host's own hours, as in burst.py.
_PRIOR_WEIGHT = 10.0
# Where too few hours exceed the others to tell: a tenth of them is busy, and their excess falls by
# e for each factor of e.
_PRIOR_TAIL = Tail(threshold=0.0, share=0.1, scale=1.0, support=0)
# A factor of 1.35 up is no news, however steady hosts are.
_LEAST_SCALE = 0.3

# -log10 of the tail probability, over the bound asked for -> score.
_CURVE = ((0.0, 0.7), (4.0, 0.78), (8.0, 0.8), (16.0, 0.85), (300.0, 0.9))
# Fewer hosts or hours than this make no population, and a host with fewer hours has no habit.
_HOSTS, _HOURS = 10, 200
_OWN_HOURS = 12
_UNSUPPORTED = 0.6
_NO_HABIT = 0.79
_DAY_HOURS = 24
# The like: at least a quarter as much at the same time, give or take an hour, on another day.
_LIKE = 0.25


@dataclass(frozen=True, slots=True)
class Parameters:
    """From where on an hour's questions are too many."""

    false_alarm: Probability = field(
        default=1e-4, metadata={"meaning": "tail probability from which an hour is reported"}
    )
    queries: int = field(default=2000, metadata={"meaning": "least questions in the hour"})
    factor: float = field(default=8.0, metadata={"meaning": "least multiple of what was expected"})
    record: float = field(
        default=3.0, metadata={"meaning": "least multiple of the most in any other hour"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Hours in which a local host asked more than it, and others, ever do."""
    if not records.counts["dns"]:
        return
    table = shared_questions(records, shared)
    table = table.group_by("orig_h", "hour").aggregate(
        queries=table.queries.sum(), first=table["first"].min(), last=table["last"].max()
    )
    loudest = table.queries.max().execute()
    if pd.isna(loudest) or loudest < parameters.queries:
        return
    hours = table.order_by("orig_h", "hour").to_pandas()
    local = shared_local_askers(records, shared)
    hours = hours[hours.orig_h.isin(local)].reset_index(drop=True)
    if hours.empty:
        return
    scored = _scored(hours)
    tail = fit_tail(scored.off, prior=_PRIOR_TAIL, least_scale=_LEAST_SCALE)
    scored["chance"] = tail.probability(scored.off)
    loud = scored[
        (scored.queries >= parameters.queries)
        & (scored.queries >= parameters.factor * scored.usual)
        & (scored.chance <= parameters.false_alarm)
    ]
    if loud.empty:
        return
    servers = shared_name_servers(records, shared)
    supported = len(local) >= _HOSTS and len(scored) >= _HOURS
    own_hours = {str(source): own for source, own in scored.groupby("orig_h")}
    for row in loud.to_dict("records"):
        others = own_hours[row["orig_h"]]
        others = others[(others.hour - row["hour"]).abs() > 1]
        record = int(others.queries.max()) if len(others) else 0
        if row["queries"] < parameters.record * record:
            continue
        limit = 1.0 if len(others) >= _OWN_HOURS else _NO_HABIT
        clients = servers.get(row["orig_h"], 0)
        if not supported or clients >= PASSES_ON or _is_routine(row, others):
            limit = _UNSUPPORTED
        yield _detection(row | {"most": record, "clients": clients}, limit, len(scored), parameters)


def _scored(hours: pd.DataFrame) -> pd.DataFrame:
    """Each hour with what was `usual` for the host, and how far `off` it is in log1p."""
    size = np.log1p(hours.queries.to_numpy(float))
    own = pd.Series(size).groupby(hours.orig_h.to_numpy())
    medians, samples = own.transform("median"), own.transform("size")
    population = float(own.median().median())
    middle = (samples * medians + _PRIOR_WEIGHT * population) / (samples + _PRIOR_WEIGHT)
    return hours.assign(usual=np.expm1(middle), off=size - middle)


def _is_routine(row: dict[Any, Any], others: pd.DataFrame) -> bool:
    apart = (others.hour - row["hour"]).abs()
    same_time = (apart >= _DAY_HOURS - 1) & ((apart + 1) % _DAY_HOURS <= 2)  # noqa: PLR2004
    return bool((same_time & (others.queries >= _LIKE * row["queries"])).any())


def _detection(row: dict[Any, Any], limit: float, hours: int, parameters: Parameters) -> Detection:
    usual = round(float(row["usual"]), 1)
    exponent = math.log10(parameters.false_alarm / max(row["chance"], 1e-300))
    return Detection(
        source=row["orig_h"],
        port=53,
        first=float(row["first"]),
        last=float(row["last"]),
        score=min(score_on(exponent, _CURVE), limit),
        message=(
            f"{row['orig_h']} asked {row['queries']:,} DNS questions within an hour, "
            f"usually {usual:,.0f}"
        ),
        evidence=(
            Evidence(
                "questions in an hour",
                int(row["queries"]),
                expected=usual,
                threshold=parameters.queries,
            ),
            Evidence("tail probability", f"{row['chance']:.1g}", threshold=parameters.false_alarm),
            Evidence("most in any other hour of the host", row["most"]),
            Evidence("host hours it is judged against", hours, threshold=_HOURS),
            Evidence("hosts that ask it", row["clients"], expected=0, threshold=PASSES_ON),
        ),
        connections=int(row["queries"]),
    )


DETECTOR = Detector("dns_volume", Parameters, find)
