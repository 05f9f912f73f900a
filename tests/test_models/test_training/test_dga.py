"""Training the DGA model: small, whole and the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analyzer.models.dga import DgaModel, shipped_model
from analyzer.models.training import dga, dga_fit, dga_hosts, dga_material
from analyzer.models.training.dga import hosts_found, main, separation
from tests.traffic import names

WORDS = [
    f"{a}{b}{c}" for a in "bdfgklmn" for b in ("an", "er", "ingo") for c in ("tral", "mo", "s")
]


def test_separation() -> None:
    honest, generated = np.arange(1000.0), np.array([500.0, 995.0, 2000.0, 3000.0])
    assert separation(honest, generated) == {
        "auc": pytest.approx((0.5005 + 0.9955 + 2) / 4, abs=1e-3),
        "found at 1.0%": 0.75,
        "found at 0.1%": 0.5,
    }


def test_hosts_found() -> None:
    model = shipped_model()
    rng = np.random.default_rng(1)
    nothing = hosts_found(rng, np.full(500, -1.0), [[]] * 500, model)
    assert nothing == {"hosts found with 20 names": 0.0, "hosts found with 50 names": 0.0}
    everything = hosts_found(rng, np.full(500, 4.0), [[]] * 500, model)
    assert everything == {"hosts found with 20 names": 1.0, "hosts found with 50 names": 1.0}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (
        (dga_material, "_PER_FAMILY", 12),
        (dga_hosts, "HOSTS", 12),
        (dga_hosts, "HOST_NAMES", (5, 50)),
        (dga, "HOST_NAMES", (5, 50)),
        (dga_fit, "_EPOCHS", 3),
        (dga_fit, "_NETWORKS", 1),
        (dga, "_HOSTS", 5),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rng = np.random.default_rng(1)
    honest = names.site_domains(rng, 600)
    (tmp_path / "honest").write_text("\n".join(honest[:400]))
    (tmp_path / "tail").write_text("\n".join(honest[400:]))
    (tmp_path / "words").write_text("\n".join(WORDS * 20))
    rows = [f"{label}.com,{'ab'[i % 2]}" for i, label in enumerate(names.pseudo_words(rng, 160))]
    (tmp_path / "families.csv").write_text("\n".join(["domain,family", *rows]))
    return [
        "--benign", str(tmp_path / "honest"), "--long-tail", str(tmp_path / "tail"),
        "--words", str(tmp_path / "words"), "--date", "2026-11-21",
    ]  # fmt: skip


@pytest.mark.usefixtures("small")
def test_a_model_is_trained_the_same_each_time(tmp_path: Path, files: list[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        families = ["--families", str(tmp_path / "families.csv")]
        main([*files, *families, "--out", str(tmp_path / name)])
    one, two = tmp_path / "one", tmp_path / "two"
    assert (one / "dga.npz").read_bytes() == (two / "dga.npz").read_bytes()
    card = json.loads((one / "dga.json").read_text())
    assert set(card["families left out"]) == {"a", "b"}
    assert set(card["data"]) == {"honest", "tail", "words", "families.csv"}
    with np.load(one / "dga.npz") as arrays:
        model = DgaModel.from_arrays(dict(arrays))
    assert np.isfinite(model.log_likelihood_ratio(["xkqjwzvbnmtr", "copperlibrary"])).all()


@pytest.mark.usefixtures("small")
def test_a_model_is_trained_without_real_families(tmp_path: Path, files: list[str]) -> None:
    main([*files, "--out", str(tmp_path)])
    assert json.loads((tmp_path / "dga.json").read_text())["families left out"] == {}
