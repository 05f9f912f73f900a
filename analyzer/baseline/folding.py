"""Past days kept together, in a fifth of a window: histograms, names, and when peers were met.

A baseline of a thousand hosts is a file of a few megabytes, as what is said of past days is no more
than is asked: a day's histogram of one host is too thin to be judged by alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.bins import coarse
from analyzer.baseline.tables import LAYOUTS, Layout

# Binary digits: half a step is a sixteenth at most, and a day brings a sixth or more.
_FINER = 4


def folded(baseline: Baseline) -> Baseline:
    """The baseline with its past days kept together.

    The latest two days stay apart. Earlier ones are added up under the first day of their fold,
    on a finer grid until the fold is over, as a day's share must not be lost. Of a peer that was
    met on one day only, the day is kept; of others, the folds of the first day and the last, from
    the beginning of the one to the end of the other.
    """
    days = baseline.days
    if not days:
        return baseline
    edge = days[-1] - 1
    tables = dict(baseline.tables)
    for name, layout in LAYOUTS.items():
        if layout.folded:
            tables[name] = _folded(layout, tables[name], edge, baseline.fold)
    tables["peers"] = _met(tables["peers"], edge, baseline.fold)
    return replace(baseline, tables=tables)


def _folded(layout: Layout, frame: pd.DataFrame, edge: int, fold: int) -> pd.DataFrame:
    day = frame.day.to_numpy()
    begin = np.where(day < edge, day - day % fold, day)
    if (begin != day).any():
        frame = layout.joined(frame.assign(day=begin))
    day = frame.day.to_numpy()
    for field in layout.fields:
        if field.join == "sum":
            value = frame[field.name].to_numpy()
            finer = np.where(day < edge, coarse(value, _FINER), value)
            over = day // fold < edge // fold
            frame = frame.assign(**{field.name: np.where(over, coarse(value), finer)})
    return frame


def _met(peers: pd.DataFrame, edge: int, fold: int) -> pd.DataFrame:
    first, last = peers.first_day.to_numpy(), peers.last_day.to_numpy()
    again = first < last
    end = last - last % fold + fold - 1
    return peers.assign(
        first_day=np.where(again & (first < edge), first - first % fold, first),
        last_day=np.where(again & (end < edge), end, last),
    )
