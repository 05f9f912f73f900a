"""Connections as numbers for the models."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.baseline.batches import connection_rows
from analyzer.baseline.bins import bin_of
from analyzer.baseline.habits import Habits
from analyzer.baseline.vectors import LEAST, NAMES, vectors
from analyzer.networks import LocalNetworks

from .rows import DAY, batch, connection, learned


@pytest.fixture(scope="module")
def habits() -> Habits:
    return Habits(learned())


def vector(habits: Habits, **columns: Any) -> dict[str, float]:  # noqa: ANN401 - of any column
    rows = connection_rows(batch([connection(4 * DAY + 43_200.0, **columns)]), LocalNetworks())
    numbers = vectors(habits, habits.coded(rows))[0].tolist()
    assert len(LEAST) == len(numbers)
    return dict(zip(NAMES, numbers, strict=True))


def test_the_usual_lies_at_zero_where_it_is_compared(habits: Habits) -> None:
    found = vector(habits)
    assert found["bytes_out"] == bin_of([50_000], "bytes_out")[0]
    for name in (
        "port",
        "application",
        "peer",
        "hour",
        "unanswered",
        "bytes_out beyond the host's",
    ):
        assert found[name] == 0.0
    assert found["answered"] == 2.0


def test_what_is_not_known_is_as_usual(habits: Habits) -> None:
    found = vector(habits, orig_bytes=None, resp_bytes=None)
    assert found["bytes_out beside the service's"] == 0.0
    assert found["ratio"] == 0.0


def test_it_is_as_far_beyond_the_host_as_it_is_large(habits: Habits) -> None:
    found = vector(habits, orig_bytes=10**10)
    expected = float(bin_of([1e10], "bytes_out")[0]) - float(bin_of([50_000], "bytes_out")[0])
    assert found["bytes_out beyond the host's"] == expected


def test_news_lies_as_far_out_as_it_is_unlikely(habits: Habits) -> None:
    assert vector(habits, resp_p=8443)["port"] > 10.0
    assert vector(habits, resp_p=8443)["hosts that use the service"] == 0.0
