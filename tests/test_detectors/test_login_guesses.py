"""Guesses that belong together, and what makes a routine of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyzer.derived import LOGIN_SERVICES
from analyzer.detectors.login_guesses import Guesses, Site, routine, together

INSIDE, OUTSIDE = Site(inside=True), Site(inside=False)
DAY = 86_400.0
LIKE = "other local hosts do the like there"


def guesses(times: list[float], service: str = "ssh", sources: int = 1) -> Guesses:
    count = len(times)
    rows = pd.DataFrame(
        {
            "orig_h": [f"10.0.0.{k % sources}" for k in range(count)],
            "resp_h": "10.0.1.1",
            "resp_p": 22,
            "spoken": LOGIN_SERVICES.index(service),
            "ts": times,
        }
    )
    return together(rows, np.ones(count, bool), 1800.0)


def test_together() -> None:
    found = guesses([10.0 * k for k in range(7)], sources=3)
    assert (found.service, found.tried, found.targets) == ("ssh", 7, ["10.0.1.1"])
    assert found.sources == ["10.0.0.0", "10.0.0.1", "10.0.0.2"]
    assert (len(found.window), len(found.run)) == (7, 7)


@pytest.mark.parametrize(
    ("service", "every", "span", "site", "reason"),
    [
        ("ssh", 60.0, 6000.0, OUTSIDE, "by the clock"),
        ("ssh", 60.0, DAY, OUTSIDE, ""),
        ("imap", 60.0, DAY, OUTSIDE, "by the clock"),
        ("ssh", 3.0, 300.0, OUTSIDE, ""),
        ("ssh", 3.0, 300.0, INSIDE, ""),
        ("ssh", 3.0, 300.0, Site(inside=True, own=100, usual=20.0), LIKE),
        ("ssh", 3.0, 300.0, Site(inside=True, own=101, usual=20.0), ""),
        ("ssh", 3.0, 300.0, Site(inside=False, own=1, usual=20.0), ""),
    ],
)  # fmt: skip
def test_routine(service: str, every: float, span: float, site: Site, reason: str) -> None:
    assert routine(guesses([every * k for k in range(100)], service), site, span) == reason


def test_many_sources_have_no_routine() -> None:
    assert routine(guesses([60.0 * k for k in range(100)], sources=4), OUTSIDE, 6000.0) == ""


def test_a_pace_is_honest_if_it_is_slow() -> None:
    uneven = np.random.default_rng(1).uniform(0, 5.0, 20_000)
    fast = sorted((np.arange(20_000) + uneven).tolist())
    slow = fast[::10]
    assert routine(guesses(slow), INSIDE, 20_000.0) == "at the same pace for hours"
    assert routine(guesses(fast), INSIDE, 20_000.0) == ""
    assert routine(guesses(fast, "mysql"), INSIDE, DAY) == "at the same pace for hours"
