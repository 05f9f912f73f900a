"""Folded tables with the days of one thing side by side, as one day's count tells the next.

A histogram has the same bins every week, with nearly the same counts. So a stored row is one bin
with all its days, and each day's count is its rank among those that followed the same count on the
day before it: :class:`analyzer.baseline.ranking.Ranked` along days instead of columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.baseline.bins import FINER, coarse
from analyzer.baseline.layout import Layout
from analyzer.baseline.ranking import Ranked

DAYS = 8
"""Days that are stored side by side; a folded window has seven or eight."""

BEFORE = "before"
"""The count of the day before, in the list of counts."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """How a folded table is stored.

    Attributes:
        layout: of the table; it has a day, and one count.
    """

    layout: Layout

    @property
    def count(self) -> str:
        """The column of counts."""
        (name,) = (field.name for field in self.layout.fields if field.join == "sum")
        return name

    @property
    def keys(self) -> list[str]:
        """The columns of what is counted."""
        return [name for name in self.layout.keys if name != self.layout.day]

    @property
    def names(self) -> list[str]:
        """The columns of ranks, a day each."""
        return [f"{self.layout.day}.{number}.rank" for number in range(DAYS)]

    @property
    def ranked(self) -> Ranked:
        """The ranking of counts."""
        return Ranked((self.count,), (BEFORE,))

    @property
    def schema(self) -> pa.Schema:
        """Of the stored table."""
        keys = [self.layout.schema.field(name) for name in self.keys]
        return pa.schema([*keys, *(pa.field(name, pa.int32()) for name in self.names)])

    @property
    def counts_schema(self) -> pa.Schema:
        """Of the list of counts."""
        count = self.layout.schema.field(self.count)
        return pa.schema([pa.field(BEFORE, count.type), count])

    @property
    def days_schema(self) -> pa.Schema:
        """Of the list of days."""
        return pa.schema([self.layout.schema.field(self.layout.day)])

    def packed(self, frame: pd.DataFrame) -> tuple[pa.Table, pa.Table, pa.Table, pd.DataFrame]:
        """A table as it is stored: days side by side, the lists of counts and of days; the rest.

        Side by side are days all of whose counts are on the grid, the earliest; zeros are none.
        """
        count, day = frame[self.count].to_numpy(), frame[self.layout.day].to_numpy()
        is_odd = (coarse(count, FINER) != count) | (count == 0.0)
        days = np.setdiff1d(day, day[is_odd])[:DAYS]
        kept = np.isin(day, days)
        rows = frame[kept]
        groups = rows.groupby(self.keys, sort=True)
        things = rows.loc[~rows.duplicated(self.keys), self.keys].sort_values(self.keys)
        counts = np.zeros((len(things), DAYS))
        counts[groups.ngroup().to_numpy(), np.searchsorted(days, day[kept])] = count[kept]
        # What was before all days is nothing; nothing is said of days that are not.
        known = counts[:, : len(days)]
        before = np.hstack([np.zeros((len(things), min(len(days), 1))), known[:, :-1]])
        pairs = pa.table({BEFORE: before.ravel(), self.count: known.ravel()}, self.counts_schema)
        found, listed = self.ranked.packed(pairs)
        rank = np.zeros((len(things), DAYS), np.int32)
        rank[:, : len(days)] = np.asarray(found).reshape(known.shape)
        side = things.assign(**{name: rank[:, place] for place, name in enumerate(self.names)})
        stored = pa.Table.from_pandas(side, self.schema, preserve_index=False)
        return stored, listed, pa.table([pa.array(days)], schema=self.days_schema), frame[~kept]

    def unpacked(self, stored: pa.Table, listed: pa.Table, days: pa.Table) -> pa.Table:
        """The rows of a table whose days are side by side.

        Raises:
            ValueError: there are more days than can be, or a rank is not in the list.
        """
        day = days[self.layout.day]
        if len(day) > DAYS:
            raise ValueError(f"table {self.layout.name} has more than {DAYS} days side by side")
        keys, parts = stored.select(self.keys), [self.layout.schema.empty_table()]
        before = pa.array(np.zeros(len(stored)))
        for place, name in enumerate(self.names[: len(day)]):
            ranks = pa.table({BEFORE: before, self.ranked.rank_name: stored[name]})
            before = self.ranked.unpacked(ranks, listed)[self.count].combine_chunks()
            rows = keys.append_column(self.count, before)
            rows = rows.append_column(self.layout.day, pa.repeat(day[place], len(stored)))
            rows = rows.filter(np.asarray(before) > 0.0)
            parts.append(rows.select(self.layout.schema.names))
        return pa.concat_tables(parts)
