"""Small baselines for the tests beside this file."""

from __future__ import annotations

import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.tables import LAYOUTS

FIRST = 20_472
"""A Monday, in days since 1970: 2026-01-19."""


def frame(name: str, *rows: tuple[object, ...]) -> pd.DataFrame:
    """Rows of a table."""
    layout = LAYOUTS[name]
    types = dict(layout.empty().dtypes.items())
    return pd.DataFrame(list(rows), columns=layout.schema.names).astype(types)


def days(*numbers: int) -> pd.DataFrame:
    """Days that were learned."""
    return frame("days", *((day, 1.0, 0.0, 0.0, day * 86400.0, day * 86400.0) for day in numbers))


def small(**tables: pd.DataFrame) -> Baseline:
    """A baseline of a few tables, as learning would make it."""
    return Baseline().joined({"days": days(FIRST), **tables}, learned=FIRST * 86400.0)


def assert_same(one: Baseline, other: Baseline) -> None:
    """Fail unless two baselines are the same in all their tables hold."""
    for name in LAYOUTS:
        left, right = (each[name].reset_index(drop=True) for each in (one, other))
        pd.testing.assert_frame_equal(left, right, obj=name)
