"""Scans: the walk's arithmetic, its shapes, what counts as a failure, and what is held back."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.detectors import Shared
from analyzer.detectors.scan import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, START, Row, connection, detect, evidence, holding

STEP = 0.60206  # log10(0.8 / 0.2)
BOUND = 4.20761  # -log10(6.2e-5)
WALK = "walk, log10 of the likelihood ratio"


def hosts(
    source: str,
    pattern: str,
    *,
    port: int = 22,
    begin: float = 0.0,
    network: str = "10.1.0",
    gap: float = 1.0,
) -> list[Row]:
    """One host a second, or a gap, on one port; x fails, a dot answers."""
    return [
        connection(begin + gap * k, source, f"{network}.{k + 1}", port, answered=letter == ".")
        for k, letter in enumerate(pattern)
    ]


def ports(
    source: str, pattern: str, *, target: str = "10.1.0.1", first: int = 1, proto: str = "tcp"
) -> list[Row]:
    """One port a second of one host; x fails, a dot answers."""
    return [
        connection(k, source, target, first + k, answered=letter == ".", proto=proto)
        for k, letter in enumerate(pattern)
    ]


def block(source: str, host_count: int, port_count: int, network: str = "10.1.0") -> list[Row]:
    """Every port from 1 on every host, all silent."""
    return [
        connection(
            k, source, f"{network}.{1 + k // port_count}", 1 + k % port_count, answered=False
        )
        for k in range(host_count * port_count)
    ]


def peer_to_peer(source: str, *, network: str, port: int) -> list[Row]:
    """Ask sixty hosts on a UDP port each and nine on one; all are gone."""
    scattered = [
        connection(5 * k, source, f"{network}.{k + 1}", 20_000 + k, answered=False, proto="udp")
        for k in range(60)
    ]
    return scattered + [
        connection(k, source, f"{network}.{k + 101}", port, answered=False, proto="udp")
        for k in range(9)
    ]


def each(rows: list[Row], **columns: object) -> list[Row]:
    return [row | columns for row in rows]


# What a source does, and what the detector says of it, SOURCE standing for its address.
SOURCE = "SOURCE"
SCENES: dict[str, tuple[list[Row], list[str]]] = {
    "six failures": (hosts(SOURCE, "x" * 6), []),
    "seven failures": (
        hosts(SOURCE, "x" * 7),
        ["SOURCE tried 7 hosts on 22/tcp within 6 s, 7 without an answer"],
    ),
    "an honest past": (
        hosts(SOURCE, "." * 90 + "x" * 7),
        ["SOURCE tried 7 hosts on 22/tcp within 6 s, 7 without an answer"],
    ),
    "an honest future": (
        hosts(SOURCE, "x" * 7 + "." * 90),
        ["SOURCE tried 7 hosts on 22/tcp within 6 s, 7 without an answer"],
    ),
    "answers in between": (
        hosts(SOURCE, "xxxx..xxxxx"),
        ["SOURCE tried 11 hosts on 22/tcp within 10 s, 9 without an answer"],
    ),
    "too many answers in between": (hosts(SOURCE, "xxxx.....xxxxxx"), []),
    "the same peak twice": (
        hosts(SOURCE, "xxxxxxx.x"),
        ["SOURCE tried 7 hosts on 22/tcp within 6 s, 7 without an answer"],
    ),
    "two episodes": (
        hosts(SOURCE, "x" * 7 + "." * 7 + "x" * 8),
        [
            "SOURCE tried 7 hosts on 22/tcp within 6 s, 7 without an answer",
            "SOURCE tried 8 hosts on 22/tcp within 7 s, 8 without an answer",
        ],
    ),
    "a host that answers later": (
        [*hosts(SOURCE, "x" * 7), connection(40_000, SOURCE, "10.1.0.4", 22)],
        [],
    ),
    "one dead service retried": (
        [connection(60 * k, SOURCE, "10.1.0.1", 22, answered=False) for k in range(600)],
        [],
    ),
    "two ports make two walks": (
        hosts(SOURCE, "x" * 6, port=22) + hosts(SOURCE, "x" * 6, port=23, network="10.2.0"),
        [],
    ),
    "two protocols make two walks": (
        hosts(SOURCE, "x" * 6)
        + each(hosts(SOURCE, "x" * 6, network="10.2.0"), proto="udp", history="D"),
        [],
    ),
    "seven ports": (
        ports(SOURCE, "x" * 7),
        ["SOURCE tried 7 tcp ports of 10.1.0.1 within 6 s, 7 without an answer"],
    ),
    "udp ports": (
        ports(SOURCE, "x" * 5 + "." + "x" * 5, proto="udp"),
        ["SOURCE tried 11 udp ports of 10.1.0.1 within 10 s, 10 without an answer"],
    ),
    "a block": (
        block(SOURCE, 20, 10),
        [("SOURCE tried 10 tcp ports on 20 hosts, 200 targets in all, within 3.32 min, "
         "200 without an answer")],
    ),
    "a block whose rows and columns are too short": (
        block(SOURCE, 6, 5),
        [("SOURCE tried 5 tcp ports on 6 hosts, 30 targets in all, within 29 s, "
         "30 without an answer")],
    ),
    "rows without columns": (
        block(SOURCE, 10, 2),
        [
            "SOURCE tried 10 hosts on 1/tcp within 18 s, 10 without an answer",
            "SOURCE tried 10 hosts on 2/tcp within 18 s, 10 without an answer",
        ],
    ),
    "columns without rows": (
        block(SOURCE, 2, 10),
        [
            "SOURCE tried 10 tcp ports of 10.1.0.1 within 9 s, 10 without an answer",
            "SOURCE tried 10 tcp ports of 10.1.0.2 within 9 s, 10 without an answer",
        ],
    ),
    "scattered failures": (
        [connection(k, SOURCE, f"10.1.0.{k + 1}", k + 1, answered=False) for k in range(40)],
        [],
    ),
    "a peer-to-peer client": (peer_to_peer(SOURCE, network="198.51.100", port=6881), []),
    "the same at home": (
        peer_to_peer(SOURCE, network="10.1.0", port=6881),
        ["SOURCE tried 9 hosts on 6881/udp within 8 s, 9 without an answer"],
    ),
    "a peer-to-peer client that scans a service": (
        peer_to_peer(SOURCE, network="198.51.100", port=161),
        ["SOURCE tried 9 hosts on 161/udp within 8 s, 9 without an answer"],
    ),
    "a peer-to-peer client that scans over tcp": (
        peer_to_peer(SOURCE, network="198.51.100", port=6881)
        + hosts(SOURCE, "x" * 40, port=8080, network="203.0.113"),
        ["SOURCE tried 40 hosts on 8080/tcp within 39 s, 40 without an answer"],
    ),
    "traceroute": (ports(SOURCE, "x" * 60, first=33_434, proto="udp"), []),
    "backscatter": (
        each(ports(SOURCE, "x" * 60, first=40_000, proto="udp"), orig_p=53),
        [],
    ),
    "one-sided flows": (each(hosts(SOURCE, "x" * 60), conn_state="OTH", history="DA"), []),
    "flipped flows": (each(hosts(SOURCE, "x" * 60), history="^s"), []),
    "refusals": (
        each(ports(SOURCE, "x" * 15), conn_state="REJ", history="Sr", resp_pkts=1),
        ["SOURCE tried 15 tcp ports of 10.1.0.1 within 14 s, 15 without an answer"],
    ),
    "replies to null scans": (
        each(ports(SOURCE, "x" * 15), conn_state="RSTRH", history="r", resp_pkts=1),
        ["SOURCE tried 15 tcp ports of 10.1.0.1 within 14 s, 15 without an answer"],
    ),
    "no word on answers": (
        each(hosts(SOURCE, "x" * 60), conn_state=None, history=None, resp_pkts=None),
        [],
    ),
    "history alone": (
        each(hosts(SOURCE, "x" * 7), conn_state=None, resp_pkts=None),
        ["SOURCE tried 7 hosts on 22/tcp within 6 s, 7 without an answer"],
    ),
    "responder bytes alone": (
        each(hosts(SOURCE, "x" * 7), conn_state=None, history=None, resp_pkts=None, resp_bytes=0),
        ["SOURCE tried 7 hosts on 22/tcp within 6 s, 7 without an answer"],
    ),
    "echo requests": (
        [connection(k, SOURCE, f"10.1.0.{k + 1}", 0, answered=False, proto="icmp")
         for k in range(10)],
        ["SOURCE tried 10 hosts with ICMP requests within 9 s, 10 without an answer"],
    ),
    "echo and timestamp requests": (
        [
            connection(
                k, SOURCE, f"10.1.0.{k // 2 + 1}", 0, answered=False, proto="icmp",
                orig_p=(8, 13)[k % 2],
            )
            for k in range(20)
        ],
        ["SOURCE tried 10 hosts with ICMP requests within 18 s, 10 without an answer"],
    ),
    "messages that ask nothing": (
        [
            connection(k, SOURCE, f"10.1.0.{k + 1}", 1, answered=False, proto="icmp", orig_p=kind)
            for k, kind in enumerate([0, 3, 11, 129, 135] * 10)
        ],
        [],
    ),
    "multicast and broadcast": (
        [
            connection(k, SOURCE, target, 5000, answered=False, proto="udp")
            for k, target in enumerate(
                [f"239.1.1.{k}" for k in range(30)]
                + [f"ff02::{k}" for k in range(1, 30)]
                + [f"10.1.{k}.255" for k in range(30)]
            )
        ],
        [],
    ),
    "ip protocols": (
        [
            connection(
                k, SOURCE, "10.1.0.1", 0, proto="unknown_transport", answered=False, ip_proto=k + 60
            )
            for k in range(10)
        ],
        ["SOURCE tried 10 IP protocols of 10.1.0.1 within 9 s, 10 without an answer"],
    ),
    "an ip protocol that is not told": (
        [
            connection(k, SOURCE, "10.1.0.1", 0, proto="unknown_transport", answered=False)
            for k in range(60)
        ],
        [],
    ),
    "version six": (
        [connection(k, SOURCE, f"fd00::1:{k}", 22, answered=False) for k in range(12)],
        ["SOURCE tried 12 hosts on 22/tcp within 11 s, 12 without an answer"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    """What the detector says in each scene; all scenes are of one half day, a source each."""
    sources = {name: f"10.0.0.{number + 1}" for number, name in enumerate(SCENES)}
    rows = [
        row | {"orig_h": sources[name], "uid": f"{row['uid']}{name}"}
        for name, (scene, _) in SCENES.items()
        for row in scene
    ]
    messages: dict[str, list[str]] = defaultdict(list)
    for detection in detect(DETECTOR, Parameters(), rows):
        assert detection.message.startswith(detection.source + " ")
        messages[detection.source].append(detection.message.replace(detection.source, SOURCE, 1))
    return {name: messages[source] for name, source in sources.items()}


@pytest.mark.parametrize("name", SCENES)
def test_scene(said: dict[str, list[str]], name: str) -> None:
    _, expected = SCENES[name]
    assert said[name] == expected


@dataclass(frozen=True, order=True)
class Episode:
    failed: int
    answered: int
    net: int


def episodes(pattern: str) -> list[Episode]:
    """Walk plainly: up with every x, down with every dot, never below zero."""
    found = []
    height = failed = answered = 0
    best = Episode(0, 0, 0)
    for letter in pattern + "." * (len(pattern) + 1):
        height = max(height + (1 if letter == "x" else -1), 0)
        failed, answered = failed + (letter == "x"), answered + (letter == ".")
        if height > best.net:
            best = Episode(failed, answered, height)
        if not height:
            if best.net * STEP >= BOUND:
                found.append(best)
            failed = answered = 0
            best = Episode(0, 0, 0)
    return found


PATTERNS = st.lists(
    st.sampled_from(["x", "xx", "xxxxx", ".", "..", "x" * 9]), min_size=1, max_size=25
).map("".join)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(PATTERNS, st.floats(1.0, 43_000.0)), min_size=1, max_size=40))
def test_the_walk_is_that_of_a_plain_implementation(scenes: list[tuple[str, float]]) -> None:
    """However many contacts come at once, or hours apart."""
    rows = [
        row
        for number, (pattern, length) in enumerate(scenes)
        for row in hosts(f"10.9.0.{number + 1}", pattern, gap=length / len(pattern))
    ]
    found: dict[str, list[Episode]] = defaultdict(list)
    for detection in detect(DETECTOR, Parameters(shape="address"), rows):
        seen = evidence(detection)
        walk = float(seen[WALK])
        failed, answered = int(seen["failed hosts"]), int(seen["answering hosts"])
        assert detection.connections == failed + answered
        found[detection.source].append(Episode(failed, answered, round(walk / STEP)))
        assert walk == round(round(walk / STEP) * STEP, 2)
    for number, (pattern, _) in enumerate(scenes):
        assert found[f"10.9.0.{number + 1}"] == episodes(pattern)


def test_evidence_of_failures_and_answers() -> None:
    (found,) = detect(DETECTOR, Parameters(), hosts("10.0.0.5", "xxxx..xxxxxxx"))
    observed = [
        (item.name, item.observed, item.expected, item.threshold) for item in found.evidence
    ]
    assert observed == [
        ("failed hosts", 11, 2.6, 7),
        ("answering hosts", 2, None, None),
        ("pace", "fast, 12 s", None, None),
        (WALK, round(9 * STEP, 2), 0.0, 4.21),
    ]
    assert (found.source, found.destination, found.port, found.proto) == (
        "10.0.0.5",
        None,
        22,
        "tcp",
    )
    assert (found.first, found.last, found.connections) == (START, START + 12, 13)
    assert (found.technique, found.best) == (None, "failed")


def test_evidence_of_a_port_scan() -> None:
    (found,) = detect(DETECTOR, Parameters(), ports("10.0.0.5", "x" * 10))
    assert (found.destination, found.port, found.proto) == ("10.1.0.1", None, "tcp")
    assert evidence(found) == {
        "failed ports": 10,
        "answering ports": 0,
        "pace": "fast, 9 s",
        WALK: 6.02,
    }


def test_evidence_of_a_block_scan() -> None:
    (found,) = detect(DETECTOR, Parameters(), block("10.0.0.5", 6, 5))
    assert (found.destination, found.port, found.proto) == (None, None, "tcp")
    assert evidence(found) == {
        "failed targets": 30,
        "answering targets": 0,
        "pace": "fast, 29 s",
        WALK: 18.06,
        "hosts": 6,
    }


def test_a_sweep_is_remote_system_discovery() -> None:
    rows = [
        connection(k, "10.0.0.5", f"10.1.0.{k + 1}", 0, answered=False, proto="icmp")
        for k in range(10)
    ]
    (found,) = detect(DETECTOR, Parameters(), rows)
    assert (found.technique, found.port, found.proto) == ("T1018", None, "icmp")


def test_scores_at_the_edges_of_the_bands() -> None:
    bands = {
        7: (0.7 + 0.1 * (7 * STEP - 4.2) / 1.8, Severity.LOW),
        9: (0.7 + 0.1 * (9 * STEP - 4.2) / 1.8, Severity.LOW),
        10: (0.8 + 0.1 * (10 * STEP - 6.0) / 3.0, Severity.MEDIUM),
        14: (0.8 + 0.1 * (14 * STEP - 6.0) / 3.0, Severity.MEDIUM),
        15: (0.9 + 0.05 * (15 * STEP - 9.0) / 9.0, Severity.HIGH),
        29: (0.9 + 0.05 * (29 * STEP - 9.0) / 9.0, Severity.HIGH),
        30: (0.95 + 0.04 * (30 * STEP - 18.0) / 582.0, Severity.CRITICAL),
    }
    rows = [row for failures in bands for row in hosts(f"10.0.0.{failures}", "x" * failures)]
    found = {each_.connections: each_.score for each_ in detect(DETECTOR, Parameters(), rows)}
    assert found == pytest.approx({failures: score for failures, (score, _) in bands.items()})
    for failures, (_, severity) in bands.items():
        assert Severity.of(found[failures]) is severity


def test_more_than_an_hour_is_slow() -> None:
    rows = [
        connection(600 * k, "10.0.0.5", f"10.1.0.{k + 1}", 22, answered=False) for k in range(8)
    ]
    (found,) = detect(DETECTOR, Parameters(), rows)
    assert evidence(found)["pace"] == "slow, 70 min"
    (found,) = detect(DETECTOR, Parameters(fast=4200.0), rows)
    assert evidence(found)["pace"] == "fast, 70 min"


def test_shape_and_origin_choose() -> None:
    rows = [
        *hosts("10.0.0.1", "x" * 7),
        *ports("10.0.0.2", "x" * 7),
        *block("10.0.0.3", 6, 5),
        *hosts("203.0.113.1", "x" * 7),
        *ports("203.0.113.2", "x" * 7),
    ]
    with holding(rows) as records:
        shared = Shared()

        def sources(parameters: Parameters) -> list[str]:
            return [found.source for found in DETECTOR.find(records, parameters, shared)]

        assert sources(Parameters(shape="address")) == ["10.0.0.1", "203.0.113.1"]
        assert sources(Parameters(shape="address", origin="local")) == ["10.0.0.1"]
        assert sources(Parameters(shape="port", origin="local")) == ["10.0.0.2"]
        assert sources(Parameters(shape="block")) == ["10.0.0.3"]
        assert sources(Parameters(origin="outside")) == ["203.0.113.1", "203.0.113.2"]
        assert len(sources(Parameters())) == 5


def test_zeek_and_the_user_decide_who_is_local() -> None:
    rows = hosts("203.0.113.1", "x" * 7)
    local = Parameters(origin="local")
    assert detect(DETECTOR, local, rows) == []
    assert len(detect(DETECTOR, local, rows, local_networks=["203.0.113.0/24"])) == 1
    assert len(detect(DETECTOR, local, each(rows, local_orig=True))) == 1


def test_other_chances_make_other_steps() -> None:
    parameters = Parameters(honest_success=0.9, scanner_success=0.1, false_alarm=0.001)
    (found,) = detect(DETECTOR, parameters, hosts("10.0.0.5", "x" * 4))
    assert evidence(found)[WALK] == round(4 * math.log10(9), 2)
    assert found.evidence[0].threshold == 4
    assert detect(DETECTOR, parameters, hosts("10.0.0.5", "x" * 3)) == []


def test_a_scan_may_cross_noon_but_not_last_two_days() -> None:
    noon = [
        connection(DAY / 2 - 3500 + 1000 * k, "10.0.0.5", f"10.1.0.{k + 1}", 22, answered=False)
        for k in range(8)
    ]
    slower = [
        connection(k * DAY / 5, "10.0.0.6", f"10.1.0.{k + 1}", 22, answered=False)
        for k in range(12)
    ]
    frame = [connection(k * DAY / 2, "10.0.0.9", "10.1.0.1", 22) for k in range(7)]
    found = detect(DETECTOR, Parameters(), noon + slower + frame)
    assert {detection.source for detection in found} == {"10.0.0.5"}
    assert {detection.connections for detection in found} == {8}


def test_an_impossible_ip_protocol_does_not_stop_the_rest() -> None:
    odd = connection(0, "10.0.0.6", "10.1.0.1", 0, proto="unknown_transport", ip_proto=70_000)
    (found,) = detect(DETECTOR, Parameters(), [odd, *hosts("10.0.0.5", "x" * 7)])
    assert found.source == "10.0.0.5"


def test_windows_overlap_but_agree() -> None:
    scan = hosts("10.0.0.5", "x" * 7, begin=DAY + 100)
    around = [connection(k * DAY / 2, "10.0.0.9", "10.1.0.1", 22) for k in range(7)]
    found = detect(DETECTOR, Parameters(), scan + around)
    assert {(each_.first, each_.last, each_.connections) for each_ in found} == {
        (START + DAY + 100, START + DAY + 106, 7)
    }


def reaches(rows: list[Row], half_days: int) -> bool:
    """Walk plainly, in every window of two half days: whether any walk reaches the bound."""
    for window in range(max(half_days - 1, 1)):
        begin = START + window * DAY / 2
        inside = [row for row in rows if begin <= row["ts"] < begin + DAY]
        first: dict[str, float] = {}
        answering = set()
        for row in inside:
            first[row["resp_h"]] = min(row["ts"], first.get(row["resp_h"], row["ts"]))
            if row["conn_state"] == "SF":
                answering.add(row["resp_h"])
        height = 0
        for target in sorted(first, key=lambda target: first[target]):
            height = max(height + (-1 if target in answering else 1), 0)
            if height * STEP >= BOUND:
                return True
    return False


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whoever_reaches_the_bound_in_a_window_of_a_day_is_found(seed: int) -> None:
    """Over three days in which targets are tried again, with or without an answer."""
    rng = Random(seed)  # noqa: S311 - test data
    by_source: dict[str, list[Row]] = {}
    for number in range(60):
        source = f"10.0.0.{number + 1}"
        share, count = rng.uniform(0.1, 0.8), rng.randrange(5, 60)
        days, targets = rng.choice([0.1, 1.0, 3.0]), rng.randrange(5, 60)
        begin = rng.uniform(0, (3 - days) * DAY)
        by_source[source] = [
            connection(
                begin + rng.uniform(0, days * DAY - 1),
                source,
                f"10.1.0.{rng.randrange(targets)}",
                22,
                answered=rng.random() < share,
            )
            for _ in range(count)
        ]
    # One that scans all the time, so that the windows reach from the first half day to the last.
    by_source["10.0.0.99"] = [
        connection(6 * DAY / 2 * k / 240 + 1, "10.0.0.99", f"10.1.0.{k}", 22, answered=False)
        for k in range(240)
    ]
    rows = [row for own in by_source.values() for row in own]
    found = {each_.source for each_ in detect(DETECTOR, Parameters(shape="address"), rows)}
    assert found == {source for source, own in by_source.items() if reaches(own, 6)}
