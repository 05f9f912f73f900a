"""The beacon model: its size, its monotony, its speed, and what it says of plain cases."""

from __future__ import annotations

import time
from importlib import resources

import numpy as np
import pytest

from analyzer.errors import ModelError
from analyzer.intervals import SHAPE, Floats, event_keys, shapes
from analyzer.models.beacon import DIRECTIONS, beacon_model, model_of
from analyzer.models.model_file import load_model


def features(*series: Floats) -> Floats:
    owner = np.repeat(np.arange(len(series)), [len(ts) for ts in series])
    keys = event_keys(owner, np.concatenate(series))
    keys.sort()
    return shapes(keys, fewest=7).features


def test_it_fits_into_a_hundred_kilobytes() -> None:
    folder = resources.files("analyzer.models")
    assert sum(len((folder / f"beacon.{kind}").read_bytes()) for kind in ("npz", "json")) < 100_000


def test_its_card() -> None:
    _, card = load_model("beacon")
    assert card["features"] == DIRECTIONS
    assert max(card["figures"]["false"].values()) <= 0.01
    assert min(card["figures"]["found"].values()) >= 0.9


def test_more_of_what_speaks_for_a_beacon_never_speaks_against_it() -> None:
    rng = np.random.default_rng(1)
    rows = features(*(np.cumsum(rng.gamma(k % 9 + 0.5, 60, 40 + k)) for k in range(400)))
    model = beacon_model()
    before = model.scores(rows)
    for column, name in enumerate(SHAPE):
        for step in (0.01, 0.3, 5.0):
            moved = rows.copy()
            moved[:, column] += DIRECTIONS[name] * step
            assert (model.scores(moved) >= before - 1e-9).all(), name


@pytest.mark.parametrize(
    ("jitter", "count", "alarm"),
    [(0.0, 12, 1e-3), (0.2, 24, 2e-4), (0.5, 100, 2e-4), (0.9, 300, 0.01)],
)
def test_sleeps(jitter: float, count: int, alarm: float) -> None:
    rng = np.random.default_rng(2)
    series = [np.cumsum(60 * (1 + jitter * rng.uniform(-1, 1, count))) for _ in range(50)]
    assert np.quantile(beacon_model().false_alarm(features(*series)), 0.9) <= alarm


def test_independent_calls_are_false_alarms_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    series = [np.cumsum(rng.exponential(60, 20 + k % 200)) for k in range(3000)]
    alarms = beacon_model().false_alarm(features(*series))
    assert (alarms <= 0.01).mean() <= 0.03
    assert (alarms <= 0.001).mean() <= 0.004


def test_speed() -> None:
    rng = np.random.default_rng(4)
    series = [np.cumsum(rng.exponential(60, 60)) for _ in range(4000)]
    begun = time.process_time()
    beacon_model().false_alarm(features(*series))
    assert 4000 / (time.process_time() - begun) >= 15_000


def test_other_features_are_refused() -> None:
    arrays, _ = load_model("beacon")
    with pytest.raises(ModelError, match="other features"):
        model_of(arrays | {"names": arrays["names"][::-1]})
