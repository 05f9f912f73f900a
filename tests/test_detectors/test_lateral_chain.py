"""Lateral movement from host to host."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.lateral_chain import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, detect, evidence
from .test_lateral_movement import HOUR, office, session


def hops(count: int, *, gap: float = HOUR, begin: float = 10 * HOUR, port: int = 22) -> list[Row]:
    return [
        session(begin + gap * k, f"10.0.1.{k + 10}", f"10.0.1.{k + 11}", port) for k in range(count)
    ]


def found(rows: list[Row], **parameters: Any) -> list[Detection]:  # noqa: ANN401
    return detect(DETECTOR, Parameters(**parameters), rows)


@pytest.mark.parametrize(
    ("moves", "severity"),
    [(2, Severity.LOW), (3, Severity.MEDIUM), (4, Severity.HIGH), (6, Severity.CRITICAL)],
)
def test_bands(moves: int, severity: Severity) -> None:
    (each,) = found(office() + hops(moves))
    assert Severity.of(each.score) is severity


def test_what_is_said() -> None:
    (each,) = found(office() + hops(3))
    path = "10.0.1.10 > 10.0.1.11 > 10.0.1.12 > 10.0.1.13"
    assert each.message == f"a chain of 3 first sessions by SSH within 2 h: {path}"
    assert (each.source, each.destination, each.port) == ("10.0.1.10", "10.0.1.11", 22)
    assert (each.first, each.last, each.connections) == (
        START + 10 * HOUR, START + 12 * HOUR, 3,
    )  # fmt: skip
    assert each.technique == "T1021.004"
    assert evidence(each)["chain"] == path
    assert evidence(each)["begun after, s"] == "0, 3600, 7200"


def test_no_chain() -> None:
    assert found(office()) == []
    assert found(office() + hops(1)) == []
    assert found(office() + hops(3, gap=2.5 * HOUR)) == []
    assert len(found(office() + hops(3, gap=2.5 * HOUR), gap=3 * HOUR)) == 1


def test_servers_on_the_way_count_half() -> None:
    """From a workstation through a jump host to a server: people work so."""
    rows = office()
    rows += [session(10 * HOUR, "10.0.1.10", "10.0.0.2", 22)]
    rows += [session(10 * HOUR + 60, "10.0.0.2", "10.0.0.3", 22)]
    assert found(rows) == []


def test_where_many_administer_a_chain_is_chance() -> None:
    rows = office()
    for k in range(1, 9):
        rows.append(session(9.5 * HOUR + 60 * k, f"10.0.1.{k}", f"10.0.1.{k + 20}", 3389))
    (each,) = [each for each in found(rows + hops(2)) if each.source == "10.0.1.10"]
    assert each.score < Severity.LOW.bound


def test_nothing_comes_of_nothing() -> None:
    assert found([]) == []
