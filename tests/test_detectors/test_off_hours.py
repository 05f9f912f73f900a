"""Work at night: alone, together, before work and after it, and at first weekends."""

from __future__ import annotations

from analyzer.detectors import Detection
from analyzer.detectors.off_hours import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, evidence
from .learned import HOUR, days, detect_against, usual_day

HOSTS = 8
HOST = "10.0.1.5"
SIGNED = Parameters(false_alarm=0.01)
"""Eight hosts are few."""


def work(hour: float, host: str = HOST, count: int = 40) -> list[Row]:
    return [
        connection(hour * HOUR + 60 * k, host, "10.0.0.9", 445, orig_bytes=8000, resp_bytes=400_000)
        for k in range(count)
    ]


def browsing(hour: float, host: str = HOST) -> list[Row]:
    return [connection(hour * HOUR + 60 * k, host, f"203.0.113.{k + 1}", 443) for k in range(40)]


def found(
    rows: list[Row],
    *,
    parameters: Parameters = SIGNED,
    number: int = 5,
    before: list[Row] | None = None,
) -> list[Detection]:
    day = usual_day(HOSTS)
    learned = days(number, [*day, *(before or [])])
    return detect_against(DETECTOR, parameters, learned, [*day, *rows])


def test_a_night_on_the_file_server() -> None:
    (detection,) = found(work(3))
    assert (detection.source, detection.port, detection.proto) == (HOST, 445, "tcp")
    assert (detection.first, detection.last) == (START + 2 * HOUR, START + 4 * HOUR)
    assert detection.score >= Severity.LOW.bound
    assert detection.connections == 44
    assert detection.best == "bytes"
    assert detection.message == (
        "10.0.1.5 used 445/tcp inside between 02:00 and 04:00 UTC, when it is quiet and hosts of "
        "its role hardly ever do so"
    )
    said = evidence(detection)
    assert said["ports that are new at that hour"] == "445/tcp"
    assert said["times others did so (device)"] == 0
    assert said["goes on from its usual hours"] == "no"
    assert said["two hours from its usual hours, or more"] == "yes"


def test_more_days_and_hosts_make_it_louder() -> None:
    few, many = (found(work(3), number=number)[0].score for number in (3, 12))
    assert many > few


def test_work_by_day_and_polls_at_night_are_no_news() -> None:
    assert found([]) == []


def test_what_it_does_every_night_is_no_news() -> None:
    assert found(work(3), before=work(3)) == []


def test_what_most_others_do_at_night_is_no_news() -> None:
    others = [row for n in (1, 2, 3) for row in work(3, f"10.0.1.{n}", 2)]
    assert found(work(3), before=others) == []


def test_staying_late_is_low_at_most() -> None:
    evening = [row for hour in (17, 18, 19, 20, 21) for row in browsing(hour)]
    (detection,) = found([*evening, *work(20)], parameters=Parameters(false_alarm=0.2))
    assert Severity.LOW.bound <= detection.score <= Severity.LOW.highest
    assert evidence(detection)["goes on from its usual hours"] == "yes"


def test_an_hour_early_is_no_news() -> None:
    assert found([*work(7), *browsing(7)]) == []


def test_several_at_once_are_low_at_most() -> None:
    everybody = [row for n in (1, 2, 3, 4) for row in work(3, f"10.0.1.{n}")]
    some = found(everybody, parameters=Parameters(false_alarm=0.3))
    assert len(some) == 4
    assert {evidence(each)["hosts that did so at once"] for each in some} == {4}
    assert max(each.score for each in some) <= Severity.LOW.highest
    alone = found(work(3), parameters=Parameters(false_alarm=0.3))
    assert alone[0].score > Severity.LOW.highest


def test_presence_alone_is_low_at_most() -> None:
    (detection,) = found(browsing(3), parameters=Parameters(false_alarm=0.3))
    assert detection.port is None
    assert "was used between 02:00 and 04:00" in detection.message
    assert Severity.LOW.bound <= detection.score <= Severity.LOW.highest


def test_presence_in_the_evening_is_a_hint() -> None:
    evening = [row for hour in (17, 18, 19, 20, 21) for row in browsing(hour)]
    for detection in found(evening, parameters=Parameters(false_alarm=0.3)):
        assert detection.score < Severity.LOW.bound


def test_strangers_are_not_judged() -> None:
    assert found(work(3, "10.0.9.9")) == []


def test_two_days_are_too_few() -> None:
    assert found(work(3), number=2, parameters=Parameters(false_alarm=0.5)) == []


def test_on_a_first_saturday_nobody_is_told_to_be_there() -> None:
    day = usual_day(HOSTS)
    saturday = 3 * 24
    learned = days(4, day)
    rows = [*browsing(saturday + 3), *work(saturday + 12)]
    assert detect_against(DETECTOR, Parameters(false_alarm=0.5), learned, rows) == []
