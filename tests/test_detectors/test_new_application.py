"""Applications that are new to a host, its like and the network."""

from __future__ import annotations

from analyzer.detectors import Detection
from analyzer.detectors.new_application import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, START, Row, connection, evidence
from .learned import days, detect_against, usual_day

HOST = "10.0.1.5"


def speaks(
    service: str,
    *,
    host: str = HOST,
    to: str = "203.0.113.9",
    port: int = 6667,
    count: int = 10,
    proto: str = "tcp",
) -> list[Row]:
    return [
        connection(50_000 + 60 * k, host, to, port, service=service, proto=proto)
        for k in range(count)
    ]


def found(
    rows: list[Row], *, before: list[Row] | None = None, number: int = 4, hosts: int = 6
) -> list[Detection]:
    day = usual_day(hosts)
    learned = days(number, [*day, *(before or [])])
    return detect_against(DETECTOR, Parameters(), learned, [*day, *rows])


def test_irc() -> None:
    (detection,) = found(speaks("irc"))
    assert (detection.source, detection.port, detection.proto) == (HOST, 6667, "tcp")
    assert detection.technique == "T1071"
    assert (detection.first, detection.last) == (START, START + DAY)
    assert detection.connections == 10
    assert Severity.LOW.bound <= detection.score <= Severity.LOW.highest
    assert detection.message == (
        "10.0.1.5 began to speak irc outside, which nobody on this network did on the days learned"
    )
    assert evidence(detection)["hosts that spoke it then"] == 0


def test_remote_control_inside() -> None:
    (detection,) = found(speaks("ssh", to="10.0.0.7", port=22))
    assert detection.technique == "T1021"


def test_the_port_does_not_matter() -> None:
    (detection,) = found(speaks("ssh", port=443))
    assert (detection.port, detection.technique) == (443, "T1071")


def test_several_on_one_day_are_one_thing() -> None:
    rows = [*speaks("irc"), *speaks("rdp", to="10.0.0.7", port=3389)]
    (detection,) = found(rows)
    assert "irc outside, rdp inside" in detection.message
    assert detection.connections == 20


def test_tunnels_are_applications() -> None:
    (detection,) = found(speaks("", port=0, proto="unknown_transport"))
    assert "unknown_transport outside" in detection.message


def test_two_connections_are_no_use() -> None:
    assert found(speaks("irc", count=2)) == []


def test_what_it_spoke_before_is_no_news() -> None:
    assert found(speaks("irc"), before=speaks("irc", count=1)) == []


def test_what_others_of_its_role_speak_is_no_news() -> None:
    assert found(speaks("irc"), before=speaks("irc", host="10.0.1.2")) == []


def test_names_of_one_family_are_one_application() -> None:
    before = speaks("krb", to="10.0.0.7", port=88)
    assert found(speaks("krb_tcp", to="10.0.0.7", port=88), before=before) == []


def test_names_leases_and_the_unknown_are_none() -> None:
    rows = [row for service in ("dns", "dhcp", "ntp", "") for row in speaks(service)]
    assert found(rows) == []


def test_a_roll_out_is_low_at_most() -> None:
    rows = [row for n in (1, 2, 3) for row in speaks("irc", host=f"10.0.1.{n}")]
    some = found(rows)
    assert len(some) == 3
    assert {evidence(each)["hosts that begin on that day"] for each in some} == {3}


def test_two_days_are_too_few() -> None:
    assert found(speaks("irc"), number=2) == []
