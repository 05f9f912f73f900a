"""Volume of a host: floods, thefts, copies, downloads and routines."""

from __future__ import annotations

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.volume import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, START, Row, connection, evidence
from .learned import HOUR, days, detect_against, usual_day

HOST, OUTSIDE, INSIDE = "10.0.1.5", "203.0.113.9", "10.0.0.9"
GIGABYTE = 1_000_000_000


def transfer(
    hour: float, destination: str, *, sent: int = 0, received: int = 0, source: str = HOST
) -> Row:
    return connection(hour * HOUR, source, destination, 8443, orig_bytes=sent, resp_bytes=received)


def found(*rows: Row, number: int = 4, before: tuple[Row, ...] = ()) -> list[Detection]:
    day = usual_day()
    return detect_against(DETECTOR, Parameters(), days(number, [*day, *before]), [*day, *rows])


def test_a_theft_is_loud() -> None:
    (detection,) = found(transfer(14.5, OUTSIDE, sent=10 * GIGABYTE))
    assert detection.source == HOST
    assert detection.technique == "T1048"
    assert detection.score > Severity.MEDIUM.highest
    assert (detection.first, detection.last) == (START + 14 * HOUR, START + 15 * HOUR)
    assert detection.best == "bytes"
    assert detection.message == (
        "10.0.1.5 sent 10 GB between 14:00 and 15:00 UTC, 32.8 kB on its highest days before"
    )
    said = evidence(detection)
    assert said["sent in an hour"] == pytest.approx(1e10, rel=1e-3)
    assert said["share of the day's bytes sent that left"] == 1.0
    assert said["days of the host learned"] == 4
    assert said["judged by"] == "4 days"


def test_a_copy_inside_is_medium_at_most() -> None:
    (detection,) = found(transfer(14.5, INSIDE, sent=10 * GIGABYTE))
    assert detection.technique == "T1074.002"
    assert detection.score == Severity.MEDIUM.highest


def test_a_download_is_low_at_most() -> None:
    (detection,) = found(transfer(14.5, OUTSIDE, received=10 * GIGABYTE))
    assert detection.technique == "T1105"
    assert detection.score == Severity.LOW.highest
    assert "received 10 GB" in detection.message


def test_a_flood_of_connections() -> None:
    flood = [connection(50_000 + k / 20, HOST, INSIDE, 443) for k in range(3000)]
    (detection,) = found(*flood)
    assert detection.technique == "T1499"
    assert detection.score >= Severity.LOW.bound
    assert detection.best == "first"
    assert evidence(detection)["connections in one minute"] == 1200


def test_much_for_the_host_is_not_much() -> None:
    assert found(transfer(14.5, OUTSIDE, sent=90_000_000)) == []


def test_two_days_are_too_few() -> None:
    assert found(transfer(14.5, OUTSIDE, sent=10 * GIGABYTE), number=2) == []


def test_a_new_host_has_no_highest_day() -> None:
    assert found(transfer(14.5, OUTSIDE, sent=10 * GIGABYTE, source="10.0.9.9")) == []


@pytest.mark.parametrize(("hour", "number"), [(1.5, 0), (13.5, 0)])
def test_a_nightly_backup_is_no_news_at_any_hour(hour: float, number: int) -> None:
    backup = transfer(1.5, INSIDE, sent=5 * GIGABYTE)
    assert len(found(transfer(hour, INSIDE, sent=6 * GIGABYTE), before=(backup,))) == number


def test_what_comes_back_every_week_is_no_news() -> None:
    day = usual_day()
    copy = transfer(3.5, INSIDE, sent=5 * GIGABYTE)
    weekly = [copy | {"ts": copy["ts"] - 7 * DAY * k, "uid": f"w{k}"} for k in (1, 2, 3)]
    # Three copies in four weeks: the third highest day of 28 is one of them.
    assert detect_against(DETECTOR, Parameters(), [*days(28, day), *weekly], [*day, copy]) == []


def test_days_are_told_apart() -> None:
    day = usual_day()
    thefts = [
        transfer(14.5, OUTSIDE, sent=10 * GIGABYTE),
        transfer(14.5 + 24, OUTSIDE, sent=10 * GIGABYTE),
    ]
    found_both = detect_against(DETECTOR, Parameters(), days(4, day), [*day, *thefts])
    assert [each.first for each in found_both] == [START + 14 * HOUR, START + DAY + 14 * HOUR]
