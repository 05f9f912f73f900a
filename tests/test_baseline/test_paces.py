"""Chances of a source's five minutes by its own, its like, its busy hours and other days."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.baseline.paces import COUNTS, FEATURES, LEAST, NAMES, Paces

from . import FIRST
from .rows import HOSTS, STEADY, learned


@pytest.fixture(scope="module")
def paces() -> Paces:
    return Paces(learned())


def window(source: str = STEADY, slot: int = 144, day: int = 4, **counts: float) -> pd.DataFrame:
    usual = dict(zip(COUNTS, (1.0, 0.0, 1.0, 1.0, 50_000.0, 5_000.0), strict=True))
    return pd.DataFrame([{"source": source, "day": FIRST + day, "slot": slot} | usual | counts])


def chances(paces: Paces, rows: pd.DataFrame) -> dict[str, float]:
    return dict(zip(FEATURES, paces.chances(rows)[0].tolist(), strict=True))


def test_what_a_host_always_does_is_no_news(paces: Paces) -> None:
    found = chances(paces, window())
    assert min(found.values()) > 0.2


def test_more_than_a_busy_hour_is_news(paces: Paces) -> None:
    found = chances(paces, window(connections=3000.0))
    assert found["connections of the host"] < 1e-3
    assert found["connections beside busy hours"] < 1e-3
    assert found["connections beside other days"] < 1e-3
    assert found["bytes_out of the host"] > 0.2


def test_what_others_do_at_work_is_news_at_night(paces: Paces) -> None:
    counts = {"connections": 3.0, "destinations": 3.0, "bytes_out": 6_000.0}
    noon, night = (
        chances(paces, window(HOSTS[0], slot, **counts))["destinations beside other days"]
        for slot in (144, 36)
    )
    assert night < noon


def test_the_most_around_an_hour_is_of_other_days(paces: Paces) -> None:
    own = paces.most_around("connections", window(day=1))
    other = paces.most_around("connections", window(day=9))
    assert own.tolist() == other.tolist() == [12.0]
    assert paces.most_around("connections", window(HOSTS[0], 36)).tolist() == [0.0]


def test_who_is_not_known_is_judged_by_all(paces: Paces) -> None:
    found = chances(paces, window("10.0.7.7", connections=3000.0))
    assert found["connections of the host"] < 0.01
    assert found["connections beside other days"] == 1.0


def test_vectors(paces: Paces) -> None:
    (numbers,) = paces.vectors(window()).tolist()
    found = dict(zip(NAMES, numbers, strict=True))
    assert len(LEAST) == len(numbers)
    assert found["connections of the host"] == 2.0
    assert found["connections beside busy hours"] < 0
    assert found["bytes out beside in"] == pytest.approx(6.64, abs=0.01)
