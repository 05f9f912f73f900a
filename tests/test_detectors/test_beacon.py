"""Beacons: how loud which context makes them, what is said, and what stays unsaid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analyzer.detectors import Detection, Shared
from analyzer.detectors.beacon import DETECTOR, Parameters
from analyzer.findings import Severity

from . import Row, connection, evidence, holding, lookup

HOST, SERVER = "10.0.0.5", "198.51.100.7"
SIZES = {"orig_bytes": 700, "resp_bytes": 400}


def calls(
    count: int = 60,
    every: float = 300.0,
    *,
    jitter: float = 0.2,
    seed: int = 1,
    source: str = HOST,
    destination: str = SERVER,
    port: int = 443,
    proto: str = "tcp",
    answered: bool = True,
    **columns: object,
) -> list[Row]:
    rng = np.random.default_rng(seed)
    times = np.cumsum(every * (1 + jitter * rng.uniform(-1, 1, count)))
    rows = []
    for number, second in enumerate(times.tolist()):
        own_port = {} if proto == "icmp" else {"orig_p": 40_000 + number}
        given = {**SIZES, **own_port, **columns}
        rows.append(
            connection(second, source, destination, port, answered=answered, proto=proto, **given)
        )
    return rows


def crowd(hosts: int, destination: str = "203.0.113.1", port: int = 80) -> list[Row]:
    """So many hosts, each of which meets something once."""
    return [connection(k, f"10.0.1.{k + 1}", destination, port) for k in range(hosts)]


def found(
    conn: list[Row],
    dns: list[Row] | None = None,
    parameters: Parameters | None = None,
    ssl: Sequence[Row] = (),
) -> list[Detection]:
    with holding(conn, dns or (), ssl=ssl) as records:
        return list(DETECTOR.find(records, parameters or Parameters(), Shared()))


def severities(detections: list[Detection]) -> list[str]:
    return [str(Severity.of(each.score)) for each in detections]


def test_a_rare_destination_polled() -> None:
    (one,) = found(calls() + crowd(60))
    assert (one.source, one.destination, one.port, one.proto) == (HOST, SERVER, 443, "tcp")
    assert one.technique == "T1071.001"
    assert severities([one]) == ["high"]
    assert one.connections == 60
    assert one.message.startswith(f"{HOST} calls {SERVER} on 443/tcp every ")
    said = evidence(one)
    assert said["intervals it rests on"] == 59
    assert said["local hosts that met it"] == 1
    assert said["bytes sent each time"] == 700
    assert said["bytes sent each time, spread"] == 0.0
    assert said["windows it holds in"] == "6 h: 1 of 1"
    assert 280 < float(said["median interval"]) < 320


@pytest.mark.parametrize(
    ("others", "severity"), [(0, "high"), (1, "high"), (2, "low"), (4, "none"), (59, None)]
)
def test_how_many_others_meet_it(others: int, severity: str | None) -> None:
    rows = calls() + crowd(60) + crowd(others, SERVER, 443)
    assert severities(found(rows)) == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        (calls(), "low"),
        (calls(answered=False), "medium"),
        (calls(every=4.0, count=200), "medium"),
        (calls(port=4444), "low"),
    ],
)
def test_a_host_alone(rows: list[Row], severity: str) -> None:
    """How rare a destination is, one host cannot tell; silence and haste speak for themselves."""
    assert severities(found(rows)) == [severity]


def test_names_tell_a_lone_host() -> None:
    asked = [lookup(0, HOST, "c2.example.net", answers=[SERVER])]
    (one,) = found(calls(), asked)
    assert severities([one]) == ["medium"]
    assert "calls c2.example.net on" in one.message
    elsewhere = [lookup(0, HOST, "www.example.org", answers=["203.0.113.9"])]
    (direct,) = found(calls(), elsewhere)
    assert evidence(direct)["looked up in DNS"] == "never"
    assert severities([direct]) == ["medium"]
    known = Parameters(known_services=("example.net",))
    assert severities(found(calls(), asked, known)) == ["none"]


@pytest.mark.parametrize(
    ("port", "proto", "technique"),
    [
        (80, "tcp", "T1071.001"),
        (25, "tcp", "T1571"),
        (4444, "tcp", "T1571"),
        (4444, "udp", "T1571"),
        (0, "icmp", "T1095"),
    ],
)
def test_techniques(port: int, proto: str, technique: str) -> None:
    (one,) = found(calls(port=port, proto=proto) + crowd(60))
    assert one.technique == technique
    assert one.port == (None if proto == "icmp" else port)
    assert one.score >= 0.8


@pytest.mark.parametrize(
    "rows",
    [
        calls(port=53, proto="udp"),
        calls(port=53),
        calls(port=123, proto="udp"),
        calls(port=853),
        calls(destination="10.0.9.9"),
        calls(destination="239.1.2.3", proto="udp", port=1900),
        calls(source="203.0.113.77", destination=HOST),
        calls(count=7),
        calls(orig_p=50_000),
        calls(count=12, every=3.0),
    ],
    ids=[
        "dns", "dns over tcp", "time", "dns over tls", "inside", "multicast", "from outside", "few",
        "one connection", "a moment",
    ],
)  # fmt: skip
def test_what_is_no_beacon(rows: list[Row]) -> None:
    assert found(rows + crowd(60)) == []


def test_clients_that_poll_by_nature() -> None:
    assert severities(found(calls(port=993) + crowd(60))) == ["none"]
    one_socket = calls(port=4500, proto="udp", orig_p=4500)
    assert severities(found(one_socket + crowd(60))) == ["low"]


def test_contents_are_no_check_ins() -> None:
    rng = np.random.default_rng(5)
    rows = calls()
    for row in rows:
        row["resp_bytes"] = int(rng.lognormal(9, 1.5))
    (one,) = found(rows + crowd(60))
    assert one.score == pytest.approx(0.97 - 0.15, abs=0.02)


def test_people_are_no_beacons() -> None:
    rng = np.random.default_rng(6)
    rows = [
        connection(second, HOST, f"198.51.100.{number}", 443, orig_p=number)
        for number in range(40)
        for second in np.sort(rng.uniform(0, 30_000, 60)).tolist()
    ]
    assert [each for each in found(rows + crowd(60)) if each.score >= 0.8] == []


def test_a_name_behind_several_addresses_is_one() -> None:
    rows = calls(count=90)
    for number, row in enumerate(rows):
        row["resp_h"] = f"198.51.100.{number % 15}"
    ssl = [{"uid": row["uid"], "server_name": "C2.example.net"} for row in rows]
    (one,) = found(rows + crowd(60), ssl=ssl)
    assert one.subject == "c2.example.net"
    assert one.connections == 90
    assert evidence(one)["addresses it has"] == 15
    assert severities([one]) == ["high"]
    # Its addresses are too seldom met to say anything; without the names nobody is found.
    assert found(rows + crowd(60)) == []


def test_a_rare_name_at_a_common_address() -> None:
    """A content network whose address everybody meets carries a name that only one does."""
    rows = calls() + crowd(60) + crowd(60, SERVER, 443)
    ssl = [{"uid": row["uid"], "server_name": "c2.example.net"} for row in rows[:60]]
    ssl += [{"uid": row["uid"], "server_name": "www.example.org"} for row in rows[-60:]]
    (one,) = found(rows, ssl=ssl)
    assert one.subject == "c2.example.net"
    assert evidence(one)["local hosts that met it"] == 1


def test_a_service_is_common_by_its_domain() -> None:
    """Each host meets another address of it."""
    rows = calls() + crowd(60)
    ssl = [{"uid": row["uid"], "server_name": "eu1.example.net"} for row in rows[:60]]
    rows += [connection(k, f"10.0.1.{k + 1}", f"203.0.113.{k}", 443) for k in range(40)]
    ssl += [
        {"uid": row["uid"], "server_name": f"eu{k}.example.net"} for k, row in enumerate(rows[-40:])
    ]
    (one,) = found(rows, ssl=ssl)
    assert severities([one]) == ["none"]
    assert evidence(one)["local hosts that met it"] == 41


def test_where_no_host_is_local_everybody_is_judged() -> None:
    rows = calls(source="203.0.113.50", every=3.0, count=40, jitter=0.1)
    assert severities(found(rows)) == ["medium"]


def test_it_is_the_same_in_any_order() -> None:
    rows = calls() + calls(seed=2, source="10.0.0.6", port=8080) + crowd(60)
    assert found(rows) == found(rows[::-1])


def test_odd_input() -> None:
    assert found([]) == []
    assert found([], [lookup(0, HOST, "a.example.com")]) == []
    bare = [{name: row[name] for name in ("ts", "orig_h", "resp_h", "proto")} for row in calls()]
    (one,) = found(bare)
    assert one.port == 0
    assert "bytes sent each time" not in evidence(one)
    old = [{**row, "ts": row["ts"] - 1.7e9} for row in calls(count=20)]
    assert len(found(old + calls() + crowd(60))) == 1
    six = calls(source="fd00::5", destination="2001:db9::7")
    assert [each.source for each in found(six)] == ["fd00::5"]


@pytest.mark.parametrize(("swept", "severity"), [(24, "medium"), (25, "none")])
def test_a_scanner_that_tries_again_is_no_beacon(swept: int, severity: str) -> None:
    """Of one port on many hosts, some answer, and are called again and again."""
    scan = [
        connection(k, HOST, f"203.0.113.{k + 1}", 443, answered=False, proto="tcp")
        for k in range(swept)
    ]
    (one,) = found(calls(every=4.0, count=200) + scan)
    assert severities([one]) == [severity]
    assert ("part of a scan" in evidence(one)) == (severity == "none")


@pytest.mark.parametrize(("swept", "severity"), [(14, "medium"), (15, "none")])
def test_a_port_scanner_that_tries_again_is_no_beacon(swept: int, severity: str) -> None:
    scan = [connection(k, HOST, SERVER, k + 1, answered=False) for k in range(swept)]
    assert severities(found(calls(every=4.0, count=200) + scan)) == [severity]


def test_failures_among_as_many_answers_are_no_scan() -> None:
    scan = [connection(k, HOST, f"203.0.113.{k + 1}", 443, answered=k % 2 == 0) for k in range(60)]
    assert severities(found(calls(every=4.0, count=200) + scan)) == ["medium"]
