"""Waking from threads and from signal handlers."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from analyzer.watch import waking
from analyzer.watch.waking import Wake


def test_who_is_woken_does_not_wait() -> None:
    wake = Wake()
    wake.set()
    wake.set()
    begun = time.monotonic()
    wake.wait(60.0)
    assert time.monotonic() - begun < 30.0


def test_who_is_not_woken_waits_no_longer_than_told() -> None:
    wake = Wake()
    wake.set()
    wake.set()
    wake.clear()
    begun = time.monotonic()
    wake.wait(0.05)
    assert time.monotonic() - begun >= 0.04


def test_another_thread_wakes() -> None:
    wake = Wake()
    thread = threading.Timer(0.05, wake.set)
    begun = time.monotonic()
    thread.start()
    wake.wait(60.0)
    assert time.monotonic() - begun < 30.0
    thread.join()


_LOOKED_AT = (threading.__file__, waking.__file__)


@pytest.fixture
def signalled() -> Iterator[Wake]:
    """Set by a signal; who waits for it for ever fails."""
    wake = Wake()

    def fail(*_: object) -> None:
        raise AssertionError("a signal handler waits for what it has interrupted")

    handlers = {signal.SIGUSR1: lambda *_: wake.set(), signal.SIGALRM: fail}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    signal.setitimer(signal.ITIMER_REAL, 10.0)
    yield wake
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_may_come_between_any_two_steps(signalled: Wake) -> None:
    met: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - itself
        place = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and place[0] in _LOOKED_AT and place not in met:
            met.add(place)
            signal.raise_signal(signal.SIGUSR1)
        return trace

    traced = sys.gettrace()
    sys.settrace(trace)
    try:
        signalled.set()
        signalled.wait(0.001)
        signalled.clear()
        signalled.wait(0.001)
    finally:
        sys.settrace(traced)
    assert len(met) >= 6
