"""Which day is learned when, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.baseline.file import read_baseline
from analyzer.watch.complaints import Complaints
from analyzer.watch.judging import Knowledge
from analyzer.watch.lessons import Lessons
from analyzer.watch.options import Options
from analyzer.watch.segments import Segments
from analyzer.watch.state import Segment, State
from analyzer.watch.window import Window

from .test_following import row
from .test_segments import portion

DAY, HOUR = 86_400, 3600
FIRST = 10 * DAY
KNOWN = Knowledge(rules=())


class School:
    """Lessons, and all they need."""

    def __init__(self, directory: Path) -> None:
        self.options = Options(
            tops=(directory,),
            out=directory / "out",
            state=directory / "state",
            baseline=directory / "baseline",
        )
        self.state = State(directory / "state")
        self.segments = Segments(directory / "window", memory_limit="100MB", threads=1)
        self.said: list[str] = []
        self.lessons = self.begun()

    def begun(self) -> Lessons:
        return Lessons(self.options, self.state, self.segments, Complaints(self.said.append))

    def segment(self, *times: int) -> Segment:
        self.segments.load(portion("".join(row(time) for time in times)))
        segment = self.segments.write(1, 1e9, 0.0)
        assert segment is not None
        return segment


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    held = School(tmp_path)
    with held.state:
        yield held
    held.segments.close()


def window(first: float, last: float) -> Window:
    return Window((Segment(1, {"conn": 1}, first, last, 1, False),), DAY, 100)


@pytest.mark.parametrize(
    ("first", "last", "due"),
    [
        (FIRST, FIRST + DAY + HOUR, 10),
        (FIRST, FIRST + DAY + HOUR - 1, None),
        (FIRST - 1, FIRST + DAY + HOUR - 1, 9),
        (FIRST + DAY - 1, FIRST + 2 * DAY, 10),
        (FIRST + DAY, FIRST + 2 * DAY, None),
    ],
)
def test_a_day_is_due_an_hour_after_its_end(
    school: School, first: float, last: float, due: int | None
) -> None:
    assert school.lessons.due(window(first, last)) == due


def test_nothing_is_due_of_nothing_or_without_a_baseline(school: School) -> None:
    assert school.lessons.due(Window((), DAY, 100)) is None
    school.options = replace(school.options, baseline=None)
    assert school.begun().due(window(FIRST, FIRST + 2 * DAY)) is None


def test_a_day_is_learned_once(school: School) -> None:
    held = school.segment(FIRST, FIRST + HOUR, FIRST + DAY + 2 * HOUR)
    whole = Window((held,), 2 * DAY, 100)
    assert school.lessons.due(whole) == 10
    school.lessons.learn([held], KNOWN, 10)
    # Nothing counts before it is kept.
    assert school.begun().due(whole) == 10
    known = school.lessons.kept(KNOWN)
    assert known.baseline is not None
    assert known.baseline.days == [10]
    assert school.options.baseline is not None
    assert read_baseline(school.options.baseline).days == [10]
    assert school.begun().due(whole) is None
    assert school.lessons.kept(known) is known
    assert school.said == []


def test_what_cannot_be_learned_is_complained_about_and_due_again(school: School) -> None:
    held = school.segment(FIRST, FIRST + DAY + 2 * HOUR)
    assert school.options.baseline is not None
    school.options.baseline.write_text("no baseline")
    school.lessons.learn([held], KNOWN, 10)
    assert school.lessons.kept(KNOWN) is KNOWN
    (said,) = school.said
    assert "is no baseline" in said
    assert school.lessons.due(Window((held,), 2 * DAY, 100)) == 10
