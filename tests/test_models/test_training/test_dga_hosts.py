"""Simulated honest hosts: their sums, and the threshold above them."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.models.training import dga_hosts
from analyzer.models.training.dga_hosts import HOST_NAMES, honest_hosts


@pytest.fixture(autouse=True)
def few_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dga_hosts, "HOSTS", 120)


def sums(ratios: np.ndarray, words: list[list[str]] | None = None, seed: int = 1) -> np.ndarray:
    domains = ["com", "net"] * (ratios.size // 2)
    rng = np.random.default_rng(seed)
    return honest_hosts(rng, ratios, domains, words or [[]] * ratios.size, {})


def test_the_sum_of_equal_names_is_known() -> None:
    found = sums(np.full(4000, -0.5))
    np.testing.assert_allclose(found[0, 0], -0.5 * np.array(HOST_NAMES))
    np.testing.assert_allclose(found[0, 1], found[0, 0])
    assert (found[1] == 0).all()


def test_ratios_are_cut() -> None:
    found = sums(np.full(4000, 99.0))
    np.testing.assert_allclose(found[:, 0], [4.0 * np.array(HOST_NAMES)] * 2)


def test_thresholds_lie_above_the_mean_and_what_a_plain_draw_would_reach() -> None:
    ratios = np.random.default_rng(2).normal(-0.5, 0.5, 4000)
    found = sums(ratios)
    spread = found[0, 1] - found[0, 0]
    assert (spread > 0).all()
    # 3.72 standard deviations are one in ten thousand; habits make hosts differ by more.
    assert spread[-1] > 3.72 * ratios.std() * np.sqrt(HOST_NAMES[-1])


def test_words_that_come_back_by_chance_raise_the_threshold() -> None:
    ratios = np.full(4000, -0.5)
    shared = sums(ratios, [[f"word{i % 50}"] for i in range(4000)])
    assert (shared[0, 1, 4:] > sums(ratios)[0, 1, 4:]).all()


def test_the_same_each_time() -> None:
    ratios = np.random.default_rng(2).normal(-0.5, 0.5, 1000)
    np.testing.assert_array_equal(sums(ratios), sums(ratios))
