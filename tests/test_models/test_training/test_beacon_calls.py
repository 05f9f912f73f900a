"""Simulated implants sleep as they should."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.models.training.beacon_calls import SLEEPS, backing_off, beacon

BOUNDS = {"even": (0.5, 1.5), "shortened": (0.5, 1.0), "lengthened": (1.0, 1.5), "bell": (0.02, 9)}


@pytest.mark.parametrize("kind", BOUNDS)
def test_jitter_has_its_bounds(kind: str) -> None:
    sleeps = SLEEPS[kind](np.random.default_rng(1), 2000, 0.5)
    low, high = BOUNDS[kind]
    assert low <= sleeps.min() < sleeps.max() <= high
    steady = SLEEPS[kind](np.random.default_rng(1), 50, 0.0)
    assert steady == pytest.approx(np.ones(50))


def test_waits_double_after_failures() -> None:
    waits = backing_off(np.random.default_rng(2), 3000, 0.0)
    assert set(waits.tolist()) == {1.0, 2.0, 4.0, 8.0}
    assert np.median(waits) == 1.0


@pytest.mark.parametrize("kind", SLEEPS)
@pytest.mark.parametrize("window", [7200.0, 86_400.0])
def test_calls_lie_in_their_window(kind: str, window: float) -> None:
    for seed in range(20):
        ts = beacon(np.random.default_rng(seed), kind, window=window)
        assert len(ts) >= 10
        assert (np.diff(ts) >= 0).all()
        assert ts[0] >= 0
        assert ts[-1] < window + 30
