"""The training repeats itself, and leaves out what it is measured on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analyzer.intervals import SHAPE
from analyzer.models.beacon import model_of
from analyzer.models.model_file import load_model
from analyzer.models.training import beacon


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    made = [tmp_path_factory.mktemp(f"model{number}") for number in range(2)]
    for folder in made:
        beacon.train(folder, pairs=60, seed=5)
    return made


def test_the_same_model_each_time(folders: list[Path]) -> None:
    for name in ("beacon.npz", "beacon.json"):
        assert folders[0].joinpath(name).read_bytes() == folders[1].joinpath(name).read_bytes()


def test_it_is_of_the_kind_that_ships(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, card = load_model("beacon")
    monkeypatch.setattr("analyzer.models.model_file.resources.files", lambda _: folders[0])
    arrays, own = load_model("beacon")
    assert {key: value.shape for key, value in arrays.items()} == {
        key: value.shape for key, value in shipped.items()
    }
    assert set(own) == set(card)
    assert set(own["figures"]["found"]) == set(beacon.UNSEEN_SLEEPS)
    assert set(own["figures"]["false"]) == set(beacon.UNSEEN_BACKGROUND)
    assert (np.diff(arrays["tail_scores"]) > 0).all()


def test_trees_as_arrays_score_as_the_classifier_does() -> None:
    sides = [[beacon.simulated(kind, 200, 1)] for kind in ("even", "random_calls")]
    model = model_of(beacon.trained(*sides))
    assert model.leaf.shape[1] == 2**beacon.DEPTH
    rows = np.concatenate([sides[0][0], sides[1][0]])
    expected = beacon.fitted(*sides).decision_function(rows)
    assert np.ptp(expected) > 2
    assert model.scores(rows) == pytest.approx(expected, abs=1e-4)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    argv = ["beacon", "--out", str(tmp_path / "new"), "--pairs", "30", "--seed", "1"]
    monkeypatch.setattr("sys.argv", argv)
    beacon.main()
    assert tmp_path.joinpath("new/beacon.npz").is_file()


def test_features_are_the_columns() -> None:
    assert beacon.simulated("sessions", 20, 3).shape[1] == len(SHAPE)
