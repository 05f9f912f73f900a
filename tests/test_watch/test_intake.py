"""Rows into the window, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analyzer.errors import OutputError, ResourceError
from analyzer.parsers.account import Problem
from analyzer.watch.following import Follower
from analyzer.watch.former import PAST
from analyzer.watch.intake import Intake, start_anew_if_changed
from analyzer.watch.past import Past, past_of
from analyzer.watch.segments import Segments
from analyzer.watch.state import Segment, State
from analyzer.watch.streams import Streams
from analyzer.watch.window import JOINED

from .test_following import header, row
from .test_segments import uids

Opened = tuple[Intake, Segments, Follower, State]


@contextmanager
def opened(
    top: Path,
    state_at: Path,
    *,
    span: float = 1000.0,
    most: int = 100,
    keeps_left: bool = False,
    keeps_unlearned: bool = False,
    on_problem: Callable[[Problem], None] = lambda _: None,
) -> Iterator[Opened]:
    with State(state_at) as state:
        segments = Segments(state_at / "window", memory_limit="100MB", threads=1)
        start_anew_if_changed(state, segments)
        follower = Follower(
            [top], streams=Streams(state.streams()), resting=state.resting(), portion=1 << 20
        )
        intake = Intake(
            state,
            segments,
            follower,
            span=span,
            most=most,
            keeps_left=keeps_left,
            keeps_unlearned=keeps_unlearned,
            on_problem=on_problem,
        )
        try:
            yield intake, segments, follower, state
        finally:
            follower.close()
            segments.close()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    directory = tmp_path / "logs"
    directory.mkdir()
    return directory


def put(top: Path, *numbers: int) -> None:
    path = top / "conn.log"
    if not path.exists():
        path.write_text(header(1))
    with path.open("a") as file:
        file.write("".join(row(number) for number in numbers))


def take(intake: Intake, follower: Follower, now: float = 1e9) -> int | None:
    follower.look(now)
    return intake.step(now)


def test_what_is_new_is_taken_in_once(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state") as (intake, segments, follower, _):
        assert take(intake, follower) is None
        put(top, 1, 2)
        assert take(intake, follower) == 2
        assert take(intake, follower) is None
        put(top, 3)
        assert take(intake, follower) == 1
        assert uids(segments, *intake.window.segments) == ["C1", "C2", "C3"]
        assert intake.read == {"conn": 3}
    with opened(top, tmp_path / "state") as (intake, segments, follower, _):
        assert take(intake, follower) is None
        assert uids(segments, *intake.window.segments) == ["C1", "C2", "C3"]


def test_what_cannot_be_kept_comes_again(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(top, tmp_path / "state") as (intake, segments, follower, state):
        put(top, 1)
        for where, name, error in (
            (Segments, "write", ResourceError("disk full")),
            (State, "keep_streams", OutputError("disk full")),
            (Segments, "load", ResourceError("disk full")),
        ):

            def fail(*_: object, error: Exception = error) -> None:
                raise error

            with monkeypatch.context() as patched:
                patched.setattr(where, name, fail)
                with pytest.raises(type(error)):
                    take(intake, follower)
            assert (state.segments(), state.streams()) == ([], [])
        assert take(intake, follower) == 1
        assert uids(segments, *intake.window.segments) == ["C1"]


def test_a_crash_between_file_and_state_leaves_nothing(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state") as (_, segments, follower, _):
        put(top, 1)
        follower.look(1e9)
        for portion in follower.portions(1e9):
            segments.load(portion)
        segments.write(1, 1e9, 0.0)
        assert len(list((tmp_path / "state" / "window").iterdir())) == 1
    with opened(top, tmp_path / "state") as (intake, segments, follower, _):
        assert list((tmp_path / "state" / "window").iterdir()) == []
        assert take(intake, follower) == 1
        assert uids(segments, *intake.window.segments) == ["C1"]


def test_what_is_old_leaves_once_it_was_judged(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state", span=100.0) as (intake, segments, follower, state):
        for number in (1, 50, 500):
            put(top, number)
            take(intake, follower)
        assert uids(segments, *intake.window.segments) == ["C1", "C50", "C500"]
        intake.have_judged(intake.window.segments)
        put(top, 510)
        take(intake, follower)
        assert uids(segments, *intake.window.segments) == ["C500", "C510"]
        assert [segment.number for segment in state.segments()] == [3, 4]
        assert not intake.is_bounded_by_rows
        assert len(list((tmp_path / "state" / "window").iterdir())) == 4
        intake.tidy()
        assert len(list((tmp_path / "state" / "window").iterdir())) == 2


def test_too_many_rows_leave(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state", most=2) as (intake, segments, follower, _):
        for number in (1, 2, 3):
            put(top, number)
            take(intake, follower)
            intake.have_judged(intake.window.segments)
        assert uids(segments, *intake.window.segments) == ["C2", "C3"]
        assert intake.is_bounded_by_rows


def test_small_segments_are_joined(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state") as (intake, segments, follower, state):
        for number in range(1, JOINED + 1):
            put(top, number)
            take(intake, follower)
            intake.tidy()
        assert len(intake.window.segments) == len(state.segments()) == 1
        assert len(uids(segments, *intake.window.segments)) == JOINED
        put(top, 99)
        take(intake, follower)
        assert [segment.rows for segment in intake.window.segments] == [JOINED, 1]


def test_bad_lines_are_told_and_counted(top: Path, tmp_path: Path) -> None:
    problems: list[Problem] = []
    with opened(top, tmp_path / "state", on_problem=problems.append) as (intake, _, follower, _):
        put(top, 1)
        take(intake, follower)
        with (top / "conn.log").open("a") as file:
            file.write("nonsense\n" + row(2))
        assert take(intake, follower) == 1
        assert [str(problem) for problem in problems] == [
            f"{top / 'conn.log'}:10: expected the 8 columns of #fields (found 1)"
        ]
        assert intake.skipped.total() == 1


def test_rows_whose_file_is_gone_are_told(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state") as (intake, _, follower, _):
        put(top, 1, 2)
        take(intake, follower)
    for file in (tmp_path / "state" / "window").iterdir():
        file.unlink()
    with opened(top, tmp_path / "state") as (intake, _, _, state):
        assert intake.lost == 2
        assert (intake.window.segments, state.segments()) == ((), [])


def test_another_layout_reads_the_window_again(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state") as (intake, segments, follower, state):
        put(top, 1, 2)
        take(intake, follower)
        assert not start_anew_if_changed(state, segments)
        state.set_fact("layout", "of an earlier version")
    with opened(top, tmp_path / "state") as (intake, segments, follower, _):
        assert intake.window.segments == ()
        assert take(intake, follower) == 2
        assert uids(segments, *intake.window.segments) == ["C1", "C2"]


def test_what_is_gone_is_forgotten(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state") as (intake, _, follower, state):
        put(top, 1)
        take(intake, follower, 1e9)
        assert take(intake, follower, 1e9) is None
        (top / "conn.log").unlink()
        follower.look(1e9)
        follower.look(1e9 + 1e6)
        intake.forget(1e9 + 1e6)
        assert len(state.streams()) == 1
        intake.forget(1e9 + 1e7)
        assert state.streams() == []


def test_what_leaves_waits_to_be_summed_up(top: Path, tmp_path: Path) -> None:
    def numbers(segments: list[Segment]) -> list[int]:
        return [each.number for each in segments]

    at = tmp_path / "state"
    with opened(top, at, most=1, keeps_left=True) as (intake, _, follower, _):
        for number in (1, 2, 3):
            put(top, number)
            take(intake, follower)
            intake.have_judged(intake.window.segments)
        assert (numbers(intake.former.left), numbers(intake.former.summed)) == ([1, 2], [])
        intake.tidy()
    with opened(top, at, most=1, keeps_left=True) as (intake, segments, follower, state):
        assert uids(segments, *intake.former.left) == ["C1", "C2"]
        intake.former.have_summed(Past(number=1, judged=2.0), intake.former.left[:1], 0.0)
        assert past_of(state.fact(PAST)) == Past(number=1, judged=2.0)
        assert (numbers(intake.former.left), numbers(intake.former.summed)) == ([2], [1])
        # The names of its connections' successors may be in it, so it stays a while.
        intake.tidy()
        assert uids(segments, *intake.former.summed) == ["C1"]
        intake.former.have_summed(Past(number=1, judged=3.0), [], 0.0)
        assert numbers(intake.former.summed) == [1]
        put(top, 4)
        take(intake, follower)
        intake.have_judged(intake.window.segments)
        assert intake.former.let_go(0.0) == 1
        assert numbers(intake.former.left) == [3]
        intake.former.have_summed(Past(number=2), intake.former.left, 0.0)
        intake.tidy()
    with opened(top, at, most=1, keeps_left=True) as (intake, segments, _, _):
        assert (numbers(intake.former.left), numbers(intake.former.summed)) == ([], [3])
        kept = {path.name[:10] for path in (at / "window").iterdir()}
        assert kept == {"0000000003", "0000000004"}
    with opened(top, at, most=1) as (intake, _, _, state):
        assert (intake.former.left, intake.former.summed, state.segments("summed")) == ([], [], [])
        assert intake.lost == 0
