"""Models are written the same each time, read back equal, and refused when damaged."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import ModelError
from analyzer.models.model_file import load_model, save_model

ARRAYS = {"weights": np.arange(5, dtype=np.int8), "bias": np.array([0.5])}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("analyzer.models.model_file.resources.files", lambda _: tmp_path)
    save_model(tmp_path, "toy", ARRAYS, {"date": "2026-11-21"})
    return tmp_path


def test_a_model_reads_back(folder: Path) -> None:
    arrays, card = load_model("toy")
    assert {key: list(value) for key, value in arrays.items()} == {
        "weights": [0, 1, 2, 3, 4],
        "bias": [0.5],
    }
    assert card["date"] == "2026-11-21"
    assert folder.joinpath("toy.npz").is_file()


def test_a_model_is_the_same_bytes_each_time(folder: Path) -> None:
    before = (folder / "toy.npz").read_bytes()
    save_model(folder, "toy", dict(reversed(ARRAYS.items())), {})
    assert (folder / "toy.npz").read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "card", "missing", "no json"])
def test_a_damaged_model_is_refused(folder: Path, damage: str) -> None:
    data, card = folder / "toy.npz", folder / "toy.json"
    match damage:
        case "cut":
            data.write_bytes(data.read_bytes()[:-1])
        case "card":
            card.write_text(json.dumps({}))
        case "missing":
            data.unlink()
        case _:
            card.write_text("{")
    with pytest.raises(ModelError, match="toy"):
        load_model("toy")


def test_objects_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        save_model(tmp_path, "toy", {"weights": np.array([{}], dtype=object)}, {})


def test_pickles_are_never_loaded(folder: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.array([{}], dtype=object))
    (folder / "toy.npz").write_bytes(buffer.getvalue())
    card = {"sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}
    (folder / "toy.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="toy"):
        load_model("toy")
