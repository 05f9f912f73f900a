"""Fitting: n-grams in whole steps, and a calibration that is one."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.models.dga_text import Words
from analyzer.models.training.dga_fit import calibration, fit_ngrams

WORDS = Words.of(["water"], [-3.0], [0.0])


def test_ngrams_tell_what_they_were_fitted_to() -> None:
    honest, generated = ["water", "waiter", "winter"] * 4, ["xqzk", "zqxk", "kzqx"] * 4
    kinds = np.array([0.0] * 12 + [1.0] * 12)
    fitted = fit_ngrams(honest + generated, kinds, np.ones(24))
    assert np.abs(fitted.weights.astype(int)).max() <= 127
    sums = fitted.inputs(["watery", "kxqz"], WORDS)[:, 0]
    assert sums[0] < 0 < sums[1]


def test_the_calibration_is_the_ratio_of_the_densities() -> None:
    rng = np.random.default_rng(1)
    honest, generated = rng.normal(0, 1, 40_000), rng.normal(2, 1, 40_000)
    fitted = calibration(honest, generated, np.ones(generated.size))
    for score in (-0.5, 1.0, 2.0):
        # Two normal densities of one width: the logarithm of their ratio is 2 x - 2.
        found = np.interp(score, fitted["scores"], fitted["ratios"])
        assert found == pytest.approx(2 * score - 2, abs=0.35)
    assert (np.diff(fitted["ratios"]) >= 0).all()
    assert np.abs(fitted["ratios"]).max() <= np.log(40_000)


def test_families_count_the_same_in_the_calibration() -> None:
    honest = np.zeros(100)
    generated = np.array([0.0] * 10 + [1.0] * 90)
    rare_counts = calibration(honest, generated, np.array([0.9 / 10] * 10 + [0.1 / 90] * 90))
    often_counts = calibration(honest, generated, np.ones(100))
    assert rare_counts["ratios"][0] > often_counts["ratios"][0]
