"""Lateral movement in breadth: how many hosts, which of them count, and what is a routine."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.lateral_movement import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, START, Row, connection, detect, evidence

HOUR = 3600.0
SIZE: dict[str, Any] = {"orig_bytes": 5000, "resp_bytes": 9000, "duration": 60.0}


def session(second: float, source: str, target: str, port: int = 445, **more: Any) -> Row:  # noqa: ANN401
    return connection(second, source, target, port, **SIZE | more)


def office(days: int = 1) -> list[Row]:
    """Thirty workstations that use two servers, and browse, from morning to evening."""
    rows = []
    for day in range(days):
        for host in range(1, 31):
            begin = DAY * day + 8 * HOUR + 60 * host
            for hour in range(9):
                at = begin + HOUR * hour
                rows.append(session(at, f"10.0.1.{host}", "10.0.0.2", 445))
                rows.append(session(at + 1, f"10.0.1.{host}", "10.0.0.3", 389))
                rows.append(connection(at + 2, f"10.0.1.{host}", "198.51.100.7", 443))
    return rows


def spread(
    hosts: int, *, source: str = "10.0.1.5", begin: float = 13 * HOUR, gap: float = 300.0,
    port: int = 3389, network: str = "10.0.1",
) -> list[Row]:  # fmt: skip
    return [session(begin + gap * k, source, f"{network}.{k + 10}", port) for k in range(hosts)]


def found(rows: list[Row], **parameters: Any) -> list[Detection]:  # noqa: ANN401
    return detect(DETECTOR, Parameters(**parameters), rows)


def only(rows: list[Row]) -> Detection:
    (detection,) = found(rows)
    return detection


def test_a_plain_day() -> None:
    assert found(office()) == []


@pytest.mark.parametrize(
    ("hosts", "severity"),
    [(3, Severity.LOW), (4, Severity.LOW), (5, Severity.MEDIUM), (9, Severity.HIGH)],
)
def test_bands(hosts: int, severity: Severity) -> None:
    assert Severity.of(only(office() + spread(hosts)).score) is severity


def test_two_hosts_are_none() -> None:
    assert found(office() + spread(2)) == []


def test_what_is_said() -> None:
    rows = office() + spread(6)
    rows += [session(13 * HOUR + 10, "10.0.1.5", "10.0.1.10", 445)]
    each = only(rows)
    assert each.message == (
        "10.0.1.5 opened sessions by SMB and RDP with 6 local hosts that it never administered "
        "before, within 25 min"
    )
    assert (each.source, each.destination, each.port, each.technique) == (
        "10.0.1.5", None, 3389, "T1021.001",
    )  # fmt: skip
    assert (each.first, each.last, each.connections) == (
        START + 13 * HOUR, START + 13 * HOUR + 1500, 7,
    )  # fmt: skip
    said = evidence(each)
    assert said["hosts first administered in the window"] == 6
    assert said["counting servers half"] == 6.0
    assert said["seen before for"] == 13 * HOUR - (8 * HOUR + 300)
    assert said["first hosts"] == ", ".join(f"10.0.1.{k + 10}" for k in range(6))


@pytest.mark.parametrize(
    ("port", "technique"),
    [(445, "T1021.002"), (22, "T1021.004"), (5985, "T1021.006"), (5900, "T1021.005"),
     (135, "T1021.003"), (23, "T1021")],
)  # fmt: skip
def test_techniques(port: int, technique: str) -> None:
    each = only(office() + spread(6, port=port))
    assert (each.port, each.technique) == (port, technique)


def test_more_slowly_than_the_window() -> None:
    assert found(office() + spread(6, gap=1900.0)) == []
    assert found(office() + spread(6, gap=900.0), window=900.0) == []


def test_servers_count_half() -> None:
    """Machines that four or more use are administered by somebody."""
    served = [
        session(9 * HOUR + k, f"10.0.1.{k}", f"10.0.2.{host}", 25)
        for host in range(10, 16)
        for k in range(4, 9)
    ]
    each = only(office() + served + spread(6, network="10.0.2", port=22))
    assert evidence(each)["counting servers half"] == 3.0
    assert Severity.of(each.score) is Severity.LOW


def test_failed_and_empty_connections_are_scans() -> None:
    refused = [row | {"orig_bytes": 0, "resp_bytes": 0} for row in spread(9)]
    assert found(office() + refused) == []


def test_known_hosts_are_not_new() -> None:
    polled = [
        session(9 * HOUR + 600 * n, "10.0.1.5", f"10.0.1.{k + 10}", 10_050)
        for n in range(5)
        for k in range(6)
    ]
    assert found(office() + polled + spread(6)) == []


def test_a_jump_host_has_as_many_every_hour() -> None:
    """Its busiest hour is like its others."""
    rows = office()
    for hour in range(9):
        rows += spread(5, begin=(8 + hour) * HOUR, network=f"10.0.{10 + hour}", port=22)
    assert found([*rows, session(9 * HOUR, "10.0.1.5", "10.0.30.1", 22)]) != []
    assert all(each.score < Severity.LOW.bound for each in found(rows))


def test_first_thing_every_morning() -> None:
    rows = office() + spread(8, begin=8 * HOUR + 400, gap=20.0)
    rows += spread(8, begin=14 * HOUR, gap=20.0)
    each = only(rows)
    assert each.score == 0.75
    assert "may be routine" in evidence(each)
    alone = office() + spread(8, begin=8 * HOUR + 400, gap=20.0)
    assert only(alone).score > 0.8


def test_three_days_are_a_routine() -> None:
    rows = office(3)
    for day in range(3):
        rows += spread(8, begin=day * DAY + 13 * HOUR, port=22)
    assert found(rows) == []
    late = office(3) + spread(8, begin=2 * DAY + 13 * HOUR, port=22)
    assert only(late).score > 0.8


def test_a_server_at_work_on_a_single_day() -> None:
    rows = office() + spread(9, source="10.0.0.2", port=22)
    assert only(rows).score == 0.79
    rows += spread(9, source="10.0.0.2", port=445, begin=13 * HOUR + 60)
    assert only(rows).score > 0.8


def test_a_worm_makes_no_servers() -> None:
    """Twelve hosts go for the same nine others: each of them is found."""
    rows = office()
    for k in range(12):
        begin = (10 + k / 4) * HOUR
        rows += spread(9, source=f"10.0.1.{k + 20}", begin=begin, gap=60.0, port=445)
    loud = {each.source for each in found(rows) if each.score >= Severity.MEDIUM.bound}
    assert loud == {f"10.0.1.{k + 20}" for k in range(12)}


def test_a_chain_is_told() -> None:
    rows = office() + spread(6) + [session(15 * HOUR, "10.0.1.15", "10.0.1.29")]
    assert evidence(only(rows))["chain"] == "10.0.1.5 > 10.0.1.15 > 10.0.1.29"


def test_outside_hosts_have_no_part() -> None:
    assert found(office() + spread(6, source="203.0.113.5")) == []
    assert found(office() + spread(6, network="198.51.100")) == []


def test_nothing_comes_of_nothing() -> None:
    assert found([]) == []
    assert found([connection(0, "10.0.0.1", "10.0.0.2", 445)]) == []


def test_a_short_capture_of_version_six() -> None:
    rows = [session(60.0 * k, "fd00::5", f"fd00::1:{k + 1:x}", 5985) for k in range(8)]
    each = only(rows)
    assert (each.source, each.technique) == ("fd00::5", "T1021.006")
    assert Severity.of(each.score) is Severity.MEDIUM


def test_order_of_rows_does_not_matter() -> None:
    rows = office() + spread(6)
    assert found(rows) == found(rows[::-1])
