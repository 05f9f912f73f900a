"""Columns of a stored table as ranks in a list of what occurs, the commonest first.

What goes together is stored together: columns that say nearly the same of a row (hosts met, and
those of them outside) are one column of ranks in a list of what they say together. And what other
columns of the row already say is not said again: bytes are a rank among the bytes that go with so
many connections and destinations. Ranks are small numbers, most of them 0, which compress to what
is new in them; to read them is to join the list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Ranked:
    """Columns of a table that are stored as a rank.

    Attributes:
        columns: what is ranked, together.
        given: columns of the same table, known before these, that have a ranking for each of their
            values; without any there is one ranking for all rows.
    """

    columns: tuple[str, ...]
    given: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns of the list."""
        return [*self.given, *self.columns]

    @property
    def list_name(self) -> str:
        """The name of the list, after that of the table."""
        return "+".join(self.columns)

    @property
    def rank_name(self) -> str:
        """The name of the column of ranks."""
        return f"{self.list_name}.rank"

    def meaning(self, table: str) -> str:
        """What a rank says, in words."""
        listed = f"{table}.{self.list_name}"
        if not self.given:
            return f"row of {listed}, from 0"
        return f"row of {listed}, from 0 at the first of the same {' and '.join(self.given)}"

    def packed(self, table: pa.Table) -> tuple[pa.Array, pa.Table]:
        """The rank of each row of a table, and the list."""
        listed = table.select(self.names).group_by(self.names).aggregate([([], "count_all")])
        count = listed["count_all"]
        if not self.given:
            # Of what is about as common, neighbours stand together: addresses of one network.
            count = pc.floor(pc.log2(count))
        listed = listed.append_column("commonness", count)
        order = [
            *((name, "ascending") for name in self.given),
            ("commonness", "descending"),
            *((name, "ascending") for name in self.columns),
        ]
        listed = listed.sort_by(order).select(self.names).combine_chunks()
        place = np.arange(len(listed))
        begin = (
            np.maximum.accumulate(np.where(self._begins(listed), place, 0)) if len(listed) else 0
        )
        ranks = listed.append_column(self.rank_name, pa.array(place - begin, pa.int32()))
        return _looked_up(table, ranks, self.names)[self.rank_name].combine_chunks(), listed

    def unpacked(self, table: pa.Table, listed: pa.Table) -> pa.Table:
        """A table with the columns instead of the ranks.

        Raises:
            ValueError: a rank is not in the list.
        """
        rank = np.asarray(table[self.rank_name], np.int64)
        begin, size = self._rankings(table, listed)
        if ((rank < 0) | (rank >= size)).any():
            raise ValueError(f"there are ranks that the list of {self.list_name} lacks")
        taken = listed.take(pa.array(begin + rank))
        for column in self.columns:
            table = table.append_column(column, taken[column])
        return table.drop_columns([self.rank_name])

    def _rankings(
        self, table: pa.Table, listed: pa.Table
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where in the list the ranking of each row begins, and how long it is."""
        if not self.given:
            return np.zeros(len(table), np.int64), np.full(len(table), len(listed))
        begins = np.flatnonzero(self._begins(listed))
        rankings = listed.select(list(self.given)).take(pa.array(begins))
        rankings = rankings.append_column("begin", pa.array(begins))
        rankings = rankings.append_column("size", pa.array(np.diff(begins, append=len(listed))))
        found = _looked_up(table, rankings, list(self.given))
        if len(found) != len(table) or found["begin"].null_count:
            raise ValueError(f"the list of {self.list_name} is not in order, or lacks rankings")
        return np.asarray(found["begin"], np.int64), np.asarray(found["size"], np.int64)

    def _begins(self, listed: pa.Table) -> npt.NDArray[np.bool_]:
        """Whether each row of the list is the first of its ranking."""
        result = np.zeros(len(listed), dtype=bool)
        result[:1] = True
        for name in self.given:
            column = listed[name]
            other = pc.not_equal(column.slice(1), column.slice(0, max(len(column) - 1, 0)))
            result[1:] |= np.asarray(other, dtype=bool)
        return result


def _looked_up(table: pa.Table, known: pa.Table, keys: list[str]) -> pa.Table:
    """What is known of each row by its keys, in the order of rows."""
    numbered = table.select(keys).append_column("at", pa.array(np.arange(len(table))))
    return numbered.join(known, keys).sort_by("at")
