"""Strobes: rate and number, what is left out, proxies and floods.

A threshold of 1,440 a day, one a minute, shows with a sixtieth of the rows what 86,400 does.
"""

from __future__ import annotations

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.strobe import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, detect

HOST = "10.0.0.5"
SERVER = "198.51.100.7"
HOURLY = Parameters(connections=1440)
MINUTE = 60.0


def strobe(
    count: int,
    gap: float,
    *,
    source: str = HOST,
    destination: str = SERVER,
    port: int = 443,
    proto: str = "tcp",
    begin: float = 0.0,
    answered: bool = True,
) -> list[Row]:
    return [
        connection(
            begin + gap * k,
            source,
            destination,
            port,
            proto=proto,
            answered=answered,
            orig_bytes=100,
            resp_bytes=300,
        )
        for k in range(count)
    ]


def found(rows: list[Row], parameters: Parameters = HOURLY) -> list[Detection]:
    return detect(DETECTOR, parameters, rows)


def test_a_day_of_it() -> None:
    (detection,) = found(strobe(1440, MINUTE))
    assert (detection.source, detection.destination) == (HOST, SERVER)
    assert (detection.port, detection.proto) == (443, "tcp")
    assert (detection.technique, detection.best) == ("T1071.001", "first")
    assert (detection.first, detection.last) == (START, START + 1439 * MINUTE)
    assert detection.connections == 1440
    assert detection.message == (
        "10.0.0.5 connected to 198.51.100.7 1,440 times on 443/tcp in 24 h, 0.017 times a second"
    )
    assert [
        (item.name, item.observed, item.expected, item.threshold) for item in detection.evidence
    ] == [
        ("connections", 1440, None, 1440),
        ("time they took", 86_280, None, None),
        ("connections a second", 0.017, None, 0.017),
        ("share of the source's outside connections", 1.0, None, 0.25),
        ("share without an answer", 0.0, None, 0.9),
        ("bytes a connection", 400, None, None),
        ("local hosts that met it", 1, 1, None),
    ]
    assert Severity.of(detection.score) is Severity.MEDIUM


@pytest.mark.parametrize(
    ("count", "gap", "expected"),
    [
        (59, 60.0, None),
        (61, 60.0, 0.502),
        (240, 60.0, 0.7),
        (721, 60.0, 0.8),
        (1441, 6.0, 0.85),
        (480, 180.0, 0.705),
        (480, 600.0, 0.5),
        (7201, 0.6, 0.9),
        (61, 0.6, 0.502),
    ],
)
def test_scores(count: int, gap: float, expected: float | None) -> None:
    """Of rate and number, whichever speaks less."""
    scores = [each.score for each in found(strobe(count, gap))]
    assert scores == ([] if expected is None else [pytest.approx(expected, abs=3e-3)])


def test_the_pause_between_two_days_does_not_count() -> None:
    rows = strobe(500, 30.0) + strobe(500, 30.0, begin=3 * 86_400.0)
    (detection,) = found(rows)
    assert detection.connections == 1000
    assert detection.score == pytest.approx(0.811, abs=1e-3)


def test_a_flood() -> None:
    (detection,) = found(strobe(1441, 6.0, answered=False))
    assert (detection.technique, detection.best) == ("T1498.001", "failed")


def test_a_proxy() -> None:
    elsewhere = [row for k in range(3) for row in strobe(1500, 6.0, port=8000 + k)]
    scores = {each.port: each.score for each in found(strobe(1441, 6.0) + elsewhere)}
    assert scores[443] == 0.79
    scores = {each.port: each.score for each in found(strobe(1441, 6.0) + elsewhere[:3000])}
    assert scores[443] == pytest.approx(0.85, abs=1e-4)


def test_rare_and_common_destinations() -> None:
    rows = strobe(1441, 6.0)
    rare = [connection(k, f"10.0.1.{k + 1}", "203.0.113.1", 443) for k in range(60)]
    common = [row | {"resp_h": SERVER, "resp_p": 80} for row in rare]
    assert [each.score for each in found(rows + rare)] == [pytest.approx(0.9, abs=1e-4)]
    assert [each.score for each in found(rows + common)] == [pytest.approx(0.7, abs=1e-4)]


@pytest.mark.parametrize(
    "rows",
    [
        strobe(1500, 6.0, destination="10.0.0.9"),
        strobe(1500, 6.0, source="203.0.113.5"),
        strobe(1500, 6.0, port=53, proto="udp"),
        strobe(1500, 6.0, port=123, proto="udp"),
        [row | {"resp_p": k + 1} for k, row in enumerate(strobe(1500, 6.0))],
        [],
    ],
    ids=["inside", "from outside", "dns", "ntp", "many ports", "nothing"],
)
def test_not_looked_at(rows: list[Row]) -> None:
    assert found(rows) == []


def test_order_and_missing_columns_do_not_matter() -> None:
    rows = strobe(1441, 6.0) + strobe(1441, 6.0, destination="198.51.100.8")
    bare = [row | {"orig_bytes": None, "resp_bytes": None, "uid": None} for row in rows]
    assert found(rows) == found(rows[::-1])
    assert [each.score for each in found(bare)] == [each.score for each in found(rows)]
