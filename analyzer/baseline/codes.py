"""Names as numbers: hosts, services and pairs of them, looked up by the million."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.histograms import Codes

# Below this, Python's own dictionary is quicker than setting up a hash of an array.
_FEW = 64
_PORTS = 65_536


class Names:
    """Texts, each with its number.

    Args:
        values: the texts; repeats count once, the order is theirs sorted.
    """

    def __init__(self, values: pd.Series[str] | pd.Index[str]) -> None:
        # Columns of texts are Arrow's: to make them distinct there saves a million objects.
        self.texts = sorted(values.unique())
        self._numbers = {text: number for number, text in enumerate(self.texts)}

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, text: str) -> int:
        """The number of a text, -1 if it has none."""
        return self._numbers.get(text, -1)

    def of(self, values: pd.Series[str] | npt.NDArray[np.object_]) -> Codes:
        """The number of each text."""
        if len(values) <= _FEW:
            return np.array([self.number(value) for value in values], dtype=np.int64)
        places, texts = pd.factorize(values)
        numbers = np.array([self.number(text) for text in texts], dtype=np.int64)
        result: Codes = np.where(places >= 0, numbers[places], -1) if len(numbers) else places
        return result


class Keys:
    """Whole numbers, each with its place.

    Args:
        values: the numbers; repeats count once, those below 0 not at all.
    """

    def __init__(self, values: Codes) -> None:
        # Numpy's own hash table takes ten times as long.
        self.values = np.sort(pd.unique(values[values >= 0]))
        self._index = pd.Index(self.values)
        self._places = (
            {int(value): place for place, value in enumerate(self.values)}
            if len(self.values) <= _PORTS
            else None
        )

    def __len__(self) -> int:
        return len(self.values)

    def of(self, values: Codes) -> Codes:
        """The place of each number, -1 if it has none."""
        if len(values) <= _FEW and self._places is not None:
            return np.array([self._places.get(int(value), -1) for value in values], np.int64)
        result: Codes = self._index.get_indexer(pd.Index(values)).astype(np.int64)
        return result


def service_keys(protos: Codes, ports: npt.ArrayLike) -> Codes:
    """A number for each transport protocol (by number, -1: unknown) and port; -1 if unknown."""
    result: Codes = np.where(protos >= 0, protos * _PORTS + np.asarray(ports, np.int64), -1)
    return result


def pair_keys(first: Codes, second: Codes, size: int) -> Codes:
    """A number for each pair of numbers, the second of which is below size; -1 if either is."""
    result: Codes = np.where((first >= 0) & (second >= 0), first * size + second, -1)
    return result
