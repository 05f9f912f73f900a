"""Numbers of days: over which hours, of hosts and of the network."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.baseline.daily import (
    METRICS,
    NETWORK,
    first_times,
    hourly,
    mixes,
    per_connection,
    whole_day,
)

from . import FIRST, frame
from .known import DESK, PRINTER, summary


def values(rows: pd.DataFrame, source: str, day: int = FIRST) -> dict[str, float]:
    own = rows[(rows.source == source) & (rows.day == day)]
    assert not own.metric.duplicated().any()
    return {str(name): float(value) for name, value in zip(own.metric, own.value, strict=True)}


def test_sums_and_peaks_over_all_hours() -> None:
    rows = hourly(summary([0, 1]), range(24))
    assert values(rows, DESK, FIRST + 1) == {
        "connections": 600.0,
        "failed": 60.0,
        "bytes_out": 6e5,
        "bytes_in": 6e6,
        "queries": 200.0,
        "active_hours": 10.0,
        "most_connections": 60.0,
        "most_bytes_out": 6e4,
        "most_bytes_in": 6e5,
        "destinations": 5.0,
        "outside": 4.0,
        "busiest": 10.0,
    }
    network = values(rows, NETWORK)
    assert (network["connections"], network["hosts"]) == (624.0, 2.0)
    assert network["most_connections"] == 61.0
    assert "destinations" not in network


def test_sums_over_some_hours() -> None:
    rows = hourly(summary([0]), range(7, 10))
    assert values(rows, DESK)["connections"] == 120.0
    assert values(rows, PRINTER)["connections"] == 3.0
    assert values(rows, NETWORK)["connections"] == 123.0
    night = hourly(summary([0]), range(5))
    assert set(night.source) == {PRINTER, NETWORK}
    assert values(night, NETWORK)["hosts"] == 1.0


def test_sizes_of_connections() -> None:
    shapes = frame(
        "shapes",
        ("a", "bytes_out", FIRST, 0, 50.0),
        ("a", "bytes_out", FIRST, 20, 44.0),
        ("a", "bytes_out", FIRST, 24, 6.0),
        ("a", "bytes_out", FIRST, 255, 1000.0),
        ("b", "duration", FIRST, 20, 1.0),
        ("b", "bytes_out", FIRST, 0, 100.0),
    )
    rows = per_connection({"shapes": shapes})
    # Bins are half octaves: (44 x 20 + 6 x 24) / 100 / 2 octaves, and 12 octaves.
    assert values(rows, "a") == {
        "bytes_out_typical": pytest.approx(2**5.12 - 1),
        "bytes_out_95": pytest.approx(2**12 - 1),
    }
    assert values(rows, "b") == {
        "duration_typical": pytest.approx(1.023),
        "duration_95": pytest.approx(1.023),
        "bytes_out_typical": 0.0,
        "bytes_out_95": 0.0,
    }
    network = values(rows, NETWORK)
    assert network["bytes_out_typical"] == pytest.approx(2**2.56 - 1)
    assert network["bytes_out_95"] == pytest.approx(2**10 - 1)


def test_numbers_of_whole_days() -> None:
    rows = whole_day(summary([0]))
    assert values(rows, DESK) == {
        "ports": 1.0,
        "names": 50.0,
        "domains": 25.0,
        "refused": 2.0,
        "name_length": 20.0,
        "longest_name": 40.0,
    }
    assert values(rows, PRINTER) == {"ports": 1.0}
    assert values(rows, NETWORK) == {"ports": 2.0, "name_length": 20.0, "longest_name": 40.0}


def test_mixes_of_days_that_are_alike_are_none_apart() -> None:
    tables = summary([0, 1, 2])
    rows = mixes(tables, tables, apart=False)
    assert set(rows.metric) == {"port_mix", "protocol_mix", "hour_mix"}
    assert rows.value.to_numpy() == pytest.approx(0.0, abs=1e-6)
    assert len(rows) == 3 * 3 * 3


def test_mixes_of_other_days() -> None:
    rows = mixes(summary([5], port=4444), summary([0, 1]), apart=True)
    assert values(rows, DESK, FIRST + 5) == {
        "port_mix": pytest.approx(1.0),
        "protocol_mix": pytest.approx(0.0, abs=1e-6),
        "hour_mix": pytest.approx(0.0, abs=1e-6),
    }
    assert 0.9 < values(rows, NETWORK, FIRST + 5)["port_mix"] < 1


def test_what_is_new_a_day() -> None:
    peers = [("a", f"198.51.100.{k}", True, FIRST + k // 3, FIRST + 9) for k in range(9)]
    frames = {
        "peers": frame("peers", *peers, ("b", "10.0.0.1", False, FIRST + 2, FIRST + 2)),
        "offered": frame("offered", ("b", "tcp", 80, FIRST + 1, FIRST + 1, 1.0)),
        "domains": frame("domains", ("one.example", FIRST + 2, FIRST + 2, 1.0)),
        "hours": frame(
            "hours",
            *(("a", FIRST + day, 9, *([1.0] * 8)) for day in range(3)),
            ("b", FIRST + 2, 9, *([1.0] * 8)),
        ),
    }
    # The first two days stand together.
    rows = first_times(frames, {FIRST: [FIRST, FIRST + 1], FIRST + 2: [FIRST + 2]})
    assert values(rows, "a") == {"new_inside": 0.0, "new_outside": 3.0, "new_services": 0.0}
    assert values(rows, "a", FIRST + 2)["new_outside"] == 3.0
    assert values(rows, "b", FIRST + 2) == {
        "new_inside": 1.0,
        "new_outside": 0.0,
        "new_services": 0.0,
    }
    assert values(rows, NETWORK) == {
        "new_inside": 0.0,
        "new_outside": 3.0,
        "new_services": 0.5,
        "new_domains": 0.0,
    }
    assert values(rows, NETWORK, FIRST + 2)["new_domains"] == 1.0


def test_nothing_has_no_numbers() -> None:
    empty: dict[str, pd.DataFrame] = {}
    for rows in (hourly(empty, range(24)), per_connection(empty), whole_day(empty)):
        assert rows.empty
    assert mixes(empty, empty, apart=True).empty


def test_every_number_has_its_words_once() -> None:
    assert len({metric.meaning for metric in METRICS.values()}) == len(METRICS)
    # Beside their numbers they fit 80 columns.
    assert max(len(metric.meaning) for metric in METRICS.values()) <= 32
