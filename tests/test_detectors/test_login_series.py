"""Series of connections: the busiest window, its run, what is alike, what is a routine."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.detectors.login_attempts import WIDTH_IN, WIDTH_OUT
from analyzer.detectors.login_series import alike, busiest, series_of

HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("values", "weights", "expected"),
    [
        ([0.0], None, (0, 1)),
        ([0.0, 5.0, 6.0, 7.0, 20.0], None, (1, 4)),
        ([0.0, 1.0, 10.0, 11.0], None, (0, 2)),
        ([0.0, 1.0, 10.0], [0.5, 0.5, 2.0], (2, 3)),
    ],
)
def test_the_busiest_window(
    values: list[float], weights: list[float] | None, expected: tuple[int, int]
) -> None:
    counted = None if weights is None else np.array(weights)
    assert busiest(np.array(values), 2.0, counted) == expected


def test_a_run_ends_at_a_pause() -> None:
    times = np.array([0.0, 100.0, 200.0, 201.0, 202.0, 290.0, 500.0])
    series = series_of(times, 100.0)
    assert (series.busiest, series.count, series.seconds) == (4, 6, 290.0)
    assert (series.first, series.last) == (0, 6)


def test_alike() -> None:
    received = np.array([2336.0, 2392, 2448, 2336, 9000, 40])
    sent = np.array([2581.0, 2733, 2885, 200, 2581, 2581])
    same = alike((received, WIDTH_IN), (sent, WIDTH_OUT))
    assert same.tolist() == [True, True, True, False, False, False]


def test_a_clock() -> None:
    assert series_of(np.arange(30, dtype=float) * 60.0, 1800.0).is_paced()
    assert not series_of(np.arange(30, dtype=float) * 5.0, 1800.0).is_paced()
    assert not series_of(np.array([3.0]), 1800.0).is_paced()
    uneven = np.cumsum(np.where(np.arange(30) % 2, 20.0, 90.0))
    assert not series_of(uneven, 1800.0).is_paced()


def test_a_constant_pace() -> None:
    assert series_of(np.arange(720, dtype=float) * 30.0, 1800.0).is_constant()
    assert not series_of(np.arange(240, dtype=float) * 30.0, 1800.0).is_constant()
    burst = np.sort(np.concatenate([np.arange(0, 6 * HOUR, 600.0), np.arange(0, 600.0)]))
    assert not series_of(burst, 1800.0).is_constant()


def test_daily() -> None:
    job = np.arange(60, dtype=float) * 10.0
    assert series_of(np.concatenate([job, job + DAY + 600]), 1800.0).is_daily()
    assert not series_of(np.concatenate([job, job + DAY / 2]), 1800.0).is_daily()
    assert not series_of(np.concatenate([job, job[:20] + DAY]), 1800.0).is_daily()
