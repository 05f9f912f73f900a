"""Transfers: cut out of connections, with what other days have of the like."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.detectors.transfers import DAY, HOUR, SPAN, Transfer, connections_of, transfers

from . import START, connection, holding


def rows_of(*sent: tuple[float, float], large: float = 500_000.0) -> pd.DataFrame:
    """Rows of one source and place at times (s) with bytes."""
    return pd.DataFrame(
        {
            "orig_h": "10.0.0.5",
            "place": "example.com",
            "resp_h": "203.0.113.9",
            "resp_p": 443,
            "proto": "tcp",
            "large": [size >= large for _, size in sent],
            "first": [second for second, _ in sent],
            "last": [second for second, _ in sent],
            "end": [second + 60.0 for second, _ in sent],
            "sent": [size for _, size in sent],
            "received": 100.0,
            "connections": 1,
        }
    )


def cut(*sent: tuple[float, float], least: float = 10e6) -> list[Transfer]:
    return list(transfers(rows_of(*sent), least))


def test_a_transfer_is_what_lies_within_a_day() -> None:
    assert cut((0, 9e6)) == []
    (one,) = cut((0, 9e6), (SPAN, 2e6))
    assert (one.sent, one.received, one.first, one.last) == (11e6, 200.0, 0, SPAN)
    assert one.lasted == SPAN + 60
    assert cut((0, 9e6), (SPAN + 1, 2e6)) == []


def test_every_night_stands_alone() -> None:
    nights = cut(*((DAY * k, 50e6) for k in range(4)))
    assert [night.sent for night in nights] == [50e6] * 4
    assert {(night.likes, night.clock_likes) for night in nights} == {(3, 3)}


@pytest.mark.parametrize(
    ("second", "size", "likes", "clock_likes"),
    [
        (DAY, 50e6, 1, 1),
        (DAY + 0.9 * HOUR, 13e6, 1, 1),
        (DAY + 5 * HOUR, 50e6, 1, 0),
        (DAY, 12e6, 0, 0),
    ],
)
def test_the_like(second: float, size: float, likes: int, clock_likes: int) -> None:
    first = min(cut((0, 50e6), (second, size)), key=lambda each: each.first)
    assert (first.likes, first.clock_likes) == (likes, clock_likes)


def test_small_talk_around_it_is_left_out() -> None:
    (one,) = cut((0, 900), (5000, 20e6), (5100, 300), (5200, 20e6), (9000, 900))
    assert (one.first, one.last, len(one.rows)) == (5000, 5200, 3)
    (small,) = cut(*((60.0 * k, 400_000) for k in range(40)))
    assert len(small.rows) == 40


def test_how_fast() -> None:
    (fast,) = cut((0, 20e6), (HOUR, 20e6), (5 * HOUR, 10e6))
    (slow,) = cut(*((HOUR * 1.1 * k, 5e6) for k in range(6)))
    assert fast.hour_share == 0.8
    assert slow.hour_share == pytest.approx(1 / 6)
    assert (fast.active_hours, slow.active_hours) == (3, 6)


def test_chunks() -> None:
    assert cut(*((60.0 * k, 5e6) for k in range(5)))[0].chunks == 5
    assert cut(*((60.0 * k, 5e6) for k in range(4)))[0].chunks == 0
    assert cut(*((60.0 * k, (4 + k) * 1e6) for k in range(5)))[0].chunks == 0


def test_small_connections_are_counted_together() -> None:
    conn = [
        connection(10.0 * k, "10.0.0.5", "203.0.113.9", 443)
        | {"orig_bytes": size, "resp_bytes": 10, "orig_pkts": 5000, "duration": 5.0}
        for k, size in enumerate([100, 200, 900_000, 800_000])
    ]
    pairs = pd.DataFrame({"orig_h": ["10.0.0.5"], "resp_h": ["203.0.113.9"]})
    with holding(conn) as records:
        rows = connections_of(records, pairs, 500_000.0)
    assert rows.sent.to_list() == [300.0, 900_000.0, 800_000.0]
    assert rows.connections.to_list() == [2, 1, 1]
    assert (rows["first"] - START).to_list() == [0, 20, 30]
    assert (rows.end - START).to_list() == [15, 25, 35]


@pytest.mark.parametrize(("packets", "sent"), [(3, 3 * 65_535.0), (6, 4e9), (None, 4e9), (0, 4e9)])
def test_few_packets_carry_little(packets: int | None, sent: float) -> None:
    row = connection(0, "10.0.0.5", "203.0.113.9", 443)
    row |= {"orig_bytes": 4_000_000_000, "orig_pkts": packets}
    pairs = pd.DataFrame({"orig_h": ["10.0.0.5"], "resp_h": ["203.0.113.9"]})
    with holding([row]) as records:
        assert connections_of(records, pairs, 500_000.0).sent.to_list() == [sent]
