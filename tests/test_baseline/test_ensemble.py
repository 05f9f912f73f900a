"""Three models on a reference, and how they vote."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.baseline.ensemble import MEMBERS, Ensemble, Voting, voted

SAID = np.array([[1.0, 3.0, 5.0], [2.0, 2.0, 2.0]])


@pytest.mark.parametrize(
    ("voting", "expected"),
    [
        ("majority", [3.0, 2.0]),
        ("any", [5.0 - np.log10(3), 2.0 - np.log10(3)]),
        ("all", [1.0, 2.0]),
        ("mean", [3.0, 2.0]),
    ],
)
def test_voting(voting: Voting, expected: list[float]) -> None:
    assert voted(SAID, voting) == pytest.approx(expected)


def test_order_does_not_matter_and_nothing_is_below_nothing() -> None:
    assert voted(SAID[:, ::-1], "majority").tolist() == [3.0, 2.0]
    assert voted(np.zeros((1, 3)), "any").tolist() == [0.0]


def reference(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(400, 3)) * [1.0, 10.0, 0.0]


def test_all_find_what_lies_apart() -> None:
    models = Ensemble(reference(1), np.ones(3))
    near, far = models.anomalies(np.array([[0.0, 0.0, 0.0], [9.0, 90.0, 9.0]]))
    assert near.shape == (len(MEMBERS),)
    assert (far > near).all()


def test_a_feature_without_spread_counts_by_the_least_there_is() -> None:
    rows = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 8.0]])
    near, far = Ensemble(reference(2), np.ones(3)).anomalies(rows)
    assert far[2] - near[2] > 7.0


def test_the_same_reference_gives_the_same_models() -> None:
    rows = reference(3)[:50] + 0.5
    one, other = (Ensemble(reference(4), np.ones(3)).anomalies(rows) for _ in range(2))
    assert (one == other).all()
