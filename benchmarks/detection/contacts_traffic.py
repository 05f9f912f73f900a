"""Contacts that fail, last or repeat without end, hostile and honest, as rows of conn.log."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

SOURCES = 100
"""Local hosts of a simulated network."""

HOUR, DAY = 3600.0, 86_400.0

_START = 1_700_006_400.0
# Part of a swarm's peers that are still there.
_STAYING = 0.3

Floats = npt.NDArray[np.float64]
Scene = Callable[[np.random.Generator, str, str], list[pd.DataFrame]]
"""What one source does with one destination, of which it may add digits to the address."""


def _contact(
    ts: Floats,
    source: str,
    destination: str,
    port: int,
    *,
    state: str = "SF",
    duration: Floats | float = 0.1,
    sent: int = 500,
    received: int = 900,
) -> pd.DataFrame:
    """Rows of conn.log between one pair."""
    answered = state == "SF"
    return pd.DataFrame(
        {
            "ts": _START + ts,
            "orig_h": source,
            "resp_h": destination,
            "orig_p": 50_000,
            "resp_p": port,
            "proto": "tcp",
            "conn_state": state,
            "history": {"SF": "ShADadFf", "S0": "S", "REJ": "Sr"}[state],
            "duration": duration,
            "orig_bytes": sent * answered,
            "resp_bytes": received * answered,
            "orig_pkts": 6,
            "resp_pkts": 6 * answered,
        }
    )


def _times(rng: np.random.Generator, count: int, span: float) -> Floats:
    """So many times over a span, somewhere in the day, with gamma gaps of any regularity."""
    gaps = rng.gamma(rng.uniform(0.5, 30.0), 1.0, count)
    steps: Floats = np.cumsum(gaps)
    begin = rng.uniform(0, DAY - span)
    return np.interp(steps, (steps[0], steps[-1]), (begin, begin + span))


def _unusual(rng: np.random.Generator) -> int:
    return int(rng.choice([1177, 4444, 5552, 6606, 7707, 9999, 10134, 31337, 54984]))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def dead(
    tries: tuple[int, int], hours: tuple[float, float], *, web: bool = False, servers: int = 1
) -> Scene:
    """Dead control servers, tried in turn."""

    def scene(rng: np.random.Generator, source: str, destination: str) -> list[pd.DataFrame]:
        times = _times(rng, int(_log_uniform(rng, *tries)), _log_uniform(rng, *hours) * HOUR)
        port = 443 if web else _unusual(rng)
        state = str(rng.choice(["S0", "REJ"]))
        return [
            _contact(times[k::servers], source, f"{destination}{k}", port, state=state)
            for k in range(servers)
        ]

    return scene


def outage(rng: np.random.Generator, source: str, destination: str) -> list[pd.DataFrame]:
    """A service polled all day that is down for up to three hours."""
    port = int(rng.choice([443, 993, 5228, 8443, 9100, 15_000]))
    times = np.arange(rng.uniform(0, 60), DAY, rng.uniform(20, 120))
    down = rng.uniform(2 * HOUR, 20 * HOUR)
    is_down = (times > down) & (times < down + rng.uniform(0.2, 3) * HOUR)
    return [
        _contact(times[~is_down], source, destination, port),
        _contact(times[is_down], source, destination, port, state="S0"),
    ]


def stale(rng: np.random.Generator, source: str, destination: str) -> list[pd.DataFrame]:
    """A program that asks a server long gone every half hour to four hours, thrice each time."""
    times = np.arange(rng.uniform(0, HOUR), DAY, rng.uniform(0.5, 4) * HOUR)
    every = np.concatenate([times, times + 0.6, times + 1.8])
    return [_contact(every, source, destination, int(rng.choice([80, 443])), state="S0")]


def swarm(rng: np.random.Generator, source: str, destination: str) -> list[pd.DataFrame]:
    """A file sharer's eighty peers, most of them gone, each tried up to thirty times."""
    return [
        _contact(
            np.sort(rng.uniform(0, DAY, int(rng.integers(3, 30)))),
            source,
            f"{destination}{k}",
            int(rng.integers(10_000, 65_000)),
            state="SF" if rng.random() < _STAYING else "S0",
        )
        for k in range(80)
    ]


def session(hours: tuple[float, float], *, cut: bool = False) -> Scene:
    """An interactive session on an unusual port that tells more than it is told."""

    def scene(rng: np.random.Generator, source: str, destination: str) -> list[pd.DataFrame]:
        length = rng.uniform(*hours) * HOUR
        begin = rng.uniform(0, DAY - length)
        part = rng.uniform(0.25, 1.0) * HOUR if cut else length
        times = np.arange(begin, begin + length - 1, part)
        lasts = np.minimum(part - rng.uniform(0, 30), begin + length - times)
        sent = int(_log_uniform(rng, 2e4, 2e6))
        received = int(sent * rng.uniform(0.05, 0.9))
        port = _unusual(rng)
        rows = _contact(
            times, source, destination, port, duration=lasts, sent=sent, received=received
        )
        return [rows]

    return scene


def held_open(rng: np.random.Generator, source: str, destination: str) -> list[pd.DataFrame]:
    """What honest programs keep open for one to twenty-four hours."""
    length = rng.uniform(1, 23.9) * HOUR
    port = int(rng.choice([22, 443, 443, 443, 993, 1194, 3389, 5222, 5223, 5228, 8883]))
    sent = int(_log_uniform(rng, 1e4, 1e6))
    received = int(sent * rng.uniform(0.3, 20))
    begin = np.array([rng.uniform(0, DAY - length)])
    return [
        _contact(begin, source, destination, port, duration=length, sent=sent, received=received)
    ]


def incessant(rng: np.random.Generator, source: str, destination: str) -> list[pd.DataFrame]:
    """Between one and five connections a second for half a day or, if faster, for less."""
    rate = rng.uniform(1.05, 5.0)
    count = int(rng.uniform(45_000, 60_000))
    return [_contact(_times(rng, count, count / rate), source, destination, 443)]


def _browsing(rng: np.random.Generator, source: str) -> pd.DataFrame:
    """Ordinary contacts: a popular service or two of forty."""
    times = np.sort(rng.uniform(0, DAY, 12))
    rows = _contact(times, source, "", 443)
    return rows.assign(resp_h=[f"203.0.113.{k}" for k in rng.integers(1, 41, len(times))])


def traffic(seed: int, scene: Scene, sources: int) -> pd.DataFrame:
    """The day of so many sources."""
    rng = np.random.default_rng(seed)
    frames: list[pd.DataFrame] = []
    for number in range(sources):
        source = f"10.0.0.{number + 1}"
        frames += [*scene(rng, source, f"198.51.{100 + number}.1"), _browsing(rng, source)]
    for number in range(SOURCES - sources):
        frames.append(_browsing(rng, f"10.0.1.{number + 1}"))
    return pd.concat(frames, ignore_index=True)
