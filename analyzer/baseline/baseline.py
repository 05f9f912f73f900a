"""What is usual on a network: a window of days, summed up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer.baseline.bins import coarse
from analyzer.baseline.layout import Layout
from analyzer.baseline.samples import MOST
from analyzer.baseline.tables import LAYOUTS

if TYPE_CHECKING:
    from analyzer.baseline.batches import Batch
    from analyzer.baseline.online import Online
    from analyzer.baseline.scoring import Scores
    from analyzer.baseline.summary import Summary

WINDOW = 30
"""Days that a baseline holds where nothing else is asked for."""

MOST_PEERS = 1024
"""Outside hosts, and as many local ones, that are kept of one source: those met last."""

# Folded days leave together, so that a window is not much longer or shorter at times.
_FOLDS = 5

# Hours that may still get records; longer connections are in the log of the hour they end in.
_OPEN_HOURS = 6

MOST_DOMAINS = 100_000
"""Registered domains that are kept: those asked for last."""


def _empty() -> dict[str, pd.DataFrame]:
    return {name: layout.empty() for name, layout in LAYOUTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A window of days, summed up; it never changes, learning makes another.

    Attributes:
        tables: every table of :data:`analyzer.baseline.tables.LAYOUTS`.
        window: how many days it holds, back from the latest.
        learned: when it last learned, UTC epoch seconds; None if it never did.
        key_check: of a baseline whose addresses are keyed hashes, what tells whether a key is
            theirs; empty where addresses are as they were.
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=_empty)
    window: int = WINDOW
    learned: float | None = None
    key_check: str = ""
    _online: list[Online] = field(default_factory=list, init=False, repr=False, compare=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    @property
    def days(self) -> list[int]:
        """The days it holds, in order."""
        return [int(day) for day in self["days"].day]

    @property
    def fold(self) -> int:
        """How many past days some tables keep together."""
        return max(1, self.window // _FOLDS)

    def joined(self, summary: Summary, *, learned: float | None = None) -> Baseline:
        """This baseline with more days, or more of a day.

        Days that are over are put on the grid, days older than the window and what was not seen
        within it leave.

        Args:
            summary: from :func:`analyzer.baseline.summary.summarise`.
            learned: when, UTC epoch seconds.
        """
        tables = {
            name: layout.joined(pd.concat([self[name], summary[name]], ignore_index=True))
            if name in summary and len(summary[name])
            else self[name]
            for name, layout in LAYOUTS.items()
        }
        newest = int(tables["days"].day.max()) if len(tables["days"]) else 0
        kept = {
            name: _capped(
                name,
                _coarse(layout, _since(layout, tables[name], newest - self.window + 1), newest),
            )
            for name, layout in LAYOUTS.items()
        }
        return replace(self, tables=kept, learned=learned if learned is not None else self.learned)

    def without(self, days: Collection[int]) -> Baseline:
        """This baseline as if some days had never been learned.

        What is kept by its first and last day alone (peers, ports offered, domains) loses what was
        seen on no other day than these. Days that are kept together go together.
        """
        tables = dict(self.tables)
        together = {*days, *(day - day % self.fold for day in days)}
        for name, layout in LAYOUTS.items():
            frame = tables[name]
            if layout.day == "day":
                tables[name] = frame[~frame.day.isin(together if layout.folded else days)]
            elif "first_day" in frame:
                gone = frame.first_day.isin(days) & frame.last_day.isin(days)
                tables[name] = frame[~gone]
        return replace(self, tables=tables)

    def score(self, connections: Batch) -> Scores:
        """Score connections of a small batch; the first call prepares what the others use.

        :class:`analyzer.baseline.online.Online` has more to choose from.

        Args:
            connections: data frame or Arrow table with the columns of
                :data:`analyzer.records.CONN`; local addresses are those of private space.

        Raises:
            TooLittleLearnedError: it holds less than two days, or next to no connections.
        """
        from analyzer.baseline.online import Online  # noqa: PLC0415 - which knows baselines

        if not self._online:
            self._online.append(Online(self))
        return self._online[0].score(connections)

    def learn(self, connections: Batch | None = None, dns: Batch | None = None) -> Baseline:
        """This baseline with a batch of records learned; nothing is left out.

        Args:
            connections: data frame or Arrow table with the columns of
                :data:`analyzer.records.CONN`; local addresses are those of private space.
            dns: likewise of :data:`analyzer.records.DNS`.
        """
        from analyzer.baseline.online import learn  # noqa: PLC0415 - which knows baselines

        return learn(self, connections, dns)


def _since(layout: Layout, frame: pd.DataFrame, oldest: int) -> pd.DataFrame:
    if not layout.day:
        return frame
    scale = 24 if layout.day == "hour" else 1
    return frame[frame[layout.day] >= oldest * scale]


def _coarse(layout: Layout, frame: pd.DataFrame, newest: int) -> pd.DataFrame:
    names = [each.name for each in layout.fields if each.coarse]
    if not names or layout.day != "day":
        return frame
    past = (frame.day < newest).to_numpy()
    if "hour" in frame and len(frame):
        hour = frame.day.to_numpy(np.int64) * 24 + frame.hour.to_numpy()
        past = hour < hour.max() - _OPEN_HOURS
    return frame.assign(
        **{name: frame[name].where(~past, coarse(frame[name].to_numpy())) for name in names}
    )


def _capped(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that are kept of tables that traffic could grow without end."""
    if name in ("reference", "windows"):
        order = frame.sort_values(["day", "mark"], kind="stable")
        return frame.loc[order.groupby("day").head(MOST).index.sort_values()]
    if name == "peers":
        order = frame.sort_values(["last_day", "peer"], ascending=[False, True], kind="stable")
        return frame.loc[order.groupby(["source", "outside"]).head(MOST_PEERS).index.sort_values()]
    if name == "domains":
        order = frame.sort_values(["last_day", "domain"], ascending=[False, True], kind="stable")
        return frame.loc[order.head(MOST_DOMAINS).index.sort_values()]
    return frame
