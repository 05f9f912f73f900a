"""Distributions of sizes, and what is sent every day."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.baseline.batches import connection_rows
from analyzer.baseline.bins import SHAPES
from analyzer.baseline.habits import Habits
from analyzer.networks import LocalNetworks

from .rows import DAY, batch, connection, learned

NOON = 4 * DAY + 43_200.0


@pytest.fixture(scope="module")
def habits() -> Habits:
    return Habits(learned())


def test_a_size_of_every_day_is_routine(habits: Habits) -> None:
    def is_routine(size: int) -> bool:
        rows = connection_rows(batch([connection(NOON, orig_bytes=size)]), LocalNetworks())
        return bool(habits.sizes.is_routine(habits.coded(rows))[0])

    assert is_routine(50_000)
    assert not is_routine(200_000)


@pytest.mark.parametrize("metric", SHAPES)
def test_tails_fall(habits: Habits, metric: str) -> None:
    upper, lower = habits.sizes.host_tails(metric)
    for tails in (upper, lower[:, ::-1], habits.sizes.service_tails(metric)):
        falling = np.diff(tails[:, :-1], axis=1)
        assert (falling <= 1e-9).all()
        assert tails.min() >= 0.0
        assert tails.max() <= 1.0 + 1e-9


def test_each_role_has_a_place_on_each_service(habits: Habits) -> None:
    sizes, coding = habits.sizes, habits.coding
    source = np.arange(-1, len(coding.sources))
    places = {
        (int(habits.groups[host]), service): int(
            sizes.role_places(source[[at]], np.array([service]))[0]
        )
        for at, host in enumerate(source)
        for service in range(len(coding.services))
    }
    assert len(set(places.values())) == len(places)
    assert max(places.values()) < len(sizes.role_tails("ratio"))
