"""Connections with numbers in place of texts."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.baseline.bins import bin_of
from analyzer.baseline.numbered import Numbered, numbered
from analyzer.engine import Engine


def row(orig: str, resp: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - of any column
    given = {"ts": 90.0, "orig_h": orig, "orig_p": 40_000, "resp_h": resp, "resp_p": 443}
    return {**given, "proto": "tcp", **values}


def told(rows: list[dict[str, Any]]) -> tuple[Numbered, list[dict[str, Any]]]:
    with Engine() as engine:
        engine.insert("conn", rows)
        conn = numbered(engine.records())
        named = conn.with_address(conn.rows, "orig", "orig_h")
        named = conn.with_address(named, "resp", "resp_h")
        named = named.mutate(proto=conn.proto_name(named.proto))
        return conn, named.order_by("orig_h", "resp_h").to_pyarrow().to_pylist()


def test_rows() -> None:
    conn, rows = told(
        [
            row("10.0.0.2", "192.0.2.1", orig_bytes=1000, duration=2.0, proto="udp"),
            row("10.0.0.1", "10.0.0.2", orig_bytes=None),
            row("192.0.2.1", "224.0.0.1", conn_state="S0"),
            # What is no attempt is left out.
            row("10.0.0.9", "10.0.0.1", proto="icmp", orig_p=0, resp_p=0),
        ]
    )
    assert conn.protos == ("tcp", "udp")
    first, second, third = rows
    assert (first["orig_h"], first["resp_h"], first["proto"]) == ("10.0.0.1", "10.0.0.2", "tcp")
    assert (first["is_local"], first["outside"], first["minute"]) == (True, False, 1)
    assert (second["proto"], second["outside"], second["port"]) == ("udp", True, 443)
    assert second["bytes_out"] == bin_of([1000], "bytes_out")[0]
    assert second["duration"] == bin_of([2.0], "duration")[0]
    assert first["bytes_out"] == 255
    assert (third["is_local"], third["is_group"], third["answered"]) == (False, True, False)


def test_salts_are_the_same_in_any_records() -> None:
    _, (one,) = told([row("10.0.0.2", "192.0.2.1")])
    _, rows = told([row("10.0.0.1", "192.0.2.1"), row("10.0.0.2", "192.0.2.1")])
    assert rows[1]["salt"] == one["salt"] != rows[0]["salt"]


@pytest.mark.parametrize("protos", [0, 1, 300])
def test_any_number_of_protocols(protos: int) -> None:
    conn, rows = told([row("10.0.0.1", "10.0.0.2", proto=f"p{n:03}") for n in range(protos)])
    assert len(conn.protos) == min(protos, 255)
    assert {each["proto"] for each in rows} == set(conn.protos)
