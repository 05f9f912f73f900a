"""What a broad day consists of."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analyzer.detectors import Shared
from analyzer.detectors.breadth import INSIDE, NEW, OUTSIDE, PORTS, SILENT, breadth, met_on

from . import DAY, START, Row, connection, holding

HOST = "10.0.0.5"
TODAY = int(START // DAY)


def contacts(rows: list[Row]) -> pd.DataFrame:
    with holding(rows) as records:
        return met_on([(HOST, TODAY)], records, Shared())[HOST, TODAY]


def sessions(count: int, port: int, **columns: Any) -> list[Row]:  # noqa: ANN401
    sizes: dict[str, Any] = {"orig_bytes": 900, "resp_bytes": 4000} | columns
    return [connection(10.0 * k, HOST, f"10.0.1.{k + 1}", port, **sizes) for k in range(count)]


def test_sessions_on_a_port_of_administration() -> None:
    outside = [connection(k, HOST, f"198.51.100.{k + 1}", 443) for k in range(30)]
    rows = contacts([*sessions(8, 3389), *sessions(2, 80), *outside])
    new = [f"{net}.{k + 1}" for net in ("10.0.1", "198.51.100") for k in range(30)]
    parts = breadth(rows, NEW, new)
    assert (parts.hosts, parts.port, parts.proto) == (8, 3389, "tcp")
    assert parts.ports == ("3389/tcp",)
    assert parts.technique == "T1021"
    assert parts.answered == 1.0
    assert (parts.first, parts.last) == (START, START + 70.0)
    assert parts.connections == 10
    assert parts.destination is None


@pytest.mark.parametrize(("measure", "technique"), [(INSIDE, "T1018"), (SILENT, "T1046")])
def test_silence_is_discovery(measure: str, technique: str) -> None:
    rows = [
        row | {"conn_state": "S0", "history": "S", "resp_pkts": 0}
        for row in sessions(8, 445, resp_bytes=0)
    ]
    parts = breadth(contacts(rows), measure, [])
    assert (parts.technique, parts.answered, parts.port) == (technique, 0.0, 445)


def test_ports_of_one_host() -> None:
    rows = [connection(k, HOST, "10.0.1.1", 100 + k, answered=False) for k in range(50)]
    parts = breadth(contacts([*rows, *sessions(3, 443)]), PORTS, [])
    assert (parts.destination, parts.port, parts.proto) == ("10.0.1.1", None, None)
    assert parts.technique == "T1046"


def test_outside_is_told_from_inside() -> None:
    rows = [connection(k, HOST, f"198.51.100.{k + 1}", 443) for k in range(5)]
    both = contacts([*rows, *sessions(3, 445)])
    assert breadth(both, OUTSIDE, []).hosts == 5
    assert breadth(both, INSIDE, []).hosts == 3


def test_other_days_and_hosts_are_not_looked_at() -> None:
    rows = [
        *sessions(3, 445),
        connection(DAY + 5, HOST, "10.0.9.9", 445),
        connection(1, "10.0.0.6", "10.0.9.8", 445),
    ]
    assert set(contacts(rows).resp_h) == {"10.0.1.1", "10.0.1.2", "10.0.1.3"}


def test_nothing_asked_for() -> None:
    with holding(sessions(1, 445)) as records:
        assert met_on([], records, Shared()) == {}
