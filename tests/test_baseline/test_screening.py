"""What the engine lets through: everything that scoring would report."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.batches import batch_records
from analyzer.baseline.coding import ROW
from analyzer.baseline.scoring import Scorer, Scoring, scorer
from analyzer.baseline.screening import candidates, requests, rows_of
from analyzer.detectors import Shared
from analyzer.detectors.detection import shared_contacts

from .rows import DAY, HOSTS, STEADY, batch, connection, learned, steady, work

RATES = (1e-4, 1e-2, 0.2)


def odd(seed: int, count: int = 400) -> list[dict[str, Any]]:
    """Connections that differ from the usual in one way or another."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        sent, got = (int(np.exp(rng.uniform(0, 22))) for _ in range(2))
        answered = rng.random() < 0.8
        rows.append(
            connection(
                4 * DAY + rng.uniform(0, DAY),
                orig_h=str(rng.choice([STEADY, *HOSTS[:4], "10.0.9.9"])),
                resp_h=str(
                    rng.choice(["198.51.100.9", "198.51.100.12", "203.0.113.4", "10.0.0.77"])
                ),
                resp_p=int(rng.choice([443, 443, 22, 8443])),
                service=[None, "ssl", "ssh"][int(rng.integers(3))],
                duration=None if rng.random() < 0.1 else float(np.exp(rng.uniform(-8, 10))),
                orig_bytes=None if rng.random() < 0.1 else sent,
                resp_bytes=got,
                orig_pkts=sent // 1400 + 1,
                conn_state="SF" if answered else "S0",
                history="ShADadFf" if answered else "S",
            )
        )
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [*steady(1, 4), *work(1, 4), *odd(1)]


@pytest.mark.parametrize("rate", RATES)
def test_nothing_that_is_reported_is_lost(rate: float, rows: list[dict[str, Any]]) -> None:
    prepared = scorer(learned(), Scoring(rate=rate))
    records = batch_records(batch(rows))
    met = shared_contacts(records, Shared())
    every = rows_of(requests(records, met))
    few = rows_of(candidates(records, met, prepared.known, prepared.least_chance))
    assert _reported(every, prepared) == _reported(few, prepared)
    assert len(_reported(every, prepared)) > 50
    asked = prepared.score(every).surprise >= prepared.scale.least
    assert asked.sum() <= len(few) < len(every)


def _reported(rows: pd.DataFrame, prepared: Scorer) -> set[tuple[Any, ...]]:
    loud = rows[prepared.score(rows).score >= 0.7]
    return set(loud[[*ROW, "at", "connections"]].itertuples(index=False, name=None))


def test_alike_connections_are_one_row() -> None:
    records = batch_records(
        batch([connection(0), connection(10.0, orig_bytes=50_001), connection(7200)])
    )
    found = rows_of(requests(records, shared_contacts(records, Shared())))
    assert found.connections.tolist() == [2, 1]
    assert (found["last"] - found["first"]).tolist() == [10.0, 0.0]
    assert found.orig_bytes.tolist() == [50_001.0, 50_000.0]
    assert found.hour.tolist() == [0, 2]
