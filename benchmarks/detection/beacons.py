"""How well beacons are told from other traffic by their intervals alone.

    python -m benchmarks.detection.beacons [--seeds N]

20,000 pairs of background a seed, and beacons by jitter, over a day; neither is of the kinds that
the model was trained on. The peers see the same traffic, with the threshold that reaches the same
rate of false alarms on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from analyzer.intervals import event_keys, shapes
from analyzer.models.beacon import beacon_model
from benchmarks.detection.beacon_peers import deviation, rita, variation
from benchmarks.detection.beacon_traffic import (
    BACKGROUND,
    DAY,
    SLEEPS,
    background,
    beacon,
    mixed_sizes,
    steady_sizes,
)
from benchmarks.detection.figures import Figure, averaged, print_measured

Floats = npt.NDArray[np.float64]

_PAIRS, _BEACONS = 20_000, 1_500
_FEWEST = 7
_SPAN = (0.0, DAY)
_RATES = (0.001, 0.01)

# What is found: name, jitter from and to, loss up to, window, goal at a false alarm in a thousand.
_SCENES: tuple[tuple[str, tuple[float, float], float, float, float | None], ...] = (
    ("jitter up to 50%, no loss", (0.0, 0.5), 0.0, DAY, 0.97),
    ("jitter up to 50%, 30% loss", (0.0, 0.5), 0.3, DAY, 0.97),
    ("jitter 50% to 90%, no loss", (0.5, 0.9), 0.0, DAY, None),
    ("jitter 90%, no loss", (0.9, 0.9), 0.0, DAY, 0.9),
    ("jitter 90%, 30% loss", (0.9, 0.9), 0.3, DAY, None),
    ("8 h window, jitter up to 50%, up to 30% loss", (0.0, 0.5), 0.3, DAY / 3, 0.97),
)


def _ours(pairs: list[Floats]) -> tuple[Floats, Floats]:
    """Score of each pair, and the share of background that the model expects above it."""
    owner = np.repeat(np.arange(len(pairs)), [len(ts) for ts in pairs])
    keys = event_keys(owner, np.concatenate(pairs))
    keys.sort()
    shape = shapes(keys, fewest=_FEWEST)
    model = beacon_model()
    scores, alarms = np.full(len(pairs), -np.inf), np.ones(len(pairs))
    scores[shape.owner] = model.scores(shape.features)
    alarms[shape.owner] = model.false_alarm(shape.features)
    return scores, alarms


class _Traffic:
    """Pairs, and what each way makes of them."""

    def __init__(self, pairs: list[Floats], sizes: list[Floats]) -> None:
        begun = time.process_time()
        self.scores, self.alarms = _ours(pairs)
        self.seconds = time.process_time() - begun
        timing: dict[str, Callable[[Floats], float]] = {
            "1 - CV": variation,
            "1 - MAD/median": deviation,
        }
        self.peers = {name: np.array([score(ts) for ts in pairs]) for name, score in timing.items()}
        self.peers["RITA 5"] = np.array(
            [rita(ts, size, span=_SPAN) for ts, size in zip(pairs, sizes, strict=True)]
        )


def _beacons(
    rng: np.random.Generator, jitter: tuple[float, float], loss: float, window: float
) -> _Traffic:
    kinds = list(SLEEPS)
    pairs = [
        beacon(
            rng,
            kinds[number % len(kinds)],
            jitter=rng.uniform(*jitter),
            loss=loss if window == DAY else rng.uniform(0, loss),
            window=window,
        )
        for number in range(_BEACONS)
    ]
    return _Traffic(pairs, [steady_sizes(rng, len(ts)) for ts in pairs])


def measure(seeds: int) -> list[Figure]:
    """Reach at fixed false alarms, false alarms at fixed thresholds, and speed."""
    kinds = list(BACKGROUND)
    figures: list[Figure] = []
    for seed in range(seeds):
        rng = np.random.default_rng([2026, seed])
        pairs = [background(rng, kinds[number % len(kinds)]) for number in range(_PAIRS)]
        sizes = [(mixed_sizes, steady_sizes)[k % 2](rng, len(ts)) for k, ts in enumerate(pairs)]
        others = _Traffic(pairs, sizes)
        for name, jitter, loss, window, goal in _SCENES:
            found = _beacons(rng, jitter, loss, window)
            for rate in _RATES:
                at = 1 - rate
                figures.append(
                    Figure(
                        f"found at {rate:.1%} false: {name}",
                        goal if rate == _RATES[0] else None,
                        float((found.scores > np.quantile(others.scores, at)).mean()),
                        peers={
                            peer: float((scores > np.quantile(others.peers[peer], at)).mean())
                            for peer, scores in found.peers.items()
                        },
                    )
                )
            figures.append(
                Figure(
                    f"found at the threshold of medium: {name}",
                    None,
                    float((found.alarms <= _MEDIUM).mean()),
                )
            )
        figures += _false_alarms(others)
        figures.append(Figure("pairs a second of one core", 15_000, _PAIRS / others.seconds))
    return averaged(figures)


# Where the detector's curve reaches medium.
_MEDIUM = 10**-2.67


def _false_alarms(others: _Traffic) -> list[Figure]:
    loud = others.alarms <= _MEDIUM
    number = np.arange(len(loud)) % len(BACKGROUND)
    figures = [Figure("background at the threshold of medium", 0.01, float(loud.mean()), True)]
    figures += [
        Figure(f"    of kind {kind}", 0.01, float(loud[number == index].mean()), True)
        for index, kind in enumerate(BACKGROUND)
    ]
    return figures


if __name__ == "__main__":
    print_measured(measure, __doc__)
