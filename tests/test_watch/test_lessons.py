"""Which day is learned when, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.baseline.coverage import hours_covered
from analyzer.baseline.file import read_baseline
from analyzer.errors import BaselineError
from analyzer.watch.judging import InterruptedJudgementError, Knowledge
from analyzer.watch.lessons import Lessons
from analyzer.watch.options import Options
from analyzer.watch.state import Segment
from analyzer.watch.window import Window
from tests.test_baseline import assert_same
from tests.traffic import MONDAY, office

from .sensor import rows_of
from .test_intake import Opened, opened, put, take

DAY, HOUR = 86_400, 3600
FIRST = 10 * DAY
KNOWN = Knowledge(rules=())


class School:
    """Lessons, and all they need."""

    def __init__(self, held: Opened, top: Path, out: Path) -> None:
        self.intake, self.segments, self.follower, _ = held
        self.top = top
        self.options = Options(
            tops=(top,), out=out, state=out / "state", baseline=out / "baseline", threads=1
        )
        self.said: list[str] = []
        self.now = 1e9
        self.lessons = self.begun()

    def begun(self) -> Lessons:
        return Lessons(self.options, self.segments, self.intake, self.said.append)

    def take(self, *times: int) -> None:
        if times:
            put(self.top, *times)
        self.now += HOUR
        take(self.intake, self.follower, self.now)
        self.intake.have_judged(self.intake.window.segments)
        self.intake.tidy()

    def learn(self, day: int) -> Knowledge:
        return self.lessons.keep(self.lessons.work(KNOWN, day)(), KNOWN)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    directory = tmp_path / "logs"
    directory.mkdir()
    return directory


@pytest.fixture
def school(top: Path, tmp_path: Path) -> Iterator[School]:
    with opened(top, tmp_path / "state", span=DAY, keeps_unlearned=True) as held:
        yield School(held, top, tmp_path)


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
        # The first comes first; a row of another age is no reason to learn all days since.
        (FIRST, FIRST + 2 * DAY + HOUR, 10),
        (1.0, FIRST + 2 * DAY + HOUR, 10),
    ],
)
def test_a_day_is_due_an_hour_after_its_end(
    school: School, first: float, last: float, due: int | None
) -> None:
    school.intake.window = window(first, last)
    assert school.lessons.due() == due


def test_nothing_is_due_of_nothing_or_without_a_baseline(school: School) -> None:
    assert school.lessons.due() is None
    school.intake.window = window(FIRST, FIRST + 2 * DAY)
    school.options = replace(school.options, baseline=None)
    assert school.begun().due() is None


def test_a_day_is_learned_once(school: School) -> None:
    school.take(FIRST, FIRST + HOUR, FIRST + DAY + 2 * HOUR)
    assert school.lessons.due() == 10
    lesson = school.lessons.work(KNOWN, 10)()
    # Nothing counts before it is kept.
    assert school.lessons.due() == 10
    known = school.lessons.keep(lesson, KNOWN)
    assert known.baseline is not None
    assert known.baseline.days == [10]
    assert school.options.baseline is not None
    assert read_baseline(school.options.baseline).days == [10]
    assert school.lessons.due() is None
    assert school.begun().due() is None
    assert school.said == []


def test_a_day_is_learned_from_its_beginning(top: Path, tmp_path: Path) -> None:
    """Not even a window of a day reaches back to its beginning when it is complete."""
    span = 2 * HOUR
    with opened(top, tmp_path / "state", span=span, most=1000, keeps_unlearned=True) as held:
        school = School(held, top, tmp_path)
        school.options = replace(school.options, span=float(span))
        school.lessons = school.begun()
        learned = []
        for hour in range(50):
            # Less than an hour apart, so that segments are joined as they are in a real one.
            school.take(*(FIRST + hour * HOUR + second for second in (0, 1700, 3590)))
            while (day := school.lessons.due()) is not None:
                known = school.learn(day)
                learned.append((hour, day))
        assert learned == [(25, 10), (49, 11)]
        assert known.baseline is not None
        assert hours_covered(known.baseline["days"]) == {10: range(24), 11: range(24)}
        assert list(known.baseline["days"].connections) == [72, 72]
        assert school.said == []
        # What was learned is not kept any longer.
        assert all(each.last >= FIRST + 2 * DAY for each in held[0].former.kept)


def test_what_is_learned_is_what_a_batch_run_learns(top: Path, tmp_path: Path) -> None:
    office(3, hosts=16, days=1.1, scale=0.1).write(tmp_path / "days")
    logs = {path.stem: rows_of(path) for path in sorted((tmp_path / "days").glob("*.log"))}
    with opened(top, tmp_path / "state", span=DAY, most=10**6, keeps_unlearned=True) as held:
        school = School(held, top, tmp_path)
        school.now = MONDAY
        for hour in range(26):
            begin = MONDAY + hour * HOUR
            for log, (head, rows) in logs.items():
                lines = [row.line for row in rows if begin <= row.at < begin + HOUR]
                (top / f"{log}.{hour:02d}.log").write_text(head + "".join(lines))
            school.take()
            while (day := school.lessons.due()) is not None:
                known = school.learn(day)
        assert school.said == []
    batch = tmp_path / "batch"
    analyzer.learn(tmp_path / "days", batch, begin=MONDAY, end=MONDAY + DAY)
    assert known.baseline is not None
    assert known.baseline.days == [MONDAY // DAY]
    assert_same(known.baseline, read_baseline(batch))


def test_a_day_that_does_not_fit_is_learned_in_part(top: Path, tmp_path: Path) -> None:
    with opened(top, tmp_path / "state", span=HOUR, most=10, keeps_unlearned=True) as held:
        school = School(held, top, tmp_path)
        for hour in range(26):
            school.take(FIRST + hour * HOUR)
        known = school.learn(10)
        assert known.baseline is not None
        assert hours_covered(known.baseline["days"]) == {10: range(14, 24)}
        (said,) = school.said
        assert said == (
            "14 rows left before their day was learned, as there are more than the window may "
            "have: raise --window-rows"
        )
        school.learn(10)
        assert len(school.said) == 1


def test_what_cannot_be_learned_is_due_again(school: School) -> None:
    school.take(FIRST, FIRST + DAY + 2 * HOUR)
    assert school.options.baseline is not None
    school.options.baseline.write_text("no baseline")
    with pytest.raises(BaselineError, match="is no baseline"):
        school.learn(10)
    assert school.lessons.due() == 10


def test_it_can_be_interrupted(school: School) -> None:
    school.take(FIRST, FIRST + DAY + 2 * HOUR)
    school.lessons.interrupt()
    with pytest.raises(InterruptedJudgementError):
        school.learn(10)
    assert school.lessons.due() == 10
