"""Intervals: which events are one contact, what is fast, and what each measure says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analyzer.intervals import SHAPE, Floats, Shapes, event_keys, event_owner, shapes, windows


def measure(*series: Floats, fewest: int = 3) -> Shapes:
    owner = np.repeat(np.arange(len(series)), [len(ts) for ts in series])
    keys = event_keys(owner, np.concatenate(series))
    keys.sort()
    return shapes(keys, fewest=fewest)


def features(ts: Floats) -> dict[str, float]:
    (row,) = measure(ts).features
    return dict(zip(SHAPE, row.tolist(), strict=True))


CLOCK: Floats = np.arange(0.0, 3000.0, 60.0)


def test_a_clock() -> None:
    shape = measure(CLOCK)
    assert (shape.medians[0], shape.deviations[0], shape.counts[0]) == (60.0, 0.0, 49)
    row = features(CLOCK)
    assert row == pytest.approx(
        dict.fromkeys(SHAPE, 0.0)
        | {"count": math.log(49), "coverage": 1.0, "low": 1.0, "multiples": 1.0}
    )


def test_independent_calls() -> None:
    ts = np.cumsum(np.random.default_rng(1).exponential(600, 4000))
    row = features(ts)
    assert row["local_variation"] == pytest.approx(1, abs=0.1)
    assert row["quartiles"] == pytest.approx(math.log(math.log(4) / math.log(4 / 3)), abs=0.1)
    assert row["tails"] == pytest.approx(math.log(math.log(10) / math.log(10 / 9)), abs=0.2)
    assert row["low"] == pytest.approx(math.log(10 / 9) / math.log(2), abs=0.05)
    assert row["coverage"] == pytest.approx(math.log(2), abs=0.05)


def test_scale_does_not_matter() -> None:
    ts = np.cumsum(np.random.default_rng(2).uniform(20, 60, 200))
    assert features(ts) == pytest.approx(features(ts * 60), abs=0.01)


def test_retries_and_parallel_connections_are_one_contact() -> None:
    repeated = np.sort(np.concatenate((CLOCK, CLOCK + 0.2, CLOCK + 4.0)))
    assert features(repeated) == pytest.approx(features(CLOCK))


def test_a_fast_cadence_is_not_joined() -> None:
    fast = np.sort(np.concatenate((CLOCK / 20, CLOCK / 20 + 0.1)))
    assert measure(fast).medians.tolist() == [3.0]


def test_lost_calls_leave_multiples() -> None:
    kept = CLOCK[np.arange(50) % 4 != 0]
    assert features(kept)["multiples"] == 1.0
    assert features(kept)["narrowest_half"] == 0.0


def test_a_page_load_leaves_too_little() -> None:
    page = np.array([0, 0.1, 0.2, 0.9, 1.7, 2.0, 2.1, 2.4])
    shape = measure(page, CLOCK, fewest=7)
    assert shape.owner.tolist() == [1]


def test_nothing() -> None:
    empty = np.empty(0)
    for shape in (measure(empty), measure(np.array([5.0])), measure(np.zeros(50))):
        assert shape.features.shape == (0, len(SHAPE))


def test_series_are_measured_alike_alone_and_in_company() -> None:
    """Portions hold whole series, wherever they are cut."""
    rng = np.random.default_rng(3)
    series = [np.cumsum(rng.exponential(30, 400)) for _ in range(800)]
    together = measure(*series)
    assert together.owner.tolist() == list(range(800))
    alone = np.concatenate([measure(ts).features for ts in series[::97]])
    assert together.features[::97] == pytest.approx(alone)


def test_windows() -> None:
    keys = event_keys(np.array([3] * 5 + [7] * 3), np.array([1, 2, 3, 11, 12, 1, 21, 22.0]))
    cut, owner, window = windows(keys, 10.0, fewest=2)
    assert owner.tolist() == [3, 3, 7]
    assert window.tolist() == [0, 1, 2]
    assert event_owner(cut).tolist() == [0, 0, 0, 1, 1, 2, 2]
    none, _, _ = windows(keys[:0], 10.0, fewest=2)
    assert none.size == 0
