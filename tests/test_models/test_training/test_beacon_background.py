"""Simulated background is there, in order, and no clock."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.models.training.beacon_background import BACKGROUND, background


@pytest.mark.parametrize("kind", BACKGROUND)
@pytest.mark.parametrize("window", [7200.0, 86_400.0])
def test_pairs(kind: str, window: float) -> None:
    for seed in range(20):
        ts = background(np.random.default_rng(seed), kind, window=window)
        assert len(ts) >= 8
        assert (np.diff(ts) >= 0).all()
        assert 0 <= ts[0] <= ts[-1] < window


@pytest.mark.parametrize("kind", BACKGROUND)
def test_intervals_differ(kind: str) -> None:
    """Half of them are further than a tenth from the median, in nearly every pair."""
    steady = 0
    for seed in range(40):
        gaps = np.diff(background(np.random.default_rng(seed), kind, window=86_400.0))
        middle = np.median(gaps)
        steady += int((np.abs(gaps - middle) <= 0.1 * middle).mean() > 0.5)
    assert steady <= 4
