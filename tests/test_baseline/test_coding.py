"""Connections as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.baseline.batches import connection_rows
from analyzer.baseline.coding import RATIO, Coded, ratio_of
from analyzer.baseline.habits import Habits
from analyzer.networks import LocalNetworks

from .rows import DAY, HOSTS, SERVER, STEADY, batch, connection, learned

NOON = 4 * DAY + 43_200.0


@pytest.fixture(scope="module")
def habits() -> Habits:
    return Habits(learned())


def coded(habits: Habits, *rows: dict[str, object]) -> Coded:
    made = [connection(NOON, **row) for row in rows]
    return habits.coded(connection_rows(batch(made), LocalNetworks()))


def test_ratios() -> None:
    bins = {"bytes_out": np.array([10, 255, 10]), "bytes_in": np.array([10, 4, 4])}
    assert ratio_of(bins).tolist() == [RATIO, 255, RATIO + 6]


def test_what_is_missing_is_not_asked_for(habits: Habits) -> None:
    rows = connection_rows(batch([connection(NOON)]), LocalNetworks())
    coded = habits.coded(rows[["source", "peer", "outside"]])
    assert habits.customs.peer_news(coded).tolist() == [1.0]
    assert coded.way.tolist() == [-1]
    assert STEADY in habits.coding.sources.texts


def test_what_is_not_known_has_no_number(habits: Habits) -> None:
    rows = coded(habits, {}, {"orig_h": "10.0.7.7", "resp_h": "203.0.113.3", "resp_p": 8443})
    known, unknown = rows.taken(np.array([0])), rows.taken(np.array([1]))
    assert len(rows) == 2
    assert len(known) == len(unknown) == 1
    assert habits.coding.sources.texts[known.source[0]] == STEADY
    assert habits.coding.peers.texts[known.peer[0]] == SERVER
    assert (unknown.source[0], unknown.peer[0]) == (-1, -1)
    # A port that is no service is judged by all that are none.
    assert unknown.place[0] != known.place[0]
    assert HOSTS[0] in habits.coding.sources.texts
