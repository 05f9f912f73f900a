"""What is judged together, what leaves, what is joined."""

from __future__ import annotations

from dataclasses import replace

from analyzer.watch.state import Segment
from analyzer.watch.window import JOINED, LONGEST, MOST_ROWS, Window, without_oldest

HOUR = 3600.0


def segment(number: int, last: float, rows: int = 10, *, judged: bool = True) -> Segment:
    return Segment(number, {"conn": rows}, last - 5.0, last, 1, judged)


def hours(*judged: bool, rows: int = 10) -> tuple[Segment, ...]:
    return tuple(
        segment(number, number * HOUR, rows, judged=each)
        for number, each in enumerate(judged, start=1)
    )


def test_an_empty_one() -> None:
    window = Window((), HOUR, 10)
    assert (window.rows, window.first, window.last) == (0, None, None)
    assert window.leaving() == ([], False)
    assert window.latest(10.0, 10) == []
    assert window.to_join() == []
    assert not window.must_be_judged


def test_its_bounds() -> None:
    window = Window(hours(True, True), HOUR, 100)
    assert (window.rows, window.first, window.last) == (20, HOUR - 5, 2 * HOUR)


def test_what_is_old_leaves() -> None:
    every = hours(True, True, True, True)
    window = Window(every, 2 * HOUR, 100)
    assert window.leaving() == ([every[0]], False)


def test_what_is_too_much_leaves_oldest_first() -> None:
    every = hours(True, True, True)
    assert Window(every[::-1], 9 * HOUR, 20).leaving() == ([every[0]], True)
    assert Window(every, 9 * HOUR, 19).leaving() == (list(every[:2]), True)


def test_what_was_not_judged_stays() -> None:
    every = hours(False, True, False, True)
    assert Window(every, HOUR, 100).leaving() == ([every[1]], False)
    assert Window(every, 9 * HOUR, 5).leaving() == ([every[1], every[3]], True)


def test_the_latest() -> None:
    every = hours(True, True, True)
    window = Window(every, 9 * HOUR, 100)
    assert window.latest(HOUR, 100) == [every[2], every[1]]
    assert window.latest(HOUR / 2, 100) == [every[2]]
    assert window.latest(9 * HOUR, 11) == [every[2], every[1]]


def test_when_it_must_be_judged() -> None:
    assert not Window(hours(True, True), 4 * HOUR, 100).must_be_judged
    assert not Window(hours(True, True, False), 4 * HOUR, 100).must_be_judged
    assert Window(hours(True, True, False, False), 4 * HOUR, 100).must_be_judged
    # So many rows.
    assert Window(hours(True, False), 4 * HOUR, 20).must_be_judged
    # The first time it is filled.
    assert not Window(hours(False, False, False), 4 * HOUR, 100).must_be_judged
    assert Window(hours(False, False, False, False, False), 4 * HOUR, 100).must_be_judged


def test_how_much_is_waiting() -> None:
    assert Window((), 4 * HOUR, 100).awaiting == 0.0
    assert Window(hours(True, True), 4 * HOUR, 100).awaiting == 0.0
    # An hour of the two that may pass; twenty rows of the fifty that may come.
    assert Window(hours(True, False), 4 * HOUR, 100).awaiting == 0.5
    assert Window(hours(True, False, False), 40 * HOUR, 100).awaiting == 0.4
    # Before the first judgement all of the span may pass.
    assert Window(hours(False, False), 4 * HOUR, 1000).awaiting == (HOUR + 5) / (4 * HOUR)


def test_small_ones_are_joined() -> None:
    every = tuple(segment(number, float(number)) for number in range(JOINED))
    assert Window(every, HOUR, 10**6).to_join() == list(every)
    assert Window(every[1:], HOUR, 10**6).to_join() == []


def test_large_ones_are_joined_when_there_are_as_many() -> None:
    large = tuple(segment(number, float(number), 200) for number in range(3))
    small = tuple(segment(number, float(number)) for number in range(3, 3 + JOINED))
    assert Window(large + small, HOUR, 10**6).to_join() == list(small)
    every = tuple(replace(each, counts={"conn": 200}) for each in large + small)
    assert Window(every, HOUR, 10**6).to_join() == list(every)


def test_no_more_than_an_hour_and_so_many_rows() -> None:
    step = 2 * LONGEST / JOINED
    apart = tuple(segment(number, number * step) for number in range(2 * JOINED))
    assert Window(apart, 9 * HOUR, 10**9).to_join() == []
    rows = 2 * MOST_ROWS // JOINED
    many = tuple(segment(number, float(number), rows) for number in range(2 * JOINED))
    assert Window(many, 9 * HOUR, 10**9).to_join() == []


def test_the_newest_of_what_waits() -> None:
    waiting = hours(True, True, True)
    assert without_oldest(waiting[::-1], 25) == ([*waiting[1:]], [waiting[0]])
    assert without_oldest(waiting, 30) == ([*waiting], [])
    assert without_oldest((), 0) == ([], [])
