"""Persistent failure: how much of it speaks, and everything that explains it away."""

from __future__ import annotations

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.persistent_failure import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, START, Row, connection, detect, evidence

HOUR = 3600.0
HOST = "10.0.0.5"
DEAD = "198.51.100.7"


def tries(
    count: int,
    gap: float,
    *,
    source: str = HOST,
    destination: str = DEAD,
    port: int = 1177,
    proto: str = "tcp",
    begin: float = 0.0,
    answered: bool = False,
) -> list[Row]:
    return [
        connection(begin + gap * k, source, destination, port, proto=proto, answered=answered)
        for k in range(count)
    ]


def browses(source: str = HOST, count: int = 6, network: str = "203.0.113") -> list[Row]:
    """Be answered by other outside hosts."""
    return [connection(60.0 * k, source, f"{network}.{k + 1}", 443) for k in range(count)]


def found(rows: list[Row], parameters: Parameters | None = None) -> list[Detection]:
    return detect(DETECTOR, parameters or Parameters(), rows)


def score(rows: list[Row]) -> float:
    (detection,) = found(rows)
    return detection.score


def reason(detection: Detection) -> str:
    return str(evidence(detection).get("what may explain it", ""))


def test_a_dead_control_server() -> None:
    (detection,) = found(tries(237, 11.5) + browses())
    assert (detection.source, detection.destination) == (HOST, DEAD)
    assert (detection.port, detection.proto) == (1177, "tcp")
    assert (detection.technique, detection.best) == ("T1571", "failed")
    assert detection.message == (
        "10.0.0.5 tried 198.51.100.7 237 times on 1177/tcp within 45.2 min without an answer"
    )
    assert (detection.first, detection.last) == (START, START + 236 * 11.5)
    assert detection.connections == 237
    assert [
        (item.name, item.observed, item.expected, item.threshold) for item in detection.evidence
    ] == [
        ("tries without an answer", 237, None, 60),
        ("connections that failed", 237, None, None),
        ("time of trying", 2714.0, None, 1800.0),
        ("hours of the clock in which it tried", 1, None, None),
        ("tries an hour", 236.0, 2.0, None),
        ("answered before", "no", "yes", None),
        ("local hosts that met it", 1, None, 3),
    ]
    assert Severity.of(detection.score) is Severity.MEDIUM


@pytest.mark.parametrize(
    ("count", "gap", "port", "expected"),
    [
        (11, HOUR, 1177, None),
        (24, HOUR, 1177, 0.7),
        (60, 1200.0, 1177, 0.8),
        (240, 360.0, 1177, 0.9),
        (960, 90.0, 1177, 0.94),
        (120, 5.0, 1177, 0.6977),
        (120, 15.0, 1177, 0.79875),
        (240, 60.0, 443, 0.799375),
        (240, 360.0, 443, 0.8711),
        (240, 360.0, 25, 0.8711),
        (48, 1800.0, 1177, 0.7667),
        (48, 1800.0, 443, 0.7667),
    ],
)
def test_scores(count: int, gap: float, port: int, expected: float | None) -> None:
    scores = [each.score for each in found(tries(count, gap, port=port) + browses())]
    assert scores == ([] if expected is None else [pytest.approx(expected, abs=2e-4)])


def test_connections_of_one_moment_are_one_try() -> None:
    rows = [row for k in range(4) for row in tries(60, 100.0, begin=0.1 * k)]
    (detection,) = found(rows)
    assert evidence(detection)["tries without an answer"] == 60
    assert detection.connections == 240


def test_without_a_pause_every_five_seconds_are_a_try() -> None:
    (detection,) = found(tries(3601, 1.0))
    assert evidence(detection)["tries without an answer"] == 721
    assert evidence(detection)["hours of the clock in which it tried"] == 2


def test_hours_are_counted_once() -> None:
    flurries = [row for k in range(40) for row in tries(4, 2.0, begin=900.0 * k - 3.0 + 900.0)]
    (detection,) = found(flurries)
    assert evidence(detection)["tries without an answer"] == 80
    assert evidence(detection)["hours of the clock in which it tried"] == 11


def test_two_bursts_a_day_apart_are_no_day_of_trying() -> None:
    rows = tries(60, 10.0) + tries(60, 10.0, begin=DAY - HOUR)
    (detection,) = found(rows)
    assert evidence(detection)["time of trying"] == 2 * HOUR


def test_patience_of_a_mail_queue_is_no_more_than_a_hint() -> None:
    """On a port that honest programs use, two tries an hour or fewer."""
    assert score(tries(100, 1900.0, port=443)) == 0.79
    assert score(tries(100, 1700.0, port=443)) > 0.8
    assert score(tries(100, 1900.0, port=4433)) > 0.8


def test_a_stray_answer_is_overlooked() -> None:
    rows = tries(95, 60.0) + tries(1, 60.0, begin=50 * 60.0 + 30.0, answered=True)
    (detection,) = found(rows)
    assert evidence(detection)["tries without an answer"] == 95
    rows += tries(5, 60.0, begin=51 * 60.0 + 30.0, answered=True)
    (detection,) = found(rows)
    assert evidence(detection)["tries without an answer"] == 51
    assert reason(detection) == "it answered again afterwards"


def test_an_outage_ends() -> None:
    rows = (
        tries(100, 60.0, answered=True)
        + tries(600, 60.0, begin=6000.0)
        + tries(100, 60.0, begin=42_000.0, answered=True)
    )
    (detection,) = found(rows)
    assert (detection.score, reason(detection)) == (0.6, "it answered again afterwards")
    assert detection.first == START + 6000.0


def test_a_service_that_answered_before_must_be_gone_for_a_day() -> None:
    before = tries(100, 60.0, answered=True)
    assert score(before + tries(600, 60.0, begin=6000.0)) == pytest.approx(0.712, abs=1e-3)
    (gone,) = found(before + tries(1500, 60.0, begin=6000.0))
    assert gone.score == pytest.approx(0.8, abs=2e-3)
    assert evidence(gone)["answered before"] == "yes"


def test_fallback_servers_are_told_together() -> None:
    rows = [
        row
        for k in range(3)
        for row in tries(40 + k, 100.0, begin=30.0 * k, destination=f"198.51.100.{k + 1}")
    ]
    (detection,) = found(rows + browses())
    assert (detection.destination, detection.port, detection.technique) == (None, 1177, "T1008")
    assert detection.message == (
        "10.0.0.5 tried 3 outside addresses 123 times on 1177/tcp within 69.3 min without an answer"
    )
    assert evidence(detection)["most tried"] == "198.51.100.3, 198.51.100.2, 198.51.100.1"
    assert detection.score > 0.8


def test_too_many_fallbacks_are_a_scan() -> None:
    rows = [
        row
        for k in range(11)
        for row in tries(40, 100.0, begin=3.0 * k, destination=f"198.51.100.{k + 1}")
    ]
    (detection,) = found(rows + browses())
    assert (detection.score, reason(detection)) == (0.6, "too many silent addresses on this port")


def test_what_many_hosts_try_is_blocked_for_all() -> None:
    rows = [row for k in range(3) for row in tries(240, 60.0, source=f"10.0.0.{k + 1}")]
    assert [(each.score, reason(each)) for each in found(rows)] == [
        (0.6, "many local hosts try it")
    ] * 3
    others = [row for k in range(20) for row in browses(f"10.0.1.{k + 1}")]
    infected = found(rows + others)
    assert [each.score > 0.8 for each in infected] == [True] * 3


def test_a_port_on_which_nobody_is_answered() -> None:
    rows = [
        row
        for k in range(3)
        for row in tries(240, 60.0, source=f"10.0.0.{k + 1}", destination=f"198.51.100.{k + 1}")
        + browses(f"10.0.0.{k + 1}")
    ]
    assert {reason(each) for each in found(rows)} == {"nobody outside ever answers on this port"}
    rows += tries(1, 60.0, source="10.0.0.1", destination="198.51.100.9", answered=True)
    assert {reason(each) for each in found(rows)} == {""}


def test_a_mail_host() -> None:
    rows = tries(240, 300.0, port=25)
    partner = tries(3, 60.0, port=25, destination="203.0.113.9", answered=True)
    (detection,) = found(rows + partner)
    assert (detection.score, reason(detection)) == (0.6, "a mail host's dead partner")


def test_failures_everywhere() -> None:
    """A file sharer's peers; one that stands out from them still counts."""
    peers = [
        row
        for k in range(40)
        for row in tries(20, 700.0, begin=k, destination=f"203.0.113.{k + 1}", port=20_000 + 7 * k)
    ]
    rows = peers + browses(network="192.0.2")
    assert {(each.score <= 0.6, reason(each)) for each in found(rows)} == {
        (True, "many other addresses are as silent to this host")
    }
    loud = [each for each in found(rows + tries(600, 60.0)) if each.score >= 0.7]
    assert [each.destination for each in loud] == [DEAD]


def test_a_host_that_nobody_answers() -> None:
    rows = [
        row
        for k in range(5)
        for row in tries(100, 300.0, begin=k, destination=f"2001:db8::{k + 1}", port=7000 + k)
    ]
    assert {reason(each) for each in found(rows)} == {"no outside address ever answers this host"}
    # That it is answered over the other address family does not help.
    assert len({reason(each) for each in found(rows + browses())}) == 1
    six = [connection(5, HOST, "2001:db8:1::1", 443)]
    assert {reason(each) for each in found(rows + six)} == {""}


@pytest.mark.parametrize(("proto", "port"), [("udp", 4444), ("icmp", 0)])
def test_silence_is_no_failure_of_every_protocol(proto: str, port: int) -> None:
    (detection,) = found(tries(1000, 60.0, proto=proto, port=port) + browses())
    assert (detection.score, reason(detection)) == (0.79, "a protocol that need not answer")
    assert detection.technique == ("T1095" if proto == "icmp" else "T1571")
    assert detection.port == (None if proto == "icmp" else port)


@pytest.mark.parametrize(
    "rows",
    [
        tries(1000, 60.0, destination="10.0.0.9"),
        tries(1000, 60.0, source="203.0.113.5"),
        tries(1000, 60.0, port=53, proto="udp"),
        tries(1000, 60.0, port=123, proto="udp"),
        tries(1000, 60.0, destination="239.1.2.3"),
        tries(1000, 60.0, answered=True),
        tries(11, 60.0),
        [],
    ],
    ids=["inside", "from outside", "dns", "ntp", "multicast", "answered", "few", "nothing"],
)
def test_not_looked_at(rows: list[Row]) -> None:
    assert found(rows) == []


def test_a_printer_at_home() -> None:
    """Private addresses lead nowhere, even where they are not ours."""
    rows = tries(1000, 60.0, source="10.0.0.5", destination="192.168.178.20", port=9100)
    assert detect(DETECTOR, Parameters(), rows, local_networks=["10.0.0.0/8"]) == []


def test_rare_among_many_hosts() -> None:
    others = [row for k in range(60) for row in browses(f"10.0.1.{k + 1}")]
    assert score(tries(60, 1200.0) + others) == 0.85


def test_order_and_missing_columns_do_not_matter() -> None:
    rows = tries(120, 60.0) + browses() + tries(70, 60.0, destination="198.51.100.9", port=4444)
    bare = [
        {key: value for key, value in row.items() if key not in {"uid", "orig_p"}} for row in rows
    ]
    assert found(rows) == found(rows[::-1]) == found(bare)
    assert len(found(rows)) == 2
