"""The rows of one source, of table after table: looked up, not searched for each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class BySource:
    """The rows of each source.

    Args:
        tables: with a column ``source`` each.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._tables = tables
        self._places: dict[str, Mapping[Any, Any]] = {}

    def of(self, address: str, names: Iterable[str]) -> dict[str, pd.DataFrame]:
        """The rows of a source, of each of the tables named; empty where it has none."""
        return {name: self._rows(address, name) for name in names}

    def _rows(self, address: str, name: str) -> pd.DataFrame:
        frame = self._tables[name]
        if name not in self._places:
            self._places[name] = frame.groupby("source").indices
        rows: pd.DataFrame = frame.iloc[self._places[name].get(address, [])]
        return rows
