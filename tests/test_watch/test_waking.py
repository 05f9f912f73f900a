"""Waking from threads and from signal handlers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

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


@pytest.fixture
def signalled() -> Iterator[Wake]:
    """Set by two signals, as one may interrupt the handler of the other."""
    wake = Wake()
    numbers = (signal.SIGUSR1, signal.SIGUSR2)
    before = [signal.signal(number, lambda *_: wake.set()) for number in numbers]
    yield wake
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_signals_at_any_moment(signalled: Wake) -> None:
    ended = False

    def send() -> None:
        nonlocal ended
        for _ in range(3000):
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGUSR2)
        ended = True

    thread = threading.Thread(target=send)
    thread.start()
    while not ended:
        signalled.clear()
        signalled.wait(0.001)
    thread.join()
