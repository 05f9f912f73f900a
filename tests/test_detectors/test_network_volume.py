"""Volume of the network: floods of many, by hours of the day."""

from __future__ import annotations

from analyzer.detectors import Detection
from analyzer.detectors.network_volume import DETECTOR, Parameters, unusual_slots
from analyzer.findings import Severity

from . import START, Row, connection, evidence
from .learned import HOUR, compared, days, detect_against

SERVER = "10.0.0.9"


def ordinary() -> list[Row]:
    return [
        connection(60.0 * k + 1, f"10.0.1.{k % 9 + 1}", SERVER, 443, orig_bytes=500, resp_bytes=900)
        for k in range(1440)
    ]


def flood(sources: int, count: int, *, begin: float = 50_100.0) -> list[Row]:
    return [
        connection(
            begin + 0.01 * k, f"198.51.{k % sources // 200}.{k % sources % 200 + 1}", SERVER, 443
        )
        for k in range(count)
    ]


def found(rows: list[Row]) -> list[Detection]:
    day = ordinary()
    return detect_against(DETECTOR, Parameters(), days(4, day), [*day, *rows])


def test_a_flood_of_many() -> None:
    (detection,) = found(flood(4000, 12_000))
    assert detection.destination == SERVER
    assert detection.technique == "T1498"
    assert detection.score >= Severity.LOW.bound
    assert (detection.first, detection.last) == (START + 50_100, START + 50_400)
    said = evidence(detection)
    assert said["connections in 5 min"] == 12_005
    assert said["part of the excess that one host began"] == 0.0
    assert said["part of it that one host answered"] == 1.0
    assert said["such spans of that day"] == 1
    assert SERVER in detection.message


def test_one_originator_is_the_news_of_other_rules() -> None:
    assert found(flood(1, 12_000)) == []


def test_what_is_little_is_not_looked_at() -> None:
    assert found(flood(500, 900)) == []


def test_one_detection_a_day() -> None:
    rows = [*flood(4000, 12_000), *flood(4000, 12_000, begin=70_200.0)]
    assert len(found(rows)) == 1


def test_hours_are_judged_by_themselves() -> None:
    busy = [
        connection(14 * HOUR + k / 6, f"10.0.2.{k % 200}", SERVER, 443, uid=f"b{k}")
        for k in range(6000)
    ]
    learned = days(4, [*ordinary(), *busy])
    by_day, by_night = (
        compared(learned, flood(4000, 2000, begin=begin)) for begin in (14 * HOUR, 3 * HOUR)
    )
    assert unusual_slots(by_day, Parameters()).empty
    (row,) = unusual_slots(by_night, Parameters()).to_dict("records")
    assert (row["measure"], row["slot"], row["value"]) == ("connections", 36, 2000.0)


def test_bytes_of_many() -> None:
    rows = [row | {"resp_bytes": 200_000} for row in flood(4000, 12_000)]
    # Connections and bytes of the same five minutes are one thing to look at.
    (detection,) = found(rows)
    assert detection.destination == SERVER
