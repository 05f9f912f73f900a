"""Simulated pairs that are no beacons: what people and programs do when they need something.

What runs by a clock (time synchronisation, telemetry) is not among them, as nothing in its times
tells it from an implant; the detector tells it by its destination. Programs here wait for people,
for data or for each other, and people leave heavy tails (Barabasi, "The origin of bursts and heavy
tails in human dynamics", Nature 435, 2005; Paxson and Floyd, "Wide-Area Traffic: The Failure of
Poisson Modeling", IEEE/ACM Transactions on Networking 3, 1995).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Background = Callable[[np.random.Generator, float], Floats]


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _count(rng: np.random.Generator) -> int:
    return int(_log_uniform(rng, 8, 1200))


def _fitted(gaps: Floats, window: float, rng: np.random.Generator) -> Floats:
    """Times of intervals that together fill a good part of the window."""
    ts: Floats = np.cumsum(gaps)
    ts *= window * rng.uniform(0.2, 1.0) / ts[-1]
    return ts


def _some(rng: np.random.Generator, ts: Floats, share: float) -> Floats:
    """A share of the times, drawn at random."""
    return ts[rng.random(len(ts)) < share]


def random_calls(rng: np.random.Generator, window: float) -> Floats:
    """Calls independent of each other."""
    return np.sort(rng.uniform(0, window * rng.uniform(0.1, 1.0), _count(rng)))


def daily_rhythm(rng: np.random.Generator, window: float) -> Floats:
    """Independent calls whose rate follows office hours."""
    grid = np.linspace(0, window, 289)
    phase, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0)
    rate = np.maximum(1 + depth * np.cos(2 * np.pi * grid / 86_400 + phase), 0.01) ** 2
    total = np.append(0.0, np.cumsum(rate[:-1]))
    return np.sort(np.interp(rng.random(_count(rng)) * total[-1], total, grid))


def heavy_tails(rng: np.random.Generator, window: float) -> Floats:
    """Waits with a power-law tail."""
    return _fitted(rng.pareto(rng.uniform(0.6, 2.0), _count(rng)) + 0.02, window, rng)


def log_normal(rng: np.random.Generator, window: float) -> Floats:
    """Waits that spread over orders of magnitude."""
    return _fitted(rng.lognormal(0, rng.uniform(0.85, 2.5), _count(rng)), window, rng)


def sessions(rng: np.random.Generator, window: float) -> Floats:
    """Visits of a few pages each, some connections a page, people reading in between."""
    visits = np.sort(rng.uniform(0, window, int(_log_uniform(rng, 2, 60))))
    pages = 1 + rng.poisson(rng.uniform(1, 12), len(visits))
    first = np.repeat(visits, pages)
    number = np.arange(len(first)) - np.repeat(np.cumsum(pages) - pages, pages)
    reading = rng.lognormal(rng.uniform(2.5, 4.5), rng.uniform(0.8, 1.5), len(first))
    opened = first + np.where(number > 0, 1, 0) * reading * number
    parts = 1 + rng.poisson(rng.uniform(0.2, 4), len(opened))
    at = np.repeat(opened, parts)
    return np.sort(at + rng.gamma(2.0, 0.4, len(at)))


def on_and_off(rng: np.random.Generator, window: float) -> Floats:
    """Busy spells of independent calls with silences between, both with heavy tails."""
    ts: list[Floats] = []
    most = 400
    now, busy = 0.0, _log_uniform(rng, 60, 3600)
    pace = busy / rng.uniform(3, 30)
    while now < window and len(ts) < most:
        length = busy * float(rng.pareto(1.5) + 0.3)
        ts.append(now + np.sort(rng.uniform(0, length, rng.poisson(length / pace))))
        now += length + busy * rng.uniform(1, 8) * float(rng.pareto(1.3) + 0.2)
    every = np.concatenate(ts)
    return every[every < window]


def streaming(rng: np.random.Generator, window: float) -> Floats:
    """Videos and music: a connection a segment, ahead of the player until its buffer is full."""
    ts: list[float] = []
    for begin in np.sort(rng.uniform(0, window, rng.integers(1, 8))).tolist():
        now = begin
        for _ in range(int(_log_uniform(rng, 10, 120))):
            ts.append(now)
            ahead = rng.random() < rng.uniform(0.2, 0.6)
            now += rng.exponential(1.5) if ahead else rng.gamma(1.2, rng.uniform(8, 40))
    return np.sort(np.array(ts))


def mail(rng: np.random.Generator, window: float) -> Floats:
    """A mail program that looks when its user does: a timer broken by people."""
    people = np.sort(rng.uniform(0, window, int(_log_uniform(rng, 20, 300))))
    sent = _some(rng, people, 0.5)
    pause = 300.0
    timer = np.arange(rng.uniform(0, 900), window, rng.uniform(pause, 1800))
    # The timer starts again after every look, and runs only while the program is open.
    last = np.searchsorted(people, timer)
    idle = timer - np.where(last > 0, people[np.maximum(last - 1, 0)], 0)
    polls = _some(rng, timer[idle > pause], 0.25)
    return np.sort(np.concatenate((people, sent + rng.exponential(20, len(sent)), polls)))


def chat(rng: np.random.Generator, window: float) -> Floats:
    """Messages that answer each other: spells of conversation, each message excites others."""
    ts = np.sort(rng.uniform(0, window, int(_log_uniform(rng, 4, 60))))
    generation = ts
    for _ in range(6):
        children = np.repeat(generation, rng.poisson(rng.uniform(0.5, 0.9), len(generation)))
        generation = children + rng.exponential(_log_uniform(rng, 8, 300), len(children))
        ts = np.concatenate((ts, generation))
    return np.sort(ts[ts < window])


def updates(rng: np.random.Generator, window: float) -> Floats:
    """Looks for updates some random time after the last, then downloads in parts."""
    waits = rng.exponential(_log_uniform(rng, 600, 7200), 200) + rng.uniform(0, 300)
    looks = np.cumsum(waits)
    looks = looks[looks < window]
    parts = rng.poisson(rng.choice([0.5, 3.0]), len(looks))
    loads = np.repeat(looks, parts) + rng.gamma(1.0, rng.uniform(5, 60), int(parts.sum()))
    return np.sort(np.concatenate((looks, loads)))


def uploads(rng: np.random.Generator, window: float) -> Floats:
    """Files copied away when they change: bursts after work, sizes set the pace within."""
    ts = [
        begin + np.cumsum(rng.lognormal(1.5, rng.uniform(0.9, 1.6), rng.integers(2, 40)))
        for begin in np.sort(rng.uniform(0, window, int(_log_uniform(rng, 3, 40))))
    ]
    return np.sort(np.concatenate(ts))


def reporting(rng: np.random.Generator, window: float) -> Floats:
    """Events reported in batches: the first waits for company, for no more than events are apart.

    Where they are dense, such a program calls by the clock.
    """
    events = np.sort(rng.uniform(0, window, int(_log_uniform(rng, 15, 600))))
    wait = window / len(events) * rng.uniform(0.05, 0.5)
    sent, last = [], -np.inf
    for event in events.tolist():
        if event > last + wait:
            last = event + wait * rng.random()
            sent.append(last)
    return np.array(sent)


def shared_machine(rng: np.random.Generator, window: float) -> Floats:
    """What several of the above leave at one address."""
    kinds = (random_calls, log_normal, sessions, chat)
    chosen = rng.choice(len(kinds), 2, replace=False)
    return np.sort(np.concatenate([kinds[number](rng, window) for number in chosen]))


BACKGROUND: dict[str, Background] = {
    function.__name__: function
    for function in (
        random_calls,
        daily_rhythm,
        heavy_tails,
        log_normal,
        sessions,
        on_and_off,
        streaming,
        mail,
        chat,
        updates,
        uploads,
        reporting,
        shared_machine,
    )
}
"""The families, by name."""

_FEWEST = 8


def background(rng: np.random.Generator, kind: str, *, window: float) -> Floats:
    """The times, s, of one pair of a family that meets often enough to be judged."""
    while True:
        ts = BACKGROUND[kind](rng, window)
        ts = ts[(ts >= 0) & (ts < window)]
        if len(ts) >= _FEWEST:
            return ts
