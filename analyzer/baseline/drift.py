"""How far the last days of a network are from the days before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.baseline.comparing import Deviation, deviations_of
from analyzer.baseline.coverage import date_of
from analyzer.baseline.daily import NETWORK
from analyzer.baseline.judged_days import judged_days
from analyzer.baseline.roles import roles
from analyzer.baseline.shifts import HAS_DRIFTED, HAS_MOVED, STEADY, Shift, parted, shifts_of

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the last days are from those before.

    Attributes:
        days: dates of the last days.
        before: dates of the days before.
        shifts: distributions of connections, the furthest first.
        totals: numbers of the last days beside those before, furthest off first; empty if they
            were not asked for.
    """

    days: tuple[str, ...]
    before: tuple[str, ...]
    shifts: tuple[Shift, ...]
    totals: tuple[Deviation, ...]

    @property
    def distance(self) -> float:
        """Drift in one number: the greatest of the distances, which no mean can hide; 0 to 1."""
        return max((shift.distance for shift in self.shifts), default=0.0)

    @property
    def state(self) -> str:
        """The worst state that any of the distributions is in."""
        found = {shift.state for shift in self.shifts}
        return next((state for state in (HAS_DRIFTED, HAS_MOVED) if state in found), STEADY)


def drift_of(baseline: Baseline, *, totals: bool = True) -> Drift | None:
    """How far the last days are from those before; None if there are too few of either.

    Args:
        baseline: what was learned.
        totals: whether to judge the numbers of the last days, too, which takes seconds where there
            are a thousand hosts.
    """
    before, last = parted(baseline.days)
    if not last:
        return None
    return Drift(
        days=tuple(map(date_of, last)),
        before=tuple(map(date_of, before)),
        shifts=shifts_of(baseline.tables, baseline.days),
        totals=_totals(baseline, before, last) if totals else (),
    )


def _totals(baseline: Baseline, before: list[int], last: list[int]) -> tuple[Deviation, ...]:
    earlier, recent = baseline.without(last), baseline.without(before)
    judged, _ = judged_days(
        earlier, recent.tables, roles(earlier), edge=baseline.days[-1] - 1, network_only=True
    )
    return deviations_of(judged).get(NETWORK, ())
