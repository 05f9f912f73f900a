"""Exfiltration: what is unremarkable where, what explains an upload, and what is said of it."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.exfiltration import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, Row, connection, detect, evidence, lookup

HOUR = 3600.0
MB = 1_000_000
HOST, SERVER = "10.0.0.5", "203.0.113.9"


def sends(second: float, size: int, **columns: Any) -> Row:  # noqa: ANN401
    """Send `size` bytes outside, a hundredth of a percent of which comes back."""
    chosen: Row = {"resp_h": SERVER, "resp_p": 443, "proto": "tcp"} | columns
    source = chosen.pop("orig_h", HOST)
    row = connection(second, source, chosen["resp_h"], chosen["resp_p"], proto=chosen["proto"])
    return row | {
        "orig_bytes": size,
        "resp_bytes": size // 10_000 + 500,
        "orig_pkts": size // 1400 + 10,
        "duration": 30.0,
        **columns,
    }


def browses(count: int = 40, source: str = HOST, network: str = "198.51.100") -> list[Row]:
    return [
        connection(60.0 * k, source, f"{network}.{k % 200 + 1}", 443)
        | {"orig_bytes": 1500 + 97 * k, "resp_bytes": 60_000, "orig_pkts": 20}
        for k in range(count)
    ]


def looked_up(conn: list[Row], name: str = "www{0}.example.com") -> list[Row]:
    """Ask for the address of every host met."""
    return [
        lookup(row["ts"] - conn[0]["ts"], row["orig_h"], name.format(k), answers=[row["resp_h"]])
        for k, row in enumerate(conn)
    ]


def found(
    conn: list[Row],
    dns: list[Row] | None = None,
    pace: Literal["at once", "slowly"] = "at once",
) -> list[Detection]:
    return detect(DETECTOR, Parameters(pace=pace), conn, dns or [])


NAMED = [lookup(0, HOST, "up.example.com", answers=[SERVER])]
CALL = {"proto": "udp", "resp_p": 3478}

# What is sent, what was looked up, and the score to a percent; none where nothing is said.
SCENES: dict[str, tuple[list[Row], list[Row], float | None]] = {
    "nothing much": ([sends(0, 9 * MB)], [], None),
    "nameless, odd port": ([sends(0, 10 * MB, resp_p=1337)], [], 0.70),
    "nameless, odd port, medium": ([sends(0, 32 * MB, resp_p=1337)], [], 0.80),
    "nameless, odd port, high": ([sends(0, 126 * MB, resp_p=1337)], [], 0.90),
    "nameless, odd port, critical": ([sends(0, 400 * MB, resp_p=1337)], [], 0.95),
    "named, odd port": ([sends(0, 95 * MB, resp_p=1337)], NAMED, 0.80),
    "nobody looks up": ([sends(0, 285 * MB)], [], 0.80),
    "others are looked up": ([sends(0, 32 * MB)], looked_up(browses()), 0.80),
    "named": ([sends(0, 240 * MB)], NAMED, 0.70),
    "named, medium": ([sends(0, 760 * MB)], NAMED, 0.80),
    "named, critical": ([sends(0, 10_000 * MB)], NAMED, 0.95),
    "a call": ([sends(0, 95 * MB, **CALL)], [], 0.69),
    "a shared screen all day": ([sends(0, 950 * MB, **CALL)], NAMED, 0.80),
    "both ways": ([sends(0, 400 * MB, resp_bytes=150 * MB)], [], None),
    "three times what comes back": (
        [sends(0, 399 * MB, resp_p=1337, resp_bytes=133 * MB)], [], 0.95,
    ),
    "chunks of one size": ([sends(60.0 * k, 5 * MB) for k in range(10)], NAMED, 0.83),
    "chunks of many sizes": ([sends(60.0 * k, (2 + k) * MB) for k in range(10)], NAMED, 0.5),
    "a network": (
        [sends(60.0 * k, (4 + k) * MB, resp_h=f"203.0.113.{k}", resp_p=1337) for k in range(5)],
        [], 0.80,
    ),
    "no answer": ([sends(0, 400 * MB, resp_p=1337, conn_state="S0", history="S")], [], None),
    "a stray packet": ([sends(0, 4000 * MB, orig_pkts=3)], [], None),
    "no packets counted": ([sends(0, 400 * MB, resp_p=1337, orig_pkts=None)], [], 0.95),
    "inside": ([sends(0, 4000 * MB, resp_h="10.0.0.9")], [], None),
    "to a group": ([sends(0, 4000 * MB, resp_h="239.1.2.3", proto="udp")], [], None),
    "from outside": ([sends(0, 4000 * MB, orig_h="198.51.100.7")], [], None),
    "version six": ([sends(0, 32 * MB, resp_h="2001:db8::9", resp_p=1337)], [], 0.80),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str) -> None:
    conn, dns, score = SCENES[name]
    said = found(browses() + conn, dns)
    assert [round(each.score, 2) for each in said] == ([] if score is None else [score])
    assert found(browses() + conn, dns, pace="slowly") == []


def test_what_is_said() -> None:
    (said,) = found([*browses(), sends(5000, 41 * MB, resp_p=1337)])
    assert said.message == (
        "10.0.0.5 sent 41 MB to 203.0.113.9 on 1337/tcp within 30 s and got 4.6 kB back"
    )
    assert (said.source, said.destination, said.port, said.proto) == (HOST, SERVER, 1337, "tcp")
    assert (said.technique, said.connections, said.best) == ("T1048", 1, "bytes")
    numbers = evidence(said)
    assert numbers["bytes sent"] == 41 * MB
    assert numbers["bytes sent for each received"] == 8913.0
    assert numbers["of them of this host, to others"] == 40
    assert numbers["name that leads there"] == "none"
    assert numbers["records before it"] == 5000
    (sent, *_) = said.evidence
    assert sent.threshold == 10 * MB
    assert 3_000 < float(sent.expected or 0) < 12_000


@pytest.mark.parametrize(
    ("conn", "dns", "technique"),
    [
        ([sends(5000, 50 * MB, resp_p=1337)], [], "T1048"),
        ([sends(0, 900, resp_p=1337), sends(5000, 50 * MB, resp_p=1337)], [], "T1041"),
        ([sends(5000, 900 * MB)], NAMED, "T1567"),
        ([sends(5000 + 60.0 * k, 8 * MB) for k in range(6)], NAMED, "T1030"),
    ],
)
def test_technique(conn: list[Row], dns: list[Row], technique: str) -> None:
    (said,) = found(browses() + conn, dns)
    assert said.technique == technique


def test_little_by_little() -> None:
    drip = [sends(360.0 * k, (k % 5 + 3) * MB, resp_p=4444) for k in range(60)]
    assert found(browses() + drip) == []
    (said,) = found(browses() + drip, pace="slowly")
    assert said.message == (
        "10.0.0.5 sent 300 MB to 203.0.113.9 on 4444/tcp within 5.91 h and got 60 kB back"
    )
    assert said.technique == "T1030"
    assert Severity.of(said.score) is Severity.HIGH


def test_addresses_of_one_domain_are_one_place() -> None:
    parts = [sends(60.0 * k, (7 + k) * MB, resp_h=f"192.0.{k}.9", resp_p=8444) for k in range(8)]
    names = looked_up(parts, "node{0}.example.com")
    (said,) = found(browses(200) + parts, names)
    assert (said.destination, said.subject) == (None, "example.com")
    assert "8 addresses of example.com" in said.message
    assert [each.destination for each in found(browses(200) + parts)] == [
        f"192.0.{k}.9" for k in range(3, 8)
    ]


def nights(count: int, *, hour: float = 2.0, drift: float = 0.0) -> list[Row]:
    return [
        sends(DAY * k + (hour + drift * k) * HOUR, 2000 * MB) | {"uid": f"N{k}"}
        for k in range(count)
    ]


@pytest.mark.parametrize(
    ("conn", "dns", "loud"),
    [
        pytest.param(nights(1), NAMED, 1, id="one night"),
        pytest.param(nights(2), NAMED, 0, id="two nights, a server with a name"),
        pytest.param(nights(2), [], 2, id="two nights, without"),
        pytest.param(nights(3), [], 0, id="three nights"),
        pytest.param(nights(2, drift=6), NAMED, 2, id="two days at other times"),
        pytest.param(nights(3, drift=6), NAMED, 0, id="three days at other times"),
        pytest.param(nights(3, drift=6), [], 3, id="three days at other times, without a name"),
        pytest.param(
            [*browses(), *(row | {"ts": row["ts"] + 3 * DAY} for row in nights(3, drift=6))],
            NAMED, 3, id="three days at other times, since a while",
        ),
    ],
)  # fmt: skip
def test_routines(conn: list[Row], dns: list[Row], loud: int) -> None:
    said = found(browses() + conn, dns)
    assert sum(each.score >= Severity.LOW.bound for each in said) == loud


def test_ten_gigabytes_by_a_host_without_any_variance() -> None:
    """Whatever else it is used to, and however many go there."""
    regular = [
        sends(HOUR * k, 5 * MB, orig_h=f"10.0.0.{host}") for k in range(48) for host in range(5, 25)
    ]
    (said,) = found([*regular, sends(30 * HOUR, 10_000 * MB)], NAMED)
    assert (said.source, Severity.of(said.score)) == (HOST, Severity.CRITICAL)
    nightly = [sends(DAY * k, 3000 * MB, resp_h="198.51.100.77") for k in range(60)]
    said, *_ = sorted(
        found([*nightly, sends(40.5 * DAY, 10_000 * MB)], NAMED), key=lambda each: -each.score
    )
    assert (said.destination, Severity.of(said.score)) == (SERVER, Severity.CRITICAL)


def test_a_host_that_uploads_everywhere_is_used_to_it() -> None:
    usual = [sends(60.0 * k, (20 + k % 60) * MB, resp_h=f"198.51.{k}.9") for k in range(200)]
    names = looked_up(usual)
    said = found([*usual, sends(9000, 120 * MB, resp_p=1337)], names)
    assert said == []


def test_a_service_that_many_upload_to() -> None:
    alone = [*browses(), sends(0, 900 * MB)]
    others = [sends(100.0 * k, 700 * MB, orig_h=f"10.0.1.{k}") for k in range(1, 9)]
    assert [each.score >= 0.8 for each in found(alone, NAMED)] == [True]
    assert [each for each in found(alone + others, NAMED) if each.score >= 0.7] == []


def test_relays_need_history_to_be_loud() -> None:
    given = [
        sends(HOUR, 1500 * MB, orig_h=f"10.0.0.{k}", resp_h=HOST, resp_p=8443) for k in range(9, 12)
    ]
    upload = sends(2 * HOUR, 4000 * MB)
    (said,) = found([*browses(), *given, upload], NAMED)
    assert said.score == 0.75
    assert evidence(said)["given to it by local hosts"] == 4500 * MB
    # One that gives nearly all of it has its data sent.
    (said,) = found([*browses(), *given[:1], upload], NAMED)
    assert Severity.of(said.score) is Severity.HIGH
    later = [row | {"ts": row["ts"] + 5 * DAY} for row in (*given, upload)]
    (said,) = found([*browses(), *later], NAMED)
    assert Severity.of(said.score) is Severity.HIGH


def test_file_sharing_is_not_loud() -> None:
    peers = [
        sends(
            60.0 * k, 50_000 + k if k % 20 else 90 * MB, resp_h=f"198.{51 + k}.{k}.9",
            resp_p=20_000 + 7 * k,
        )
        for k in range(80)
    ]  # fmt: skip
    assert [each.score for each in found(peers)] == [0.75] * 4
    (said,) = found([*browses(), peers[0]])
    assert Severity.of(said.score) is Severity.MEDIUM


def test_names_that_clients_give() -> None:
    rows = [*browses(), sends(0, 300 * MB, uid="C1")]
    with_name = _detect_named(rows, [{"uid": "C1", "server_name": "up.example.com"}])
    assert [evidence(each)["name that leads there"] for each in with_name] == ["up.example.com"]
    assert [round(each.score, 2) for each in with_name] == [0.72]


def _detect_named(conn: list[Row], ssl: list[Row]) -> list[Detection]:
    from analyzer.detectors import Shared  # noqa: PLC0415

    from . import holding  # noqa: PLC0415

    with holding(conn, ssl=ssl) as records:
        return list(DETECTOR.find(records, Parameters(), Shared()))


def test_nothing_comes_of_nothing() -> None:
    assert found([]) == []
    assert found([], [lookup(0, HOST, "a.example.com")]) == []
    bare = {"orig_bytes": None, "resp_bytes": None, "orig_pkts": None, "duration": None}
    assert found([row | bare for row in browses()]) == []


def test_order_does_not_matter() -> None:
    rows = browses() + [sends(60.0 * k, (4 + k) * MB, resp_p=1337) for k in range(9)]
    assert found(rows) == found(rows[::-1])
