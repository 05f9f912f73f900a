"""Long connections: length, what is joined, and what makes more of them than a hint."""

from __future__ import annotations

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.long_connection import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, detect, evidence

HOUR = 3600.0
HOST = "10.0.0.5"
SERVER = "198.51.100.7"


def stay(
    hours: float,
    *,
    begin: float = 0.0,
    source: str = HOST,
    destination: str = SERVER,
    port: int = 443,
    proto: str = "tcp",
    sent: int = 1000,
    received: int = 9000,
) -> Row:
    return connection(
        begin,
        source,
        destination,
        port,
        proto=proto,
        duration=hours * HOUR,
        orig_bytes=sent,
        resp_bytes=received,
    )


def found(rows: list[Row], parameters: Parameters | None = None) -> list[Detection]:
    return detect(DETECTOR, parameters or Parameters(), rows)


def score(*rows: Row) -> float:
    (detection,) = found(list(rows))
    return detection.score


def others(count: int, destination: str = "203.0.113.1") -> list[Row]:
    return [connection(k, f"10.0.1.{k + 1}", destination, 443) for k in range(count)]


def test_one_of_nine_hours() -> None:
    (detection,) = found([stay(9)])
    assert (detection.source, detection.destination) == (HOST, SERVER)
    assert (detection.port, detection.proto, detection.technique) == (443, "tcp", "T1071.001")
    assert (detection.first, detection.last, detection.connections) == (START, START, 1)
    assert detection.message == (
        "10.0.0.5 stayed connected to 198.51.100.7 on 443/tcp for 9 h, in one connection"
    )
    assert [
        (item.name, item.observed, item.expected, item.threshold) for item in detection.evidence
    ] == [
        ("time connected", 9 * HOUR, None, 8 * HOUR),
        ("connections joined", 1, 1, None),
        ("bytes out", 1000, None, None),
        ("bytes in", 9000, None, None),
        ("bytes a second", 0.3, None, 10_000.0),
        ("more out than in", "no", "no", None),
        ("a port that programs use everywhere", "yes", None, None),
        ("local hosts that met it", 1, 1, None),
        ("outside addresses on unusual ports", 0, None, 20),
    ]
    assert Severity.of(detection.score) is Severity.LOW


@pytest.mark.parametrize(
    ("hours", "expected"), [(1, 0.5), (4, 0.65), (8, 0.7), (12, 0.75), (24, 0.79), (240, 0.79)]
)
def test_length_alone_is_a_hint(hours: float, expected: float) -> None:
    assert score(stay(hours)) == expected


def test_less_than_an_hour_is_nothing() -> None:
    assert found([stay(0.99)]) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (stay(8, port=4444), 0.75),
        (stay(8, port=4444, sent=9000), 0.8),
        (stay(8, port=443, sent=9000), 0.75),
        (stay(24, port=443, sent=9000), 0.79),
        (stay(24, port=4444, sent=9000), 0.89),
        (stay(8, port=4444, sent=9000, received=0), 0.75),
        (stay(8, port=4444, sent=400_000_000), 0.75),
        (stay(24, port=4444, proto="udp", sent=9000), 0.79),
        (stay(24, port=5223), 0.64),
        (stay(24, port=22, sent=9000), 0.69),
        (stay(24, port=0, proto="icmp", sent=9000), 0.79),
    ],
    ids=[
        "an unusual port",
        "and more out than in",
        "more out than in",
        "never more than a hint on a usual port",
        "all of it for a day",
        "nothing comes in",
        "too much for a person",
        "udp",
        "push",
        "a shell",
        "icmp",
    ],
)
def test_what_comes_together(row: Row, expected: float) -> None:
    assert score(row) == pytest.approx(expected)


def test_rare_and_common_destinations() -> None:
    assert score(stay(8, port=4444), *others(60)) == pytest.approx(0.8)
    assert score(stay(8, port=4444), *others(60, SERVER)) == pytest.approx(0.6)


def test_a_peer_among_peers() -> None:
    peers = [connection(k, HOST, f"203.0.113.{k + 1}", 20_000 + k) for k in range(20)]
    assert score(stay(24, port=4444, sent=9000), *peers) == 0.79
    assert score(stay(24, port=4444, sent=9000), *peers[:18]) == pytest.approx(0.89)


def test_connections_that_follow_at_once_are_joined() -> None:
    rows = [stay(1, begin=k * (HOUR + 50)) for k in range(9)]
    (detection,) = found(rows)
    assert detection.message == (
        "10.0.0.5 stayed connected to 198.51.100.7 on 443/tcp for 9 h, in 9 connections in a row"
    )
    assert (evidence(detection)["bytes out"], detection.connections) == (9000, 9)
    assert detection.last == START + 8 * (HOUR + 50)
    apart = [stay(1, begin=k * (HOUR + 70)) for k in range(9)]
    assert [evidence(each)["connections joined"] for each in found(apart)] == [1]


def test_parallel_connections_do_not_add_up() -> None:
    (detection,) = found([stay(3, begin=float(k)) for k in range(6)])
    assert evidence(detection)["time connected"] == 3 * HOUR + 5
    assert detection.connections == 6


def test_a_short_one_within_a_long_one_does_not_end_it() -> None:
    rows = [stay(5), stay(0.5, begin=600.0), stay(5, begin=5 * HOUR + 30)]
    (detection,) = found(rows)
    assert evidence(detection)["time connected"] == 10 * HOUR


def test_many_short_ones_do_not_add_up() -> None:
    rows = [stay(599 / HOUR, begin=600.0 * k) for k in range(200)]
    assert found(rows) == []


def test_the_longest_stay_of_a_pair() -> None:
    rows = [stay(2), stay(9, begin=20 * HOUR), stay(3, begin=40 * HOUR)]
    (detection,) = found(rows)
    assert (detection.first, evidence(detection)["time connected"]) == (
        START + 20 * HOUR,
        9 * HOUR,
    )


@pytest.mark.parametrize(
    "row",
    [
        stay(24, destination="10.0.0.9", port=4444),
        stay(24, source="203.0.113.5", port=4444),
        stay(24, port=853),
        stay(24) | {"duration": None},
    ],
    ids=["inside", "from outside", "dns over tls", "no duration"],
)
def test_not_looked_at(row: Row) -> None:
    assert found([row]) == []


def test_missing_bytes_and_order_do_not_matter() -> None:
    rows = [stay(9), stay(10, port=4444)]
    bare = [row | {"orig_bytes": None, "resp_bytes": None, "uid": None} for row in rows]
    assert found(rows) == found(rows[::-1])
    assert [each.score for each in found(bare)] == [each.score for each in found(rows)]
    assert found([]) == []
