"""What rules beside a baseline have in common."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.detectors.unusual import of_several, score_of_chance
from analyzer.findings import Severity


def test_a_score_is_low_at_what_was_asked_for_and_rises() -> None:
    assert score_of_chance(1e-4, 1e-4) == Severity.LOW.bound
    assert score_of_chance(1e-6, 1e-4) == Severity.MEDIUM.bound
    assert score_of_chance(1e-9, 1e-4) == Severity.HIGH.bound
    assert score_of_chance(0.0, 1e-4) == 0.99
    assert score_of_chance(1.0, 1e-4) < Severity.LOW.bound


def test_the_least_of_several_is_likelier() -> None:
    assert of_several(0.05, 2) == pytest.approx(1 - 0.95**2)
    assert of_several([0.0, 0.5, 1.0], 3).tolist() == pytest.approx([0.0, 0.875, 1.0])
    # A small chance times so many, without a loss of digits.
    assert of_several(1e-20, 100) == pytest.approx(1e-18)
    assert of_several(1e-3, np.array([1, 10])).tolist() == pytest.approx([1e-3, 0.00995512])


def test_what_is_certain_stays_so() -> None:
    assert float(of_several(1.0, 1)) == 1.0
