"""What hosts did in their quiet hours, and how likely it is that one does so.

Every two hours in which a host is quiet (:mod:`analyzer.baseline.quiet`), on every day learned, are
a trial. In it, it used a port inside or it did not, and met as many hosts as while somebody uses it
or did not. How likely either is follows

- from the host's own trials at that time of day, drawn towards those of the other hosts of its role
  by ten trials' weight (a beta prior whose mean is their share: Robbins, "An empirical Bayes
  approach to statistics", Berkeley Symposium 1956), and
- where none of them ever did so, from how often anything happens then that no other trial of a role
  shows (Good, "The population frequencies of species", Biometrika 40, 1953): a night job that runs
  for the first time is no intruder, and there are more of them on some networks than on others, and
  from some hosts than from others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.novel_days import counted
from analyzer.baseline.quiet import HOURS, QuietHours, is_weekend
from analyzer.baseline.usual import PRIOR
from analyzer.detectors.outward import INFRASTRUCTURE_PORTS

if TYPE_CHECKING:
    from analyzer.baseline.summary import Summary

SPAN = 2
"""Hours of a trial: what a baseline tells apart of a port's day."""

PRESENCE = "presence"
"""In place of a protocol: that a host met as many hosts as while somebody uses it."""

FEW = 10.0
"""Hosts in an hour that machines meet by themselves, however few it was on the days learned."""

_SPANS = HOURS // SPAN
# What hosts ask by themselves when they are switched on or woken, beside time and names: leases
# (DHCP, for IPv6 too), names of neighbours.
_BY_THEMSELVES = frozenset((0, 67, 68, 546, 547, 137, 138, 5353, 5355, 1900, *INFRASTRUCTURE_PORTS))
# Events that the population's rate of them counts as, beside a host's own (a gamma prior).
_EVENTS = 1.0


def present(hours: pd.DataFrame, quiet: QuietHours) -> pd.DataFrame:
    """The hours in which hosts that are known met as many others as while somebody uses them."""
    place = quiet.sources.get_indexer(hours.source)
    level = quiet.levels[place, is_weekend(hours.day).astype(int)]
    used: pd.DataFrame = hours[
        (place >= 0) & (hours.destinations.to_numpy() > np.maximum(level, FEW))
    ]
    return used


def _quiet_spans(quiet: QuietHours) -> npt.NDArray[np.bool_]:
    """Whether two hours are quiet, by host, kind of day and span."""
    return np.asarray(quiet.quiet.reshape(len(quiet.sources), 2, _SPANS, SPAN).all(axis=3))


def done(tables: Summary, quiet: QuietHours) -> pd.DataFrame:
    """What hosts did in their quiet spans: ``source day span proto port``, one row each."""
    used = tables["port_hours"]
    used = used[~used.port.isin(_BY_THEMSELVES) & (used.proto != "icmp")]
    bits = used.hours.to_numpy(int)
    parts = [
        used[(bits >> span) & 1 == 1][["source", "day", "proto", "port"]].assign(span=span)
        for span in range(_SPANS)
    ]
    there = present(tables["hours"], quiet)
    there = there.assign(proto=PRESENCE, port=0, span=there.hour.to_numpy(int) // SPAN)
    there = there[["source", "day", "proto", "port", "span"]]
    every = pd.concat([*parts, there], ignore_index=True).drop_duplicates()
    place = quiet.sources.get_indexer(every.source)
    is_quiet = _quiet_spans(quiet)[place, is_weekend(every.day).astype(int), every.span]
    kept: pd.DataFrame = every[(place >= 0) & is_quiet].reset_index(drop=True)
    return kept


def _by_span(table: pd.DataFrame) -> pd.Series[Any]:
    index = pd.MultiIndex.from_product([table.index, range(_SPANS)])
    return pd.Series(table.to_numpy().ravel(), index=index)


class Trials:
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
        self._own, self._of_role = _by_span(own), _by_span(own.groupby(role).sum())
        marked = done.assign(role=roles.reindex(done.source).to_numpy())
        self._met = marked.groupby(["source", "proto", "port", "span"]).size()
        self._met_by_role = marked.groupby(["role", "proto", "port", "span"]).size()
        same = [marked.role, marked.proto, marked.port, marked.span]
        alone = marked[counted(self._met_by_role, same) == 1]
        every = trials.sum(axis=0)
        self._novelty, self._inclined = {}, {}
        for is_presence in (False, True):
            # One session opens several ports; it is one event.
            single = alone[(alone.proto == PRESENCE) == is_presence]
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
        trials = counted(self._own, [source, span])
        times = counted(self._met, [source, rows.proto, rows.port, span])
        others = counted(self._of_role, [role, span]) - trials
        others_times = counted(self._met_by_role, [role, rows.proto, rows.port, span]) - times
        share = others_times / np.maximum(others, 1.0)
        novel = np.where(
            rows.proto == PRESENCE,
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
