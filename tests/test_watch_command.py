"""The command: its options and its signals."""

from __future__ import annotations

import argparse
import os
import re
import signal
import time
from pathlib import Path

import pytest

from analyzer import watch_command
from analyzer.cli import main
from analyzer.watch.options import Options
from analyzer.watch_command import add_watch, steer
from benchmarks.watch import Watch


class Recorded:
    """Stands for the service."""

    options: Options | None = None

    def __init__(self, options: Options, **_: object) -> None:
        type(self).options = options
        self.calls: list[str] = []

    def run(self) -> None:
        self.calls.append("run")

    def close(self) -> bool:
        return True

    def stop(self) -> None:
        self.calls.append("stop")

    def reread(self) -> None:
        self.calls.append("reread")


@pytest.fixture
def restored() -> object:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield None
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("restored")
def test_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.watch.service.Service", Recorded)
    out = tmp_path / "out"
    assert main(["watch", str(tmp_path), "--out", str(out)]) == 0
    assert Recorded.options == Options(
        tops=(tmp_path,),
        out=out,
        state=out / ".state",
        select=[],
        ignore=[],
        local_networks=[],
        intelligence=[],
        allow=[],
    )
    assert main(
        ["watch", str(tmp_path), "--out", str(out), "--interval", "5min", "--window", "7d",
         "--window-rows", "5", "--state", "s", "--start", "end", "--baseline", "b",
         "--format", "ecs", "--min-severity", "high", "--key-file", "k",
         "--slow-window", "3d", "--slow-rows", "9"]
    ) == 0  # fmt: skip
    told = Recorded.options
    assert told is not None
    assert (told.interval, told.span, told.most, told.start) == (300.0, 7 * 86400.0, 5, "end")
    assert (told.state, told.baseline, told.format) == (Path("s"), Path("b"), "ecs")
    assert str(told.minimum) == "high"
    assert (told.key_file, told.slow_span, told.slow_most) == (Path("k"), 3 * 86400.0, 9)


@pytest.mark.parametrize("text", ["", "fast", "5 weeks", "-1s", "1e3"])
def test_no_duration(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_watch(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([".", "--out", "x", f"--interval={text}"])
    assert "is no time: expected 60s, 5min, 24h or 7d" in capsys.readouterr().err


def test_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler = signal.getsignal(signal.SIGHUP)
    try:
        assert main(["watch", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    finally:
        signal.signal(signal.SIGHUP, handler)
    assert "none: no such directory" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("restored")
def test_signals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(watch_command, "LAST", 1000.0)
    service = Recorded(Options(tops=(), out=tmp_path, state=tmp_path))
    steer(service)  # type: ignore[arg-type]
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    assert service.calls == ["reread", "stop", "stop"]


_READ_AGAIN = "zeek-analyzer: read again: [0-9]+ rules, 0 allowed entries, 0 indicators"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_ends_well(tmp_path: Path, number: int) -> None:
    (tmp_path / "logs").mkdir()
    watch = Watch(tmp_path / "logs", tmp_path / "out", "--interval", "1s")
    watch.start()
    until = time.time() + 60
    while not (tmp_path / "out" / "zeek_analyzer.prom").exists() and time.time() < until:
        time.sleep(0.1)
    os.kill(watch.pid, signal.SIGHUP)
    seconds, status = watch.end(number)
    assert (status, seconds < 10) == (0, True)
    begun, *again = (tmp_path / "out" / "stderr.txt").read_text().splitlines()
    assert begun == (
        f"zeek-analyzer: following {tmp_path / 'logs'} (0 files there), judging every 1 s; "
        f"notices go to {tmp_path / 'out'}"
    )
    # A stop that comes at once is heeded first.
    assert all(re.fullmatch(_READ_AGAIN, line) for line in again)
