"""What is kept of what has left the window, for what, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analyzer.features import DAY, HOUR
from analyzer.watch.former import PAST, Former, complete_day
from analyzer.watch.past import Past, past_of
from analyzer.watch.state import Segment, State

BEGIN = 10 * DAY


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path) as held:
        yield held


def former(state: State, *, most: int = 1000, left: bool = True, unlearned: bool = True) -> Former:
    return Former(state, most=most, keeps_left=left, keeps_unlearned=unlearned)


def put(state: State, number: int, end: float) -> Segment:
    segment = Segment(number, {"conn": 10}, end - HOUR, end, 1, judged=True)
    with state.transaction():
        state.keep_segment(segment)
    return segment


def leave(state: State, held: Former, last: float, *leaving: Segment) -> None:
    with state.transaction():
        held.leave(leaving, last)
    held.have_left(leaving, last)


def numbers(segments: list[Segment]) -> list[int]:
    return [each.number for each in segments]


@pytest.mark.parametrize(
    ("last", "day"),
    [(BEGIN + HOUR - 1, 8), (BEGIN + HOUR, 9), (BEGIN + DAY, 9), (BEGIN + DAY + HOUR, 10)],
)
def test_a_day_is_complete_an_hour_after_its_end(last: float, day: int) -> None:
    assert complete_day(last) == day


def test_the_beginning_of_a_day_is_kept_until_it_was_learned(state: State) -> None:
    held = former(state, left=False)
    old, first, second = (put(state, n, BEGIN + n * HOUR) for n in (0, 1, 2))
    yesterday = put(state, 3, BEGIN - DAY - 1)
    last = BEGIN + DAY + 2 * HOUR
    with state.transaction():
        state.set_fact("learned", "9")
    leave(state, held, last, yesterday, old, first, second)
    assert numbers(held.unlearned) == [0, 1, 2]
    assert numbers(held.gone) == [3]
    assert numbers(list(former(state, left=False).kept)) == [0, 1, 2]
    held.have_learned(10)
    assert held.learned == 10
    assert held.kept == ()
    assert numbers(held.gone) == [3, 0, 1, 2]
    assert held.cut == 0


def test_what_waits_for_the_days_before_is_learned_too(state: State) -> None:
    held = former(state)
    first, second = (put(state, n, BEGIN + n * HOUR) for n in (1, 2))
    last = BEGIN + DAY
    leave(state, held, last, first)
    assert (numbers(held.left), held.unlearned) == ([1], [])
    held.have_summed(Past(number=1), [first], last)
    leave(state, held, last, second)
    held.have_summed(Past(number=2), [second], last)
    assert past_of(state.fact(PAST)) == Past(number=2)
    # Nobody asks for the first any more but who learns its day.
    assert (numbers(held.summed), numbers(held.unlearned), held.gone) == ([2], [1], [])
    assert numbers(list(held.kept)) == [1, 2]
    held.have_learned(10)
    assert (numbers(held.summed), held.unlearned, numbers(held.gone)) == ([2], [], [1])


def test_what_is_never_learned_does_not_grow_for_ever(state: State) -> None:
    held = former(state, left=False)
    for day in range(5):
        segment = put(state, day, BEGIN + day * DAY + HOUR)
        leave(state, held, BEGIN + (day + 1) * DAY, segment)
    # The last day that is complete, and the one that is not.
    assert numbers(held.unlearned) == [3, 4]
    assert held.cut == 0


def test_there_are_no_more_rows_than_a_window_may_have(state: State) -> None:
    held = former(state, most=20, left=False)
    for number in range(4):
        segment = put(state, number, BEGIN + number * HOUR)
        leave(state, held, BEGIN + 5 * HOUR, segment)
    assert numbers(held.unlearned) == [2, 3]
    assert numbers(held.gone) == [0, 1]
    assert held.cut == 20


def test_what_waits_in_vain_is_let_go(state: State) -> None:
    held = former(state, most=10)
    segments = [put(state, number, BEGIN + number * HOUR) for number in (1, 2)]
    leave(state, held, BEGIN + 5 * HOUR, *segments)
    assert held.let_go(BEGIN + 5 * HOUR) == 10
    assert (numbers(held.left), numbers(held.unlearned)) == ([2], [1])
    assert held.let_go(BEGIN + 5 * HOUR) == 0


def test_nothing_is_kept_that_nobody_wants(state: State) -> None:
    held = former(state)
    first, second = (put(state, n, BEGIN + n * HOUR) for n in (1, 2))
    leave(state, held, BEGIN + DAY, first)
    held.have_summed(Past(number=1), [first], BEGIN + DAY)
    leave(state, held, BEGIN + DAY, second)
    held.have_summed(Past(number=2), [second], BEGIN + DAY)
    third = put(state, 3, BEGIN + DAY)
    held = former(state, left=False, unlearned=False)
    assert (held.kept, state.segments("left"), state.segments("unlearned")) == ((), [], [])
    leave(state, held, BEGIN + DAY, third)
    assert (held.kept, numbers(held.gone), state.segments()) == ((), [3], [])


def test_what_the_state_has_kept_is_known_whatever_fails_then(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = former(state)
    segments = [put(state, number, BEGIN + number * HOUR) for number in (1, 2, 3)]
    leave(state, held, BEGIN + DAY, *segments[:1])
    transaction, read = State.transaction, State.segments

    @contextmanager
    def read_inside(self: State) -> Iterator[None]:
        monkeypatch.setattr(State, "segments", read)
        with transaction(self):
            yield
        monkeypatch.setattr(State, "segments", None)

    monkeypatch.setattr(State, "transaction", read_inside)
    leave(state, held, BEGIN + DAY, segments[1])
    held.have_summed(Past(number=1), held.left, BEGIN + DAY)
    assert (held.left, numbers(held.summed)) == ([], [1, 2])
    leave(state, held, BEGIN + DAY, segments[2])
    held.have_summed(Past(number=2), held.left, BEGIN + DAY)
    assert (numbers(held.summed), numbers(held.unlearned)) == ([3], [1, 2])
    held.have_learned(10)
    assert (numbers(list(held.kept)), numbers(held.gone)) == ([3], [1, 2])
