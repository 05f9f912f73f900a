"""How much of simulated exfiltration and ICMP tunnels is found, and what honest offices raise.

The honest traffic is the office of other seeds than the tests use. Beside each figure stand the
plain rule, mean and three standard deviations over what hosts send to a destination in half a day,
and Slips' data upload, 500 MB to one destination.

    python -m benchmarks.detection.exfiltration [--seeds N]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from analyzer.detectors import Detection, Shared
from analyzer.detectors.exfiltration import DETECTOR as EXFILTRATION
from analyzer.detectors.exfiltration import Parameters as Exfiltration
from analyzer.detectors.icmp_tunnel import DETECTOR as ICMP_TUNNEL
from analyzer.detectors.icmp_tunnel import Parameters as IcmpTunnel
from analyzer.detectors.uploads import uploads
from analyzer.engine import Engine
from analyzer.findings import Severity
from analyzer.parsers.reading import read
from analyzer.records import Records
from benchmarks.detection.figures import Figure, print_measured
from tests.traffic import Attack, office

FIRST_SEED = 700
HOSTS = 40
SLIPS = 500e6
"""Bytes to one destination that Slips reports (its ``data_exfiltration_threshold``)."""

# Sizes in bytes, and in how many chunks each goes, over how long.
SIZES = (10e6, 40e6, 150e6, 600e6, 2.5e9, 10e9)
CHUNKINGS = ((1, 1.0), (12, 3000.0), (150, 30_000.0))
# Payload bytes and packets of an exchange, twelve of which make a tunnel.
TUNNELS = ((90, 150), (300, 60), (700, 200), (1400, 900))
# The first of users in a row that neither call nor share files.
_USER = 21


@contextmanager
def _office(seed: int, attacks: Iterable[Attack], days: float) -> Iterator[Records]:
    with TemporaryDirectory() as directory, Engine() as engine:
        office(seed, hosts=HOSTS, days=days, attacks=tuple(attacks)).write(Path(directory))
        read([directory], engine)
        yield engine.records()


def _uploads_found(records: Records) -> list[Detection]:
    shared = Shared()
    return [
        detection
        for pace in ("at once", "slowly")
        for detection in EXFILTRATION.find(
            records,
            Exfiltration(pace=pace),
            shared,
        )
    ]


def _plain(records: Records, bound: Callable[[np.ndarray], float]) -> set[str]:
    """Sources that sent more to a destination in half a day than a bound over all of it."""
    frame = uploads(records, Shared()).to_pandas()
    return set(frame.orig_h[frame.sent > bound(frame.sent.to_numpy())])


def _three_sigma(sent: np.ndarray) -> float:
    return float(sent.mean() + 3 * sent.std())


def _loud(found: Iterable[Detection], minimum: Severity) -> set[str]:
    return {each.source for each in found if Severity.of(each.score) >= minimum}


def _source(number: int) -> str:
    return f"10.20.1.{_USER + number}"


def measure(seeds: int) -> list[Figure]:
    """Reach by size and pace, alarms of clean days, reach of tunnels."""
    caught: dict[tuple[float, int], list[tuple[bool, bool, bool]]] = {}
    for run in range(seeds):
        for days in (1.0, 2.0):
            plan = [
                (size, chunks, duration)
                for number, size in enumerate(SIZES)
                for chunks, duration in (CHUNKINGS[(number + run) % len(CHUNKINGS)],)
            ]
            attacks = [
                Attack(
                    "chunked_exfiltration",
                    chunk=int(size / chunks),
                    chunks=chunks,
                    duration=duration,
                    port=(443, 8022)[number % 2],
                    source=_source(number),
                    begin=(days - 1) * 86_400.0 + 30_000.0,
                )
                for number, (size, chunks, duration) in enumerate(plan)
            ]
            with _office(FIRST_SEED + run, attacks, days) as records:
                ours = _loud(_uploads_found(records), Severity.MEDIUM)
                sigma = _plain(records, _three_sigma)
                slips = _plain(records, lambda _: SLIPS)
            for number, (size, chunks, _) in enumerate(plan):
                source = _source(number)
                caught.setdefault((size, chunks), []).append(
                    (source in ours, source in sigma, source in slips)
                )
    figures = [
        Figure(
            f"upload of {size / 1e6:,.0f} MB in {chunks} connections, at medium",
            0.95 if size >= SIZES[1] else None,
            float(np.mean([each[0] for each in results])),
            peers={
                "mean + 3 sigma": float(np.mean([each[1] for each in results])),
                "500 MB (Slips)": float(np.mean([each[2] for each in results])),
            },
        )
        for (size, chunks), results in sorted(caught.items())
    ]
    return [*figures, *_alarms(seeds), *_tunnels(seeds)]


def _alarms(seeds: int) -> list[Figure]:
    alarms: dict[str, list[int]] = {}
    for run in range(seeds):
        with _office(FIRST_SEED + 100 + run, (), 1.0) as records:
            found = _uploads_found(records)
            echoes = list(ICMP_TUNNEL.find(records, IcmpTunnel(), Shared()))
            for name, sources in {
                "upload": _loud(found, Severity.MEDIUM),
                "upload, low": _loud(found, Severity.LOW),
                "tunnel": _loud(echoes, Severity.LOW),
                "sigma": _plain(records, _three_sigma),
                "slips": _plain(records, lambda _: SLIPS),
            }.items():
                alarms.setdefault(name, []).append(len(sources))
    mean = {name: float(np.mean(counts)) for name, counts in alarms.items()}
    return [
        Figure(
            f"hosts falsely reported at medium on a day of {HOSTS} hosts",
            0.0,
            mean["upload"],
            at_most=True,
            peers={
                "at low": mean["upload, low"],
                "mean + 3 sigma": mean["sigma"],
                "500 MB (Slips)": mean["slips"],
            },
        ),
        Figure("the same, ICMP tunnels at low", 0.0, mean["tunnel"], at_most=True),
    ]


def _tunnels(seeds: int) -> list[Figure]:
    caught: dict[tuple[int, int], list[bool]] = {}
    for run in range(seeds):
        attacks = [
            Attack("icmp_tunnel", payload=payload, packets=packets, source=_source(number))
            for number, (payload, packets) in enumerate(TUNNELS)
        ]
        with _office(FIRST_SEED + 200 + run, attacks, 1.0) as records:
            found = _loud(ICMP_TUNNEL.find(records, IcmpTunnel(), Shared()), Severity.LOW)
        for number, tunnel in enumerate(TUNNELS):
            caught.setdefault(tunnel, []).append(_source(number) in found)
    return [
        Figure(
            f"ICMP tunnel, {payload} B payload, 12 x {packets} echoes, at low",
            0.95,
            float(np.mean(results)),
        )
        for (payload, packets), results in sorted(caught.items())
    ]


if __name__ == "__main__":
    print_measured(measure, __doc__)
