"""What is new to a host, and how unlikely that is."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.baseline.batches import connection_rows
from analyzer.baseline.coding import Coded
from analyzer.baseline.habits import Habits
from analyzer.networks import LocalNetworks

from .rows import DAY, HOSTS, batch, connection, learned

NOON = 4 * DAY + 43_200.0


@pytest.fixture(scope="module")
def habits() -> Habits:
    return Habits(learned())


def coded(habits: Habits, second: float = NOON, **columns: object) -> Coded:
    made = batch([connection(second, **columns)])
    return habits.coded(connection_rows(made, LocalNetworks()))


def test_who_knows_a_peer(habits: Habits) -> None:
    knowing, met = habits.customs.acquaintance(coded(habits))
    assert knowing[0] >= 1
    assert met.tolist() == [True]
    knowing, met = habits.customs.acquaintance(coded(habits, resp_h="203.0.113.3"))
    assert (knowing.tolist(), met.tolist()) == ([0], [False])


def test_who_uses_a_port(habits: Habits) -> None:
    assert habits.customs.users_of(coded(habits))[0] >= 1
    assert habits.customs.users_of(coded(habits, resp_p=8443)).tolist() == [0]


def test_when_a_host_is_active(habits: Habits) -> None:
    at_night = 4 * DAY + 10_800.0
    assert habits.customs.is_active(coded(habits, at_night)).tolist() == [True]
    assert habits.customs.is_active(coded(habits, at_night, orig_h=HOSTS[0])).tolist() == [False]
    # Nobody knows when a stranger is.
    assert habits.customs.is_active(coded(habits, at_night, orig_h="10.0.7.7")).tolist() == [True]


def test_news_by_name(habits: Habits) -> None:
    news = habits.customs.news(coded(habits, resp_p=8443))
    assert list(news) == ["port", "application", "peer", "hour", "unanswered"]
    # On a port that is new, what is spoken is, too.
    assert [name for name, chance in news.items() if chance[0] < 1.0] == ["port", "application"]
    assert np.array_equal(news["port"], habits.customs.port_news(coded(habits, resp_p=8443)))


def test_hours_of_services_are_chances(habits: Habits) -> None:
    hours = habits.customs.service_hours
    assert hours.shape == (len(habits.coding.services) + 1, 24)
    assert hours.min() > 0.0
    assert hours.max() == 1.0
