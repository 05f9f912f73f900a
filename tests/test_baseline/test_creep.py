"""Hosts whose days grow and grow."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.creep import creeping

from . import FIRST, days, frame


def baseline(**sent: list[float]) -> Baseline:
    """Hosts by what they sent on each day."""
    rows = [
        (source, FIRST + day, 9, 5.0, 0.0, value, 0.0, 3.0, 1.0, 2.0, 0.0)
        for source, values in sent.items()
        for day, value in enumerate(values)
    ]
    numbers = range(FIRST, FIRST + max(map(len, sent.values()), default=1))
    return Baseline().joined({"days": days(*numbers), "hours": frame("hours", *rows)})


def test_a_tenth_more_every_day_is_seen() -> None:
    found = creeping(baseline(slow=[1e6 * 1.1**day for day in range(25)], flat=[1e6] * 25))
    assert list(zip(found.source, found.measure, found.days, strict=True)) == [
        ("slow", "bytes_out", 25)
    ]
    assert found.factor[0] == pytest.approx(1.1**17, rel=0.4)
    assert found.chance[0] < 1e-6


def test_few_days_little_growth_and_one_jump_are_not() -> None:
    found = creeping(
        baseline(
            few=[2.0**day for day in range(9)],
            little=[1e6 * 1.02**day for day in range(25)],
            jump=[1e6] * 20 + [1e9],
        )
    )
    assert found.empty
    assert creeping(Baseline()).empty


def test_chance_alone_names_nobody() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    hosts = {f"h{number}": list(rng.lognormal(10, 1.5, 20)) for number in range(150)}
    assert creeping(baseline(**hosts)).empty
