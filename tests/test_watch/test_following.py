"""Each line is read exactly once, whatever becomes of the file it is in."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import os
import shutil
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from analyzer.watch.following import Follower, Rest
from analyzer.watch.streams import Stream, Streams

FIELDS = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration"]


def header(opened: int, path: str = "conn") -> str:
    return (
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
        f"#path\t{path}\n#open\t2026-01-19-00-00-{opened:02d}\n"
        "#fields\t" + "\t".join(FIELDS) + "\n"
        "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tinterval\n"
    )


def row(number: int) -> str:
    return f"{number}.000000\tC{number}\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\t1.000000\n"


def json_row(number: int) -> str:
    return (
        f'{{"ts":{number}.0,"uid":"C{number}","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2",'
        '"proto":"tcp","duration":1.0}\n'
    )


class Reader:
    """Keeps what a state keeps, and every row that was read."""

    def __init__(self, top: Path, *, since: float = -math.inf, portion: int = 1 << 20) -> None:
        self.top, self.portion = top, portion
        self.streams: dict[int, Stream] = {}
        self.resting: dict[tuple[int, int], Rest] = {}
        self.rows: list[str] = []
        self.follower = self.begin(since)

    def begin(self, since: float = -math.inf) -> Follower:
        return Follower(
            [self.top],
            streams=Streams(self.streams.values()),
            resting=self.resting.values(),
            since=since,
            portion=self.portion,
        )

    def restart(self) -> None:
        self.follower.close()
        self.follower = self.begin()

    def read(self, now: float, *, fail: bool = False) -> None:
        self.follower.look(now)
        while portions := list(self.follower.portions(now)):
            if fail:
                self.follower.refuse()
                return
            for portion in portions:
                lines = portion.data.decode().splitlines()
                assert portion.stream.lines - portion.before.lines == len(lines)
                rows = [line for line in lines if not line.startswith("#")]
                if portion.stream.kind == "tsv" and rows:
                    assert b"#fields" in portion.stream.header
                self.rows += [uid(line) for line in rows]
            self.streams |= {stream.number: stream for stream in self.follower.advanced}
            self.resting |= {rest.seen.identity: rest for rest in self.follower.rested}
            self.follower.accept()


def uid(line: str) -> str:
    if line.startswith("{"):
        return str(json.loads(line)["uid"])
    return line.split("\t")[1]


class Sensor(RuleBasedStateMachine):
    """A sensor and its archive, and one who reads along and is killed now and then."""

    numbers: itertools.count[int]

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1)
        self.opened = itertools.count(1)
        self.now = 1_000_000.0
        self.written: list[str] = []
        self.directory = Path(os.environ["SENSOR_DIRECTORY"]) / str(id(self))
        (self.directory / "archive").mkdir(parents=True)
        self.reader = Reader(self.directory, portion=300)
        self.live = self.directory / "conn.log"
        self.text = ""

    def teardown(self) -> None:
        self.finish_line()
        self.look()
        self.reader.restart()
        self.look()
        assert sorted(self.reader.rows) == sorted(self.written)
        self.reader.follower.close()
        shutil.rmtree(self.directory)

    @initialize(format=st.sampled_from(["tsv", "json"]))
    def choose(self, format: str) -> None:  # noqa: A002 - as the option is called
        self.json = format == "json"

    def put(self, text: str) -> None:
        self.now += 10
        with self.live.open("a") as file:
            file.write(text)
        self.text += text
        os.utime(self.live, (self.now, self.now))

    def finish_line(self) -> None:
        if self.text and not self.text.endswith("\n"):
            self.put(self.rest)

    @rule(count=st.integers(1, 12), cut=st.integers(0, 30))
    def append(self, count: int, cut: int) -> None:
        self.finish_line()
        if not self.text and not self.json:
            self.put(header(next(self.opened)))
        numbers = list(itertools.islice(self.numbers, count))
        lines = "".join((json_row if self.json else row)(number) for number in numbers)
        self.written += [f"C{number}" for number in numbers]
        self.rest = lines[len(lines) - cut :] if cut else ""
        self.put(lines[: len(lines) - cut] if cut else lines)

    @precondition(lambda self: self.text)
    @rule(directory=st.sampled_from([".", "archive"]))
    def rotate(self, directory: str) -> None:
        self.finish_line()
        if not self.json:
            self.put("#close\t2026-01-19-00-00-00\n")
        self.live.rename(self.directory / directory / f"conn.{next(self.opened)}.log")
        self.text = ""

    @rule(codec=st.sampled_from(["gz", "zst"]))
    def compress(self, codec: str) -> None:
        for file in sorted(self.directory.rglob("conn.*.log")):
            plain = file.read_bytes()
            packed = gzip.compress(plain) if codec == "gz" else zstd.compress(plain)
            target = self.directory / "archive" / f"{file.name}.{codec}"
            target.write_bytes(packed)
            os.utime(target, (self.now, self.now))
            file.unlink()

    @rule()
    def begin_compressing(self) -> None:
        for file in sorted(self.directory.rglob("conn.*.log")):
            packed = gzip.compress(file.read_bytes())
            (self.directory / f"{file.name}.gz").write_bytes(packed[: len(packed) // 2])

    @precondition(lambda self: self.text)
    @rule()
    def truncate(self) -> None:
        """The sensor restarts and begins its log anew; what nobody has read by then is lost."""
        self.finish_line()
        self.look()
        self.live.write_text("")
        self.text = ""
        self.append(1, 0)

    @rule()
    def look(self) -> None:
        self.now += 10
        self.reader.read(self.now)
        assert len(set(self.reader.rows)) == len(self.reader.rows)

    @rule()
    def fail_to_keep(self) -> None:
        self.reader.read(self.now, fail=True)

    @rule()
    def die(self) -> None:
        self.reader.restart()


def test_any_sequence_is_read_exactly_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSOR_DIRECTORY", str(tmp_path))
    examples = int(os.environ.get("WATCH_EXAMPLES", "100"))
    run_state_machine_as_test(
        Sensor,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
