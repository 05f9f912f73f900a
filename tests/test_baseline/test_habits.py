"""Chances of a connection's features by what its host, its role and its service do."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.baseline.batches import connection_rows
from analyzer.baseline.habits import FEATURES, Habits
from analyzer.networks import LocalNetworks

from .rows import DAY, HOSTS, batch, connection, learned

NOON = 4 * DAY + 43_200.0


@pytest.fixture(scope="module")
def habits() -> Habits:
    return Habits(learned())


def chances(habits: Habits, second: float = NOON, **columns: Any) -> dict[str, float]:  # noqa: ANN401
    rows = connection_rows(batch([connection(second, **columns)]), LocalNetworks())
    return dict(zip(FEATURES, habits.chances(habits.coded(rows))[0].tolist(), strict=True))


def test_what_a_host_always_does_is_no_news(habits: Habits) -> None:
    found = chances(habits)
    assert found["bytes_out of the host"] == pytest.approx(1.0, abs=0.01)
    for name in ("port", "application", "peer", "hour", "unanswered"):
        assert found[name] == 1.0


def test_a_constant_is_left_either_way(habits: Habits) -> None:
    more, less = (chances(habits, orig_bytes=size) for size in (120_000, 20_000))
    assert more["bytes_out of the host"] < 0.01
    assert less["bytes_out of the host"] < 0.01
    assert less["bytes_out of the service"] > 0.2


def test_far_beyond_is_less_likely_than_just_beyond(habits: Habits) -> None:
    sizes = [10**number for number in range(5, 12)]
    found = [chances(habits, orig_bytes=size)["bytes_out of the host"] for size in sizes]
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0] / 1000


def test_without_an_answer_small_sizes_say_nothing(habits: Habits) -> None:
    found = chances(habits, orig_bytes=0, resp_bytes=0, conn_state="S0", history="S", resp_pkts=0)
    assert found["bytes_in of the host"] > 0.5
    assert found["unanswered"] < 0.01


def test_news_is_less_likely_the_fewer_know_it(habits: Habits) -> None:
    new = chances(habits, resp_p=8443)
    assert new["port"] < 0.01
    assert new["peer"] == 1.0
    known, unknown = (
        chances(habits, resp_h=peer)["peer"] for peer in ("198.51.100.12", "203.0.113.3")
    )
    assert unknown <= known < 1.0


def test_an_application_new_on_its_port(habits: Habits) -> None:
    assert chances(habits, service="ssh")["application"] < 0.01
    assert chances(habits, service=None)["application"] == 1.0


def test_an_hour_at_which_a_host_is_never_active(habits: Habits) -> None:
    assert chances(habits, 4 * DAY + 10_800.0, orig_h=HOSTS[0])["hour"] < 0.01
    assert chances(habits, 4 * DAY + 10_800.0)["hour"] == 1.0


def test_a_host_that_is_not_known_has_no_habits(habits: Habits) -> None:
    stranger = chances(habits, orig_h="10.0.7.7")
    assert (stranger["port"], stranger["peer"], stranger["hour"]) == (1.0, 1.0, 1.0)
    assert chances(habits, orig_h="10.0.7.7", resp_p=8443)["port"] < 1.0
    assert chances(habits, orig_h="10.0.7.7", orig_bytes=10**10)["bytes_out of the host"] < 1e-3
