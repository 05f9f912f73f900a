"""How fast time passes."""

from __future__ import annotations

import math

import pytest

from analyzer.replay.clock import HEARTBEAT, Immediate, Paced


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept each time, on a clock that only sleeping moves."""
    spans: list[float] = []
    monkeypatch.setattr("time.monotonic", lambda: 100.0 + sum(spans))
    monkeypatch.setattr("time.sleep", spans.append)
    return spans


def test_at_a_speed(slept: list[float]) -> None:
    clock = Paced(1000.0, 60.0)
    assert clock.now() == 1000.0
    clock.wait(1030.0)
    assert slept == [0.5]
    assert clock.now() == 1030.0
    clock.wait(9999.0)
    assert slept == [0.5, HEARTBEAT]
    assert clock.now() == 1090.0
    # Rows that follow each other closely share a write.
    clock.wait(1090.001)
    assert slept[2] == pytest.approx(HEARTBEAT / 10)


def test_as_fast_as_possible(slept: list[float]) -> None:
    clock = Immediate()
    clock.wait(5.0)
    assert clock.now() == math.inf
    assert slept == []
