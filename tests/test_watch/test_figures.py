"""What the service's figures are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.tables import LAYOUTS
from analyzer.watch.figures import COLUMNS, Figures, drift, memory, prometheus_lines, state_size


def test_prometheus_text() -> None:
    figures = Figures(
        ts=12.5,
        values={"rows_conn": 3, "lag": 1.5, "window_full": True, "baseline_days": None},
        findings={"dga": 2, "beacon": 1},
        stages={"scan": 0.25},
    )
    lines = "".join(prometheus_lines(figures)).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "zeek_analyzer_rows_conn_total 3",
        "zeek_analyzer_lag 1.5",
        "zeek_analyzer_window_full 1",
        'zeek_analyzer_findings_total{rule="beacon"} 1',
        'zeek_analyzer_findings_total{rule="dga"} 2',
        'zeek_analyzer_stage_seconds{stage="scan"} 0.25',
        "zeek_analyzer_updated_seconds 12.500",
    ]
    assert lines[:2] == [
        "# HELP zeek_analyzer_rows_conn_total conn rows taken in",
        "# TYPE zeek_analyzer_rows_conn_total counter",
    ]


def test_large_numbers_are_whole() -> None:
    figures = Figures(ts=0.0, values={"memory": 123_456_789_012})
    assert "zeek_analyzer_memory 123456789012\n" in "".join(prometheus_lines(figures))


def test_names_are_prometheus() -> None:
    assert all(re.fullmatch("[a-z_]+", name) for name, _, _, _ in COLUMNS)
    assert len({name for name, _, _, _ in COLUMNS}) == len(COLUMNS)


def test_memory() -> None:
    held = memory()
    assert 10**6 < held["memory"] <= held["memory_peak"] < 10**12


def test_state_size(tmp_path: Path) -> None:
    (tmp_path / "window").mkdir()
    (tmp_path / "a").write_text("123")
    (tmp_path / "window" / "b").write_text("4567")
    assert state_size(tmp_path) == 7


@pytest.mark.parametrize(
    ("connections", "expected"),
    [([], None), ([100.0], None), ([100.0, 400.0], 2.0), ([50.0, 100.0, 900.0, 25.0], -2.0)],
)
def test_drift(connections: list[float], expected: float | None) -> None:
    layout = LAYOUTS["days"]
    frame = pd.DataFrame(dict.fromkeys(layout.schema.names, 0.0), index=range(len(connections)))
    frame = frame.assign(day=range(20_000, 20_000 + len(connections)), connections=connections)
    tables = dict(Baseline().tables) | {"days": frame.astype(layout.empty().dtypes)}
    assert drift(replace(Baseline(), tables=tables)) == expected
    assert drift(None) is None
