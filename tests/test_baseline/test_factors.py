"""What drove a score, in words."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analyzer.baseline.batches import connection_rows
from analyzer.baseline.factors import connection_factors, window_factors
from analyzer.baseline.habits import FEATURES, Habits
from analyzer.baseline.paces import Paces
from analyzer.networks import LocalNetworks

from . import FIRST
from .rows import DAY, HOSTS, STEADY, batch, connection, learned

NOON, NIGHT = 43_200.0, 10_800.0


@pytest.fixture(scope="module")
def habits() -> Habits:
    return Habits(learned())


def texts(habits: Habits, second: float = NOON, **columns: Any) -> dict[str, str]:  # noqa: ANN401
    rows = connection_rows(batch([connection(4 * DAY + second, **columns)]), LocalNetworks())
    chances = habits.chances(habits.coded(rows))[0]
    found = connection_factors(habits, rows.iloc[0], chances)
    assert [factor.chance for factor in found] == sorted(factor.chance for factor in found)
    return {factor.name: factor.text for factor in found}


def test_the_usual_has_none(habits: Habits) -> None:
    assert texts(habits) == {}


def test_sizes_beside_the_hosts_own(habits: Habits) -> None:
    found = texts(habits, orig_bytes=250_000)
    assert found["bytes sent"] == "sent 250 kB, this host usually 46 kB"


def test_news(habits: Habits) -> None:
    found = texts(habits, resp_h="203.0.113.3", resp_p=8443, service="ssh")
    assert found["port"] == "8443/tcp, never used by this host outside, by 0 others"
    assert found["peer"] == "203.0.113.3, never met by this host, by 0 others"
    assert found["application"] == "spoke ssh, never spoken by this host on 8443/tcp"


def test_hours(habits: Habits) -> None:
    found = texts(habits, NIGHT, orig_h=HOSTS[0], resp_h="198.51.100.12")
    assert found["hour of the day, UTC"] == "at 03:00 UTC, this host is never active then"


def test_evidence_shows_what_is_usual_and_the_chance(habits: Habits) -> None:
    rows = connection_rows(batch([connection(4 * DAY + NOON, orig_bytes=10**10)]), LocalNetworks())
    chances = habits.chances(habits.coded(rows))[0]
    chances[:] = 1.0
    chances[FEATURES.index("bytes_out of the host")] = 1e-9
    (factor,) = connection_factors(habits, rows.iloc[0], chances)
    assert str(factor.evidence) == (
        "bytes sent 10 GB (expected this host usually 46 kB; chance 1e-09)"
    )


def test_five_minutes() -> None:
    paces = Paces(learned())
    row = pd.DataFrame(
        [
            {
                "source": STEADY,
                "day": FIRST + 4,
                "slot": 144,
                "connections": 3000.0,
                "failed": 0.0,
                "destinations": 1.0,
                "ports": 1.0,
                "bytes_out": 5e4,
                "bytes_in": 5e3,
            }
        ]
    )
    found = window_factors(paces, row.iloc[0], paces.chances(row)[0])
    assert {factor.name for factor in found} == {"connections"}
    usual = {factor.usual for factor in found}
    assert "its busy hours 12" in usual
    assert "at this hour of other days up to 12 an hour" in usual
