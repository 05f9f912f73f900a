"""The two logarithmic scales of a baseline: the bins of histograms, and the grid of past days."""

from __future__ import annotations

import math
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

FINER = 4
"""Binary digits of the finer grid: half a step is a sixteenth at most."""

_COLUMNS = {
    "bytes_out": "orig_bytes",
    "bytes_in": "resp_bytes",
    "duration": "duration",
    "packets_out": "orig_pkts",
}


def shape_bin(conn: ir.Table, metric: str) -> ir.IntegerValue:
    """The bin of each connection's value of a metric, see :data:`SHAPES`."""
    import ibis  # noqa: PLC0415 - converting captures needs no database, only what bins mean

    value = conn[_COLUMNS[metric]].cast("float64")
    # Clipping would name the logarithm twice, and DuckDB work it out twice.
    scaled = ibis.greatest(value, 0.0) * SHAPES[metric]
    # And Ibis makes two logarithms of one to the base of two.
    number = ((1.0 + scaled).ln() * (BINS / math.log(2.0))).round()
    number = ibis.least(number, UNKNOWN_BIN - 1)
    return ibis.ifelse(value.isnull(), UNKNOWN_BIN, number).cast("uint8")


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


def coarse(values: npt.ArrayLike, digits: int = 2) -> npt.NDArray[np.float64]:
    """Values on the grid of past days: numbers that have no more than two binary digits.

    So they are exact up to 4, then two to an octave: 4, 6, 8, 12, 16, ...; a value is at most a
    fifth off. One byte of each number says it all.

    Args:
        values: none below 0, whole numbers where they are small.
        digits: how many digits, if not two.
    """
    fraction, exponent = np.frexp(np.asarray(values, float))
    result: npt.NDArray[np.float64] = np.ldexp(np.round(fraction * 2.0**digits), exponent - digits)
    return result
