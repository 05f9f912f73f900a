"""What the DGA model is trained on: which names, in which fold, with which weight."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from analyzer.models.training import dga_material
from analyzer.models.training.dga_material import (
    FOLDS,
    HELD_OUT,
    Named,
    group,
    is_held_out,
    material,
    named,
    read_families,
    read_names,
)

WORDS = [f"{a}{b}{c}" for a in "bdfgklmn" for b in ("an", "er", "ingo") for c in ("tral", "mo", "")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.Example.co.uk.", Named("example", "uk")),
        ("example.com\n", Named("example", "com")),
        ("someone.dyndns.org", Named("someone", "org")),
        ("co.uk", None),
        ("xn--bcher-kva.de", None),
        ("", None),
    ],
)
def test_the_label_under_the_public_suffix(name: str, expected: Named | None) -> None:
    assert named(name) == expected


def test_names_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("# names\nb.com\nwww.b.com\n\na.net\n")
    (tmp_path / "b").write_text("b.org\nc.org\n")
    found = read_names([tmp_path / "a", tmp_path / "b"])
    assert found == [Named("a", "net"), Named("b", "com"), Named("c", "org")]


@pytest.mark.parametrize("packed", [True, False])
def test_families_are_read(tmp_path: Path, *, packed: bool) -> None:
    text = "domain,family\na.com,legit\nb.com,two\nd.com,one\nc.net,one\nc.org,one\n"
    file = tmp_path / ("f.csv.gz" if packed else "f.csv")
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert read_families(file) == {"one": ["c", "d"], "two": ["b"]}


def test_a_share_of_labels_is_held_out() -> None:
    held_out = sum(is_held_out(f"label{i}") for i in range(5000))
    assert held_out == pytest.approx(5000 / HELD_OUT, rel=0.1)


def test_versions_of_a_family_are_left_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [group(name) for name in ("a_v1", "a_2", "gozi_gpl", "gozi_rfc4343", "b_c")] == [
        "a", "a", "gozi", "gozi", "b_c",
    ]  # fmt: skip
    monkeypatch.setattr(dga_material, "_PER_FAMILY", 5)
    families = {name: [f"{name}{i}" for i in range(20)] for name in ("a_v1", "a_v2", "b", "c")}
    honest = {f"honest{i}": i % 2 == 0 for i in range(100)}
    made = material(honest, families, WORDS * 40, np.random.default_rng(1))
    folds = {
        family: {f for f, own in zip(made.fold, made.family, strict=True) if own == family}
        for family in families
    }
    assert all(len(found) == 1 for found in folds.values())
    assert folds["a_v1"] == folds["a_v2"]
    assert set(made.fold) == set(range(FOLDS))


def test_both_kinds_and_all_families_weigh_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dga_material, "_PER_FAMILY", 5)
    families = {"one": ["x"], "two": ["y", "z"]}
    made = material(
        {"a": True, "b": False, "c": False}, families, WORDS * 40, np.random.default_rng(1)
    )
    weight, generated = np.array(made.weight), np.array(made.generated)
    assert weight[generated].sum() == pytest.approx(1.0)
    assert weight[~generated].sum() == pytest.approx(1.0)
    names = np.array(made.family)
    assert weight[names == "one"].sum() == pytest.approx(weight[names == "two"].sum())
    by_label = dict(zip(made.labels, weight.tolist(), strict=True))
    assert by_label["a"] > by_label["b"] == by_label["c"]
