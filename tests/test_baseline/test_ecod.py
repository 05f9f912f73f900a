"""ECOD: tails of a reference, added up, that go on beyond it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analyzer.baseline.ecod import Ecod


def test_within_the_reference_it_is_the_share_beyond() -> None:
    reference = np.arange(1.0, 100.0)[:, None]
    # Not skewed, so the right tail is taken: 1 of 99 is at or above 99, 50 at or above 50.
    scores = Ecod(reference).anomaly(np.array([[99.0], [50.0]]))
    assert scores == pytest.approx([math.log(100), math.log(100 / 50)])


def test_both_sides_count() -> None:
    scores = Ecod(np.arange(1.0, 100.0)[:, None]).anomaly(np.array([[1.0], [99.0]]))
    assert scores[0] == pytest.approx(scores[1])


def test_it_goes_on_beyond_the_largest() -> None:
    reference = np.concatenate([np.zeros(980), np.repeat([1.0, 2.0], 10)])[:, None]
    at, beyond, far = Ecod(reference).anomaly(np.array([[2.0], [3.0], [12.0]]))
    assert at < beyond < far
    assert far - beyond == pytest.approx(9.0 / max(1.0 / math.log(2), 0.5), rel=0.6)


def test_features_add_up() -> None:
    reference = np.column_stack([np.arange(100.0), np.arange(100.0)])
    one, both = Ecod(reference).anomaly(np.array([[99.0, 50.0], [99.0, 99.0]]))
    assert both > one


def test_what_is_judged_does_not_change_the_reference() -> None:
    model = Ecod(np.arange(100.0)[:, None])
    alone = model.anomaly(np.array([[500.0]]))
    flood = model.anomaly(np.full((1000, 1), 500.0))
    assert flood[0] == alone[0]
