"""What another detection accounts for becomes a hint, and what none does stays as it is."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import analyzer
from analyzer.detectors import Detection
from analyzer.findings import Evidence
from analyzer.overlap import SAID_BY, clearest

RULES = {rule.id: rule for rule in analyzer.load_rules()}
HINT = 0.799


def detection(score: float, **changes: Any) -> Detection:  # noqa: ANN401
    given: dict[str, Any] = {
        "source": "10.0.0.5",
        "destination": "198.51.100.7",
        "port": 443,
        "proto": "tcp",
        "first": 0.0,
        "last": 3600.0,
        "message": "",
        "connections": 100,
    }
    return Detection(score=score, **(given | changes))


def scores(*found: tuple[str, Detection]) -> list[float]:
    """What becomes of the scores, in whatever order the detections come."""
    every = set()
    for order in itertools.permutations(range(len(found))):
        told = clearest([(RULES[found[k][0]], found[k][1]) for k in order])
        by_place = dict(zip(order, (each.score for _, each in told), strict=True))
        every.add(tuple(by_place[k] for k in range(len(found))))
    (only,) = every
    return list(only)


def test_the_louder_channel_speaks_for_the_others() -> None:
    assert scores(
        ("beacon", detection(0.9)),
        ("persistent_failure", detection(0.95)),
        ("strobe", detection(0.75)),
    ) == [HINT, 0.95, 0.75]
    found = [(RULES["beacon"], detection(0.9)), (RULES["strobe"], detection(0.85))]
    (_, beacon), (_, strobe) = clearest(found)
    assert beacon is found[0][1]
    assert strobe.evidence == (Evidence(SAID_BY, "beacon"),)


def test_what_a_rule_may_say_counts() -> None:
    assert RULES["persistent_failure"].level.highest == 0.949
    assert scores(("beacon", detection(0.95)), ("persistent_failure", detection(0.99))) == [
        0.95,
        HINT,
    ]


def test_equal_scores_are_told_apart_by_rule() -> None:
    assert scores(("strobe", detection(0.9)), ("beacon", detection(0.9))) == [HINT, 0.9]


@pytest.mark.parametrize(("upload", "beacon"), [(0.99, HINT), (0.82, HINT), (0.79, 0.84)])
def test_a_channel_yields_to_what_it_is_for(upload: float, beacon: float) -> None:
    found = scores(("beacon", detection(0.84)), ("exfiltration", detection(upload)))
    assert found == [beacon, upload]


def test_a_use_that_is_less_severe_accounts_for_nothing() -> None:
    found = scores(("beacon", detection(0.97)), ("slow_exfiltration", detection(0.85)))
    assert found == [0.97, 0.85]


@pytest.mark.parametrize(
    "changes",
    [
        {"destination": "198.51.100.8"},
        {"source": "10.0.0.6"},
        {"port": 80},
        {"proto": "udp"},
        {"last": 1799.0},
        {"first": 7200.0, "last": 9000.0},
        {"score": 0.79},
    ],
)
def test_other_traffic_accounts_for_nothing(changes: dict[str, Any]) -> None:
    other = detection(**({"score": 0.95} | changes))
    assert scores(("beacon", detection(0.9)), ("strobe", other))[0] == 0.9


def test_half_of_the_time_is_enough() -> None:
    other = detection(0.95, last=1800.0)
    assert scores(("beacon", detection(0.9)), ("strobe", other)) == [HINT, 0.95]


@pytest.mark.parametrize(("questions", "score"), [(50, HINT), (49, 0.85)])
def test_a_tunnel_accounts_for_counts_of_its_questions(questions: int, score: float) -> None:
    names = {"destination": None, "port": 53, "proto": "udp"}
    tunnel = detection(0.92, subject="example.net", **(names | {"connections": questions}))
    counts = detection(0.85, subject="TXT records", **names)
    assert scores(("dns_tunnel", tunnel), ("dns_txt_volume", counts)) == [0.92, score]
    assert scores(("dga", tunnel), ("dns_nxdomain", counts)) == [0.92, score]


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, HINT),
        ({"connections": 50}, HINT),
        ({"connections": 49}, 0.85),
        ({"first": -3600.0}, HINT),
        ({"first": -3600.0, "connections": 99}, 0.85),
        ({"last": 0.0}, HINT),
        ({"score": 0.81}, HINT),
        ({"score": 0.79}, 0.85),
    ],
)
def test_a_scan_accounts_for_the_burst_that_it_makes(changes: dict[str, Any], score: float) -> None:
    scan = detection(**({"score": 0.95, "destination": None, "port": 445} | changes))
    burst = detection(0.85, destination=None, port=None, proto=None)
    assert scores(("address_scan", scan), ("connection_burst", burst))[1] == score
    assert scores(("address_scan", scan), ("byte_burst", burst))[1] == 0.85


def test_what_speaks_of_other_things_stays() -> None:
    found = (("address_scan", detection(0.95)), ("brute_force", detection(0.9)))
    assert scores(*found) == [0.95, 0.9]
    two = (("beacon", detection(0.95)), ("beacon", detection(0.9, first=1.0)))
    assert scores(*two) == [0.95, 0.9]


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, HINT),
        ({"score": 0.81}, HINT),
        ({"score": 0.79}, 0.85),
        ({"destination": "198.51.100.8"}, 0.85),
        ({"port": 80}, 0.85),
        ({"source": "10.0.0.6"}, 0.85),
        ({"first": 7200.0, "last": 9000.0}, 0.85),
        ({"destination": None, "proto": None}, HINT),
    ],
)
def test_what_is_unusual_yields_to_what_says_why(changes: dict[str, Any], score: float) -> None:
    why = detection(**({"score": 0.9} | changes))
    assert scores(("new_port", detection(0.85)), ("beacon", why))[0] == score


def test_of_what_is_unusual_the_louder_one_is_said() -> None:
    found = (("new_port", detection(0.85)), ("new_application", detection(0.82)))
    assert scores(*found) == [0.85, HINT]


@pytest.mark.parametrize(
    ("rule", "connections", "score"),
    [("address_scan", 50, HINT), ("address_scan", 49, 0.85), ("exfiltration", 1, HINT)],
)
def test_a_whole_volume_is_accounted_for_by_most_of_it(
    rule: str, connections: int, score: float
) -> None:
    volume = detection(0.85, destination=None, port=None, proto=None)
    other = detection(0.9, connections=connections)
    assert scores(("unusual_volume", volume), (rule, other))[0] == score


def test_a_burst_and_what_is_unusual_about_it_do_not_silence_each_other() -> None:
    burst = detection(0.85, destination=None, port=None, proto=None)
    for louder in (0.84, 0.86):
        found = scores(("connection_burst", burst), ("new_port", detection(louder)))
        assert found == [0.85, HINT]
