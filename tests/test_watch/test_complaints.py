"""Once, counted, and tried again."""

from __future__ import annotations

import pytest

from analyzer.errors import OutputError
from analyzer.watch.complaints import Complaints
from analyzer.watch.judging import InterruptedJudgementError


def failing(error: Exception) -> object:
    raise error


def test_what_goes_on_failing_is_told_once() -> None:
    said: list[str] = []
    complaints = Complaints(said.append)
    for _ in range(3):
        assert complaints.attempt("logs", lambda: failing(OSError(28, "No space"))) is None
    assert said == ["logs: [Errno 28] No space (will be tried again)"]
    assert complaints.count == 3
    complaints.attempt("logs", lambda: failing(OutputError("other")))
    assert said[1:] == ["logs: other (will be tried again)"]


def test_what_was_well_meanwhile_is_told_again() -> None:
    said: list[str] = []
    complaints = Complaints(said.append)
    complaints.attempt("logs", lambda: failing(OutputError("full")))
    assert complaints.attempt("logs", lambda: 5) == 5
    complaints.attempt("logs", lambda: failing(OutputError("full")))
    assert len(said) == 2


def test_a_stop_is_no_failure() -> None:
    said: list[str] = []
    complaints = Complaints(said.append)
    assert complaints.attempt("judging", lambda: failing(InterruptedJudgementError())) is None
    assert (said, complaints.count) == ([], 0)


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        Complaints(print).attempt("x", lambda: failing(ZeroDivisionError()))


def test_places() -> None:
    said: list[str] = []
    complaints = Complaints(said.append)
    for faults in ({"/a": "x"}, {"/a": "x", "/b": "y"}, {"/b": "y"}, {"/a": "x"}):
        complaints.tell_all(faults)
    assert [line.partition(" (")[0] for line in said] == ["/a: x", "/b: y", "/a: x"]
    assert complaints.count == 3


def test_that_all_is_well_again_is_told_once() -> None:
    said: list[str] = []
    complaints = Complaints(said.append, said.append)
    assert complaints.attempt("logs", lambda: 5) == 5
    # How much there was no room for makes it no other fault.
    complaints.attempt("logs", lambda: failing(OutputError("no room for 25 B")))
    complaints.attempt("logs", lambda: failing(OutputError("no room for 26 B")))
    for _ in range(2):
        complaints.attempt("logs", lambda: 5)
    assert said == ["logs: no room for 25 B (will be tried again)", "logs: well again"]
    said.clear()
    complaints.tell_all({"/b": "denied", "/a": "denied"})
    complaints.tell_all({"/b": "denied"})
    complaints.tell_all({"/a": "denied"})
    assert said == [
        "/b: denied (will be tried again)",
        "/a: denied (will be tried again)",
        "/a: well again",
        "/b: well again",
        "/a: denied (will be tried again)",
    ]
