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

from analyzer.watch.following import MOST_HELD, MOST_READ, OPEN, Follower, Rest
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
        is_first = True
        while is_first or self.follower.has_more:
            is_first = False
            portions = list(self.follower.portions(now))
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

    @rule(part=st.floats(0, 1))
    def begin_compressing(self, part: float) -> None:
        for file in sorted(self.directory.rglob("conn.*.log")):
            # Without compression, what comes first can be read without what comes later.
            packed = gzip.compress(file.read_bytes(), 0)
            (self.directory / f"{file.name}.gz").write_bytes(packed[: int(len(packed) * part)])

    @rule(part=st.floats(0, 1))
    def begin_copying(self, part: float) -> None:
        for file in sorted(self.directory.rglob("conn.*.log")):
            content = file.read_bytes()
            copy = self.directory / "archive" / f"copy-of-{file.name}"
            copy.write_bytes(content[: int(len(content) * part)])

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


def conn(top: Path, *numbers: int, opened: int = 1) -> str:
    text = header(opened) + "".join(row(number) for number in numbers)
    (top / "conn.log").write_text(text)
    return text


def test_a_log_is_read_as_it_grows(tmp_path: Path) -> None:
    conn(tmp_path, 1)
    reader = Reader(tmp_path)
    reader.read(1.0)
    with (tmp_path / "conn.log").open("a") as file:
        file.write(row(2) + row(3)[:9])
    reader.read(2.0)
    assert reader.rows == ["C1", "C2"]
    with (tmp_path / "conn.log").open("a") as file:
        file.write(row(3)[9:])
    reader.read(3.0)
    assert reader.rows == ["C1", "C2", "C3"]
    assert reader.follower.streams[1].lines == 8 + 3


def test_what_is_written_since_the_last_look_waits_for_the_next(tmp_path: Path) -> None:
    conn(tmp_path, 1, 2, 3)
    follower = Follower([tmp_path], portion=1)
    log = tmp_path / "conn.log"
    follower.look(1.0)
    read = []
    for number in itertools.count(4):
        # Whoever asks has never read all there is.
        with log.open("a") as file:
            file.write(row(number))
        read += [portion.data for portion in follower.portions(1.0)]
        follower.accept()
        if not follower.has_more:
            break
    assert number == 4
    assert b"".join(read).decode().endswith(row(4))
    with log.open("a") as file:
        file.write(row(5) * 60_000)
    follower.look(2.0)
    assert len(b"".join(portion.data for portion in follower.portions(2.0))) < 2 << 20
    assert follower.has_more
    assert list(follower.portions(2.0, limit=0)) == []
    assert follower.has_more


def test_what_is_moved_out_of_sight_is_read_to_its_end(tmp_path: Path) -> None:
    top = tmp_path / "logs"
    top.mkdir()
    conn(top, 1)
    reader = Reader(top)
    reader.read(1.0)
    with (top / "conn.log").open("a") as file:
        (top / "conn.log").rename(tmp_path / "elsewhere.log")
        file.write(row(2))
        file.flush()
        reader.read(2.0)
        assert reader.rows == ["C1", "C2"]
        (tmp_path / "elsewhere.log").unlink()
        file.write(row(3))
        file.flush()
        reader.read(3.0)
    assert reader.rows == ["C1", "C2", "C3"]
    reader.read(4.0)
    reader.read(4.0 + 601)
    assert reader.follower._files == {}


def test_a_restart_finds_the_rest_in_the_archive(tmp_path: Path) -> None:
    text = conn(tmp_path, 1, 2)
    reader = Reader(tmp_path)
    reader.read(1.0)
    (tmp_path / "2026-01-19").mkdir()
    (tmp_path / "2026-01-19" / "conn.00:00:00-01:00:00.log.gz").write_bytes(
        gzip.compress((text + row(3)).encode())
    )
    conn(tmp_path, 4, opened=2)
    reader.restart()
    reader.read(2.0)
    assert sorted(reader.rows) == ["C1", "C2", "C3", "C4"]
    assert [rest.seen.path for rest in reader.resting.values()] == [
        str(tmp_path / "2026-01-19" / "conn.00:00:00-01:00:00.log.gz")
    ]


def test_a_file_at_rest_is_not_opened_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conn.1.log.gz").write_bytes(gzip.compress((header(1) + row(1)).encode()))
    reader = Reader(tmp_path)
    reader.read(1.0)
    reader.restart()
    monkeypatch.setattr("analyzer.watch.following.Content", None)
    reader.read(2.0)
    assert reader.rows == ["C1"]


def test_the_end_is_where_it_is_at_the_first_look(tmp_path: Path) -> None:
    text = conn(tmp_path, 1, 2)
    (tmp_path / "conn.1.log.gz").write_bytes(gzip.compress((header(7) + row(9)).encode()))
    reader = Reader(tmp_path, since=math.inf)
    reader.read(1.0)
    (tmp_path / "conn.log").write_text(text + row(3))
    (tmp_path / "new.log").write_text(header(5) + row(4))
    reader.read(2.0)
    assert sorted(reader.rows) == ["C3", "C4"]
    # It is the same log however it is packed next.
    (tmp_path / "conn.1.log.gz").unlink()
    (tmp_path / "conn.1.log.zst").write_bytes(zstd.compress((header(7) + row(9)).encode()))
    reader.read(3.0)
    assert sorted(reader.rows) == ["C3", "C4"]


def test_what_is_older_than_the_window_is_taken_as_read(tmp_path: Path) -> None:
    conn(tmp_path, 1)
    (tmp_path / "old.log").write_text(header(5) + row(2))
    os.utime(tmp_path / "old.log", (100, 100))
    reader = Reader(tmp_path, since=1000.0)
    reader.read(2000.0)
    assert reader.rows == ["C1"]


def test_what_is_cut_off_within_a_log(tmp_path: Path) -> None:
    text = conn(tmp_path, 1, 2, 3)
    reader = Reader(tmp_path)
    reader.read(1.0)
    os.truncate(tmp_path / "conn.log", len(text) - 10)
    reader.read(2.0)
    with (tmp_path / "conn.log").open("a") as file:
        file.write("\n" + row(4))
    reader.read(3.0)
    assert reader.rows[:3] == ["C1", "C2", "C3"]
    assert reader.rows[-1] == "C4"
    assert len(reader.rows) == 5  # the line that was cut in two is another line


def test_a_copy_that_is_still_being_made(tmp_path: Path) -> None:
    text = conn(tmp_path, 1, 2, 3)
    reader = Reader(tmp_path)
    reader.read(1.0)
    (tmp_path / "copy.log").write_text(text[: len(text) - 40])
    reader.read(2.0)
    (tmp_path / "copy.log").write_text(text)
    (tmp_path / "conn.log").unlink()
    reader.read(3.0)
    assert reader.rows == ["C1", "C2", "C3"]


def test_logs_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "files.log").write_text("#path\tfiles\n#fields\tts\tfuid\n1.0\tF1\n")
    (tmp_path / "weird.log").write_text('{"ts":1.0,"name":"x"}\n' * 200)
    (tmp_path / "notice.log").write_text(header(2) + row(2))
    (tmp_path / "conn.log.gz.tmp").write_text(header(3) + row(3))
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "notes.txt").write_text("nothing\n")
    reader = Reader(tmp_path)
    reader.read(1.0)
    assert reader.rows == []
    assert reader.follower.faults == {}
    assert {stream.kind for stream in reader.streams.values()} <= {"other"}


def test_open_connections_as_long_as_they_may_be_open(tmp_path: Path) -> None:
    (tmp_path / "open_conn.log").write_text(header(1) + row(1))
    (tmp_path / "open_conn.old.log").write_text(header(2) + row(2))
    os.utime(tmp_path / "open_conn.log", (3 * OPEN, 3 * OPEN))
    os.utime(tmp_path / "open_conn.old.log", (OPEN, OPEN))
    reader = Reader(tmp_path)
    reader.read(3 * OPEN)
    assert reader.rows == ["C1"]


def test_json_whose_first_rows_are_another_logs(tmp_path: Path) -> None:
    path = tmp_path / "json_streaming.log"
    path.write_text('{"_path":"weird","ts":1.0,"name":"x"}\n')
    reader = Reader(tmp_path)
    reader.read(1.0)
    with path.open("a") as file:
        file.write(json_row(1).replace('{"ts"', '{"_path":"conn","ts"'))
    reader.follower.look(2.0)
    (portion,) = reader.follower.portions(2.0)
    assert portion.data.count(b"\n") == 2


def test_what_cannot_be_read_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn(tmp_path, 1)
    reader = Reader(tmp_path)

    def refuse(_: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("analyzer.watch.following.Content", refuse)
    reader.read(1.0)
    assert reader.follower.faults == {str(tmp_path / "conn.log"): "Permission denied"}
    monkeypatch.undo()
    reader.read(2.0)
    assert (reader.rows, reader.follower.faults) == (["C1"], {})


def test_a_broken_archive_is_told_once_nobody_writes_it_any_more(tmp_path: Path) -> None:
    packed = gzip.compress((header(1) + row(1) * 1000).encode())
    path = tmp_path / "conn.1.log.gz"
    path.write_bytes(packed[:-20])
    os.utime(path, (1000, 1000))
    reader = Reader(tmp_path)
    reader.read(1010.0)
    assert reader.follower.faults == {}
    reader.restart()
    reader.read(2000.0)
    assert list(reader.follower.faults) == [str(path)]


def test_no_more_than_the_limit_at_once(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"conn.{number}.log").write_text(header(number) + row(number))
        os.utime(tmp_path / f"conn.{number}.log", (number, number))
    follower = Follower([tmp_path])
    follower.look(10.0)
    given = list(follower.portions(10.0, limit=1))
    assert [portion.path for portion in given] == [str(tmp_path / "conn.0.log")]
    assert (follower.behind, follower.waiting) == (3 * len(header(0) + row(0)), 1.0)
    follower.accept()
    assert len(list(follower.portions(10.0))) == 3
    follower.close()


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_text(json_row(1) + "x" * (3 << 20) + "\n" + json_row(2))
    follower = Follower([tmp_path], portion=100)
    follower.look(1.0)
    lengths = []
    while portions := list(follower.portions(1.0)):
        follower.accept()
        lengths += [(portion.overlong, portion.stream.lines) for portion in portions]
    assert lengths == [(0, 1), ((3 << 20) + 1, 2), (0, 3)]
    follower.close()


def test_logs_without_a_file_are_lost(tmp_path: Path) -> None:
    conn(tmp_path, 1)
    reader = Reader(tmp_path)
    reader.read(100.0)
    assert reader.follower.lost(200.0) == []
    (tmp_path / "conn.log").unlink()
    reader.restart()
    reader.read(150.0)
    assert reader.follower.lost(200.0) == [1]
    assert reader.follower.lost(100.0) == []


def packed(*numbers: int) -> bytes:
    """A compressed log whose beginning can be read without its end."""
    return gzip.compress((header(1) + "".join(row(number) for number in numbers)).encode(), 0)


def test_an_archive_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    whole = packed(*range(20_000))
    archive = tmp_path / "conn.1.log.gz"
    archive.write_bytes(whole[: len(whole) // 2])
    reader = Reader(tmp_path)
    reader.read(1.0, fail=True)
    archive.write_bytes(whole)
    # Its first part, which was read to its end when that could not be kept, and then the others.
    reader.read(2.0)
    reader.read(3.0)
    assert len(reader.rows) == len(set(reader.rows)) == 20_000
    assert len(reader.resting) == 1


def test_an_archive_that_is_empty_at_first_is_read(tmp_path: Path) -> None:
    archive = tmp_path / "conn.1.log.gz"
    archive.touch()
    reader = Reader(tmp_path)
    reader.read(1.0)
    archive.write_bytes(packed(1))
    reader.read(2.0)
    assert reader.rows == ["C1"]
    assert len(reader.resting) == 1


def test_what_follows_an_end_that_was_cut_off_is_read_if_that_could_not_be_kept(
    tmp_path: Path,
) -> None:
    conn(tmp_path, 1, 2, 3)
    reader = Reader(tmp_path)
    reader.read(1.0)
    conn(tmp_path, 1)
    reader.read(2.0, fail=True)
    conn(tmp_path, 1, 4)
    reader.read(3.0)
    assert reader.rows == ["C1", "C2", "C3", "C4"]


@pytest.mark.parametrize("age", [0.0, 86400.0])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_many_files_are_not_held_open_at_once(tmp_path: Path, age: float, suffix: str) -> None:
    now, count = 1e9, MOST_HELD + 2 * MOST_READ
    for number in range(count):
        path = tmp_path / f"conn.{number}.log{suffix}"
        plain = (header(1) + row(number)).encode()
        path.write_bytes(gzip.compress(plain) if suffix else plain)
        os.utime(path, (now - age, now - age))
    reader = Reader(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    reader.follower.look(now)
    most = 0
    while True:
        portions = list(reader.follower.portions(now))
        assert len(portions) <= MOST_READ
        most = max(most, len(list(Path("/proc/self/fd").iterdir())) - before)
        reader.rows += [uid(each.data.decode().splitlines()[-1]) for each in portions]
        reader.follower.accept()
        if not reader.follower.has_more:
            break
    assert sorted(reader.rows) == sorted(f"C{number}" for number in range(count))
    assert most <= MOST_HELD + 2 * MOST_READ
    reader.follower.close()


def test_a_directory_that_can_be_read_again_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn(tmp_path, 1)
    (tmp_path / "archive").mkdir()
    reader = Reader(tmp_path)
    scandir = os.scandir
    closed = True

    def refusing(path: str) -> object:
        if closed and str(path).endswith("archive"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    faults = []
    for now, closed in ((1e3, True), (2e3, False), (3e3, True), (4e3, False)):  # noqa: B007
        reader.read(now)
        faults.append(list(reader.follower.faults.values()))
    assert faults == [["Permission denied"], [], ["Permission denied"], []]
