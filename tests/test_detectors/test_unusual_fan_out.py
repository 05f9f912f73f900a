"""Fan-out against a host's own history."""

from __future__ import annotations

import pytest

from analyzer.baseline.baseline import MOST_PEERS
from analyzer.detectors import Detection
from analyzer.detectors.unusual_fan_out import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, evidence
from .learned import days, detect_against, usual_day

HOST = "10.0.1.5"


def found(rows: list[Row], *, before: list[Row] | None = None, number: int = 4) -> list[Detection]:
    day = usual_day()
    return detect_against(
        DETECTOR, Parameters(), days(number, [*day, *(before or [])]), [*day, *rows]
    )


def visits(count: int, port: int, *, source: str = HOST, first: int = 1) -> list[Row]:
    return [
        connection(
            50_000 + 60 * k, source, f"10.0.2.{first + k}", port, orig_bytes=5000, resp_bytes=9000
        )
        for k in range(count)
    ]


def test_eight_workstations_that_it_never_met() -> None:
    (detection,) = found(visits(8, 3389))
    assert (detection.source, detection.port, detection.proto) == (HOST, 3389, "tcp")
    assert detection.technique == "T1021"
    assert detection.score >= Severity.MEDIUM.bound
    assert (detection.first, detection.last) == (START + 50_000, START + 50_420)
    assert detection.connections == 8
    assert detection.message == (
        "10.0.1.5 met 8 hosts inside on one day that it had never met, 0 on its highest days "
        "before, most on 3389/tcp"
    )
    assert evidence(detection)["hosts inside never met before, in a day"] == 8


def test_many_known_places_outside_hide_nothing_inside() -> None:
    many = [
        connection(40_000 + k, HOST, f"203.{k // 60_000}.{k // 200}.{k % 200 + 1}", 443)
        for k in range(MOST_PEERS + 1)
    ]
    (detection,) = found(visits(8, 3389), before=many)
    assert evidence(detection)["hosts inside never met before, in a day"] == 8


def test_three_new_hosts_are_too_few() -> None:
    assert found(visits(3, 3389)) == []


def test_the_same_every_day_is_no_news() -> None:
    assert found(visits(8, 3389), before=visits(8, 3389)) == []


def test_a_monitor_that_meets_two_more() -> None:
    monitor = visits(60, 161, source="10.0.0.99")
    more = visits(62, 161, source="10.0.0.99")
    assert found(more, before=monitor) == []


@pytest.mark.parametrize("answered", [True, False])
def test_ports_of_a_server(answered: bool) -> None:  # noqa: FBT001 - a parameter of the test
    rows = [
        connection(50_500 + k, HOST, "10.0.0.9", 500 + k, answered=answered) for k in range(120)
    ]
    (detection,) = found(rows)
    assert detection.technique == "T1046"
    assert evidence(detection)["ports tried in a day"] == 122


def test_a_scan_outside_is_told_by_the_hour() -> None:
    rows = [connection(50_500 + k, HOST, f"203.0.{k // 200}.{k % 200 + 1}", 80) for k in range(600)]
    (detection,) = found(rows)
    assert (detection.port, detection.technique) == (80, "T1046")
    assert "met 612 hosts outside in one hour, 12 on" in detection.message


def test_silence_in_an_hour() -> None:
    rows = [connection(50_500 + k, HOST, "10.0.0.9", 445, answered=False) for k in range(900)]
    (detection,) = found(rows)
    assert detection.best == "failed"
    assert "900 attempts without an answer" in detection.message


def test_two_days_are_too_few() -> None:
    assert found(visits(8, 3389), number=2) == []


def test_days_judged_by_themselves_are_medium_at_most() -> None:
    from analyzer.detectors import Shared  # noqa: PLC0415 - this test alone needs it

    from . import holding  # noqa: PLC0415

    day = usual_day()
    rows = [*days(4, day), *day, *visits(200, 3389)]
    with holding(rows) as records:
        (detection,) = DETECTOR.find(records, Parameters(), Shared())
    assert detection.score == Severity.MEDIUM.highest
    assert evidence(detection)["judged by"] == "4 other days of the same records"
