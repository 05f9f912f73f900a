"""How many scans are found, and how many honest hosts are taken for scanners.

    python -m benchmarks.detection.scans [--seeds N]

Scanners try targets in order or at random, steadily or in volleys, on one port, on many ports of
one host, or both; failures are silent, refused or reset, some targets answer, and the host goes on
with its work meanwhile. Honest hosts are heavy browsers, monitors of hosts that are down, mail
servers with dead exchangers, and users of file shares. Beside each figure stands what the plain
rules reach: 25 destinations on a port (or 25 ports of a destination), and 25 failed connections;
they name a scanner for its honest work too.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import analyzer
from analyzer.detectors import DETECTORS, Shared
from analyzer.findings import Severity
from analyzer.records import Records
from benchmarks.detection.dns import reading
from benchmarks.detection.figures import Figure, print_measured
from tests.test_detectors import DAY, Row, connection, holding
from tests.traffic import office

HOUR = 3600.0
SCANNERS = 60
HONEST = 150
"""Scanners of each kind, and honest hosts of each kind, of each seed."""

_PLAIN = 25
_PORTS = (22, 80, 135, 443, 445, 1433, 3389, 5432, 5985, 8080, 9200)
_FAILURES: tuple[Row, ...] = (
    {"conn_state": "S0", "history": "S", "resp_pkts": 0},
    {"conn_state": "REJ", "history": "Sr", "resp_pkts": 1},
    {"conn_state": "RSTOS0", "history": "SR", "resp_pkts": 0},
)
_RULES = ("address_scan", "port_scan", "block_scan")

Plan = Callable[[np.random.Generator], tuple[int, float, float]]
"""From a generator how many targets, within how many seconds, and the share that answers."""

Honest = Callable[[np.random.Generator, str], list[Row]]


def _tried(
    rng: np.random.Generator, second: float, source: str, target: str, port: int, *, answered: bool
) -> Row:
    failure = _FAILURES[rng.choice(len(_FAILURES), p=(0.7, 0.2, 0.1))]
    return connection(second, source, target, port, **({} if answered else failure))


def _times(rng: np.random.Generator, count: int, spread: float) -> list[float]:
    """Steadily, or in volleys."""
    begin = rng.uniform(0, DAY - spread - 1)
    steady = np.linspace(0, spread, count) + rng.normal(0, spread / count / 4, count)
    volleys = rng.choice(rng.uniform(0, spread, max(count // 6, 1)), count)
    volleys = volleys + rng.exponential(2.0, count)
    chosen = steady if rng.random() < 0.5 else volleys  # noqa: PLR2004 - a coin
    times: list[float] = np.sort(begin + np.clip(chosen, 0, spread)).tolist()
    return times


def scan(rng: np.random.Generator, source: str, shape: str, plan: Plan) -> list[Row]:
    """One scan: of hosts on a port (address), of ports of a host (port), of both (block)."""
    targets, spread, answering = plan(rng)
    network, port = f"10.{rng.integers(32, 250)}.{rng.integers(250)}", int(rng.choice(_PORTS))
    order = rng.permutation(250)[:targets] if rng.random() < 0.5 else np.arange(targets)  # noqa: PLR2004
    ports = rng.permutation(np.arange(1, 9000))[:targets].tolist()
    rows = []
    for number, second in enumerate(_times(rng, targets, spread)):
        host = f"{network}.{order[number] + 1 if shape != 'port' else 7}"
        tried = port if shape == "address" else int(ports[number])
        if shape == "block":
            host, tried = f"{network}.{number // 4 + 1}", int(ports[number % 4])
        answered = bool(rng.random() < answering)
        rows.append(_tried(rng, second, source, host, tried, answered=answered))
    return rows


def work(rng: np.random.Generator, source: str, count: int, failing: float) -> list[Row]:
    """Honest first contacts, in sessions: pages and what they load, some of it dead."""
    rows: list[Row] = []
    while len(rows) < count:
        begin, dead = rng.uniform(0, DAY - 60), rng.beta(failing * 8, (1 - failing) * 8)
        for _ in range(int(rng.integers(3, 15))):
            target = f"{rng.integers(11, 200)}.{rng.integers(250)}.{rng.integers(250)}.9"
            answered = bool(rng.random() >= dead)
            second = begin + rng.exponential(4.0)
            rows.append(_tried(rng, second, source, target, 443, answered=answered))
    return rows[:count]


def browser(rng: np.random.Generator, source: str) -> list[Row]:
    """A heavy browser: hundreds of hosts, up to a twelfth of them dead."""
    return work(rng, source, int(rng.integers(100, 500)), float(rng.uniform(0.01, 0.08)))


def monitor(rng: np.random.Generator, source: str) -> list[Row]:
    """A monitor of 30 to 80 hosts every half hour, some of them down for hours."""
    rows = []
    for host in range(int(rng.integers(30, 80))):
        down = rng.uniform(0, DAY) if rng.random() < 0.15 else 2 * DAY  # noqa: PLR2004
        for turn in range(48):
            second = 1800.0 * turn + 3 * host
            answered = not down <= second < down + 4 * HOUR
            rows.append(_tried(rng, second, source, f"10.40.0.{host}", 22, answered=answered))
    return rows


def mail_server(rng: np.random.Generator, source: str) -> list[Row]:
    """A mail server: 60 to 200 exchangers, a tenth of them dead and tried again ever later.

    Some of the dead ones are left from the day before.
    """
    rows = []
    for number in range(int(rng.integers(60, 200))):
        answered, target = bool(rng.random() >= 0.1), f"203.0.{number // 250}.{number % 250}"  # noqa: PLR2004
        queued = not answered and rng.random() < 0.2  # noqa: PLR2004
        second, wait = float(rng.uniform(0, HOUR if queued else DAY)), 900.0
        while second < DAY:
            rows.append(_tried(rng, second, source, target, 25, answered=answered))
            second, wait = second + (DAY if answered else wait), min(2 * wait, 4 * HOUR)
    return rows


def share_user(rng: np.random.Generator, source: str) -> list[Row]:
    """A workstation that looks for printers, shares and peers, a few of them switched off."""
    rows = work(rng, source, int(rng.integers(30, 90)), 0.03)
    for number in range(int(rng.integers(4, 12))):
        answered, target = bool(rng.random() >= 0.25), f"10.41.0.{number}"  # noqa: PLR2004
        rows += [
            _tried(rng, float(second), source, target, 445, answered=answered)
            for second in rng.uniform(0, DAY, 6)
        ]
    return rows


HABITS: dict[str, Honest] = {
    "heavy browsers": browser,
    "monitors": monitor,
    "mail servers": mail_server,
    "share users": share_user,
}


def fast(rng: np.random.Generator) -> tuple[int, float, float]:
    """20 to 120 targets within seconds to half an hour, at most a twentieth of which answers."""
    return int(rng.integers(20, 121)), float(rng.uniform(5, 1800)), float(rng.uniform(0, 0.05))


def slow(rng: np.random.Generator) -> tuple[int, float, float]:
    """20 to 60 targets within 2 to 20 hours, at most a twentieth of which answers."""
    spread = float(rng.uniform(2 * HOUR, 20 * HOUR))
    return int(rng.integers(20, 61)), spread, float(rng.uniform(0, 0.05))


def twelve(rng: np.random.Generator) -> tuple[int, float, float]:
    """12 targets within 2 to 20 hours, at most a tenth of which answers."""
    return 12, float(rng.uniform(2 * HOUR, 20 * HOUR)), float(rng.uniform(0, 0.1))


def named(records: Records, minimum: Severity = Severity.LOW) -> set[str]:
    """The sources that the scan rules name at least so loudly."""
    shared = Shared()
    return {
        each.source
        for rule in analyzer.load_rules()
        if rule.id in _RULES
        for each in DETECTORS[rule.detector].find(records, rule.parameters, shared)
        if each.score >= minimum.bound
    }


def plain(rows: Sequence[Row]) -> dict[str, set[str]]:
    """The sources that the plain rules name in a day."""
    hosts: dict[tuple[str, int], set[str]] = defaultdict(set)
    ports: dict[tuple[str, str], set[int]] = defaultdict(set)
    failed: dict[str, int] = defaultdict(int)
    for row in rows:
        hosts[row["orig_h"], row["resp_p"]].add(row["resp_h"])
        ports[row["orig_h"], row["resp_h"]].add(row["resp_p"])
        failed[row["orig_h"]] += row["conn_state"] != "SF"
    wide = {source for (source, _), met in hosts.items() if len(met) >= _PLAIN}
    wide |= {source for (source, _), met in ports.items() if len(met) >= _PLAIN}
    return {
        "25 destinations, or 25 ports": wide,
        "25 failures": {source for source, count in failed.items() if count >= _PLAIN},
    }


def reach(seeds: int, name: str, shapes: Sequence[str], plan: Plan, goal: float) -> Figure:
    """The share of such scans whose source is named."""
    scans, hits = 0, 0
    peers: dict[str, int] = defaultdict(int)
    for seed in range(seeds):
        rng = np.random.default_rng([seed, sum(name.encode())])
        rows: list[Row] = []
        sources = {f"10.8.{k // 250}.{k % 250 + 1}" for k in range(SCANNERS)}
        for number, source in enumerate(sorted(sources)):
            rows += scan(rng, source, shapes[number % len(shapes)], plan)
            rows += work(rng, source, int(rng.integers(20, 80)), 0.04)
        with holding(rows) as records:
            hits += len(named(records) & sources)
        scans += len(sources)
        for rule, found in plain(rows).items():
            peers[rule] += len(found & sources)
    reached = {rule: count / scans for rule, count in peers.items()}
    return Figure(name, goal, hits / scans, peers=reached)


def false(seeds: int, name: str, habit: Honest) -> Figure:
    """The share of honest hosts' days that are named."""
    days, wrong = 0, 0
    peers: dict[str, int] = defaultdict(int)
    for seed in range(seeds):
        rng = np.random.default_rng([seed, sum(name.encode())])
        rows: list[Row] = []
        for number in range(HONEST):
            rows += habit(rng, f"10.8.{number // 250}.{number % 250 + 1}")
        with holding(rows) as records:
            wrong += len(named(records))
            peers["ours, at medium or above"] += len(named(records, Severity.MEDIUM))
        days += HONEST
        for rule, found in plain(rows).items():
            peers[rule] += len(found)
    reached = {rule: count / days for rule, count in peers.items()}
    return Figure(
        f"{name} named, of {days:,} days", 1e-4, wrong / days, at_most=True, peers=reached
    )


def false_office(seeds: int, hosts: int) -> Figure:
    """Generated offices: days of local hosts that are named, beside the plain rules."""
    days, wrong = 0, 0
    peers: dict[str, int] = defaultdict(int)
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as directory:
            office(800 + seed, hosts=hosts).write(Path(directory))
            with reading(Path(directory)) as records:
                wrong += len(named(records))
                conn = records.conn.filter(records.conn.request)
                table_ = conn.select("orig_h", "resp_h", "resp_p", "answered").to_pandas()
        days += hosts
        local = table_[table_.orig_h.str.startswith("10.20.")]
        met = local.groupby(["orig_h", "resp_p"]).resp_h.nunique()
        failed = (~local.answered).groupby(local.orig_h).sum()
        peers["25 destinations, or 25 ports"] += met[met >= _PLAIN].reset_index().orig_h.nunique()
        peers["25 failures"] += int((failed >= _PLAIN).sum())
    reached = {rule: count / days for rule, count in peers.items()}
    return Figure(f"office hosts named, of {days:,} days", 1e-4, wrong / days, at_most=True,
                  peers=reached)  # fmt: skip


def measure(seeds: int, hosts: int = 120) -> list[Figure]:
    """Every figure, of so many seeds."""
    every = ("address", "port", "block")
    return [
        reach(seeds, "scans of 20 or more targets, fast", every, fast, 1.0),
        reach(seeds, "scans of 20 or more targets, slow", every, slow, 1.0),
        reach(seeds, "scans of 12 targets, slow", ("address", "port"), twelve, 0.9),
        *(false(seeds, name, habit) for name, habit in HABITS.items()),
        false_office(seeds, hosts),
    ]


if __name__ == "__main__":
    print_measured(measure, __doc__)
