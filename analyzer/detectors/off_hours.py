"""Off hours: a host does at night what neither it nor its like do then.

Hosts are on at night, and poll, update and report all the time; that somebody works with one shows
in what it does: it opens services inside that it opens by day alone (files, directories, remote
desktops), or meets as many hosts as when it is used. Which hours are quiet is known of each host
(:mod:`analyzer.baseline.quiet`), and how likely it is that it does so then
(:mod:`~analyzer.detectors.off_hours_trials`): three days of forty hosts make a low finding of a
night's work, and a month of a thousand makes a louder one.

What several hosts do at once is an update; who stays late has been there since, who begins early
goes on, and both do so within hours of their usual ones. Neither is more than low. Nor is mere
presence, of which nobody is told at all in those cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer.baseline.novel_days import counted
from analyzer.baseline.quiet import HOURS, QuietHours
from analyzer.baseline.roles import roles
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.off_hours_trials import PRESENCE, SPAN, Trials, done, present
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, Severity, few_of
from analyzer.parameters import Probability

if TYPE_CHECKING:
    import numpy.typing as npt

    from analyzer.records import Records

_SHOWN = 8
# That somebody is there is nobody's business if others are, or if he was there all evening.
_HINT = 0.69
# Hours that a span must be away from hours that are not quiet.
_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Parameters:
    """How unlikely it must be."""

    false_alarm: Probability = field(
        default=2e-3, metadata={"meaning": "share of a host's quiet two hours that may be reported"}
    )
    days: int = field(default=3, metadata={"meaning": "least days learned"})
    alone: int = field(
        default=3, metadata={"meaning": "hosts that do the same at once, from which it is low"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Nights in which a host was at work."""
    for comparison in shared_comparisons(records, shared):
        yield from _compared(comparison, parameters)


def _compared(comparison: Comparison, parameters: Parameters) -> Iterator[Detection]:
    days = comparison.baseline.days
    if len(days) < parameters.days:
        return
    quiet = QuietHours(comparison.baseline["hours"], days)
    learned = done(comparison.baseline.tables, quiet)
    judged = done(comparison.summary, quiet)
    if judged.empty:
        return
    rows = Trials(learned, quiet, roles(comparison.baseline)).judged(judged)
    together = judged.groupby(["day", "span", "proto", "port"]).source.nunique()
    rows = rows[rows.chance <= parameters.false_alarm]
    rows = rows.assign(
        hosts=counted(together, [rows.day, rows.span, rows.proto, rows.port]),
        stayed=_stayed(rows, comparison.summary["hours"], quiet),
        deep=_deep(rows, quiet),
        # Of weekends, or of weekdays, at least so many days must be known.
        such_days=quiet.is_known(rows),
    )
    # Before weekends, or weekdays, are known, anybody's presence is new.
    rows = rows[rows.such_days | (rows.proto != PRESENCE)]
    for _, own in rows.groupby(["source", "day"], sort=True):
        yield _detection(own, comparison, parameters)


def _stayed(rows: pd.DataFrame, hours: pd.DataFrame, quiet: QuietHours) -> list[bool]:
    """Whether a host was used without a break between each span and hours in which it often is."""
    used = present(hours, quiet)
    at = used.day.to_numpy(int) * HOURS + used.hour.to_numpy(int)
    busy = ~quiet.is_quiet(used)
    by_source: dict[str, dict[int, bool]] = {}
    for source, hour, is_busy in zip(used.source, at.tolist(), busy.tolist(), strict=True):
        by_source.setdefault(str(source), {})[hour] = is_busy
    result = []
    for source, day, span in zip(rows.source, rows.day.tolist(), rows.span.tolist(), strict=True):
        own = by_source.get(str(source), {})
        begin = day * HOURS + span * SPAN
        ends = ((begin - 1, -1), (begin + SPAN, 1))
        result.append(any(_leads_to_work(own, hour, step) for hour, step in ends))
    return result


def _deep(rows: pd.DataFrame, quiet: QuietHours) -> npt.NDArray[np.bool_]:
    """Whether the hours around each span are quiet, too: people begin early and stay late."""
    begin = rows.span.to_numpy(int) * SPAN
    around = [
        quiet.is_quiet(rows.assign(hour=(begin + step) % HOURS))
        for step in range(-_MARGIN, SPAN + _MARGIN)
    ]
    return np.asarray(np.logical_and.reduce(around))


def _leads_to_work(used: dict[int, bool], hour: int, step: int) -> bool:
    while hour in used:
        if used[hour]:
            return True
        hour += step
    return False


def _detection(rows: pd.DataFrame, comparison: Comparison, parameters: Parameters) -> Detection:
    scores = [_score(row, parameters) for row in rows.to_dict("records")]
    ordered = rows.assign(score=scores, presence=rows.proto == PRESENCE)
    ordered = ordered.sort_values(
        ["score", "presence", "chance", "span", "proto", "port"],
        ascending=[False, True, True, True, True, True],
    )
    worst = ordered.iloc[0]
    begin, end = int(worst.span) * SPAN, (int(worst.span) + 1) * SPAN
    is_port = worst.proto != PRESENCE
    chance = float(worst.chance)
    hours = comparison.summary["hours"]
    own = hours[
        (hours.source == worst.source)
        & (hours.day == worst.day)
        & hours.hour.between(begin, end - 1)
    ]
    ports = ordered[~ordered.presence & (ordered.span == worst.span)]
    names = [f"{port}/{proto}" for port, proto in zip(ports.port, ports.proto, strict=True)]
    listed = few_of(names, _SHOWN)
    did = f"used {few_of(names)} inside" if is_port else "was used"
    return Detection(
        source=str(worst.source),
        port=int(worst.port) if is_port else None,
        proto=str(worst.proto) if is_port else None,
        first=float(worst.day) * DAY + begin * HOUR,
        last=float(worst.day) * DAY + end * HOUR,
        score=held_back(float(worst.score), comparison),
        message=(
            f"{worst.source} {did} between {begin:02}:00 and {end:02}:00 UTC, when it is quiet and "
            "hosts of its role hardly ever do so"
        ),
        evidence=(
            *([Evidence("ports that are new at that hour", listed)] if listed else []),
            Evidence("times it did so then", int(worst.own_times)),
            Evidence("of its days", int(worst.own_trials)),
            Evidence(f"times others did so ({worst.role})", int(worst.role_times)),
            Evidence("of their days", int(worst.role_trials)),
            Evidence("hosts that did so at once", int(worst.hosts), threshold=parameters.alone),
            Evidence("two hours from its usual hours, or more", "yes" if worst.deep else "no"),
            Evidence("goes on from its usual hours", "yes" if worst.stayed else "no"),
            Evidence("connections then", float(own.connections.sum())),
            Evidence("hosts met then", float(own.destinations.max())),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=int(own.connections.sum()),
        best="bytes",
    )


def _score(row: dict[Any, Any], parameters: Parameters) -> float:
    score = score_of_chance(row["chance"], parameters.false_alarm)
    is_presence, is_shared = row["proto"] == PRESENCE, row["hosts"] >= parameters.alone
    if is_presence and (row["stayed"] or is_shared or not row["deep"]):
        return min(score, _HINT)
    is_certain = row["such_days"] and row["deep"] and not row["stayed"]
    if is_presence or is_shared or not is_certain:
        return min(score, Severity.LOW.highest)
    return score


DETECTOR = Detector("off_hours", Parameters, find, compares=True)
