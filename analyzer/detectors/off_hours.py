"""Off hours: a host does at night what neither it nor its like do then.

Hosts are on at night, and poll, update and report all the time; that somebody works with one shows
in what it does: it opens services inside that it opens by day alone (files, directories, remote
desktops), or meets as many hosts as when it is used. For each host the hours of the day are known
in which it is quiet (:mod:`analyzer.baseline.quiet`); every two of them, on every day learned, are
a trial in which it did so or not. How likely it is to do so follows

- from its own trials, drawn towards those of the other hosts of its role by ten trials' weight
  (a beta prior whose mean is their share: Robbins, "An empirical Bayes approach to statistics",
  Berkeley Symposium 1956), and
- where none of them ever did so, from how often anything happens that no other trial of a role
  shows (Good, "The population frequencies of species", Biometrika 40, 1953): a night job that runs
  for the first time is no intruder, and there are more of them on some networks than on others.

So three days of forty hosts make a low finding of a night's work, and a month of a thousand makes a
louder one. What many hosts do at once is an update, and who stays late or begins early has been
there since, or goes on: neither is more than low.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer.baseline.quiet import HOURS, QuietHours, is_weekend
from analyzer.baseline.roles import roles
from analyzer.baseline.usual import PRIOR
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.outward import INFRASTRUCTURE_PORTS
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, Severity
from analyzer.parameters import Probability

if TYPE_CHECKING:
    import numpy.typing as npt

    from analyzer.baseline.summary import Summary
    from analyzer.records import Records

SPAN = 2
"""Hours of a trial: what a baseline tells apart of a port's day."""

_SPANS = HOURS // SPAN
# What hosts ask by themselves when they are switched on or woken, beside time and names: leases
# (DHCP, for IPv6 too), names of neighbours.
_BY_THEMSELVES = frozenset((0, 67, 68, 546, 547, 137, 138, 5353, 5355, 1900, *INFRASTRUCTURE_PORTS))
_PRESENCE = "presence"
_SHOWN = 8
# Hosts in an hour that machines meet by themselves, however few it was that they met on the days
# learned.
_FEW = 10.0
# Events that the population's rate of them counts as, beside a host's own (a gamma prior).
_EVENTS = 1.0
# That somebody is there is nobody's business if others are, or if he was there all evening.
_HINT = 0.69


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
    learned = _done(comparison.baseline.tables, quiet)
    judged = _done(comparison.summary, quiet)
    if judged.empty:
        return
    rows = _Trials(learned, quiet, roles(comparison.baseline)).judged(judged)
    together = judged.groupby(["day", "span", "proto", "port"]).source.nunique()
    rows = rows[rows.chance <= parameters.false_alarm]
    rows = rows.assign(
        hosts=_looked_up(together, [rows.day, rows.span, rows.proto, rows.port]),
        stayed=_stayed(rows, comparison.summary["hours"], quiet),
        # Of weekends, or of weekdays, at least so many days must be known.
        such_days=quiet.is_known(rows),
    )
    # Before weekends, or weekdays, are known, anybody's presence is new.
    rows = rows[rows.such_days | (rows.proto != _PRESENCE)]
    for _, own in rows.groupby(["source", "day"], sort=True):
        yield _detection(own, comparison, parameters)


def _stayed(rows: pd.DataFrame, hours: pd.DataFrame, quiet: QuietHours) -> list[bool]:
    """Whether a host was used without a break between each span and hours in which it often is."""
    place = quiet.sources.get_indexer(hours.source)
    known = hours[place >= 0]
    level = quiet.levels[place[place >= 0], is_weekend(known.day).astype(int)]
    used = known[known.destinations.to_numpy() > np.maximum(level, _FEW)]
    at = used.day.to_numpy(int) * HOURS + used.hour.to_numpy(int)
    busy = ~quiet.is_quiet(used)
    by_source: dict[str, dict[int, bool]] = {}
    for source, hour, is_busy in zip(used.source, at.tolist(), busy.tolist(), strict=True):
        by_source.setdefault(str(source), {})[hour] = is_busy
    result = []
    for row in rows.itertuples():
        own = by_source.get(str(row.source), {})
        begin = int(row.day) * HOURS + int(row.span) * SPAN
        ends = ((begin - 1, -1), (begin + SPAN, 1))
        result.append(any(_leads_to_work(own, hour, step) for hour, step in ends))
    return result


def _leads_to_work(used: dict[int, bool], hour: int, step: int) -> bool:
    while hour in used:
        if used[hour]:
            return True
        hour += step
    return False


def _quiet_spans(quiet: QuietHours) -> npt.NDArray[np.bool_]:
    """Whether two hours are quiet, by host, kind of day and span."""
    both = quiet.quiet.reshape(len(quiet.sources), 2, _SPANS, SPAN)
    result: npt.NDArray[np.bool_] = both.all(axis=3)
    return result


def _done(tables: Summary, quiet: QuietHours) -> pd.DataFrame:
    """What hosts did in their quiet spans: ``source day span proto port``, one row each."""
    used = tables["port_hours"]
    used = used[~used.port.isin(_BY_THEMSELVES) & (used.proto != "icmp")]
    bits = used.hours.to_numpy(int)
    parts = [
        used[(bits >> span) & 1 == 1][["source", "day", "proto", "port"]].assign(span=span)
        for span in range(_SPANS)
    ]
    hours = tables["hours"]
    place = quiet.sources.get_indexer(hours.source)
    level = quiet.levels[place, is_weekend(hours.day).astype(int)]
    there = hours[(place >= 0) & (hours.destinations.to_numpy() > np.maximum(level, _FEW))]
    there = there[["source", "day"]].assign(
        proto=_PRESENCE, port=0, span=there.hour.to_numpy(int) // SPAN
    )
    every = pd.concat([*parts, there], ignore_index=True).drop_duplicates()
    place = quiet.sources.get_indexer(every.source)
    is_quiet = _quiet_spans(quiet)[place, is_weekend(every.day).astype(int), every.span]
    return every[(place >= 0) & is_quiet].reset_index(drop=True)


class _Trials:
    """How often hosts did what in each of their quiet spans.

    Args:
        done: what they did on the days learned.
        quiet: their quiet hours.
        roles: role of each source.
    """

    def __init__(self, done: pd.DataFrame, quiet: QuietHours, roles: pd.Series[str]) -> None:
        self._role = roles
        kinds = is_weekend(quiet.learned).astype(int)
        spans = _quiet_spans(quiet)[:, kinds].astype(float)
        trials = np.einsum("sd,sdp->sp", quiet.days.astype(float), spans)
        own = pd.DataFrame(trials, index=quiet.sources)
        role = roles.reindex(quiet.sources).to_numpy()
        self._own, self._of_role = own.stack(), own.groupby(role).sum().stack()
        marked = done.assign(role=roles.reindex(done.source).to_numpy())
        self._met = marked.groupby(["source", "proto", "port", "span"]).size()
        self._met_by_role = marked.groupby(["role", "proto", "port", "span"]).size()
        same = [marked.role, marked.proto, marked.port, marked.span]
        alone = marked[_looked_up(self._met_by_role, same) == 1]
        every = trials.sum(axis=0)
        self._novelty, self._inclined = {}, {}
        for is_presence in (False, True):
            # One session opens several ports; it is one event.
            single = alone[(alone.proto == _PRESENCE) == is_presence]
            single = single[["source", "day", "span"]].drop_duplicates()
            rate = (len(single) + 1) / (every.sum() + 1)
            at = np.bincount(single.span, minlength=_SPANS)
            novelty = (at + PRIOR * rate) / (every + PRIOR)
            times = single.groupby("source").size().reindex(quiet.sources).fillna(0.0)
            expected = pd.Series(trials @ novelty, index=quiet.sources)
            self._novelty[is_presence] = novelty
            self._inclined[is_presence] = (times + _EVENTS) / (expected + _EVENTS)

    def judged(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with ``chance own_trials own_times role role_trials role_times``."""
        source, span = rows.source, rows.span
        role = self._role.reindex(source).to_numpy()
        trials = _looked_up(self._own, [source, span])
        times = _looked_up(self._met, [source, rows.proto, rows.port, span])
        others = _looked_up(self._of_role, [role, span]) - trials
        others_times = _looked_up(self._met_by_role, [role, rows.proto, rows.port, span]) - times
        share = others_times / np.maximum(others, 1.0)
        novel = np.where(
            rows.proto == _PRESENCE,
            self._novelty[True][span] * self._inclined[True].reindex(source).to_numpy(float),
            self._novelty[False][span] * self._inclined[False].reindex(source).to_numpy(float),
        )
        usual = (times + PRIOR * share) / (trials + PRIOR)
        return rows.assign(
            chance=np.maximum(novel, usual),
            own_trials=trials,
            own_times=times,
            role=role,
            role_trials=others,
            role_times=others_times,
        )


def _looked_up(counts: pd.Series[int], keys: list[pd.Series | np.ndarray]) -> np.ndarray:
    index = pd.MultiIndex.from_arrays([np.asarray(key) for key in keys])
    return counts.reindex(index).fillna(0).to_numpy(float)


def _detection(rows: pd.DataFrame, comparison: Comparison, parameters: Parameters) -> Detection:
    scores = [_score(row, parameters) for row in rows.itertuples()]
    ordered = rows.assign(score=scores, presence=rows.proto == _PRESENCE)
    ordered = ordered.sort_values(
        ["score", "presence", "chance", "span", "proto", "port"],
        ascending=[False, True, True, True, True, True],
    )
    worst = ordered.iloc[0]
    begin, end = int(worst.span) * SPAN, (int(worst.span) + 1) * SPAN
    is_port = worst.proto != _PRESENCE
    chance = float(worst.chance)
    hours = comparison.summary["hours"]
    own = hours[
        (hours.source == worst.source)
        & (hours.day == worst.day)
        & hours.hour.between(begin, end - 1)
    ]
    did = f"used {worst.port}/{worst.proto} inside" if is_port else "was used"
    ports = ordered[~ordered.presence & (ordered.span == worst.span)]
    listed = ", ".join(f"{row.port}/{row.proto}" for row in ports.head(_SHOWN).itertuples())
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
            Evidence("goes on from its usual hours", "yes" if worst.stayed else "no"),
            Evidence("connections then", float(own.connections.sum())),
            Evidence("hosts met then", float(own.destinations.max())),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=int(own.connections.sum()),
        best="bytes",
    )


def _score(row: Any, parameters: Parameters) -> float:  # noqa: ANN401 - a row of a frame
    score = score_of_chance(float(row.chance), parameters.false_alarm)
    is_presence, is_shared = row.proto == _PRESENCE, row.hosts >= parameters.alone
    if is_presence and (row.stayed or is_shared):
        return min(score, _HINT)
    if is_presence or row.stayed or is_shared or not row.such_days:
        return min(score, Severity.LOW.highest)
    return score


DETECTOR = Detector("off_hours", Parameters, find)
