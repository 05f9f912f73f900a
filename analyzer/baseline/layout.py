"""How a table of a baseline is described: its columns, and how rows of one key become one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

Join = Literal["key", "sum", "first", "last", "most", "either"]
_TYPES = {
    "string": pa.string(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a baseline's table.

    Attributes:
        name: its name.
        type: its type, as Arrow calls it.
        meaning: what it says.
        join: what two rows of one key become: part of the key, added up, the first (smallest), the
            last or the most (largest), or the bits set in either.
        coarse: whether past days keep it on the grid.
        least: the smallest value that makes sense; texts have none.
        greatest: the greatest, likewise.
    """

    name: str
    type: str
    meaning: str
    join: Join = "key"
    coarse: bool = False
    least: float = 0.0
    greatest: float = math.inf

    @property
    def arrow_type(self) -> pa.DataType:
        """Its Arrow type."""
        return _TYPES[self.type]


@dataclass(frozen=True, slots=True)
class Layout:
    """A table of a baseline.

    Attributes:
        name: its name; of its file, too.
        meaning: what a row is.
        fields: its columns.
        day: the column that says when a row leaves: its day, or the last day it was seen; empty if
            rows stay.
        folded: whether past days are kept together, under the first of them.
    """

    name: str
    meaning: str
    fields: tuple[Field, ...]
    day: str = "day"
    folded: bool = False

    @property
    def keys(self) -> list[str]:
        """The columns that tell rows apart."""
        return [field.name for field in self.fields if field.join == "key"]

    @property
    def schema(self) -> pa.Schema:
        """Its Arrow schema."""
        return pa.schema([(field.name, field.arrow_type) for field in self.fields])

    def empty(self) -> pd.DataFrame:
        """The table without rows."""
        return self.frame(self.schema.empty_table())

    def frame(self, rows: pa.Table) -> pd.DataFrame:
        """Rows as a data frame with the columns of this table, in their order and type."""
        frame: pd.DataFrame = rows.select(self.schema.names).cast(self.schema).to_pandas()
        return frame

    def joined(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with one row a key, in order of the keys."""
        how = {"sum": "sum", "first": "min", "last": "max", "most": "max", "either": "max"}
        named = {
            field.name: (field.name, how[field.join])
            for field in self.fields
            if field.join != "key"
        }
        if _is_in_order(frame, self.keys):
            rows = frame
        elif not named:
            rows = frame.drop_duplicates().sort_values(self.keys)
        else:
            rows = frame.groupby(self.keys, as_index=False, sort=True).agg(**named)
            for field in self.fields:
                if field.join == "either":
                    rows[field.name] = _either(frame, self.keys, field.name)
        types = dict(self.empty().dtypes.items())
        return rows[[field.name for field in self.fields]].astype(types).reset_index(drop=True)


def _is_in_order(frame: pd.DataFrame, keys: Sequence[str]) -> bool:
    """Whether there is one row a key, in order of the keys, as a summary has it."""
    rises = np.zeros(max(len(frame) - 1, 0), bool)
    for key in reversed(keys):
        values = frame[key].array
        before, after = values[:-1], values[1:]
        rises = np.asarray(before < after) | (np.asarray(before == after) & rises)
    return bool(rises.all())


def _either(frame: pd.DataFrame, keys: list[str], name: str) -> np.ndarray:
    """The bits that are set in any row of each key, in order of the keys."""
    group = frame.groupby(keys, sort=True).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.bitwise_or.reduceat(frame[name].to_numpy()[order], begins)
