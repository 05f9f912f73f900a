"""How well guessed passwords and lateral movement are found: simulated attacks, clean offices.

The attacks are not those of the tests' office: other services, sizes, rates, pauses, several
guesses on a connection, bots that share the work, worms, chains. Each stands in a site of its own
that works besides: sessions with servers, an administrator's jump host, checks by the clock. Beside
each figure stands what plain rules reach on the same connections: 9 answered connections to one ssh
service (Slips), 30 in 30 minutes (Zeek's detect-bruteforcing, were every login known to fail), and
5 hosts reached by an administrative port.

    python -m benchmarks.detection.access [--seeds N]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analyzer.detectors import Detector, Shared, brute_force, lateral_chain, lateral_movement
from analyzer.engine import Engine
from analyzer.findings import Severity
from analyzer.networks import parse_networks
from benchmarks.detection.access_traffic import (
    HOUR,
    LOGINS,
    PORTS,
    SSH,
    Random,
    Row,
    bots,
    breadth,
    chain,
    guessing,
    site,
    spray,
)
from benchmarks.detection.figures import Figure, print_measured

_SITES = 15
"""Sites of a seed, each with one attack of a kind."""

# The plain rules.
_SLIPS, _ZEEK, _ZEEK_WINDOW, _WIDE = 9, 30, 1800.0, 5


def _found(rows: list[Row], detector: Detector, minimum: Severity, *parameters: object) -> set[str]:
    """The sources found at a severity or above."""
    with Engine() as engine:
        engine.insert("conn", rows)
        engine.insert("dns", [])
        records, shared = engine.records(parse_networks(())), Shared()
        return {
            each.source
            for given in parameters
            for each in detector.find(records, given, shared)
            if Severity.of(each.score) >= minimum
        }


def _nine(rows: list[Row]) -> set[str]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row["resp_p"] == SSH:
            counts[row["orig_h"], row["resp_h"]] += 1
    return {source for (source, _), count in counts.items() if count >= _SLIPS}


def _thirty(rows: list[Row]) -> set[str]:
    times = defaultdict(list)
    for row in rows:
        if row.get("service") in {name for name, *_ in LOGINS}:
            times[row["orig_h"]].append(row["ts"])
    found = set()
    for source, given in times.items():
        ordered = np.sort(given)
        if (ordered[_ZEEK - 1 :] - ordered[: len(ordered) - _ZEEK + 1] <= _ZEEK_WINDOW).any():
            found.add(source)
    return found


def _five(rows: list[Row]) -> set[str]:
    reached = defaultdict(set)
    for row in rows:
        if row["resp_p"] in PORTS:
            reached[row["orig_h"]].add(row["resp_h"])
    return {source for source, targets in reached.items() if len(targets) >= _WIDE}


_BRUTE = (
    brute_force.Parameters(),
    brute_force.Parameters(by="source"),
    brute_force.Parameters(by="target", window=HOUR, guesses=60),
)
_MOVES = (lateral_movement.Parameters(),)
_CHAINS = (lateral_chain.Parameters(),)
_Plain = dict[str, Callable[[list[Row]], set[str]]]
_GUESSES: _Plain = {"9 over ssh": _nine, "30 in 30 min": _thirty}
_TARGETS: _Plain = {"5 hosts": _five}


@dataclass(frozen=True, slots=True)
class _Case:
    """An attack and what should find it.

    Attributes:
        name: the attack in words.
        attack: makes its connections.
        detector: what should find it.
        parameters: the parameters of its rules.
        plain: plain rules beside it.
        goal: share to find at medium or above; None where nobody has said.
    """

    name: str
    attack: Callable[[Random], list[Row]]
    detector: Detector
    parameters: tuple[object, ...]
    plain: _Plain
    goal: float | None = None


def _brute(name: str, attack: Callable[[Random], list[Row]], goal: float | None = None) -> _Case:
    return _Case(name, attack, brute_force.DETECTOR, _BRUTE, _GUESSES, goal)


def _wide(name: str, attack: Callable[[Random], list[Row]], goal: float | None = None) -> _Case:
    return _Case(name, attack, lateral_movement.DETECTOR, _MOVES, _TARGETS, goal)


def _long(name: str, attack: Callable[[Random], list[Row]], goal: float | None = None) -> _Case:
    return _Case(name, attack, lateral_chain.DETECTOR, _CHAINS, _TARGETS, goal)


_CASES = (
    _brute("40 to 200 guesses, up to 20 s apart", guessing(40, 200, 20.0), 0.95),
    _brute("150 to 400 guesses, up to 2 min apart", guessing(150, 400, 120.0)),
    _brute("20 to 80 bots with 2 to 5 guesses each", bots),
    _brute("4 to 8 guesses at each of 8 to 40 hosts", spray, 0.95),
    _wide("5 to 12 workstations within an hour", breadth(5, 12, 1.0), 0.95),
    _wide("5 to 12 workstations within four hours", breadth(5, 12, 4.0)),
    _long("a chain of three moves", chain(3), 0.95),
    _long("a chain of five moves", chain(5), 0.95),
)


def measure(seeds: int) -> list[Figure]:
    """Shares of simulated attacks found at medium or above, and false alarms beside them.

    Args:
        seeds: seeds, of fifteen sites each for each kind of attack.
    """
    figures = []
    sites = seeds * _SITES
    for number, case in enumerate(_CASES):
        hits, others = 0, 0
        plain_hits: dict[str, int] = dict.fromkeys(case.plain, 0)
        plain_others: dict[str, int] = dict.fromkeys(case.plain, 0)
        for site_number in range(sites):
            rng = np.random.default_rng([site_number, number])
            rows = case.attack(rng)
            guilty = {row["orig_h"] for row in rows}
            rows += site(rng)
            found = _found(rows, case.detector, Severity.MEDIUM, *case.parameters)
            hits += bool(found & guilty)
            others += len(found - guilty)
            for rule, judge in case.plain.items():
                told = judge(rows)
                plain_hits[rule] += bool(told & guilty)
                plain_others[rule] += len(told - guilty)
        shares = {rule: count / sites for rule, count in plain_hits.items()}
        figures.append(Figure(case.name, case.goal, hits / sites, peers=shares))
        wrong = {rule: count / sites for rule, count in plain_others.items()}
        figures.append(
            Figure(
                "    others found, a site and day", 0.0, others / sites, at_most=True, peers=wrong
            )
        )
    return figures


if __name__ == "__main__":
    print_measured(measure, __doc__)
