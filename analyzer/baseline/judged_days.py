"""The numbers of days judged by those of other days that are like them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.coverage import at_weekend, hours_covered
from analyzer.baseline.daily import (
    METRICS,
    NETWORK,
    first_times,
    hourly,
    mixes,
    on_grid,
    per_connection,
    whole_day,
)
from analyzer.baseline.day_to_day import FEWEST, DayToDay
from analyzer.baseline.news import new_rows
from analyzer.baseline.tables import LAYOUTS

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline
    from analyzer.baseline.summary import Summary

JUDGED = ("source", "metric", "day", "observed", "expected", "sigmas", "level", "samples")
"""Columns of judged numbers; the level is an index into :data:`analyzer.baseline.usual.LEVELS`."""

_WHOLE = 20
"""Hours from the first to the last record of a day from which it counts as a whole day: the small
hours of a small network may be without a record."""


def judged_days(
    usual: Baseline,
    summary: Summary,
    role: pd.Series[str],
    *,
    edge: int,
    network_only: bool = False,
) -> tuple[pd.DataFrame, list[int]]:
    """Every number of every day of the records, judged; and the days of which too little is told.

    Args:
        usual: what is usual, without the days of the records.
        summary: the records.
        role: what hosts are for, by address.
        edge: the day before which the baseline keeps days together.
        network_only: leave out the hosts.

    Returns:
        A row a number, see :data:`JUDGED`, those without anything to be compared with left out;
        and the days that records cover only in part.
    """
    covered = hours_covered(summary["days"])
    known = hours_covered(usual["days"])
    groups: dict[tuple[range, bool], list[int]] = {}
    for day, hours in covered.items():
        groups.setdefault((hours, bool(at_weekend(day))), []).append(day)
    before, now = on_grid(usual.tables), on_grid(summary)
    # What hosts do is added up early where nobody asks for them; but who they are is counted.
    usual_days, days_now = (_of_network(each) if network_only else each for each in (before, now))
    found, partial = [], []
    for (hours, weekend), days in groups.items():
        like = _alike([day for day, span in known.items() if _within(hours, span)], weekend)
        full = _alike([day for day, span in known.items() if len(span) >= _WHOLE], weekend)
        # Of sizes several days are kept together, of whatever kind.
        samples = [hourly(_of(before, like), hours), per_connection(usual_days)]
        rows, exact = (
            [hourly(tables, hours), per_connection(tables)]
            for tables in (_of(now, days), _of(summary, days))
        )
        if len(hours) < _WHOLE:
            partial += days
        else:
            past, today = _of(usual_days, full), _of(days_now, days)
            samples += [whole_day(past), mixes(past, past, apart=False)]
            rows += [whole_day(today), mixes(today, past, apart=True)]
            exact.append(whole_day(_of(summary, days)))
            samples.append(first_times(usual.tables, _together(usual, edge)))
            rows.append(first_times(new_rows(usual, summary), {day: [day] for day in days}))
        both = [pd.concat(each, ignore_index=True) for each in (samples, rows, exact)]
        if network_only:
            both = [each[each.source == NETWORK] for each in both]
        found.append(_observed(_beside(both[0], both[1], role), both[2]))
    return _joined(found), sorted(partial)


def _of_network(tables: Summary) -> dict[str, pd.DataFrame]:
    """The tables that are told by source, as if there was only one."""
    names = [name for name in ("shapes", "ports", "lookups", "hours") if name in tables]
    one = {name: LAYOUTS[name].joined(tables[name].assign(source="any")) for name in names}
    return {**tables, **one}


def _observed(judged: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Numbers that were judged on the grid, told as they were."""
    keys = ["source", "metric", "day"]
    places = pd.MultiIndex.from_frame(exact[keys]).get_indexer(
        pd.MultiIndex.from_frame(judged[keys])
    )
    there = places >= 0
    observed = judged.observed.to_numpy(float).copy()
    observed[there] = exact.value.to_numpy(float)[places[there]]
    return judged.assign(observed=observed)


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    none = pd.DataFrame(columns=list(JUDGED))
    return pd.concat(frames, ignore_index=True)[list(JUDGED)] if frames else none


def _together(usual: Baseline, edge: int) -> dict[int, list[int]]:
    """Days on which something was new, by the day that stands for them: those kept together.

    Without those of the first day, on which everything is new, and the earlier half of the others,
    on which much of what is always there was still new.
    """
    units: dict[int, list[int]] = {}
    for day in usual.days:
        units.setdefault(day - day % usual.fold if day < edge else day, []).append(day)
    later = list(units.items())[1:]
    return dict(later[-max(len(later) // 2, FEWEST) :])


def _within(hours: range, span: range) -> bool:
    return span.start <= hours.start and hours.stop <= span.stop


def _alike(days: list[int], weekend: bool) -> list[int]:  # noqa: FBT001 - a fact, not a switch
    """Of the days those of one kind, if there are enough; else all."""
    such = [day for day in days if bool(at_weekend(day)) == weekend]
    return sorted(such if len(such) >= FEWEST else days)


def _of(tables: Summary, days: list[int]) -> dict[str, pd.DataFrame]:
    """The tables that are told by day, with these days only."""
    return {
        name: tables[name][tables[name].day.isin(days)]
        for name, layout in LAYOUTS.items()
        if layout.day == "day" and name in tables
    }


def _beside(samples: pd.DataFrame, rows: pd.DataFrame, role: pd.Series[str]) -> pd.DataFrame:
    """Numbers of days judged by those of other days, metric by metric."""
    found = []
    by_metric = {str(name): frame for name, frame in samples.groupby("metric")}
    for name, frame in rows.groupby("metric"):
        known = by_metric.get(str(name))
        if known is None:
            continue
        for of_network in (False, True):
            asked = frame[(frame.source == NETWORK) == of_network]
            learned = known[(known.source == NETWORK) == of_network]
            if not len(asked) or not len(learned):
                continue
            metric = METRICS[str(name)]
            scale = metric.scale
            usual = DayToDay(
                learned.assign(value=learned.value * scale),
                role,
                fewest=metric.fewest,
                least=metric.least,
                counted=metric.counted,
            )
            judged = usual.judge(asked.assign(value=asked.value * scale))
            result = judged.assign(observed=asked.value, expected=judged.expected / scale)
            found.append(result[result.level >= 0])
    return _joined(found)
