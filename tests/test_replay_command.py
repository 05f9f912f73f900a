"""The replay command: what it takes, writes and says, and how it ends."""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.replay_command import _span, _speed
from tests.test_replay import NOON, conn_row, data_rows, tsv

ROOT = Path(__file__).parents[1]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "logs" / "conn.log"
    file.parent.mkdir()
    file.write_text(tsv(*(conn_row(NOON + 60 * index, uid=f"C{index}") for index in range(200))))
    return file


def run(*arguments: str | Path) -> int:
    return main(["replay", *map(str, arguments)])


def test_what_it_says(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(log, "--out", out, "--speed", "max", "--rotate", "1h") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Replayed 200 conn rows in ")
    assert said.err.endswith(" s, 4 files rotated\n")
    assert data_rows(out) == data_rows(log.parent)
    assert run(log, "--out", tmp_path / "quiet", "--speed", "max", "-q") == 0
    assert capsys.readouterr() == ("", "")


def test_the_archive_is_compressed_unless_it_is_not(log: Path, tmp_path: Path) -> None:
    for compress, ending in ((), ".log.gz"), (("--compress", "none"), ".log"):
        archive = tmp_path / f"archive{len(compress)}"
        out = tmp_path / f"out{len(compress)}"
        options = ("--archive", archive, "--rotate", "3600", *compress)
        assert run(log, "--out", out, "--speed", "max", "-q", *options) == 0
        assert list(out.iterdir()) == []
        assert sorted(file.name for file in archive.rglob("conn*")) == [
            f"conn.{hour}:00:00-{hour + 1}:00:00{ending}" for hour in (12, 13, 14)
        ] + [f"conn.15:00:00-15:19:00{ending}"]


def test_as_of_now(log: Path, tmp_path: Path) -> None:
    before = time.time()
    options = ("--speed", "max", "-q", "--shift-to", "now", "--format", "json")
    assert run(log, "--out", tmp_path / "out", *options) == 0
    first = (tmp_path / "out" / "conn.log").read_text().partition(",")[0]
    assert before - 1 <= float(first.removeprefix('{"ts":')) <= time.time()


@pytest.mark.parametrize(
    ("text", "speed"), [("60", 60.0), ("0.5", 0.5), ("max", math.inf), ("0", math.inf)]
)
def test_speeds(text: str, speed: float) -> None:
    assert _speed(text) == speed


@pytest.mark.parametrize(("text", "seconds"), [("1h", 3600.0), ("90", 90.0), ("5m", 300.0)])
def test_spans(text: str, seconds: float) -> None:
    assert _span(text) == seconds


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "fast"])
def test_no_speed(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no speed: expected a number, or max"):
        _speed(text)


def test_no_span() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="'hour' is no span of time: expected a"):
        _span("hour")


def test_what_fails(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(log, "--out", log.parent) == 2
    complaint = f"zeek-analyzer: {log.parent}: holds logs already; choose an empty directory\n"
    assert capsys.readouterr() == ("", complaint)
    assert run(tmp_path / "none", "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err.endswith("/none: no such file or directory\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_cleanly(
    log: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    out = tmp_path / "out"
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "analyzer", "replay", log, "--out", out, "--speed", "600"],
        env={**kept, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    ) as process:
        deadline = time.monotonic() + 60
        while len(data_rows(out) if out.is_dir() else []) < 5:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (status, b"")
    text = (out / "conn.log").read_text()
    assert text.splitlines()[-1].startswith("#close\t")
    rows = data_rows(out)
    assert rows == data_rows(log.parent)[: len(rows)]
    assert 5 <= len(rows) < 200
