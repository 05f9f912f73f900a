"""Simulated beacons: when an implant calls home, by the ways implants are known to sleep.

Sleeps and jitter of public frameworks: Cobalt Strike shortens a sleep by up to its jitter (user
guide, "Sleep"), Sliver lengthens it ("Beacons": reconnect plus jitter), Empire and Mythic spread it
to both sides, and failing implants wait longer each time (back-off).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Sleeps = Callable[[np.random.Generator, int, float], Floats]


def even(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """To both sides, any length as likely."""
    return 1 + jitter * rng.uniform(-1, 1, count)


def shortened(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """Shorter by up to the jitter."""
    return 1 - jitter * rng.random(count)


def lengthened(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """Longer by up to the jitter."""
    return 1 + jitter * rng.random(count)


def bell(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """A bell curve whose two deviations are the jitter."""
    return np.clip(1 + jitter / 2 * rng.standard_normal(count), 0.02, None)


def backing_off(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """Steady, but after a failure each wait is twice the last, up to eight sleeps."""
    waits = np.ones(count)
    failing = 0
    for number, draw in enumerate(rng.random(count).tolist()):
        chance = 0.5 if failing else 0.05
        failing = failing + 1 if draw < chance else 0
        waits[number] = 2.0 ** min(failing, 3)
    return waits * even(rng, count, min(jitter, 0.3))


SLEEPS: dict[str, Sleeps] = {
    "even": even,
    "shortened": shortened,
    "lengthened": lengthened,
    "bell": bell,
    "backing_off": backing_off,
}
"""The ways of sleeping, by name."""

_DAY = 86_400.0
_FEWEST = 8


def _happens(rng: np.random.Generator, chance: float) -> bool:
    return bool(rng.random() < chance)


def calls(rng: np.random.Generator, sleeps: Sleeps, *, jitter: float, window: float) -> Floats:
    """The times, s, at which one implant is seen within a window of so many seconds.

    Its sleep is between 10 s and 6 h, log-uniform, as far as it fits eight calls into the window.
    It may start late, stop early, work by day only, lose up to 30% of its calls, and be seen twice.
    """
    longest = min(6 * 3600.0, window / 12)
    sleep = float(np.exp(rng.uniform(np.log(10.0), np.log(longest))))
    count = int(window / (sleep * (1 - min(jitter, 0.9) / 2))) + 2
    ts = np.cumsum(sleep * sleeps(rng, min(count, 9000), jitter)) + rng.uniform(0, sleep)
    begin, end = 0.0, window
    if _happens(rng, 0.3):
        begin = rng.uniform(0, 0.5) * window
        end = begin + max(rng.uniform(0.2, 1.0) * (window - begin), 12 * sleep)
    ts = ts[(ts >= begin) & (ts < min(end, window))]
    if _happens(rng, 0.15):
        ts = ts[((ts + rng.uniform(0, _DAY)) % _DAY) < rng.uniform(7, 11) * 3600]
    if _happens(rng, 0.5):
        ts = ts[rng.random(len(ts)) >= rng.uniform(0, 0.3)]
    if _happens(rng, 0.4):
        again = ts[rng.random(len(ts)) < rng.uniform(0, 0.5)]
        ts = np.concatenate((ts, again + rng.exponential(1.0, len(again))))
    return np.sort(ts + rng.exponential(rng.choice([0.01, 0.1, 0.5]), len(ts)))


def beacon(rng: np.random.Generator, kind: str, *, window: float) -> Floats:
    """One implant of a kind, with any jitter from 0 to 90%, that is seen often enough."""
    while True:
        jitter = float(rng.choice([0.0, rng.uniform(0, 0.5), rng.uniform(0, 0.9)]))
        ts = calls(rng, SLEEPS[kind], jitter=jitter, window=window)
        if len(ts) >= _FEWEST + 2:
            return ts
