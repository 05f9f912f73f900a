"""Fingerprints of what came together, and of days that are over."""

from __future__ import annotations

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.pieces import TRACES, marked_rows, pieces_of, settled, traces_of
from analyzer.engine import Engine

from . import FIRST, assert_same, frame, small

BEGIN = FIRST * 86400.0
ROWS = [{"ts": BEGIN + at, "orig_p": 40_000 + at, "resp_p": 443} for at in range(0, 7200, 60)]


def test_a_fingerprint_is_the_same_in_any_order() -> None:
    found = []
    for rows in (ROWS, ROWS[::-1]):
        with Engine() as engine:
            engine.insert("conn", rows)
            found.append(pieces_of(marked_rows(engine.records().conn)))
    assert found[0] == found[1]
    one, other = (found[0][FIRST * 24 + hour] for hour in (0, 1))
    assert (one.records, one.first, one.last) == (60, BEGIN, BEGIN + 3540.0)
    assert one.mark != other.mark


def test_the_smallest_marks_stand_for_a_piece() -> None:
    with Engine() as engine:
        engine.insert("conn", ROWS)
        records = engine.records()
        marked = marked_rows(records.conn)
        pieces = sorted(pieces_of(marked).items())
        traces = traces_of("conn", pieces, marked, records)
        every = marked.to_pyarrow().to_pandas()
        assert traces_of("conn", [], marked, records).empty
    for hour, piece in pieces:
        own = traces[traces.hour == hour]
        assert set(own.piece) == {piece.mark}
        assert sorted(own.mark) == sorted(every[every.hour == hour].mark)[:TRACES]


def test_pieces_of_hours_that_are_over_become_one() -> None:
    hour = FIRST * 24 + 5
    pieces = frame(
        "pieces", ("conn", hour, 7, 2, 1.0, 3.0), ("conn", hour, 5, 1, 2.0, 9.0), (*LATER, 1, 1, 1)
    )
    marks = [("conn", hour, piece, mark) for piece in (5, 7) for mark in range(TRACES)]
    traces = frame("traces", *marks, (*LATER, 1))
    baseline = settled(small(pieces=pieces, traces=traces))
    assert baseline["pieces"].to_numpy().tolist() == [
        ["conn", hour, 12, 3, 1.0, 9.0],
        [*LATER, 1, 1.0, 1.0],
    ]
    assert baseline["traces"].piece.tolist() == [12] * TRACES + [1]
    assert settled(baseline) is baseline


LATER = ("conn", FIRST * 24 + 24, 1)


def test_nothing_to_settle() -> None:
    assert_same(settled(Baseline()), Baseline())
    one = small(pieces=frame("pieces", (*LATER, 1, 1.0, 1.0)))
    assert settled(one) is one
