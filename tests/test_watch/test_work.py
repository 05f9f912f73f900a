"""What is computed beside the loop, and when."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.errors import OutputError
from analyzer.findings import Finding
from analyzer.watch.judging import Judgement, Knowledge
from analyzer.watch.lessons import Lesson, Lessons
from analyzer.watch.options import Options
from analyzer.watch.service import Service
from analyzer.watch.work import LESSON_AGAIN

from .sensor import notices
from .test_service import run


def test_how_long_it_took_decides_when_the_next_begins(options: Options) -> None:
    service = Service(replace(options, interval=10.0), complain=lambda _: None, clock=lambda: 50.0)
    try:
        service._work._background.begin(lambda: Judgement((), {}, 60.0, 0, cost=6.0))
        service._work._background.wait(10.0)
        service._work._take_background()
        assert service._schedule.seconds == 60.0
        assert service._schedule.is_early(61.9, 0.0)
        assert not service._schedule.is_early(62.0, 0.0)
    finally:
        service.close()


@pytest.mark.parametrize(
    ("took", "left", "begins"),
    [(3.0, 3.0, True), (3.0, 2.9, False), (31.0, 0.1, True)],
)
def test_the_days_before_do_not_keep_the_window_waiting(
    options: Options, monkeypatch: pytest.MonkeyPatch, took: float, left: float, *, begins: bool
) -> None:
    service = Service(replace(options, interval=60.0), complain=lambda _: None)
    try:
        begun: list[object] = []
        monkeypatch.setattr(service._work._background, "begin", begun.append)
        monkeypatch.setattr(service._work.days, "is_due", lambda _: True)
        service._work.days.seconds, service._schedule.tick = took, 1000.0
        service._work._begin_window(1000.0 - left)
        assert bool(begun) == begins
    finally:
        service.close()


def test_what_fills_the_window_is_judged_ahead_of_its_turn(
    options: Options, morning: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    service = Service(replace(options, interval=1000.0), complain=lambda _: None)
    try:
        service._take_in()
        service._work._is_due = True
        service._schedule.judged(1e9, 1e9, 0.0)
        begun: list[object] = []
        monkeypatch.setattr(service._work._background, "begin", begun.append)
        service._work._begin_window(0.0)
        assert begun == []
        # A morning is less than half of a day, and more than half of what half as many rows make.
        service._intake.window = replace(service._intake.window, most=2 * service._work._unjudged)
        service._work._begin_window(0.0)
        assert len(begun) == 1
    finally:
        service.close()


def knows_of_seven_days(service: Service) -> bool:
    baseline = service._work.known.baseline
    return baseline is not None and baseline.window == 7


def test_what_was_found_is_said_before_its_day_is_learned(
    options: Options, morning: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    days: list[int] = []
    said: list[int] = []

    def work(_: Lessons, known: Knowledge, day: int) -> Callable[[], Lesson]:
        def learn() -> Lesson:
            said.append(len(notices(options.out)))
            assert known.baseline is None
            return Lesson(day, Baseline(window=7))

        days.append(day)
        return learn

    monkeypatch.setattr(Lessons, "due", lambda _: 5 if not days else None)
    monkeypatch.setattr(Lessons, "work", work)
    _, complaints = run(
        replace(options, baseline=tmp_path / "baseline"),
        knows_of_seven_days,
    )
    assert said[0] > 5
    assert days == [5]
    assert complaints == []


def test_the_fast_rules_know_what_all_rules_found(options: Options) -> None:
    """They do not look for all of it, and who is not looked for is not gone."""
    one = Finding(
        rule="dns_tunnel",
        note="ZeekAnalyzer::DNS_Tunnel",
        source="10.0.0.1",
        destination="10.0.0.53",
        subject="tunnel.example",
        first=0.0,
        last=100.0,
        score=0.85,
        techniques=(),
        message="",
    )
    other = replace(one, destination="10.0.0.54", score=0.93)
    service = Service(options, complain=lambda _: None)
    work = service._work
    try:
        for background, found in (
            (work._background, (one,)),
            (work._fast, (other,)),
            (work._background, (one, other)),
        ):
            background.begin(partial(Judgement, found, {}, 0.0, 0))
            background.wait(10.0)
            work.take()
        assert [each["dst"] for each in notices(options.out)] == ["10.0.0.53", "10.0.0.54"]
    finally:
        service.close()


@pytest.mark.parametrize("where", ["work", "keep"])
def test_a_lesson_that_fails_does_not_keep_the_window_waiting(
    options: Options, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def work(_: Lessons, known: Knowledge, day: int) -> Callable[[], Lesson]:
        assert known.baseline is None
        began.append(day)
        return partial(fail if where == "work" else Lesson, day, Baseline())

    def fail(*_: object) -> Lesson:
        raise OutputError("disk full")

    def judge() -> None:
        work_of_it._is_due = True
        work_of_it._begin_window(now[0])
        while not work_of_it._background.is_idle:
            work_of_it._background.wait(10.0)
            work_of_it._take_background()

    monkeypatch.setattr(Lessons, "due", lambda _: 5)
    monkeypatch.setattr(Lessons, "work", work)
    monkeypatch.setattr(Lessons, "keep", fail)
    began: list[int] = []
    said: list[str] = []
    now = [1e9]
    service = Service(options, complain=said.append, clock=lambda: now[0])
    work_of_it = service._work
    try:
        for _ in range(3):
            now[0] += 60.0
            judge()
        assert began == [5]
        assert len(said) == 1
        now[0] += LESSON_AGAIN
        judge()
        assert began == [5, 5]
    finally:
        service.close()
