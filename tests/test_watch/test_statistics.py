"""The log of figures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from zat.zeek_log_reader import ZeekLogReader

from analyzer.errors import OutputError
from analyzer.watch.figures import Figures
from analyzer.watch.statistics import StatisticsLog


def figures(ts: float, rows: int, **findings: int) -> Figures:
    values = {"rows_conn": rows, "memory": 1000 + rows, "lag": 0.5, "window_full": False}
    return Figures(ts=ts, values=values, findings=findings, stages={"scan": 0.5})


def rows(path: Path) -> list[dict[str, str]]:
    names: list[str] = []
    found = []
    for line in path.read_text().splitlines():
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        elif not line.startswith("#"):
            found.append(dict(zip(names, line.split("\t"), strict=True)))
    return found


def test_counters_are_given_by_their_growth(tmp_path: Path) -> None:
    log = StatisticsLog(tmp_path)
    log.append(figures(100.0, 5, dga=1))
    log.append(figures(160.0, 12, dga=1, beacon=2))
    first, second = rows(tmp_path / "analyzer_stats.log")
    assert (first["ts"], first["since"], first["rows_conn"]) == ("100.000000", "-", "5")
    assert (second["since"], second["rows_conn"], second["memory"]) == ("60.000000", "7", "1012")
    assert (second["window_full"], second["lag"], second["baseline_drift"]) == (
        "F",
        "0.500000",
        "-",
    )
    assert (first["findings"], second["findings"]) == ("dga=1", "beacon=2")
    assert second["stages"] == "scan=0.500"


def test_a_zeek_reader_reads_it(tmp_path: Path) -> None:
    log = StatisticsLog(tmp_path)
    log.append(figures(100.0, 5))
    (row,) = ZeekLogReader(str(tmp_path / "analyzer_stats.log")).readrows()
    assert (row["rows_conn"], row["memory"], row["window_full"]) == (5, 1005, False)


def test_a_restart_goes_on_in_the_same_log(tmp_path: Path) -> None:
    StatisticsLog(tmp_path).append(figures(tmp_path.stat().st_mtime, 5))
    StatisticsLog(tmp_path).append(figures(tmp_path.stat().st_mtime, 6))
    assert [row["rows_conn"] for row in rows(tmp_path / "analyzer_stats.log")] == ["5", "6"]


def test_it_is_rotated_by_the_day(tmp_path: Path) -> None:
    log = StatisticsLog(tmp_path)
    log.append(figures(100.0, 5))
    os.utime(tmp_path / "analyzer_stats.log", (86000, 86000))
    log.append(figures(86500.0, 6))
    rotated = tmp_path / "analyzer_stats.1970-01-01-23-53-20.log"
    assert rotated.read_text().splitlines()[-1] == "#close\t1970-01-02-00-01-40"
    assert [row["rows_conn"] for row in rows(rotated)] == ["5"]
    assert [row["rows_conn"] for row in rows(tmp_path / "analyzer_stats.log")] == ["1"]


def test_prometheus_file_is_replaced(tmp_path: Path) -> None:
    log = StatisticsLog(tmp_path)
    log.expose(figures(1.0, 5))
    log.expose(figures(2.0, 7))
    text = (tmp_path / "zeek_analyzer.prom").read_text()
    assert "zeek_analyzer_rows_conn_total 7\n" in text
    assert "zeek_analyzer_rows_conn_total 5\n" not in text


def test_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "analyzer_stats.log").mkdir()
    with pytest.raises(OutputError, match=r"analyzer_stats\.log: cannot be written"):
        StatisticsLog(tmp_path).append(figures(tmp_path.stat().st_mtime, 5))
