"""Ports on which a host begins to answer."""

from __future__ import annotations

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.new_service import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, evidence
from .learned import days, detect_against, usual_day

HOST = "10.0.1.5"


def asks(
    port: int, *, host: str = HOST, client: str = "10.0.1.2", sent: int = 900, proto: str = "tcp"
) -> Row:
    return connection(50_000, client, host, port, proto=proto, orig_bytes=sent, resp_bytes=5 * sent)


def found(*rows: Row, before: tuple[Row, ...] = (), number: int = 4) -> list[Detection]:
    day = usual_day()
    learned = days(number, [*day, *before])
    return detect_against(DETECTOR, Parameters(), learned, [*day, *rows])


def test_a_back_door() -> None:
    (detection,) = found(asks(4444), asks(4444) | {"ts": START + 60_000, "uid": "again"})
    assert (detection.source, detection.port, detection.proto) == (HOST, 4444, "tcp")
    assert detection.technique == "T1571"
    assert (detection.first, detection.last) == (START + 50_000, START + 60_000)
    assert detection.connections == 2
    assert Severity.LOW.bound <= detection.score <= Severity.LOW.highest
    assert detection.message == "10.0.1.5 answers on 4444/tcp, where it never did"
    assert evidence(detection)["most with"] == "10.0.1.2"


def test_a_remote_desktop() -> None:
    (detection,) = found(asks(3389))
    assert detection.technique == "T1021"


def test_several_ports_are_one_thing() -> None:
    (detection,) = found(asks(4444), asks(3389))
    assert detection.port == 3389
    assert "3389/tcp, 4444/tcp" in detection.message


@pytest.mark.parametrize(
    "row",
    [asks(4444, sent=0), asks(51_234), asks(5000, proto="udp"), asks(0, proto="icmp")],
    ids=["merely opened", "dynamic", "user port of udp", "icmp"],
)
def test_what_is_no_service(row: Row) -> None:
    assert found(row) == []


def test_several_clients_make_a_service_of_a_dynamic_port() -> None:
    rows = [asks(51_234, client=f"10.0.1.{n}") for n in (1, 2, 3)]
    (detection,) = found(*rows)
    assert detection.port == 51_234
    assert evidence(detection)["hosts it answered on a day"] == 3


def test_what_it_offered_before_is_no_news() -> None:
    assert found(asks(4444), before=(asks(4444, sent=0),)) == []


def test_what_its_like_offer_is_no_news() -> None:
    assert found(asks(10_050), before=(asks(10_050, host="10.0.1.3"),)) == []


def test_a_roll_out_is_a_hint() -> None:
    some = found(*(asks(4444, host=f"10.0.1.{n}", client="10.0.1.6") for n in (1, 2, 3)))
    assert len(some) == 3
    assert max(each.score for each in some) < Severity.LOW.bound


def test_a_machine_that_somebody_plugged_in() -> None:
    (detection,) = found(asks(22, host="10.0.9.9"))
    assert detection.message == "10.0.9.9 answers on 22/tcp, which was never seen before"
    assert Severity.LOW.bound <= detection.score <= Severity.LOW.highest
    assert evidence(detection)["days of the host learned"] == 0


def test_two_days_are_too_few() -> None:
    assert found(asks(4444), number=2) == []


def test_days_a_service_was_offered_count_those_learned() -> None:
    # Twelve days of a service of one host are twelve of its role's, not one.
    others = tuple(asks(8000, host=f"10.0.1.{n}") for n in (3, 4))
    assert found(asks(8000), before=others, number=12) == []
