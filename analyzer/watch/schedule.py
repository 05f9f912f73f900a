"""When the window is judged: so often that the promise is kept, and no more than a core can bear.

What is written just after a judgement has begun waits for the next, and until that is over. So that
this is no more than an interval and :data:`PROMISED`, the longer judgements take, the earlier each
begins.
"""

from __future__ import annotations

PROMISED = 5.0
"""Seconds beyond an interval after which what is found in a line has been said."""

SHARE = 1 / 3
"""The part of a core that all rules may take up. Whatever it is, they cannot keep the promise once
they take more of an interval; with a third they do as long as they take up to a quarter of it."""

AHEAD = 0.5
"""The part of what may come between two judgements at which the next begins, whatever its share.

Begun when the window is full of what is not judged, nothing could be taken in until it is over.
"""

_SPARE = 2.0
"""Seconds of those promised that are kept for taking in and saying, and for what takes longer."""

_FADING = 0.8
"""How much of how long it took is expected of the next but one that took less."""

_LOOKS, _LONGEST_WAIT = 6, 10.0


class Schedule:
    """Knows when to judge.

    Args:
        interval: seconds between judgements, if they take no time.
        now: UTC epoch seconds, as in all that follows.

    Attributes:
        tick: when the next judgement is to begin.
        seconds: how long the last one took.
    """

    def __init__(self, interval: float, now: float) -> None:
        self._interval = interval
        self.tick = now + interval
        self.seconds = 0.0
        self._expected = 0.0
        self._not_before = self._failed = 0.0

    @property
    def period(self) -> float:
        """Seconds from the beginning of a judgement to that of the next."""
        longer = max(0.0, self._expected - PROMISED + _SPARE)
        return self._interval - min(longer, self._interval / 2)

    @property
    def is_hopeless(self) -> bool:
        """Whether a judgement that begins now is over too late to keep the promise."""
        return self._expected - PROMISED + _SPARE > self._interval / 2

    def is_tick(self, now: float) -> bool:
        """Whether it is time; if so, the next time is set.

        After a sleep, one judgement stands for those that were missed.
        """
        if self.tick > now + self._interval:
            # Somebody has set the clock back.
            self._not_before = self._failed = 0.0
            self.advance(now)
        if now < self.tick:
            return False
        self.advance(now)
        return True

    def advance(self, now: float) -> None:
        """Have the next judgement be one period from now."""
        self.tick = now + self.period

    def is_early(self, now: float, awaiting: float) -> bool:
        """Whether the last judgement took so much that the next has to wait.

        Args:
            now: the time.
            awaiting: how full the window is of what is not judged, from 0 to 1.
        """
        return now < self._not_before and awaiting < AHEAD

    def judged(self, seconds: float, cost: float, now: float) -> None:
        """A judgement is over.

        Args:
            seconds: how long it took.
            cost: seconds of a core that it took.
            now: the time.
        """
        self.seconds = seconds
        self._expected = max(seconds, self._expected * _FADING)
        self._not_before = now
        if cost / SHARE > self.period:
            self._not_before = now + cost * (1 / SHARE - 1)

    def failed(self, now: float) -> None:
        """A judgement came to nothing."""
        self._failed, self._not_before = now, now + self._interval

    def may_hurry(self, now: float) -> bool:
        """Whether one may begin at once: none has failed within the interval."""
        return now >= self._failed + self._interval

    def hurry(self) -> None:
        """Have the next judgement not wait for what the last one took."""
        self._not_before = 0.0

    def has_time_for(self, seconds: float, now: float) -> bool:
        """Whether the window need not wait for other work, if that can be had at all."""
        return seconds > self._interval / 2 or now + seconds <= self.tick

    def patience(self, now: float, *, is_waiting: bool) -> float:
        """Seconds until logs are looked at again.

        Args:
            now: the time.
            is_waiting: whether there is something to judge.
        """
        interval = self._interval
        wait = min(max(interval / _LOOKS, min(interval, 1.0)), _LONGEST_WAIT, self.tick - now)
        if is_waiting and self._not_before > now:
            wait = min(wait, self._not_before - now)
        return max(0.0, wait)
