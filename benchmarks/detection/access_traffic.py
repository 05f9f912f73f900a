"""Simulated sites, guessed passwords and lateral movement, row by row as conn.log has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Row = dict[str, Any]
Random = np.random.Generator

_START = 1_767_571_200.0
_DAY, HOUR = 86_400.0, 3600.0
# Service, port, bytes out and in of a failed login, seconds it takes.
LOGINS = (
    ("ssh", 22, 1750, 2600, 2.0),
    ("rdp", 3389, 1300, 1900, 1.2),
    ("ftp", 21, 45, 190, 3.0),
    ("telnet", 23, 60, 240, 4.0),
    ("smb", 445, 880, 700, 0.2),
)
SSH = 22
PORTS = (SSH, 445, 3389, 5985)
# Messages in clear are shorter; more of them on one connection are not told apart here.
_ENCRYPTED = 500


def row(second: float, source: str, target: str, port: int, **more: Any) -> Row:  # noqa: ANN401
    """A connection that was answered; `more` overrules."""
    made: Row = {
        "ts": _START + second,
        "uid": f"C{source}{target}{port}{second:.6f}",
        "orig_h": source,
        "orig_p": 50_000,
        "resp_h": target,
        "resp_p": port,
        "proto": "tcp",
        "conn_state": "SF",
        "history": "ShADadFf",
        "resp_pkts": 8,
        "orig_pkts": 9,
    }
    return made | more


def session(rng: Random, second: float, source: str, target: str, port: int) -> Row:
    """A session in which somebody works."""
    return row(
        second,
        source,
        target,
        port,
        service="ssh" if port == SSH else None,
        duration=float(rng.lognormal(4.0, 1.0)),
        orig_bytes=int(rng.lognormal(9.5, 1.0)) + 3000,
        resp_bytes=int(rng.lognormal(10.5, 1.0)) + 6000,
    )


def site(rng: Random) -> list[Row]:
    """Sixty workstations and their servers, a jump host, a check of ssh by the clock."""
    rows = []
    for host in range(60):
        source = f"10.1.1.{host + 1}"
        for second in 8 * HOUR + np.sort(rng.uniform(0, 9 * HOUR, 12)):
            rows.append(session(rng, float(second), source, f"10.1.0.{rng.integers(2, 5)}", 445))
            rows.append(row(float(second), source, "198.51.100.9", 443))
    rows += [
        session(rng, float(second), "10.1.0.9", f"10.1.2.{rng.integers(1, 25)}", SSH)
        for second in 8 * HOUR + np.sort(rng.uniform(0, 9 * HOUR, 40))
    ]
    for minute in range(1440):
        size = {"orig_bytes": 21, "resp_bytes": 41, "duration": 0.05, "service": "ssh"}
        rows.append(row(60.0 * minute, "10.1.0.8", "10.1.0.2", 22, **size))
    return rows


def guesses(rng: Random, source: str, target: str, count: int, gap: float) -> list[Row]:
    """A program that guesses, one to three passwords on a connection."""
    name, port, sent, received, lasts = LOGINS[rng.integers(len(LOGINS))]
    begin = float(rng.uniform(1, 12)) * HOUR
    rows = []
    for second in begin + np.cumsum(rng.gamma(2.0, gap / 2, count)):
        tries = int(rng.integers(1, 4))
        rows.append(
            row(
                float(second),
                source,
                target,
                port,
                service=name,
                duration=float(lasts * tries * rng.uniform(0.8, 1.3)),
                orig_bytes=sent + 60 * (tries - 1) * (sent > _ENCRYPTED) + int(rng.integers(0, 24)),
                resp_bytes=received + 50 * (tries - 1) * (received > _ENCRYPTED),
            )
        )
    return rows


def guessing(low: int, high: int, slow: float) -> Callable[[Random], list[Row]]:
    """So many guesses at one server, from outside or inside, at most `slow` seconds apart."""

    def attack(rng: Random) -> list[Row]:
        source = str(rng.choice(["203.0.113.77", "10.1.1.7"]))
        count = int(rng.integers(low, high + 1))
        return guesses(rng, source, "10.1.0.4", count, float(rng.uniform(0.3, slow)))

    return attack


def bots(rng: Random) -> list[Row]:
    """Bots that share the guessing at one server."""
    rows = []
    for bot in range(int(rng.integers(20, 80))):
        for second in 9 * HOUR + rng.uniform(0, 2 * HOUR, rng.integers(2, 6)):
            sizes = {"orig_bytes": int(rng.integers(1500, 2300)), "resp_bytes": 2600}
            source = f"203.0.113.{bot + 1}"
            rows.append(
                row(float(second), source, "10.1.0.6", 22, service="ssh", duration=2.0, **sizes)
            )
    return rows


def spray(rng: Random) -> list[Row]:
    """A host that tries a few passwords at each of many."""
    rows = []
    for host in range(int(rng.integers(8, 40))):
        received = int(rng.integers(1400, 3500))
        for second in 9 * HOUR + rng.uniform(0, 1500.0, rng.integers(4, 9)):
            sizes = {"orig_bytes": 1800 + int(rng.integers(64)), "resp_bytes": received}
            target = f"10.1.3.{host + 1}"
            rows.append(
                row(float(second), "10.1.1.7", target, SSH, service="ssh", duration=2.0, **sizes)
            )
    return rows


def breadth(low: int, high: int, hours: float) -> Callable[[Random], list[Row]]:
    """A workstation that takes charge of so many others within some hours."""

    def attack(rng: Random) -> list[Row]:
        port = int(rng.choice(PORTS))
        targets = rng.choice(np.arange(10, 60), int(rng.integers(low, high + 1)), replace=False)
        times = rng.uniform(9, 14) * HOUR + np.sort(rng.uniform(0, hours * HOUR, len(targets)))
        return [
            session(rng, float(second), "10.1.1.7", f"10.1.1.{target}", port)
            for second, target in zip(times, targets, strict=True)
        ]

    return attack


def chain(moves: int) -> Callable[[Random], list[Row]]:
    """Moves from one workstation to the next."""

    def attack(rng: Random) -> list[Row]:
        hosts = [7, *rng.choice(np.arange(10, 60), moves, replace=False)]
        times = 10 * HOUR + np.cumsum(rng.uniform(60, 1.5 * HOUR, moves))
        return [
            session(rng, float(second), f"10.1.1.{a}", f"10.1.1.{b}", int(rng.choice(PORTS)))
            for second, a, b in zip(times, hosts[:-1], hosts[1:], strict=True)
        ]

    return attack
