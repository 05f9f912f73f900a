"""Train the beacon model: ``python -m analyzer.models.training.beacon --out DIR``.

Deterministic, and from simulations alone, so that anybody can repeat it and no site's traffic is in
it. Two ways of sleeping and four families of background are left out of a first training, whose
figures on them stand in the card; the model that ships is then trained on everything.
"""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from analyzer.intervals import SHAPE, event_keys, shapes
from analyzer.models.beacon import DIRECTIONS, BeaconModel, model_of
from analyzer.models.model_file import Arrays, save_model
from analyzer.models.training.beacon_background import BACKGROUND, background
from analyzer.models.training.beacon_calls import SLEEPS, beacon

Floats = npt.NDArray[np.float64]

UNSEEN_SLEEPS = ("bell", "lengthened")
"""Ways of sleeping that the measured model was not trained on."""
UNSEEN_BACKGROUND = ("sessions", "on_and_off", "chat", "updates")
"""Families of background that the measured model was not trained on."""

WINDOWS = (2 * 3600.0, 6 * 3600.0, 24 * 3600.0, 7 * 86_400.0)
"""How long a simulated pair is watched, s."""

FEWEST_INTERVALS = 7
TREES, DEPTH = 80, 4
FRESH = 3
LIMIT = 1e-3
"""Share of the background at which the card's figures are taken."""
# Shares of the background whose scores are kept as thresholds, and from how many intervals on they
# are taken anew: the fewer, the more easily chance looks steady.
TAIL_COUNTS = (0, 9, 12, 16, 24, 48, 120)
TAIL_SHARES = (1.0, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)


def simulated(kind: str, count: int, seed: int) -> Floats:
    """The features of `count` pairs of one kind, some fewer where too few intervals are left."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    make = beacon if kind in SLEEPS else background
    times = [make(rng, kind, window=WINDOWS[number % len(WINDOWS)]) for number in range(count)]
    owner = np.repeat(np.arange(count), [len(ts) for ts in times])
    keys = event_keys(owner, np.concatenate(times))
    keys.sort()
    return shapes(keys, fewest=FEWEST_INTERVALS).features


def trained(beacons: list[Floats], others: list[Floats]) -> Arrays:
    """The trees of :func:`fitted` as plain arrays."""
    return _arrays(fitted(beacons, others))


def fitted(beacons: list[Floats], others: list[Floats]) -> HistGradientBoostingClassifier:
    """Fit the trees, every family of either side with the same weight."""
    parts = beacons + others
    features = np.concatenate(parts)
    sides = np.repeat([1] * len(beacons) + [0] * len(others), [len(part) for part in parts])
    weights = np.concatenate(
        [
            np.full(len(part), 1e4 / len(part) / len(side))
            for side in (beacons, others)
            for part in side
        ]
    )
    classifier = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_depth=DEPTH,
        max_leaf_nodes=2**DEPTH,
        learning_rate=0.15,
        min_samples_leaf=60,
        l2_regularization=1.0,
        early_stopping=False,
        monotonic_cst=[DIRECTIONS[name] for name in SHAPE],
        random_state=0,
    )
    classifier.fit(features, sides, sample_weight=weights)
    return classifier


def _arrays(classifier: HistGradientBoostingClassifier) -> Arrays:
    """The trees of a classifier, each filled up to a complete one."""
    inner, leaves = 2**DEPTH - 1, 2**DEPTH
    trees = [stage[0].nodes for stage in classifier._predictors]  # noqa: SLF001 - no other way
    feature = np.zeros((len(trees), inner), np.uint8)
    threshold = np.full((len(trees), inner), np.inf)
    leaf = np.zeros((len(trees), leaves), np.float32)
    for number, nodes in enumerate(trees):

        def place(node: int, at: int, number: int = number, nodes: Any = nodes) -> None:  # noqa: ANN401
            row = nodes[node]
            if at >= inner:
                leaf[number, at - inner] = row["value"]
            elif row["is_leaf"]:
                # An infinite threshold sends everything to the left.
                place(node, 2 * at + 1)
            else:
                feature[number, at] = row["feature_idx"]
                threshold[number, at] = row["num_threshold"]
                place(row["left"], 2 * at + 1)
                place(row["right"], 2 * at + 2)

        place(0, 0)
    return {
        "names": np.array(SHAPE),
        "feature": feature,
        "threshold": threshold,
        "leaf": leaf,
        "bias": np.array(classifier._baseline_prediction.item()),  # noqa: SLF001
        "tail_counts": np.array([0]),
        "tail_scores": np.array([[0.0]]),
        "tail_shares": np.array([1.0]),
    }


def with_tail(arrays: Arrays, others: list[Floats]) -> Arrays:
    """Add the scores that so small shares of the background exceed, by number of intervals.

    Every family has the same weight among those of as many intervals.
    """
    model = model_of(arrays)
    counts = [np.rint(np.exp(part[:, SHAPE.index("count")])) for part in others]
    scores = [model.scores(part) for part in others]
    rows = []
    for low, high in zip(TAIL_COUNTS, (*TAIL_COUNTS[1:], np.inf), strict=True):
        those = [
            each[(count >= low) & (count < high)]
            for each, count in zip(scores, counts, strict=True)
        ]
        levels = [_exceeded([each for each in those if len(each)], share) for share in TAIL_SHARES]
        # Strictly rising, as interpolation needs.
        rows.append(np.maximum.accumulate(levels) + np.arange(len(levels)) * 1e-6)
    return arrays | {
        "tail_counts": np.array(TAIL_COUNTS),
        "tail_scores": np.array(rows),
        "tail_shares": np.array(TAIL_SHARES),
    }


def _exceeded(scores: list[Floats], share: float) -> float:
    """The score that a share of the families' mixture exceeds."""
    every = np.concatenate(scores)
    weights = np.concatenate([np.full(len(each), 1 / len(each) / len(scores)) for each in scores])
    order = np.argsort(-every, kind="stable")
    reached = np.cumsum(weights[order])
    at = min(int(np.searchsorted(reached, share)), len(every) - 1)
    return float(every[order][at])


def _reach(model: BeaconModel, parts: list[Floats]) -> list[float]:
    return [round(float((model.false_alarm(part) <= LIMIT).mean()), 4) for part in parts]


def train(folder: Path, *, pairs: int, seed: int) -> dict[str, Any]:
    """Simulate, measure on what was left out, train on everything, and write the model.

    Args:
        folder: where to.
        pairs: simulated pairs a family for training, and three times as many for the tail.
        seed: of the simulations.

    Returns:
        The card.
    """
    training = {kind: simulated(kind, pairs, seed) for kind in (*SLEEPS, *BACKGROUND)}
    fresh = {kind: simulated(kind, pairs, seed + 1) for kind in SLEEPS}
    fresh |= {kind: simulated(kind, FRESH * pairs, seed + 1) for kind in BACKGROUND}

    def rows(of: dict[str, Floats], kinds: Any, leave: tuple[str, ...] = ()) -> list[Floats]:  # noqa: ANN401
        return [of[kind] for kind in kinds if kind not in leave]

    arrays = trained(
        rows(training, SLEEPS, UNSEEN_SLEEPS), rows(training, BACKGROUND, UNSEEN_BACKGROUND)
    )
    measured = model_of(with_tail(arrays, rows(fresh, BACKGROUND, UNSEEN_BACKGROUND)))
    found = _reach(measured, [fresh[kind] for kind in UNSEEN_SLEEPS])
    false = _reach(measured, [fresh[kind] for kind in UNSEEN_BACKGROUND])
    arrays = with_tail(
        trained(rows(training, SLEEPS), rows(training, BACKGROUND)), rows(fresh, BACKGROUND)
    )
    card = {
        "name": "beacon",
        "what": "monotone gradient-boosted trees over the shape of intervals between connections",
        "data": "simulated: analyzer.models.training.beacon_calls and beacon_background",
        "command": "python -m analyzer.models.training.beacon --out DIR",
        "seed": seed,
        "pairs_a_family": pairs,
        "date": "2026-11-21",
        "licence": "BSD-3-Clause",
        "features": {name: DIRECTIONS[name] for name in SHAPE},
        "figures": {
            "where": "at 0.1% of the background trained on; on families that were not",
            "found": dict(zip(UNSEEN_SLEEPS, found, strict=True)),
            "false": dict(zip(UNSEEN_BACKGROUND, false, strict=True)),
        },
    }
    save_model(folder, "beacon", arrays, card)
    return card


def main() -> None:
    """Train and write ``beacon.npz`` and ``beacon.json``."""
    parser = argparse.ArgumentParser(description="Train the beacon model.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--pairs", type=int, default=4000, help="simulated pairs a family")
    parser.add_argument("--seed", type=int, default=20261121, help="seed of the simulations")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    train(arguments.out, pairs=arguments.pairs, seed=arguments.seed)


if __name__ == "__main__":
    main()
