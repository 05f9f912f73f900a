"""Records beside what is usual: learned earlier, or seen on the other days of the same records."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from analyzer.baseline.anonymise import revealed
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.coverage import at_weekend, hours_covered
from analyzer.baseline.summary import Summary, summarise
from analyzer.detectors.detection import Shared, shared_rules
from analyzer.features import DAY

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.records import Records

FEWEST_DAYS = 3
"""Days that say how days differ: as many others must be there for records to be judged by
themselves, and a baseline of fewer makes no finding that is more than low."""


_WHOLE = 20 / 24
"""Part of the hours of a day learned that must be there for shares of a day to be compared: the
small hours of a small network may be without a record."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Days to judge, and what to judge them by.

    Attributes:
        summary: the records of the days, summed up.
        baseline: what is usual, without anything of these days.
        held_aside: whether that is other days of the same records, as nothing was learned.
    """

    summary: Summary
    baseline: Baseline
    held_aside: bool

    @property
    def judged_by(self) -> str:
        """What evidence says of where the usual comes from."""
        days = len(self.baseline.days)
        return f"{days} other days of the same records" if self.held_aside else f"{days} days"


def shared_summary(records: Records, shared: Shared) -> dict[str, pd.DataFrame]:
    """The records summed up, see :func:`analyzer.baseline.summary.summarise`."""
    return shared.get(summarise, lambda: summarise(records, lambda: shared_rules(records, shared)))


def shared_comparisons(records: Records, shared: Shared) -> list[Comparison]:
    """What to compare with what.

    With a baseline all records are judged by it, less the days it has in common with them: what is
    judged never judges itself; a baseline of these days alone says nothing. Without one each day is
    judged by the others, if there are enough.
    """
    return shared.get(shared_comparisons, lambda: list(_comparisons(records, shared)))


def comparable_days(comparison: Comparison) -> list[int]:
    """The days to judge that have the hours of the days learned, of their kind if there are any.

    Shares of a day tell nothing before it is over: at night clocks and updates are all there is.
    """
    learned = hours_covered(comparison.baseline["days"])
    found = []
    for day, hours in hours_covered(comparison.summary["days"]).items():
        alike = [span for other, span in learned.items() if at_weekend(other) == at_weekend(day)]
        shares = [
            len(range(max(hours.start, span.start), min(hours.stop, span.stop))) / len(span)
            for span in alike or learned.values()
        ]
        if median(shares) >= _WHOLE:
            found.append(day)
    return found


def judged_days(records: Records) -> range:
    """The days that records are of, or lie between."""
    if records.first is None or records.last is None:
        return range(0)
    return range(int(records.first // DAY), int(records.last // DAY) + 1)


def _comparisons(records: Records, shared: Shared) -> list[Comparison]:
    if records.first is None or records.last is None:
        return []
    if shared.baseline is not None:
        summary = shared_summary(records, shared)
        usual = shared.baseline.without(judged_days(records))
        if not usual.days:
            return []
        if shared.key is not None:
            usual = revealed(usual, shared.key, summary["domains"].domain)
        return [Comparison(summary, usual, held_aside=False)]
    if records.last - records.first < FEWEST_DAYS * DAY:
        return []
    whole = Baseline(window=len(judged_days(records))).joined(shared_summary(records, shared))
    if len(whole.days) <= FEWEST_DAYS:
        return []
    return [
        Comparison(_only(whole, day), whole.without([day]), held_aside=True) for day in whole.days
    ]


def _only(whole: Baseline, day: int) -> dict[str, pd.DataFrame]:
    """The summary of one day alone; what is kept by first and last day is there if it may be."""
    days = {}
    for name, frame in whole.tables.items():
        if "first_day" in frame:
            days[name] = frame[(frame.first_day <= day) & (frame.last_day >= day)]
        elif "day" in frame:
            days[name] = frame[frame.day == day]
    return days
