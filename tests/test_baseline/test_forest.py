"""The forest scores as scikit-learn's own does, all trees at once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from analyzer.baseline.forest import SEED, TREES, Forest


@pytest.mark.parametrize("size", [2, 60, 700])
def test_it_agrees_with_scikit_learn(size: int) -> None:
    rng = np.random.default_rng(size)
    reference, rows = rng.normal(size=(size, 4)), 3 * rng.normal(size=(50, 4))
    theirs = IsolationForest(
        n_estimators=TREES, max_samples=min(256, size), random_state=SEED, n_jobs=1
    ).fit(reference)
    assert Forest(reference).anomaly(rows) == pytest.approx(-theirs.score_samples(rows))


def test_what_lies_apart_is_set_apart() -> None:
    rng = np.random.default_rng(1)
    reference = rng.normal(size=(500, 3))
    near, far = Forest(reference).anomaly(np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]]))
    assert near < 0.5 < far


def test_a_row_scores_the_same_in_any_company() -> None:
    rng = np.random.default_rng(2)
    forest, rows = Forest(rng.normal(size=(300, 3))), rng.normal(size=(20_000, 3))
    assert forest.anomaly(rows)[17_000] == forest.anomaly(rows[17_000:17_001])[0]
