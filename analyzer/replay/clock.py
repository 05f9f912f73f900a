"""How fast the time of a replay passes."""

from __future__ import annotations

import math
import time
from typing import Protocol

HEARTBEAT = 1.0
"""Seconds between two looks at what is due: Zeek flushes its logs as often
(``Threading::heartbeat_interval``)."""


class Clock(Protocol):
    """The time of a replay."""

    def now(self) -> float:
        """Up to when rows are due, UTC epoch seconds."""

    def wait(self, moment: float) -> None:
        """Wait until a moment, or for a heartbeat, whichever is sooner."""


class Immediate:
    """Everything is due at once."""

    def now(self) -> float:
        """The end of time."""
        return math.inf

    def wait(self, moment: float) -> None:
        """Not at all."""


class Paced:
    """Time passes in proportion to real time.

    Args:
        begin: when it begins, UTC epoch seconds.
        speed: how many of its seconds pass in one.
    """

    def __init__(self, begin: float, speed: float) -> None:
        self._begin = begin
        self._speed = speed
        self._started = time.monotonic()

    def now(self) -> float:
        """The beginning and what has passed since, at its speed."""
        return self._begin + (time.monotonic() - self._started) * self._speed

    def wait(self, moment: float) -> None:
        """Sleep until the moment, but no longer than a heartbeat."""
        # At least a heartbeat's part, so that rows that follow each other share one write.
        left = (moment - self.now()) / self._speed
        time.sleep(min(max(left, HEARTBEAT / 10), HEARTBEAT))
