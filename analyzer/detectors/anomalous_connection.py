"""Connections, and five minutes of a host, that are unlike anything learned to be usual.

See :mod:`analyzer.baseline.scoring` for how they are scored. Without a baseline the days of the
records are held aside in turn, each judged by the others; that takes four days. Of less nothing is
said: after a day or two nobody can tell what is new to a host from what it does twice a week.

What is anomalous within an hour of one source and one port is one finding; where a source does so
on many ports, all of it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.factors import HOURS, Factor, connection_factors, window_factors
from analyzer.baseline.numbered import numbered
from analyzer.baseline.samples import SLOT, every_window
from analyzer.baseline.scoring import (
    Scorer,
    Scores,
    Scoring,
    TooLittleLearnedError,
    held_aside_scorers,
    scorer,
)
from analyzer.baseline.screening import candidates, rows_of
from analyzer.detectors.comparison import Comparison, shared_comparisons, shared_summary
from analyzer.detectors.detection import Detection, Detector, Shared, shared_contacts
from analyzer.detectors.unusual import held_back
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, Severity
from analyzer.parameters import Probability, Share

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# Ports of a source within an hour from which on it is the hour that is odd.
_MANY_PORTS = 4
_IN_DAY = int(DAY / SLOT)
_SLOTS_AN_HOUR = int(HOUR / SLOT)
_HOURS_A_DAY = int(DAY / HOUR)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is scored, and how the parts combine."""

    of: Literal["connections", "windows"] = field(
        default="connections",
        metadata={"meaning": "what is scored: connections, or five minutes of a source"},
    )
    statistical: Share = field(default=0.6, metadata={"meaning": "weight of the statistical part"})
    model: Share = field(default=0.4, metadata={"meaning": "weight of the models"})
    voting: Literal["majority", "any", "all", "mean"] = field(
        default="majority", metadata={"meaning": "how the models decide together"}
    )
    false_alarm: Probability = field(
        default=3e-5,
        metadata={"meaning": "share of what is scored, no two alike, that may be reported"},
    )

    @property
    def scoring(self) -> Scoring:
        """How to score; weights are taken as shares of their sum."""
        total = self.statistical + self.model
        return Scoring(
            of=self.of,
            statistical=self.statistical / total if total else 0.5,
            voting=self.voting,
            rate=self.false_alarm,
        )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """What is anomalous among connections or five minutes."""
    comparisons = shared_comparisons(records, shared)
    if not comparisons:
        return
    judged = _connections if parameters.of == "connections" else _windows
    for days, prepared, comparison in _scorers(records, parameters, shared, comparisons):
        part = dataclasses.replace(records, conn=_on(records.conn, days)) if days else records
        rows = judged(part, prepared, records, shared)
        if len(rows):
            yield from _detections(rows, prepared, comparison)


def _on(conn: ir.Table, days: Iterable[int]) -> ir.Table:
    return conn.filter((conn.ts / DAY).floor().cast("int64").isin(sorted(days)))


def _scorers(
    records: Records, parameters: Parameters, shared: Shared, comparisons: list[Comparison]
) -> list[tuple[list[int], Scorer, Comparison]]:
    """What to score by, and the days that are scored by it; no days: all of them."""
    first = comparisons[0]
    try:
        if not first.held_aside:
            return [([], scorer(first.baseline, parameters.scoring), first)]
        days = [int(day) for each in comparisons for day in each.summary["days"].day]
        span = max(days) - min(days) + 1
        whole = Baseline(window=span).joined(shared_summary(records, shared))
        return [
            (aside, prepared, first)
            for aside, prepared in held_aside_scorers(whole, parameters.scoring)
        ]
    except TooLittleLearnedError:
        return []


def _connections(part: Records, prepared: Scorer, records: Records, shared: Shared) -> pd.DataFrame:
    met = shared_contacts(records, shared)
    return rows_of(candidates(part, met, prepared.known, prepared.least_chance))


def _windows(part: Records, prepared: Scorer, records: Records, shared: Shared) -> pd.DataFrame:
    del prepared, records, shared  # there are few enough to score all
    every = every_window(numbered(part)).order_by("day", "slot", "source")
    frame: pd.DataFrame = every.to_pandas()
    begin = (frame.day.astype("int64") * _IN_DAY + frame.slot.astype("int64")) * SLOT
    return frame.assign(
        first=begin,
        last=begin + SLOT,
        at=frame.day.astype("int64") * _HOURS_A_DAY + frame.slot.astype("int64") // _SLOTS_AN_HOUR,
    )


def _detections(
    rows: pd.DataFrame, prepared: Scorer, comparison: Comparison
) -> Iterator[Detection]:
    scores = prepared.score(rows)
    loud = np.flatnonzero(scores.score >= Severity.LOW.bound)
    found = rows.iloc[loud].assign(place=loud, score=scores.score[loud])
    of_windows = prepared.scoring.of == "windows"
    for (_, _), hour in found.groupby(["source", "at"], sort=True):
        if of_windows:
            yield _window(hour, scores, prepared, comparison)
        elif len(hour[["proto", "port"]].drop_duplicates()) >= _MANY_PORTS:
            yield _connection(hour, scores, prepared, comparison)
        else:
            for _, odd in hour.groupby(["proto", "port"], sort=True):
                yield _connection(odd, scores, prepared, comparison)


def _loudest(rows: pd.DataFrame) -> pd.Series:
    ordered = rows.sort_values(["score", "place"], ascending=[False, True], kind="stable")
    return ordered.iloc[0]


def _only(values: pd.Series[Any]) -> Any | None:  # noqa: ANN401 - of any column
    """The value, if it is one."""
    different = values.unique()
    return different[0] if len(different) == 1 else None


def _connection(
    rows: pd.DataFrame, scores: Scores, prepared: Scorer, comparison: Comparison
) -> Detection:
    loudest = _loudest(rows)
    place = int(loudest.place)
    factors = connection_factors(prepared.known, loudest, scores.chances[place])
    count = int(rows.connections.sum())
    destination, port = _only(rows.peer), _only(rows.port)
    towards = destination or f"{rows.peer.nunique()} hosts"
    one_service = port is not None and rows.proto.nunique() == 1
    service = f" on {port}/{loudest.proto}" if one_service else f" on {rows.port.nunique()} ports"
    several = f", the oddest of {count:,} connections" if count > 1 else ""
    sized = bool(factors) and factors[0].unit == "B"
    score = held_back(float(loudest.score), comparison)
    if factors and factors[0].name in HOURS:
        # Somebody stays late; what is done at night that never is has a rule of its own.
        score = min(score, Severity.LOW.highest)
    elif not sized:
        # However new it is to all: new programs are, too. What was sent has gone.
        score = min(score, Severity.MEDIUM.highest)
    return Detection(
        source=str(loudest.source),
        destination=destination,
        port=int(port) if one_service and port is not None else None,
        proto=_only(rows.proto),
        first=float(rows["first"].min()),
        last=float(rows["last"].max()),
        score=score,
        message=(f"{loudest.source} to {towards}{service}{several}: {_said(factors)}"),
        evidence=_evidence(factors, scores, place, prepared, comparison),
        connections=count,
        technique=_technique(loudest, factors),
        alone=True,
        best="bytes" if sized else "first" if loudest.answered else "failed",
    )


def _window(
    rows: pd.DataFrame, scores: Scores, prepared: Scorer, comparison: Comparison
) -> Detection:
    loudest = _loudest(rows)
    place = int(loudest.place)
    factors = window_factors(prepared.known, loudest, scores.chances[place])
    several = f", the oddest of {len(rows)} such within the hour" if len(rows) > 1 else ""
    names = {factor.name for factor in factors[:1]}
    return Detection(
        source=str(loudest.source),
        first=float(rows["first"].min()),
        last=float(rows["last"].max()),
        score=held_back(float(loudest.score), comparison),
        message=f"Five minutes of {loudest.source}{several}: {_said(factors)}",
        evidence=_evidence(factors, scores, place, prepared, comparison),
        connections=int(rows.connections.sum()),
        technique="T1030"
        if names & {"bytes sent", "bytes received"}
        else "T1046"
        if names & {"hosts met", "ports tried", "unanswered connections"}
        else "T1499",
        best="bytes" if names & {"bytes sent", "bytes received"} else "first",
    )


def _said(factors: list[Factor]) -> str:
    # Two are enough for a sentence; the evidence has the others.
    return "; ".join(factor.text for factor in factors[:2]) or "nothing like it was learned"


def _evidence(
    factors: list[Factor],
    scores: Scores,
    place: int,
    prepared: Scorer,
    comparison: Comparison,
) -> tuple[Evidence, ...]:
    rate = prepared.scoring.rate
    return (
        *(factor.evidence for factor in factors),
        Evidence(
            "combined score", round(float(scores.combined[place]), 3), threshold=Severity.LOW.bound
        ),
        Evidence("of it by statistics", round(float(scores.statistical[place]), 3)),
        Evidence("of it by models", round(float(scores.model[place]), 3)),
        Evidence("tail probability", f"{10.0 ** -float(scores.tail[place]):.1g}", threshold=rate),
        Evidence("judged by", comparison.judged_by),
    )


_SIZES = {"bytes sent", "packets sent", "bytes sent for each received"}


def _technique(row: pd.Series, factors: list[Factor]) -> str:
    """The technique that what is odd fits best; any of them may be something else."""
    name = factors[0].name if factors else ""
    if row.proto not in ("tcp", "udp"):
        return "T1095"
    if name in _SIZES:
        return "T1048" if row.outside else "T1030"
    if name == "port":
        return "T1571"
    return "T1078" if name.startswith("hour") else "T1071"


DETECTOR = Detector("anomalous_connection", Parameters, find, compares=True)
