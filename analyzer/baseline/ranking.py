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
import pandas as pd
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
        kind = _numbered([table], self.names)
        _, first, count = np.unique(kind, return_index=True, return_counts=True)
        # Of what is about as common, neighbours stand together: addresses of one network.
        common = count if self.given else np.log2(count).astype(np.int64)
        listed = table.select(self.names).take(pa.array(first))
        listed = listed.append_column("kind", pa.array(np.arange(len(first))))
        listed = listed.append_column("commonness", pa.array(common))
        order = [
            *((name, "ascending") for name in self.given),
            ("commonness", "descending"),
            *((name, "ascending") for name in self.columns),
        ]
        listed = listed.sort_by(order).combine_chunks()
        place = np.arange(len(listed))
        begin = np.maximum.accumulate(np.where(self._begins(listed), place, 0))
        rank = np.empty(len(listed), dtype=np.int32)
        rank[np.asarray(listed["kind"])] = place - begin
        return pa.array(rank[kind]), listed.select(self.names)

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
        rankings = listed.take(pa.array(begins))
        kind = _numbered([rankings, table], list(self.given))
        known, asked = kind[: len(begins)], kind[len(begins) :]
        if len(np.unique(known)) != len(known) or (len(asked) and asked.max() >= len(known)):
            raise ValueError(f"the list of {self.list_name} is not in order, or lacks rankings")
        return begins[asked], np.diff(begins, append=len(listed))[asked]

    def _begins(self, listed: pa.Table) -> npt.NDArray[np.bool_]:
        """Whether each row of the list is the first of its ranking."""
        result = np.zeros(len(listed), dtype=bool)
        result[:1] = True
        for name in self.given:
            column = listed[name]
            other = pc.not_equal(column.slice(1), column.slice(0, max(len(column) - 1, 0)))
            result[1:] |= np.asarray(other, dtype=bool)
        return result


def _numbered(tables: list[pa.Table], names: list[str]) -> npt.NDArray[np.int64]:
    """Rows of tables one after the other, alike ones of one number, in order of appearance."""
    number = np.zeros(sum(map(len, tables)), dtype=np.int64)
    for name in names:
        chunks = [chunk for each in tables for chunk in each[name].chunks]
        column = pa.chunked_array(chunks, tables[0].schema.field(name).type)
        own, values = pd.factorize(column.to_pandas())
        number, _ = pd.factorize(number * max(len(values), 1) + own)
    return number
