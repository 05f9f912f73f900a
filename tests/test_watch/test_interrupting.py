"""Ending what is being computed."""

from __future__ import annotations

import threading
import time

import pytest

from analyzer.watch.interrupting import Interruption
from analyzer.watch.judging import InterruptedJudgementError

_LONG = "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000000) b"


def test_a_query_ends() -> None:
    interruption = Interruption()

    def interrupt() -> None:
        time.sleep(0.5)
        interruption.interrupt()

    thread = threading.Thread(target=interrupt)
    begun = time.perf_counter()
    thread.start()
    with (
        pytest.raises(InterruptedJudgementError),
        interruption.engine(memory_limit="100MB", threads=1) as engine,
    ):
        engine.connection.execute(_LONG).fetchall()
    thread.join()
    assert time.perf_counter() - begun < 60
    with pytest.raises(InterruptedJudgementError):
        interruption.go_on("a stage")
    with (
        pytest.raises(InterruptedJudgementError),
        interruption.engine(memory_limit="100MB", threads=1),
    ):
        pass


def test_other_errors_are_what_they_are() -> None:
    interruption = Interruption()
    with (
        pytest.raises(RuntimeError, match="of another kind"),
        interruption.engine(memory_limit="100MB", threads=1),
    ):
        raise RuntimeError("of another kind")
    interruption.go_on()
