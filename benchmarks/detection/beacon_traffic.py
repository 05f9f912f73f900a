"""Simulated beacons and background to measure with, made otherwise than what the model learnt from.

A day each. Beacons sleep 60 s to an hour by laws that training does not have (gamma, triangular, a
fixed schedule, two alternating sleeps, a sleep that begins after the work); background comes from
renewal processes with Weibull waits, rates that switch or follow work and lunch, superposed on/off
sources, games, feeds that people scroll, and nightly jobs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator, int, float], Floats]

DAY = 86_400.0
_HOUR = 3600.0
_FEWEST = 12
_TWICE = 0.1


def _triangular(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    return np.cumsum(rng.triangular(1 - jitter, 1, 1 + jitter, count)) if jitter else _clock(count)


def _clock(count: int) -> Floats:
    return np.arange(count, dtype=float)


def _gamma(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """Sleeps with the deviation of an even jitter, but a tail."""
    if not jitter:
        return _clock(count)
    shape = 3 / jitter**2
    return np.cumsum(rng.gamma(shape, 1 / shape, count))


def _schedule(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """Ticks of a schedule, each late by up to the jitter; nothing adds up."""
    return np.sort(_clock(count) + jitter * rng.random(count))


def _alternating(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """Two sleeps by turns, a fifth apart."""
    turns = np.where(np.arange(count) % 2 == 0, 0.9, 1.1)
    return np.cumsum(turns * (1 - jitter * rng.random(count)))


def _after_work(rng: np.random.Generator, count: int, jitter: float) -> Floats:
    """An even jitter to both sides, and work that takes its time before the sleep."""
    work = rng.exponential(0.02, count)
    return np.cumsum(1 + jitter * rng.uniform(-1, 1, count) + work)


SLEEPS: dict[str, Maker] = {
    "triangular": _triangular,
    "gamma": _gamma,
    "schedule": _schedule,
    "alternating": _alternating,
    "after work": _after_work,
}


def beacon(
    rng: np.random.Generator,
    kind: str,
    *,
    jitter: float,
    loss: float,
    window: float = DAY,
) -> Floats:
    """Seconds of the calls of one implant in the last `window` of a day; some are seen twice."""
    while True:
        sleep = float(np.exp(rng.uniform(np.log(60.0), np.log(_HOUR))))
        ts = SLEEPS[kind](rng, int(3 * DAY / sleep), jitter) * sleep
        ts = ts[ts < window] + DAY - window
        ts = ts[rng.random(len(ts)) >= loss]
        twice = ts[rng.random(len(ts)) < _TWICE]
        seen: Floats = np.sort(np.concatenate((ts, twice + rng.uniform(0.05, 3.0, len(twice)))))
        if len(seen) >= _FEWEST:
            return seen


def _weibull(rng: np.random.Generator) -> Floats:
    waits = rng.weibull(rng.uniform(0.35, 0.95), int(np.exp(rng.uniform(2.7, 7))))
    ts: Floats = np.cumsum(waits)
    ts *= DAY * rng.uniform(0.1, 1) / ts[-1]
    return ts


def _switching(rng: np.random.Generator) -> Floats:
    """A rate that switches between three levels at random."""
    levels = np.exp(rng.uniform(np.log(1 / 7200), np.log(1 / 20), 3))
    ends = np.cumsum(rng.exponential(rng.uniform(600, 7200), 400))
    ends = np.append(ends[ends < DAY], DAY)
    parts = []
    begin = 0.0
    for end in ends.tolist():
        count = rng.poisson(levels[rng.integers(3)] * (end - begin))
        parts.append(rng.uniform(begin, end, min(count, 400)))
        begin = end
    return np.sort(np.concatenate(parts))


def _working(rng: np.random.Generator) -> Floats:
    """People at work, with a lunch."""
    count = int(np.exp(rng.uniform(2.8, 6.5)))
    hours = np.concatenate((rng.normal(10.3, 1.1, count // 2), rng.normal(15, 1.4, count // 2)))
    return np.sort(hours * _HOUR)


def _superposed(rng: np.random.Generator) -> Floats:
    """Several on/off sources with Pareto spells."""
    parts = []
    for _ in range(int(rng.integers(2, 6))):
        now = rng.uniform(0, _HOUR)
        while now < DAY:
            spell = float(rng.pareto(1.4) + 1) * rng.uniform(20, 200)
            parts.append(now + rng.uniform(0, spell, 1 + rng.poisson(spell / rng.uniform(10, 90))))
            now += spell + float(rng.pareto(1.2) + 1) * rng.uniform(600, 7200)
    return np.sort(np.concatenate(parts))


def _playing(rng: np.random.Generator) -> Floats:
    """Rounds of a game, as long as they last, then a break."""
    parts = []
    for begin in rng.uniform(0, DAY, rng.integers(2, 7)).tolist():
        rounds = rng.weibull(1.3, rng.integers(4, 20)) * rng.uniform(120, 900)
        starts = begin + np.cumsum(rounds + rng.exponential(60, len(rounds)))
        parts.append(np.repeat(starts, rng.integers(1, 4)) + 0.0)
    ts = np.concatenate(parts)
    return np.sort(ts + rng.exponential(2.0, len(ts)))


def _scrolling(rng: np.random.Generator) -> Floats:
    """Feeds that load more as they are read, thumbs having good and bad minutes."""
    parts = []
    for begin in rng.uniform(0, DAY, rng.integers(3, 25)).tolist():
        pace = rng.lognormal(2.5, 0.8)
        parts.append(begin + np.cumsum(pace * rng.lognormal(0, 1.0, rng.integers(3, 40))))
    return np.sort(np.concatenate(parts))


def _jobs(rng: np.random.Generator) -> Floats:
    """Jobs whose parts wait for each other."""
    parts = []
    for begin in rng.uniform(0, DAY, rng.integers(1, 10)).tolist():
        size = rng.lognormal(3.5, 1.3, rng.integers(6, 80))
        parts.append(begin + np.cumsum(size))
    return np.sort(np.concatenate(parts))


BACKGROUND: dict[str, Callable[[np.random.Generator], Floats]] = {
    "weibull": _weibull,
    "switching": _switching,
    "working": _working,
    "superposed": _superposed,
    "playing": _playing,
    "scrolling": _scrolling,
    "jobs": _jobs,
}


def background(rng: np.random.Generator, kind: str) -> Floats:
    """Seconds of the connections of one pair in a day."""
    while True:
        ts = BACKGROUND[kind](rng)
        ts = ts[(ts >= 0) & (ts < DAY)]
        if len(ts) >= _FEWEST and ts[-1] - ts[0] > _HOUR:
            return ts


def steady_sizes(rng: np.random.Generator, count: int) -> Floats:
    """Bytes of check-ins: one size, some of them padded."""
    return np.rint(rng.uniform(300, 3000) + rng.uniform(0, 60, count))


def mixed_sizes(rng: np.random.Generator, count: int) -> Floats:
    """Bytes of contents."""
    return np.rint(rng.lognormal(rng.uniform(6, 10), rng.uniform(0.1, 1.6), count))
