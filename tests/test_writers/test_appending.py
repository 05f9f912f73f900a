"""A log that grows: what is appended is read back whole and once, whatever happens between."""

from __future__ import annotations

import json
import os
import re
import resource
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from analyzer.errors import OutputError
from analyzer.findings import Finding
from analyzer.writers.appending import DAY, AppendingLog
from analyzer.writers.ecs import ecs_lines
from analyzer.writers.jsonl import finding_lines
from analyzer.writers.log_kinds import LogKind
from analyzer.writers.notice import columns, notice_row, write_notices
from analyzer.zeek_format import footer, header

from . import FIRST, make_finding

FORMATS: tuple[LogKind, ...] = ("tsv", "json", "ecs", "findings")


NAMES: dict[LogKind, str] = {
    "tsv": "notice.log",
    "json": "notice.log",
    "ecs": "notice.ecs.ndjson",
    "findings": "findings.jsonl",
}


class Clock:
    def __init__(self) -> None:
        self.now = FIRST

    def __call__(self) -> float:
        return self.now


def finding(number: int) -> Finding:
    return make_finding(source=f"10.0.{number >> 8}.{number & 255}", message=f"number {number}")


def opened(directory: Path, clock: Clock, **options: Any) -> AppendingLog:  # noqa: ANN401 - passed on
    return AppendingLog(directory, clock=clock, **options)


def files(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir() if not file.name.startswith("."))


def test_a_log_is_zeeks_from_header_to_close(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "new" / "out", clock) as log:
        assert files(log.path.parent) == []
        log.append([])
        assert files(log.path.parent) == []
        log.append([finding(1), finding(2)])
        clock.now += 60
        log.append([finding(3)])
        rows = [notice_row(finding(number)) for number in (1, 2, 3)]
        expected = header("notice", columns(), FIRST) + "".join(rows)
        assert log.path.read_text() == expected
        assert log.written == {finding(number).identifier for number in (1, 2, 3)}
        before = log.path.stat().st_ino
        rotated = log.rotate()
        assert rotated == log.path.with_name("notice.2023-11-14-22-13-20.log")
        assert rotated.read_text() == expected + footer(FIRST + 60)
        assert (rotated.stat().st_ino, files(rotated.parent)) == (before, [rotated.name])
        assert log.rotate() is None
        log.append([finding(4)])
        assert log.path.stat().st_ino != before
        assert log.path.read_text() == header("notice", columns(), FIRST + 60) + notice_row(
            finding(4)
        )
        # Of this log and the one before.
        assert log.written == {finding(number).identifier for number in (1, 2, 3, 4)}
        log.rotate()
        assert log.written == {finding(4).identifier}


@pytest.mark.parametrize("strict", [False, True])
def test_after_a_restart_it_goes_on(tmp_path: Path, strict: bool) -> None:  # noqa: FBT001 - parametrized
    clock = Clock()
    with opened(tmp_path, clock, strict=strict) as log:
        log.append([finding(1)])
    clock.now += 5
    with opened(tmp_path, clock, strict=strict) as log:
        assert log.written == {finding(1).identifier}
        log.append([finding(2)])
    rows = [notice_row(finding(number), strict=strict) for number in (1, 2)]
    text = header("notice", columns(strict=strict), FIRST) + "".join(rows)
    assert log.path.read_text() == text
    assert files(tmp_path) == ["notice.log"]


@pytest.mark.parametrize(
    ("format_", "name", "line"),
    [
        ("json", "notice.2023-11-14-22-13-20.log", notice_row(finding(1), format="json")),
        ("ecs", "notice.ecs.2023-11-14-22-13-20.ndjson", "".join(ecs_lines([finding(1)]))),
        ("findings", "findings.2023-11-14-22-13-20.jsonl", "".join(finding_lines([finding(1)]))),
    ],
)
def test_json_has_neither_head_nor_foot(
    tmp_path: Path, format_: LogKind, name: str, line: str
) -> None:
    with opened(tmp_path, Clock(), format=format_) as log:
        log.append([finding(1)])
        assert log.path.read_text() == line
        log.rotate()
    assert files(tmp_path) == [name]
    assert (tmp_path / name).read_text() == line


def test_json_without_a_journal_is_as_old_as_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "notice.log").write_text(notice_row(finding(1), format="json"))
    os.utime(tmp_path / "notice.log", (FIRST, FIRST))
    with opened(tmp_path, Clock(), format="json") as log:
        assert log.written == frozenset()
        log.rotate()
    assert files(tmp_path) == ["notice.2023-11-14-22-13-20.log"]


def test_rotation_is_at_multiples_of_the_interval(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = 10 * DAY - 1
    with opened(tmp_path, clock) as log:
        assert log.rotate_if_due() is None
        log.append([finding(1)])
        clock.now = 10 * DAY - 0.5
        assert log.rotate_if_due() is None
        clock.now = 10 * DAY
        rotated = log.rotate_if_due()
        assert rotated is not None
        assert rotated.name == "notice.1970-01-10-23-59-59.log"
        log.append([finding(2)])
        clock.now += DAY
        log.append([finding(3)])
    assert files(tmp_path) == [
        "notice.1970-01-10-23-59-59.log",
        "notice.1970-01-11-00-00-00.log",
        "notice.log",
    ]
    clock.now += DAY
    with opened(tmp_path, clock, rotate_every=None) as log:
        assert log.rotate_if_due() is None
        log.append([finding(4)])
    assert len(files(tmp_path)) == 3


def test_no_log_is_overwritten(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, clock) as log:
        for number in range(3):
            log.append([finding(number)])
            log.rotate()
    names = [f"notice.2023-11-14-22-13-{second}.log" for second in (20, 21, 22)]
    assert files(tmp_path) == names
    for number, name in enumerate(names):
        assert notice_row(finding(number)) in (tmp_path / name).read_text()


def test_what_analyze_wrote_is_rotated_away(tmp_path: Path) -> None:
    write_notices([finding(1)], tmp_path / "notice.log", written=FIRST)
    before = (tmp_path / "notice.log").read_bytes()
    with opened(tmp_path, Clock()) as log:
        assert log.written == frozenset()
        log.append([finding(2)])
    assert (tmp_path / "notice.2023-11-14-22-13-20.log").read_bytes() == before
    assert notice_row(finding(2)) in log.path.read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"format": "tsv"}, {"format": "json"}),
        ({"format": "json"}, {"format": "tsv"}),
        ({"strict": True}, {"strict": False}),
    ],
)
def test_one_log_holds_one_kind(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    with opened(tmp_path, Clock(), **before) as log:
        log.append([finding(1)])
    with opened(tmp_path, Clock(), **after) as log:
        # Its findings are still known.
        assert log.written == {finding(1).identifier}
        log.append([finding(2)])
    old = (tmp_path / "notice.2023-11-14-22-13-20.log").read_text()
    assert old.endswith(footer(FIRST)) == (before != {"format": "json"})
    assert notice_row(finding(1), **before) in old
    assert notice_row(finding(2), **after) in log.path.read_text()


def test_a_log_that_somebody_took_away(tmp_path: Path) -> None:
    with opened(tmp_path, Clock()) as log:
        log.append([finding(1)])
        log.path.rename(tmp_path / "notice.1.log")
        log.append([finding(2)])
        log.path.unlink()
        log.append([finding(3)])
        write_notices([finding(4)], tmp_path / "x", written=FIRST)
        (tmp_path / "x").rename(log.path)
        log.append([finding(5)])
        log.path.unlink()
        assert log.rotate() is None
        # Where there is none, somebody may put one, but not one of others.
        write_notices([finding(6)], log.path, written=FIRST)
        log.append([finding(7)])
        log.path.unlink()
        log.path.write_text('{"note":"Scan::Port_Scan"}\n')
        with pytest.raises(OutputError, match="notices of others"):
            log.append([finding(8)])
    names = ("notice.1.log", "notice.2023-11-14-22-13-20.log", "notice.2023-11-14-22-13-21.log")
    for name, number in zip(names, (1, 4, 6), strict=True):
        assert f"number {number}" in (tmp_path / name).read_text()


def test_a_full_disk_writes_nothing_and_the_next_try_all(tmp_path: Path) -> None:
    with opened(tmp_path, Clock()) as log:
        log.append([finding(1)])
        before = log.path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        for room in (len(before) + 100, 1):  # in the log, in the journal
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
            try:
                with pytest.raises(OutputError, match=r"notice\.log: cannot be written: File too"):
                    log.append([finding(2), finding(3)])
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert log.path.read_bytes() == before
            assert log.written == {finding(1).identifier}
        log.append([finding(2)])
    assert log.path.read_bytes() == before + notice_row(finding(2)).encode()
    with opened(tmp_path, Clock()) as log:
        assert log.written == {finding(1).identifier, finding(2).identifier}


@pytest.mark.parametrize(
    "content", [b"whatever\n", b"\x1f\x8b", b"#separator \\x09\n#fields\tts\tnote\n1\tScan::X\n"]
)
def test_what_is_not_ours_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notice.log").write_bytes(content)
    with pytest.raises(OutputError, match=r"no log of ours|notices of others"):
        opened(tmp_path, Clock())
    assert (tmp_path / "notice.log").read_bytes() == content


def test_no_link_and_no_pipe_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "notice.log").symlink_to("elsewhere")
    with pytest.raises(OutputError, match=r"notice\.log: cannot be written"):
        opened(tmp_path, Clock())
    (tmp_path / "notice.log").unlink()
    os.mkfifo(tmp_path / "notice.log")
    with pytest.raises(OutputError, match="no log of ours"):
        opened(tmp_path, Clock())
    # A claim that led to nothing is given back.
    (tmp_path / "notice.log").unlink()
    opened(tmp_path, Clock()).close()


def test_zeeks_own_directory_and_one_in_use(tmp_path: Path) -> None:
    (tmp_path / ".cmdline").touch()
    with pytest.raises(OutputError, match="of Zeek's own"):
        opened(tmp_path, Clock())
    with opened(tmp_path / "out", Clock()), opened(tmp_path / "out", Clock(), format="findings"):
        for format_ in ("tsv", "json", "findings"):
            with pytest.raises(OutputError, match="another zeek-analyzer"):
                opened(tmp_path / "out", Clock(), format=format_)


def read(directory: Path, format_: LogKind, *, strict: bool) -> list[str]:
    """The messages in all logs of a directory, oldest first, every line being whole."""
    live = directory / NAMES[format_]
    rotated = sorted(file for file in directory.glob(f"{live.stem}.*{live.suffix}"))
    messages = []
    for file in [*rotated, *([live] if live.exists() else [])]:
        text = file.read_text()
        assert text.endswith("\n") or not text
        lines = text.splitlines()
        if format_ == "tsv" and lines:
            names = [line.partition("\t")[0] for line in lines if line.startswith("#")]
            closed = ["#close"] if file != live else []
            assert names == [
                *("#separator \\x09", "#set_separator", "#empty_field", "#unset_field", "#path"),
                *("#open", "#fields", "#types"),
                *closed,
            ]
            assert all(line.startswith("#") for line in lines[:8])
            assert not closed or lines.pop().startswith("#close")
            rows = [line.split("\t") for line in lines[8:]]
            assert {len(row) for row in rows} <= {26 if strict else 31}
            messages += [row[11] for row in rows]
        else:
            documents = [json.loads(line) for line in lines]
            key = "msg" if format_ == "json" else "message"
            messages += [document[key] for document in documents]
    return messages


DIRECTORY: Path


def between(data: st.DataObject, low: int, high: int) -> int:
    """Any size of a file; what is drawn must not depend on the file, which names its inode."""
    return low + data.draw(st.integers(0, 999_999)) % (high - low + 1)


class Following(RuleBasedStateMachine):
    """A follower that appends what it has found, and is killed at any moment.

    What it remembers itself is as old as can be: all but what it appended last. After each start it
    appends of that what the log does not say it has. What a crash leaves on the disk is any
    beginning of what was not yet known to be there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.directory = Path(tempfile.mkdtemp(dir=DIRECTORY))
        self.options: dict[str, Any] = {}
        self.found = self.remembered = 0
        self.log: AppendingLog | None = None

    @initialize(format_=st.sampled_from(FORMATS), strict=st.booleans())
    def begin(self, format_: LogKind, strict: bool) -> None:  # noqa: FBT001 - drawn
        self.options = {"format": format_, "strict": strict}
        self.start()

    def start(self) -> None:
        self.log = opened(self.directory, self.clock, **self.options)
        uncertain = [finding(number) for number in range(self.remembered, self.found)]
        missing = [each for each in uncertain if each.identifier not in self.log.written]
        self.log.append(missing)
        self.remembered = self.found - len(missing)

    def find(self, number: int) -> None:
        assert self.log is not None
        self.remembered = self.found
        self.found += number
        self.log.append([finding(each) for each in range(self.remembered, self.found)])

    @rule(number=st.integers(1, 3), later=st.sampled_from([0, 1, 3600, DAY]))
    def append(self, number: int, later: float) -> None:
        self.clock.now += later
        self.find(number)

    @rule()
    def rotate(self) -> None:
        assert self.log is not None
        self.log.rotate()

    @rule()
    def restart(self) -> None:
        assert self.log is not None
        self.log.close()
        self.start()

    @rule(number=st.integers(1, 3), data=st.data())
    def die_while_appending(self, number: int, data: st.DataObject) -> None:
        assert self.log is not None
        self.log.rotate_if_due()
        path = self.log.path
        before = path.stat().st_size if path.exists() else 0
        noted = self.journal.stat().st_size
        self.find(number)
        self.log.close()
        if data.draw(st.booleans(), "while noting"):
            os.truncate(self.journal, between(data, noted, self.journal.stat().st_size))
            os.truncate(path, before)
        else:
            os.truncate(path, between(data, before, path.stat().st_size))
        self.start()

    @precondition(lambda self: self.log is not None and self.log.path.exists())
    @rule(data=st.data(), renamed=st.booleans())
    def die_while_rotating(self, data: st.DataObject, renamed: bool) -> None:  # noqa: FBT001 - drawn
        assert self.log is not None
        path, noted = self.log.path, self.journal.read_bytes()
        before = path.stat().st_size
        rotated = self.log.rotate()
        self.log.close()
        assert rotated is not None
        self.journal.write_bytes(noted)
        if not renamed:
            rotated.rename(path)
            os.truncate(path, between(data, before, path.stat().st_size))
        self.start()

    @property
    def journal(self) -> Path:
        return self.directory / f".{Path(NAMES[self.options['format']]).stem}.journal"

    @invariant()
    def everything_is_there_once(self) -> None:
        if self.log is not None:
            kind = self.options
            messages = read(self.directory, kind["format"], strict=kind["strict"])
            assert messages == [f"number {number}" for number in range(self.found)]

    def teardown(self) -> None:
        if self.log is not None:
            self.log.close()


@pytest.fixture(autouse=True, scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    global DIRECTORY  # noqa: PLW0603 - a state machine takes no fixtures
    DIRECTORY = tmp_path_factory.mktemp("following")


TestFollowing = Following.TestCase
TestFollowing.settings = settings(
    max_examples=60,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_a_rotated_log_is_called_as_zeeks(tmp_path: Path) -> None:
    with opened(tmp_path, Clock()) as log:
        log.append([finding(1)])
        rotated = log.rotate()
    assert rotated is not None
    assert re.fullmatch(r"notice\.\d{4}(-\d\d){5}\.log", rotated.name)
