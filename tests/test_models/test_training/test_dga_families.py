"""Pseudo-families: what they are made of, and that they are the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.models.training.dga_families import pseudo_families, text

WORDS = [f"{first}{last}" for first in ("wa", "tro", "mou") for last in ("ter", "uble", "ntaining")]
COMMON = ["the", "of"]


def some(name: str, count: int = 20, seed: int = 1) -> list[str]:
    rng = np.random.default_rng(seed)
    maker = pseudo_families(rng, WORDS, COMMON)[name]
    return [maker(rng) for _ in range(count)]


@pytest.mark.parametrize("name", pseudo_families(np.random.default_rng(1), WORDS, COMMON))
def test_every_family_makes_labels(name: str) -> None:
    labels = some(name)
    assert labels == some(name)
    for label in labels:
        assert 3 <= len(label) <= 63
        assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(set(labels)) > 5


def test_lengths_are_as_told() -> None:
    assert {len(label) for label in some("letters 6 to 9", 99)} == {6, 7, 8, 9}
    assert {len(label) for label in some("hexadecimal 32 to 32")} == {32}


def test_letters_come_from_the_alphabet() -> None:
    rng = np.random.default_rng(1)
    assert set(text("ab", 50, 50, [1.0, 0.0])(rng)) == {"a"}


def test_families_have_constants_of_their_own() -> None:
    prefixes = {label[:2] for label in some("prefix and hexadecimal")}
    assert len(prefixes) == 1
    assert prefixes != {label[:2] for label in some("prefix and hexadecimal", seed=2)}


def test_running_text_is_made_of_words() -> None:
    assert any("the" in label for label in some("running text"))
