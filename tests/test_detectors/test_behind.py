"""The connections behind candidates."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.detectors.behind import COLUMNS, connections_behind, of_days

from . import DAY, START, connection, holding

FIRST_DAY = int(START // DAY)


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    rows = [
        connection(10, "10.0.0.5", "198.51.100.9", 443, orig_bytes=5, resp_bytes=7, duration=2.0),
        connection(90, "10.0.0.5", "198.51.100.9", 443, orig_bytes=6, resp_bytes=8, duration=9.0),
        connection(20, "10.0.0.5", "10.0.0.9", 445),
        connection(30, "10.0.0.5", "198.51.100.9", 443, proto="udp"),
        connection(40, "10.0.0.6", "198.51.100.9", 443),
        connection(50, "10.0.0.5", "224.0.0.251", 5353, proto="udp"),
        connection(DAY + 1, "10.0.0.5", "198.51.100.9", 443),
    ]
    days = pd.DataFrame({"source": ["10.0.0.6", "10.0.0.5"], "day": [FIRST_DAY, FIRST_DAY]})
    port = pd.DataFrame(
        {"source": ["10.0.0.5"], "day": [FIRST_DAY + 1], "proto": ["tcp"], "port": [443]}
    )
    with holding(rows) as records:
        return {
            "days": connections_behind(records, of_days(days)),
            "port": connections_behind(records, of_days(port)),
            "none": connections_behind(records, of_days(days.head(0))),
        }


def test_of_a_day(frames: dict[str, pd.DataFrame]) -> None:
    table = frames["days"]
    assert list(table.columns) == list(COLUMNS)
    assert table[
        ["candidate", "peer", "proto", "port", "outside", "connections"]
    ].to_numpy().tolist() == [
        [0, "198.51.100.9", "tcp", 443, True, 1],
        [1, "198.51.100.9", "tcp", 443, True, 2],
        [1, "10.0.0.9", "tcp", 445, False, 1],
        [1, "198.51.100.9", "udp", 443, True, 1],
    ]
    one = table.iloc[1]
    assert (one["first"], one["last"]) == (START + 10, START + 90)
    assert (one.bytes_out, one.bytes_in, one.longest) == (11.0, 15.0, 9.0)


def test_of_a_port(frames: dict[str, pd.DataFrame]) -> None:
    (row,) = frames["port"].to_dict("records")
    assert (row["first"], row["connections"]) == (START + DAY + 1, 1)


def test_of_nobody(frames: dict[str, pd.DataFrame]) -> None:
    assert frames["none"].empty
    assert list(frames["none"].columns) == list(COLUMNS)
