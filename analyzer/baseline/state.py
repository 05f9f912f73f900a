"""What to know of a baseline before one relies on it: how much, how old, how true to its word."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.baseline.coverage import date_of
from analyzer.baseline.drift import Drift, drift_of

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Rate:
    """How often what was learned later would have been an alert.

    Attributes:
        score: of what: connection or window.
        tested: how many were scored.
        alerts: how many passed the threshold.
        asked: the share that was asked for.
    """

    score: str
    tested: float
    alerts: float
    asked: float

    @property
    def realised(self) -> float:
        """The share that passed."""
        return self.alerts / self.tested if self.tested else 0.0

    @property
    def ratio(self) -> float | None:
        """How many times as many as were asked for; None if none were expected."""
        expected = self.asked * self.tested
        return self.alerts / expected if expected > 0 else None


@dataclass(frozen=True, slots=True)
class BaselineState:
    """What to know of a baseline before one relies on it.

    Attributes:
        days: how many days it holds.
        window: how many it holds at most, back from the latest.
        first: date of the first; None if there is none.
        last: date of the last.
        hosts: sources it knows.
        connections: that it learned.
        questions: DNS transactions that it learned.
        left_out: records that it did not learn, as findings were about them.
        learned: when it last learned, UTC epoch seconds; None if it never did.
        anonymised: whether its addresses are keyed hashes.
        drift: how far its last days are from those before; None if there are too few.
        rates: realised beside asked-for alert rates.
        compared: how many of its days records were compared with: those that are not judged.
    """

    days: int
    window: int
    first: str | None
    last: str | None
    hosts: int
    connections: float
    questions: float
    left_out: float
    learned: float | None
    anonymised: bool
    drift: Drift | None
    rates: tuple[Rate, ...]
    compared: int


def state_of(
    baseline: Baseline, *, totals: bool = True, judged: Collection[int] = ()
) -> BaselineState:
    """The state of a baseline.

    Args:
        baseline: what was learned.
        totals: whether drift judges the numbers of the last days, too, see
            :func:`analyzer.baseline.drift.drift_of`.
        judged: days of the records that are judged by it.
    """
    held, days = baseline["days"], baseline.days
    sources = set(baseline["hours"].source.unique()) | set(baseline["lookups"].source.unique())
    return BaselineState(
        days=len(days),
        window=baseline.window,
        first=date_of(days[0]) if days else None,
        last=date_of(days[-1]) if days else None,
        hosts=len(sources),
        connections=float(held.connections.sum()),
        questions=float(held.questions.sum()),
        left_out=float(held.left_out.sum()),
        learned=baseline.learned,
        anonymised=bool(baseline.key_check),
        drift=drift_of(baseline, totals=totals),
        rates=rates_of(baseline),
        compared=sum(day not in judged for day in days),
    )


def rates_of(baseline: Baseline) -> tuple[Rate, ...]:
    """Alert rates of each kind of score over the days held."""
    found = []
    for name, rows in baseline["rates"].groupby("score"):
        tested = float(rows.tested.sum())
        # Days on which more was scored weigh more.
        asked = float((rows.asked * rows.tested).sum() / tested) if tested else 0.0
        found.append(Rate(str(name), tested, float(rows.alerts.sum()), asked))
    return tuple(found)
