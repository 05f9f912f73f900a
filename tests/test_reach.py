"""How far the detectors reach: what is found of simulated scans and tunnels, and what is not.

Every figure is of many sources in one engine. The seeds are fixed, so a figure changes only with
the detectors; the bounds are those that are published.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
import pytest

from analyzer.detectors import Detection, Shared
from analyzer.detectors import dns_tunnel as tunnels
from analyzer.detectors import scan as scans
from analyzer.findings import Severity
from tests.test_detectors import DAY, START, Row, connection, holding, lookup

HOUR = 3600.0


def sources(found: list[Detection]) -> set[str]:
    """Who was found at low or above."""
    return {each.source for each in found if Severity.of(each.score) >= Severity.LOW}


def scan_rows(
    rng: np.random.Generator,
    source: str,
    *,
    targets: int,
    spread: float,
    failing: float,
    vertical: bool,
) -> list[Row]:
    """One scan somewhere in the day, with two honest contacts for each of its targets.

    The honest contacts go to other hosts; one in twenty of them fails.
    """
    rows = []
    begin = rng.uniform(0, DAY - spread - 1)
    times = begin + np.sort(rng.uniform(0, spread, targets))
    for number, (second, draw) in enumerate(zip(times, rng.random(targets), strict=True)):
        target = "10.9.0.1" if vertical else f"10.9.{number // 250}.{number % 250 + 1}"
        port = number + 1 if vertical else 445
        rows.append(connection(float(second), source, target, port, answered=draw >= failing))
    for number, second in enumerate(rng.uniform(0, DAY, 2 * targets)):
        answered = bool(rng.random() < 0.95)
        target = f"198.51.{number // 250}.{number % 250 + 1}"
        rows.append(connection(float(second), source, target, 443, answered=answered))
    return rows


def scanners(
    seed: int, count: int, plan: Callable[[np.random.Generator], tuple[int, float, float]]
) -> tuple[list[Row], set[str]]:
    """So many sources, half of which scan hosts and half ports."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    names = set()
    for number in range(count):
        source = f"10.0.{number // 250}.{number % 250 + 1}"
        names.add(source)
        targets, spread, failing = plan(rng)
        rows += scan_rows(
            rng,
            source,
            targets=targets,
            spread=spread,
            failing=failing,
            vertical=number % 2 == 1,
        )
    return rows, names


def found_scans(rows: list[Row]) -> set[str]:
    with holding(rows) as records:
        return sources(list(scans.DETECTOR.find(records, scans.Parameters(), Shared())))


def test_scans_of_twenty_targets_are_all_found() -> None:
    """20 to 60 targets within a minute to twenty hours, up to 5% of which answer."""

    def plan(rng: np.random.Generator) -> tuple[int, float, float]:
        targets = int(rng.integers(20, 61))
        spread = float(np.exp(rng.uniform(np.log(60.0), np.log(20 * HOUR))))
        return targets, spread, float(rng.uniform(0.95, 1.0))

    rows, names = scanners(20, 50, plan)
    assert found_scans(rows) == names


def test_slow_scans_of_twelve_targets_are_mostly_found() -> None:
    """12 targets over hours, up to 10% of which answer."""

    def plan(rng: np.random.Generator) -> tuple[int, float, float]:
        return 12, float(rng.uniform(2 * HOUR, 20 * HOUR)), float(rng.uniform(0.9, 1.0))

    rows, names = scanners(12, 200, plan)
    found = found_scans(rows)
    assert found <= names
    assert len(found) >= 0.9 * len(names)


def test_honest_hosts_are_hardly_ever_taken_for_scanners() -> None:
    """2,000 host-days of 50 to 300 first contacts, 90% to 98% of which are answered."""
    rng = np.random.default_rng(2000)
    ports = np.array([443, 80, 22, 445, 993])
    rows: list[Row] = []
    for number in range(2000):
        source = f"10.0.{number // 250}.{number % 250 + 1}"
        count = int(rng.integers(50, 301))
        answered = rng.random(count) < rng.uniform(0.9, 0.98)
        seconds = rng.uniform(0, DAY, count)
        chosen = rng.choice(ports, count, p=[0.6, 0.2, 0.05, 0.1, 0.05])
        targets = rng.choice(60_000, count, replace=False)
        rows += [
            {
                "ts": START + second,
                "orig_h": source,
                "resp_h": f"198.51.{target // 250}.{target % 250 + 1}",
                "orig_p": 50_000,
                "resp_p": port,
                "proto": "tcp",
                "conn_state": "SF" if is_answered else "S0",
                "history": "ShADadFf" if is_answered else "S",
            }
            for second, target, port, is_answered in zip(
                seconds.tolist(), targets.tolist(), chosen.tolist(), answered.tolist(), strict=True
            )
        ]
    assert len(found_scans(rows)) <= 1


def _cut(text: str, length: int) -> str:
    return ".".join(text[k : k + length] for k in range(0, len(text), length))


def iodine(rng: np.random.Generator, number: int, carried: int) -> str:
    """A name as iodine makes them: user, fragment and counter, then data in base 32."""
    header = f"0{_BASE32[number % 8]}{_BASE32[number // 8 % 32]}a{_BASE32[number % 32]}"
    data = base64.b32encode(rng.bytes(carried)).decode().rstrip("=").lower()
    return _cut(header + data, 57)


def dnscat2(rng: np.random.Generator, number: int, carried: int) -> str:
    """A name as dnscat2 makes them: packet, type, session and two counters, then data, in hex."""
    header = f"{rng.bytes(2).hex()}01a1b2{7 * number % 65_536:04x}{5 * number % 65_536:04x}"
    return _cut(header + rng.bytes(carried).hex(), 60)


def bare_base32(rng: np.random.Generator, _: int, carried: int) -> str:
    """A name that is nothing but data in base 32."""
    return _cut(base64.b32encode(rng.bytes(carried)).decode().rstrip("=").lower(), 57)


def bare_hex(rng: np.random.Generator, _: int, carried: int) -> str:
    """A name that is nothing but data in hex."""
    return _cut(rng.bytes(carried).hex(), 60)


_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
KINDS: list[Callable[[np.random.Generator, int, int], str]] = [
    iodine,
    dnscat2,
    bare_base32,
    bare_hex,
]
TYPES = ["NULL", "TXT", "CNAME", "MX", "A"]


def tunnel_rows(
    rng: np.random.Generator, number: int, *, size: int, spread: float, most: int
) -> list[Row]:
    """One tunnel that sends `size` bytes of data in the names it needs, among ordinary names."""
    source = f"10.0.{number // 250}.{number % 250 + 1}"
    # Several clients of one server would be told from a service by their number alone.
    domain = f"{('', 't1.')[number % 2]}example{number}.com"
    carried = int(rng.integers(8, most))
    count = -(-size // carried)
    seconds = np.sort(rng.uniform(0, spread, count)) + rng.uniform(0, DAY - spread)
    qtype = str(rng.choice(TYPES))
    kind = KINDS[number % 8 // 2]
    rows = [
        lookup(float(second), source, f"{kind(rng, k, carried)}.{domain}", qtype_name=qtype)
        for k, second in enumerate(seconds)
    ]
    rows += [
        lookup(float(second), source, f"www.site{rng.integers(400)}.org", answers=["198.51.100.7"])
        for second in rng.uniform(0, DAY, 40)
    ]
    return rows


@pytest.mark.parametrize(
    ("seed", "size", "spread", "most", "share"),
    [
        pytest.param(2, 2000, 0.9 * HOUR, 100, 0.99, id="two kilobytes within the hour"),
        pytest.param(7, 2520, HOUR, 40, 0.90, id="0.7 bytes a second for an hour"),
    ],
)
def test_tunnels_are_found(seed: int, size: int, spread: float, most: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    count = 300
    rows: list[Row] = []
    for number in range(count):
        rows += tunnel_rows(rng, number, size=size, spread=spread, most=most)
    with holding(dns=rows) as records:
        found = list(tunnels.DETECTOR.find(records, tunnels.Parameters(), Shared()))
    loud = [each for each in found if Severity.of(each.score) >= Severity.LOW]
    assert {each.subject[:7] for each in loud} == {"example"}
    assert len(sources(loud)) >= share * count
