"""Fan-out: breadth inside and outside, what lookups explain, routines and encrypted resolvers."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from scipy.stats import binom

from analyzer.detectors import Detection
from analyzer.detectors.fan_out import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, detect, evidence, lookup

SOURCE = "SOURCE"


def meets(
    count: int,
    *,
    network: str = "10.1.0",
    port: int = 3389,
    gap: float = 2.0,
    silent: int = 0,
    begin: float = 0.0,
    proto: str = "tcp",
) -> list[Row]:
    """Meet `count` hosts, the last `silent` of which do not answer."""
    return [
        connection(
            begin + gap * k,
            SOURCE,
            f"{network}.{k + 1}",
            port,
            answered=k < count - silent,
            proto=proto,
        )
        for k in range(count)
    ]


def asks(count: int, begin: float = 0.0) -> list[Row]:
    """Ask a resolver, as conn.log has it."""
    return [
        connection(begin + k, SOURCE, "10.0.0.53", 53, proto="udp", orig_p=40_000 + k)
        for k in range(count)
    ]


# Without dns.log: what a source does, and what is said of it with which score.
SCENES: dict[str, tuple[list[Row], list[tuple[str, float]]]] = {
    "fourteen local hosts": (meets(14), []),
    "fifteen local hosts": (
        meets(15),
        [("SOURCE reached 15 new local hosts on 3389/tcp within 28 s", 0.7)],
    ),
    "twenty local hosts": (
        meets(20),
        [("SOURCE reached 20 new local hosts on 3389/tcp within 38 s", 0.8)],
    ),
    "forty local hosts": (
        meets(40),
        [("SOURCE reached 40 new local hosts on 3389/tcp within 78 s", 0.85)],
    ),
    "a hundred local hosts": (
        meets(100),
        [("SOURCE reached 100 new local hosts on 3389/tcp within 3.3 min", 0.9)],
    ),
    "more slowly than the window": (
        meets(40, gap=30.0),
        [],
    ),
    "the widest of two windows": (
        meets(16) + meets(20, begin=1000.0, network="10.2.0"),
        [("SOURCE reached 20 new local hosts on 3389/tcp within 38 s", 0.8)],
    ),
    "two ports": (
        meets(10) + meets(10, port=22),
        [],
    ),
    "both sides of the fence": (
        meets(14) + meets(14, network="198.51.100", begin=60.0) + asks(1),
        [],
    ),
    "half of them silent": (
        meets(30, silent=15),
        [("SOURCE reached 30 new local hosts on 3389/tcp within 58 s", 0.825)],
    ),
    "more than half of them silent": (meets(30, silent=16), []),
    "a routine monitor": (
        meets(40) + meets(8, begin=3000.0),
        [("SOURCE reached 40 new local hosts on 3389/tcp within 78 s", 0.5)],
    ),
    "one that returns to a few": (
        meets(40) + meets(7, begin=3000.0),
        [("SOURCE reached 40 new local hosts on 3389/tcp within 78 s", 0.85)],
    ),
    "resolvers": (meets(40, port=53) + meets(40, port=853) + meets(40, port=123), []),
    "udp": (meets(40, proto="udp"), []),
    "outside hosts of one that never asks": (meets(32, network="198.51.100", silent=10), []),
    "outside hosts from thin air": (
        meets(32, network="198.51.100", silent=10) + asks(2),
        [
            (
                (
                    "SOURCE reached 32 new outside hosts on 3389/tcp within 62 s, "
                    "30 of them without a name looked up"
                ),
                0.825,
            )
        ],
    ),
    "outside hosts, as many as names": (
        meets(32, network="198.51.100", silent=10) + asks(32),
        [
            (
                (
                    "SOURCE reached 32 new outside hosts on 3389/tcp within 62 s, "
                    "0 of them without a name looked up"
                ),
                0.0,
            )
        ],
    ),
    "names looked up too long ago": (
        meets(32, network="198.51.100", silent=10, begin=4000.0) + asks(300),
        [
            (
                (
                    "SOURCE reached 32 new outside hosts on 3389/tcp within 62 s, "
                    "32 of them without a name looked up"
                ),
                0.83,
            )
        ],
    ),
    "a browser with an encrypted resolver": (
        meets(32, network="198.51.100", port=443, silent=3) + asks(1),
        [],
    ),
}


@pytest.fixture(scope="module")
def said() -> dict[str, list[tuple[str, float]]]:
    """What the detector says in each scene, each of a source of its own."""
    sources = {name: f"10.0.0.{number + 1}" for number, name in enumerate(SCENES)}
    rows = [row | {"orig_h": sources[name]} for name, (scene, _) in SCENES.items() for row in scene]
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for detection in detect(DETECTOR, Parameters(), rows):
        message = detection.message.replace(detection.source, SOURCE, 1)
        found[detection.source].append((message, round(detection.score, 12)))
    return {name: found[source] for name, source in sources.items()}


@pytest.mark.parametrize("name", SCENES)
def test_scene(said: dict[str, list[tuple[str, float]]], name: str) -> None:
    assert said[name] == SCENES[name][1]


def test_how_many_silent_hosts_are_too_many() -> None:
    """Without a habit of looking up, silence must be too much for chance: 1 in 1000."""
    needed = next(k for k in range(32) if binom.sf(k - 1, 32, 0.1) <= 1e-3)
    assert needed == 10
    rows = [
        row | {"orig_h": f"10.0.0.{silent}"}
        for silent in range(needed - 3, needed + 3)
        for row in meets(32, network="198.51.100", silent=silent) + asks(2)
    ]
    found = detect(DETECTOR, Parameters(), rows)
    assert [detection.source for detection in found] == [
        f"10.0.0.{silent}" for silent in range(needed, needed + 3)
    ]


def by_one(rows: list[Row]) -> list[Row]:
    return [row | {"orig_h": "10.0.0.5"} for row in rows]


@pytest.mark.parametrize(
    ("hosts", "severity"),
    [(15, Severity.LOW), (19, Severity.LOW), (20, Severity.MEDIUM), (100, Severity.HIGH)],
)
def test_bands(hosts: int, severity: Severity) -> None:
    (found,) = detect(DETECTOR, Parameters(), by_one(meets(hosts)))
    assert Severity.of(found.score) is severity


def test_evidence_inside() -> None:
    (found,) = detect(DETECTOR, Parameters(), by_one(meets(40, silent=4)))
    assert [
        (item.name, item.observed, item.expected, item.threshold) for item in found.evidence
    ] == [
        ("new local hosts", 40, None, 20),
        ("hosts returned to", 0.0, None, 0.2),
        ("of them without an answer", 4, None, None),
    ]
    assert (found.destination, found.port, found.proto, found.technique) == (
        None,
        3389,
        "tcp",
        None,
    )
    assert (found.first, found.last, found.connections) == (START, START + 78, 40)


def test_an_outside_source_is_not_looked_at() -> None:
    rows = [row | {"orig_h": "203.0.113.5"} for row in meets(40)]
    assert detect(DETECTOR, Parameters(), rows) == []
    networks = ["203.0.113.0/24", "10.0.0.0/8"]
    assert len(detect(DETECTOR, Parameters(), rows, local_networks=networks)) == 1


def test_a_smaller_window_holds_fewer_hosts() -> None:
    assert detect(DETECTOR, Parameters(window=20.0), by_one(meets(40))) == []
    (found,) = detect(DETECTOR, Parameters(window=40.0), by_one(meets(40)))
    assert evidence(found)["new local hosts"] == 21


def browsed(
    count: int, *, network: str = "198.51.100", begin: float = 0.0, port: int = 443
) -> tuple[list[Row], list[Row]]:
    """Look up each host, then meet it."""
    conn = meets(count, network=network, begin=begin + 0.5, port=port)
    dns = [
        lookup(begin + 2 * k, SOURCE, f"www{k}.example.com", answers=["a.cdn.net", row["resp_h"]])
        for k, row in enumerate(conn)
    ]
    return conn, dns


def named(conn: list[Row], dns: list[Row]) -> list[Detection]:
    return detect(
        DETECTOR,
        Parameters(),
        by_one(conn),
        by_one(dns),
    )


def test_a_browser_has_looked_up_what_it_meets() -> None:
    assert named(*browsed(40)) == []
    habit, habit_dns = browsed(40, network="192.0.2", begin=5000.0, port=80)
    conn, dns = browsed(40)
    assert named(conn + habit, dns + habit_dns) == []
    (found,) = named(conn + habit, dns[:10] + habit_dns)
    assert found.message == (
        "10.0.0.5 reached 40 new outside hosts on 443/tcp within 78 s, "
        "30 of them without a name looked up"
    )
    assert (found.evidence[0].observed, found.evidence[0].expected) == (40, 10)
    assert math.isclose(found.score, 0.825)


def test_who_looks_up_elsewhere_is_expected_to_look_up() -> None:
    conn, dns = browsed(25)
    thin_air = meets(30, network="203.0.113", begin=5000.0, port=8080)
    (found,) = named(conn + thin_air, dns)
    assert math.isclose(found.score, 0.825)
    assert found.message == (
        "10.0.0.5 reached 30 new outside hosts on 8080/tcp within 58 s, "
        "30 of them without a name looked up"
    )
    assert (found.port, found.evidence[0].observed, found.evidence[0].expected) == (8080, 30, 0)


def test_lookups_of_other_hosts_count_too() -> None:
    """A proxy or a cache asks for many."""
    conn, dns = browsed(25)
    thin_air = meets(30, network="203.0.113", begin=5000.0, port=8080)
    proxied = [row | {"orig_h": "10.0.0.2"} for row in dns]
    (found,) = detect(DETECTOR, Parameters(), by_one(conn + thin_air), proxied)
    assert (found.port, found.source) == (8080, "10.0.0.5")
    assert math.isclose(found.score, 0.825)


def test_who_never_looks_up_must_meet_silence() -> None:
    _, dns = browsed(25)
    answering = meets(30, network="203.0.113", begin=5000.0, port=8080)
    silent = meets(30, network="203.0.113", begin=5000.0, port=8080, silent=12)
    assert named(answering, dns) == []
    (found,) = named(silent, dns)
    assert math.isclose(found.score, 0.825)


def test_too_little_browsing_makes_no_habit() -> None:
    conn, dns = browsed(19)
    thin_air = meets(30, network="203.0.113", begin=5000.0, port=8080)
    assert named(conn + thin_air, dns) == []


def test_dns_without_answers_is_no_dns() -> None:
    _, dns = browsed(25)
    unanswered = [row | {"answers": None} for row in dns]
    assert named(meets(32, network="203.0.113", silent=10), unanswered) == []
    (found,) = named(meets(32, network="203.0.113", silent=10) + asks(2), unanswered)
    assert math.isclose(found.score, 0.825)


def test_local_hosts_need_no_names() -> None:
    _, dns = browsed(25)
    (found,) = named(meets(20), dns)
    assert found.score == 0.8


def test_version_six() -> None:
    conn = [connection(k, SOURCE, f"2001:db8::{k + 1:x}", 443) for k in range(30)]
    dns = [
        lookup(k - 1, SOURCE, f"w{k}.example.com", answers=[row["resp_h"]])
        for k, row in enumerate(conn)
    ]
    habit, habit_dns = browsed(40, network="192.0.2", begin=5000.0, port=80)
    assert named(conn + habit, dns + habit_dns) == []
    assert [found.score for found in named(conn + habit, habit_dns)] == [0.825]
    local = [connection(k, "fd00::1", f"fd00::1:{k + 1:x}", 22) for k in range(20)]
    (found,) = detect(DETECTOR, Parameters(), local)
    assert (found.source, found.score) == ("fd00::1", 0.8)


def test_a_ping_sweep() -> None:
    rows = by_one(meets(18, proto="icmp", port=0, gap=0.1))
    (found,) = detect(DETECTOR, Parameters(proto="icmp", hosts=12), rows)
    assert found.message == "10.0.0.5 reached 18 new local hosts with ICMP requests within 1.7 s"
    assert (found.port, found.proto, found.technique) == (None, "icmp", "T1018")
    assert math.isclose(found.score, 0.825)
    assert detect(DETECTOR, Parameters(), rows) == []


@pytest.mark.parametrize(
    "parameters", [Parameters(hosts=2), Parameters(hosts=12, honest_failure=0.5)]
)
def test_outside_windows_too_small_to_tell_anything(parameters: Parameters) -> None:
    """However many are silent, so few hosts are no surprise; larger windows are judged."""
    rows = by_one(meets(40, network="198.51.100", silent=20) + asks(2))
    (found,) = detect(DETECTOR, Parameters(hosts=20), rows)
    assert found.port == 3389
    assert len(detect(DETECTOR, parameters, rows)) == (parameters.hosts == 2)


def test_nothing_comes_of_nothing() -> None:
    assert detect(DETECTOR, Parameters()) == []
    assert detect(DETECTOR, Parameters(), dns=[lookup(0, "10.0.0.5", "a.example.com")]) == []
