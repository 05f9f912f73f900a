"""Past days kept together, in a fifth of a window: histograms, names, and when peers were met.

A baseline of a thousand hosts is a file of a few megabytes, as what is said of past days is no more
than is asked: a day's histogram of one host is too thin to be judged by alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.bins import FINER, coarse
from analyzer.baseline.layout import Layout
from analyzer.baseline.tables import LAYOUTS


def folded(baseline: Baseline) -> Baseline:
    """The baseline with its past days kept together.

    The latest two days stay apart, the latest as it is. Earlier ones are added up under the first
    day of their fold, on a finer grid until the fold is over: a day brings a sixth or more, and its
    share must not be lost. Of a peer that was met on one day only, or for the first time within the
    latest fold, the days are kept; of others, the folds of the first day and the last, from the
    beginning of the one to the end of the other, or to the latest day.
    """
    days = baseline.days
    if not days:
        return baseline
    tables = dict(baseline.tables)
    for name, layout in LAYOUTS.items():
        if layout.folded:
            tables[name] = _folded(layout, tables[name], days[-1], baseline.fold)
    tables["peers"] = _met(tables["peers"], days[-1], baseline.fold)
    return replace(baseline, tables=tables)


def _folded(layout: Layout, frame: pd.DataFrame, newest: int, fold: int) -> pd.DataFrame:
    edge = newest - 1
    day = frame.day.to_numpy()
    begin = np.where(day < edge, day - day % fold, day)
    if (begin != day).any():
        frame = layout.joined(frame.assign(day=begin))
    day = frame.day.to_numpy()
    for field in layout.fields:
        if field.join == "sum":
            value = frame[field.name].to_numpy()
            finer = np.where(day < newest, coarse(value, FINER), value)
            over = day // fold < edge // fold
            frame = frame.assign(**{field.name: np.where(over, coarse(value), finer)})
    return frame


def _met(peers: pd.DataFrame, newest: int, fold: int) -> pd.DataFrame:
    first, last = peers.first_day.to_numpy(), peers.last_day.to_numpy()
    begin, end = first - first % fold, last - last % fold + fold - 1
    again = first < last
    is_known = again & (begin + fold <= newest)
    return peers.assign(
        first_day=np.where(again & (first < newest - 1), begin, first),
        last_day=np.where(is_known, np.minimum(end, newest), last),
    )
