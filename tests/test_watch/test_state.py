"""What survives."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.watch.following import Rest
from analyzer.watch.looking import Seen
from analyzer.watch.state import Episode, Segment, State
from analyzer.watch.streams import Stream

STREAM = Stream(
    number=1, kind="tsv", head="ab", head_size=9, offset=70, lines=3, header=b"#\xff\n", path="/x"
)
REST = Rest(Seen("/x.gz", (1, 2), 3, 4), 1)
SEGMENT = Segment(1, {"conn": 5, "ssl": 2}, 1.5, 2.5, 100)
EPISODE = Episode(1, "[]", 1.0, 2.0, 3, 2.0)


def test_all_of_it_comes_back(tmp_path: Path) -> None:
    with State(tmp_path / "state") as state:
        assert state.is_new
        with state.transaction():
            state.keep_streams([STREAM])
            state.keep_resting([REST])
            state.keep_segment(SEGMENT)
            state.keep_episodes([EPISODE])
            state.put_out(["a", "b"])
            state.set_fact("x", "y")
    with State(tmp_path / "state") as state:
        assert not state.is_new
        assert state.streams() == [STREAM]
        assert state.resting() == [REST]
        assert state.segments() == [SEGMENT]
        assert SEGMENT.rows == 7
        assert state.episodes() == [EPISODE]
        assert state.outbox() == [(1, "a"), (2, "b")]
        assert (state.fact("x"), state.fact("none", "default")) == ("y", "default")


def test_all_of_it_goes(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        with state.transaction():
            state.keep_streams([STREAM])
            state.keep_resting([REST])
            state.keep_segment(SEGMENT)
            state.keep_episodes([EPISODE])
            state.put_out(["a", "b"])
        with state.transaction():
            state.have_judged([1])
        assert state.segments()[0].judged
        with state.transaction():
            state.drop_streams([1])
            state.drop_resting([(1, 2)])
            state.drop_segments([1])
            state.drop_episodes([1])
            state.sent([1])
        held = (state.streams(), state.resting(), state.segments(), state.episodes())
        assert held == ([], [], [], [])
        assert state.outbox() == [(2, "b")]


def test_logs_are_forgotten_but_not_what_was_said(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        with state.transaction():
            state.keep_streams([STREAM])
            state.keep_segment(SEGMENT)
            state.keep_episodes([EPISODE])
        state.forget_logs()
        assert (state.streams(), state.segments()) == ([], [])
        assert state.episodes() == [EPISODE]


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def keep_twice(state: State) -> None:
        with state.transaction():
            state.keep_segment(SEGMENT)
            state.keep_segment(SEGMENT)

    with State(tmp_path) as state:
        with pytest.raises(OutputError, match="UNIQUE"):
            keep_twice(state)
        assert state.segments() == []


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    with State(tmp_path / "state") as state:
        with state.transaction():
            state.put_out(["a"])
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in state.directory.iterdir()}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert set(files.values()) == {0o600}
    assert "watch.sqlite" in files


def test_a_later_versions_is_refused(tmp_path: Path) -> None:
    State(tmp_path).close()
    database = sqlite3.connect(tmp_path / "watch.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(OutputError, match=r"later version of zeek-analyzer \(format 99"):
        State(tmp_path)


def test_a_damaged_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "watch.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(OutputError, match=r"watch\.sqlite: cannot be used: file is not a database"):
        State(tmp_path)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        state._database.execute("PRAGMA max_page_count = 20")
        with pytest.raises(OutputError, match="database or disk is full"), state.transaction():
            state.put_out(["x" * 1_000_000])
        assert state.outbox() == []
        with state.transaction():
            state.put_out(["small"])
        assert state.outbox() == [(1, "small")]


def test_segments_leave_the_window(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        with state.transaction():
            state.keep_segment(SEGMENT)
            state.place_segments([1], "left")
        assert (state.segments(), state.segments("left")) == ([], [SEGMENT])
        with state.transaction():
            state.place_segments([1], "summed")
    with State(tmp_path) as state:
        assert (state.segments("left"), state.segments("summed")) == ([], [SEGMENT])


def test_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "watch.sqlite")
    database.executescript(
        """
        CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
        CREATE TABLE segments (
            number INTEGER PRIMARY KEY, counts TEXT NOT NULL, first REAL NOT NULL,
            last REAL NOT NULL, size INTEGER NOT NULL, judged INTEGER NOT NULL);
        INSERT INTO segments VALUES (1, '{"conn": 5, "ssl": 2}', 1.5, 2.5, 100, 0);
        PRAGMA user_version = 1;
        """
    )
    database.close()
    for _ in range(2):
        with State(tmp_path) as state:
            assert state.segments() == [SEGMENT]
            with state.transaction():
                state.place_segments([1], "window")
