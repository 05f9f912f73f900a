"""Small offices for the anomaly benchmark: three days to learn and one to judge, summed up once.

Generating and summing up an office takes seconds and is the same for every figure, so what comes of
it is kept as Parquet files where the benchmark is told to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.screening import requests, rows_of
from analyzer.baseline.summary import summarise
from analyzer.baseline.tables import LAYOUTS
from analyzer.detectors import Shared
from analyzer.detectors.detection import shared_contacts
from analyzer.engine import Engine
from analyzer.features import DAY
from analyzer.parsers.reading import read
from analyzer.public_suffix import suffix_rules
from tests.traffic import office

DAYS = 3
"""Days that are learned."""

HOSTS = 24
"""Hosts of an office."""


@dataclass(frozen=True, slots=True)
class LearnedOffice:
    """An office.

    Attributes:
        baseline: its first days, learned.
        connections: those of the day after, as what scores them takes them, and what they were.
        whole: that day's summary with the samples, as learning would join it.
    """

    baseline: Baseline
    connections: pd.DataFrame
    whole: dict[str, pd.DataFrame]


def learned_office(seed: int, cache: Path | None = None) -> LearnedOffice:
    """An office of a seed that no test uses.

    Args:
        seed: of the office.
        cache: directory to keep it in; nothing is kept without one.
    """
    kept = cache / f"office_{seed}_{HOSTS}" if cache else None
    if kept is not None and (kept / "connections.parquet").exists():
        tables = {name: pd.read_parquet(kept / f"{name}.parquet") for name in LAYOUTS}
        return _split(tables, pd.read_parquet(kept / "connections.parquet"))
    with TemporaryDirectory() as directory, Engine() as engine:
        office(seed, hosts=HOSTS, days=DAYS + 1.0).write(Path(directory))
        read([directory], engine)
        records = engine.records()
        suffixes = records.keep(suffix_rules(), "suffix_rules")
        summary = summarise(records, lambda: suffixes)
        conn = requests(records, shared_contacts(records, Shared()))
        last = conn.filter(conn.ts >= ((records.first or 0.0) // DAY + DAYS) * DAY)
        connections = rows_of(last)
    tables = dict(Baseline().joined(summary).tables)
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        for name, frame in tables.items():
            frame.to_parquet(kept / f"{name}.parquet")
        connections.to_parquet(kept / "connections.parquet")
    return _split(tables, connections)


def _split(tables: dict[str, pd.DataFrame], connections: pd.DataFrame) -> LearnedOffice:
    every = Baseline(tables=tables)
    last = every.days[-1]
    others = every.without([last])
    day = {
        name: frame[frame.day == last] if "day" in frame else frame
        for name, frame in tables.items()
    }
    return LearnedOffice(others, connections, day)
