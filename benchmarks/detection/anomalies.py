"""How well anomalous connections are told from ordinary ones, and how often ordinary ones are.

    python -m benchmarks.detection.anomalies [--seeds N]

Small offices of seeds that no test uses: three days are learned and the fourth is judged, with
anomalies of kinds that nothing was tuned on (:mod:`benchmarks.detection.anomaly_injections`). The
area under the ROC curve (AUC) is over different connections. Beside the ensemble stand its members
alone, an Isolation Forest with ``contamination`` fitted on the batch it judges, and mean and three
standard deviations of the batch. Set ZEEK_ANALYZER_BENCHMARK_CACHE to a directory to keep the
offices there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.bins import SHAPES
from analyzer.baseline.calibration import REPORTED
from analyzer.baseline.coding import ROW
from analyzer.baseline.ensemble import MEMBERS
from analyzer.baseline.histograms import Floats
from analyzer.baseline.online import Online
from analyzer.baseline.scoring import Scorer, Scores, Scoring, scorer
from analyzer.baseline.vectors import vectors
from analyzer.features import DAY
from analyzer.findings import Severity
from benchmarks.detection.anomaly_injections import KINDS, injected, users
from benchmarks.detection.anomaly_offices import LearnedOffice, learned_office
from benchmarks.detection.figures import Figure, averaged, print_measured

FIRST_SEED = 1500
RATES = (1e-2, 1e-3, 1e-4)
_EACH = 40
_CONTAMINATION = 0.05
_ORDINARY_IN_FLOOD = 1500
_SINGLE = 200
_LARGE = 262_144


def _cache() -> Path | None:
    name = os.environ.get("ZEEK_ANALYZER_BENCHMARK_CACHE")
    return Path(name) if name else None


def different(connections: pd.DataFrame) -> pd.DataFrame:
    """Connections that are alike once, as the reference has them: whoever the peer is."""
    return connections.drop_duplicates([name for name in ROW if name != "peer"])


def _rank(scores: Scores, weight: float = 0.6) -> Floats:
    """The combined score, of connections that models were asked about."""
    return weight * scores.statistical + (1.0 - weight) * scores.model


def _auc(ordinary: Floats, anomalous: Floats) -> float:
    truth = np.concatenate([np.zeros(len(ordinary)), np.ones(len(anomalous))])
    return float(roc_auc_score(truth, np.concatenate([ordinary, anomalous])))


def zeek_rows(injections: pd.DataFrame, days: list[int], rng: np.random.Generator) -> pd.DataFrame:
    """Injected connections as Zeek would log them, on days chosen at random."""
    day = rng.choice(days, len(injections))
    within = injections.hour.to_numpy() * 3600.0 + rng.uniform(0.0, 3600.0, len(injections))
    answered = injections.answered.to_numpy(bool)
    return pd.DataFrame(
        {
            "ts": day * DAY + within,
            "orig_h": injections.source.to_numpy(),
            "orig_p": 50_000,
            "resp_h": injections.peer.to_numpy(),
            "resp_p": injections.port.to_numpy(),
            "proto": injections.proto.to_numpy(),
            "service": injections.application.where(injections.application != "").to_numpy(),
            "duration": injections.lasted.to_numpy(float),
            "orig_bytes": injections.orig_bytes.to_numpy(float).astype(np.int64),
            "resp_bytes": injections.resp_bytes.to_numpy(float).astype(np.int64),
            "conn_state": np.where(answered, "SF", "S0"),
            "history": np.where(answered, "ShADadFf", "S"),
            "orig_pkts": injections.packets.to_numpy(float).astype(np.int64),
            "resp_pkts": np.where(answered, 5, 0),
        }
    )


def contaminated(office: LearnedOffice, rng: np.random.Generator) -> Baseline:
    """The office's baseline with anomalies of all kinds among what was learned."""
    each = len(different(office.connections)) * len(office.baseline.days)
    count = int(each * _CONTAMINATION / len(KINDS))
    bad = injected(users(office.baseline), count, rng)
    return office.baseline.learn(zeek_rows(bad, office.baseline.days, rng))


def _aucs(
    name: str, goal: float, prepared: Scorer, ordinary: pd.DataFrame, bad: pd.DataFrame
) -> Figure:
    """The AUC of the ensemble, and of others on the same batch."""
    good, ill = (prepared.score(rows, every=True) for rows in (ordinary, bad))
    batch = pd.concat([ordinary[list(ROW)], bad[list(ROW)]], ignore_index=True)
    numbers = vectors(prepared.known, prepared.known.coded(batch))
    share = min(len(bad) / len(batch), 0.5)
    fitted = IsolationForest(contamination=share, random_state=0, n_jobs=1).fit(numbers)
    forest = -fitted.score_samples(numbers)
    sizes = batch[list(SHAPES)].to_numpy(float)
    spread = np.maximum(sizes.std(axis=0), 1e-9)
    sigmas = np.abs((sizes - sizes.mean(axis=0)) / spread).max(axis=1)
    count = len(ordinary)
    return Figure(
        name,
        goal,
        _auc(_rank(good), _rank(ill)),
        peers={
            "Isolation Forest with contamination, fitted on the batch": _auc(
                forest[:count], forest[count:]
            ),
            "mean and standard deviation of the batch": _auc(sigmas[:count], sigmas[count:]),
            "the statistical part alone": _auc(good.surprise, ill.surprise),
            **{
                f"{member} alone, on the reference": _auc(good.votes[:, k], ill.votes[:, k])
                for k, member in enumerate(MEMBERS)
            },
        },
    )


def _mostly_attack(
    ordinary: pd.DataFrame, hosts: list[str], rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A batch of which eleven in twelve are a flood, a scan and what goes with them."""
    some = ordinary.iloc[rng.choice(len(ordinary), _ORDINARY_IN_FLOOD, replace=False)]
    few = hosts[:3]
    bad = pd.concat(
        [
            injected(few, 8 * _ORDINARY_IN_FLOOD, rng, ["floods"]),
            injected(few, 2 * _ORDINARY_IN_FLOOD, rng, ["scans"]),
            injected(few, _ORDINARY_IN_FLOOD // 2, rng, ["odd ports", "uploads"]),
        ],
        ignore_index=True,
    )
    return some, bad


def _large_uploads(office: LearnedOffice, prepared: Scorer, rng: np.random.Generator) -> float:
    """Share of the hosts whose ten gigabytes to a new place on 443 are critical."""
    hosts = sorted(office.baseline["hours"].source.unique())
    rows = injected(hosts, len(hosts), rng, ["uploads"]).assign(source=hosts, hour=11)
    rows = rows.assign(bytes_out=66, bytes_in=44, duration=46, packets_out=46, orig_bytes=1e10)
    return float((prepared.score(rows).score >= Severity.CRITICAL.bound).mean())


def _speed(office: LearnedOffice, prepared: Scorer, rng: np.random.Generator) -> list[Figure]:
    many = office.connections.iloc[rng.integers(0, len(office.connections), _LARGE)]
    begun = time.process_time()
    prepared.score(many)
    each = (time.process_time() - begun) / len(many)
    online = Online(office.baseline)
    bad = zeek_rows(
        injected(users(office.baseline), _SINGLE // len(KINDS), rng), office.baseline.days, rng
    )
    times = []
    for place in range(len(bad)):
        begun = time.process_time()
        online.score(bad.iloc[[place]])
        times.append(time.process_time() - begun)
    return [
        Figure(
            "microseconds of processor a connection, in a batch", 10.0, each * 1e6, at_most=True
        ),
        Figure(
            "milliseconds of processor for one anomalous connection",
            5.0,
            float(np.median(times)) * 1e3,
            at_most=True,
        ),
    ]


def _rates(office: LearnedOffice, prepared: Scorer) -> Iterator[tuple[str, float, float]]:
    """What of a clean day is reported: name, share asked for, share reported."""
    scores = prepared.score(different(office.connections))
    for rate in RATES:
        yield "connections", rate, float((scores.tail >= -np.log10(rate)).mean())
    windows = scorer(office.baseline, Scoring(of="windows", rate=RATES[0]))
    reported = windows.score(office.whole["windows"]).score >= REPORTED
    yield "five minutes", RATES[0], float(reported.mean())


def measure(seeds: int) -> list[Figure]:
    """AUC, realised alert rates, the large upload, speed."""
    figures: list[Figure] = []
    rates: dict[tuple[str, float], list[float]] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        office = learned_office(seed, _cache())
        rng = np.random.default_rng(seed)
        prepared = scorer(office.baseline, Scoring(rate=RATES[0]))
        shipped = scorer(office.baseline, Scoring(rate=3e-5))
        ordinary = different(office.connections)
        hosts = users(office.baseline)
        bad = injected(hosts, _EACH, rng)
        figures.append(_aucs("AUC, clean reference", 0.95, prepared, ordinary, bad))
        dirty = scorer(contaminated(office, rng), Scoring(rate=RATES[0]))
        figures.append(_aucs("AUC, 5% of the reference anomalous", 0.90, dirty, ordinary, bad))
        some, flood = _mostly_attack(ordinary, hosts, rng)
        figures.append(
            _aucs("AUC, eleven in twelve of the batch an attack", 0.85, prepared, some, flood)
        )
        figures.append(
            Figure(
                "hosts whose upload of 10 GB on 443 is critical",
                1.0,
                _large_uploads(office, shipped, rng),
            )
        )
        found = shipped.score(bad).score >= REPORTED
        figures += [
            Figure(
                f"reported at one in 33,000: {kind}", None, float(found[bad.kind == kind].mean())
            )
            for kind in KINDS
        ]
        if seed == FIRST_SEED:
            figures += _speed(office, shipped, rng)
        for what, asked, realised in _rates(office, prepared):
            rates.setdefault((what, asked), []).append(realised / asked)
    return averaged(figures) + [
        figure
        for (what, asked), shares in rates.items()
        for figure in (
            Figure(
                f"{what} reported for each asked for, at {asked:g}",
                2.0,
                float(np.mean(shares)),
                at_most=True,
                notes=(f"of {len(shares)} offices: {min(shares):.2g} to {max(shares):.2g}",),
            ),
            Figure(f"the same, at least, at {asked:g}", 0.5, float(np.mean(shares))),
        )
    ]


if __name__ == "__main__":
    print_measured(measure, __doc__)
