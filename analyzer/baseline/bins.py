"""The two logarithmic scales of a baseline: the bins of histograms, and the grid of past days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import ibis.expr.types as ir

BINS = 2
"""Bins an octave of histograms."""

UNKNOWN_BIN = 255
"""The bin of connections whose log has no value."""

SHAPES: dict[str, float] = {
    "bytes_out": 1.0,
    "bytes_in": 1.0,
    "duration": 1000.0,
    "packets_out": 1.0,
}
"""What histograms are of, with what a value is multiplied by: bin = BINS * log2(1 + value * it)."""

_COLUMNS = {
    "bytes_out": "orig_bytes",
    "bytes_in": "resp_bytes",
    "duration": "duration",
    "packets_out": "orig_pkts",
}

STEPS = 4
"""Steps an octave of the grid that values of past days are kept on: 19% from one to the next."""

# Below, whole numbers are closer together than the grid.
_EXACT = 8.0


def shape_bin(conn: ir.Table, metric: str) -> ir.IntegerValue:
    """The bin of each connection's value of a metric, see :data:`SHAPES`."""
    scaled = conn[_COLUMNS[metric]].cast("float64").clip(lower=0.0) * SHAPES[metric]
    number = (BINS * (1.0 + scaled).log2()).round().clip(upper=float(UNKNOWN_BIN - 1))
    return number.cast("uint8").fill_null(UNKNOWN_BIN)


def bin_of(values: npt.ArrayLike, metric: str) -> npt.NDArray[np.uint8]:
    """The bins of values of a metric in its own unit (B, s); nan is unknown."""
    scaled = np.maximum(np.asarray(values, float), 0.0) * SHAPES[metric]
    number = np.minimum(np.round(BINS * np.log2(1.0 + scaled)), UNKNOWN_BIN - 1)
    return np.where(np.isnan(number), UNKNOWN_BIN, number).astype(np.uint8)


def value_of(bins: npt.ArrayLike, metric: str) -> npt.NDArray[np.float64]:
    """The value in the middle of each bin, in the metric's own unit; nan where it is unknown."""
    number = np.asarray(bins, float)
    value = (np.exp2(number / BINS) - 1.0) / SHAPES[metric]
    result: npt.NDArray[np.float64] = np.where(number == UNKNOWN_BIN, np.nan, value)
    return result


def coarse(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Values on the grid of past days: exact below 8, else whole numbers, four to an octave."""
    exact = np.asarray(values, float)
    grid = np.round(np.exp2(np.round(STEPS * np.log2(np.maximum(exact, 1.0))) / STEPS))
    result: npt.NDArray[np.float64] = np.where(exact < _EXACT, exact, grid)
    return result
