"""Guessed passwords: how many, how alike, what is a routine, what came after, who takes part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzer.detectors import Detection
from analyzer.detectors.brute_force import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, START, Row, connection, detect, evidence

OUTSIDE, TARGET = "203.0.113.5", "10.0.0.9"
HOUR = 3600.0
SPRAY = Parameters(by="source")
TOGETHER = Parameters(by="target", window=HOUR, guesses=60)


def guesses(
    count: int,
    *,
    source: str = OUTSIDE,
    target: str = TARGET,
    port: int = 22,
    begin: float = 0.0,
    every: float = 6.0,
    **columns: Any,  # noqa: ANN401 - whatever conn holds
) -> list[Row]:
    """Failed ssh logins: a password a little longer or shorter, the same answer to each."""
    row: Row = {"service": "ssh", "duration": 2.5, "orig_bytes": 1900, "resp_bytes": 2300}
    return [
        connection(begin + every * k + 0.9 * (k % 3), source, target, port, **row | columns)
        | {"orig_bytes": (row | columns)["orig_bytes"] + 16 * (k % 4)}
        for k in range(count)
    ]


def said(rows: list[Row], parameters: Parameters | None = None) -> list[tuple[str, float]]:
    found = detect(DETECTOR, parameters or Parameters(), rows)
    return [(each.message, round(each.score, 6)) for each in found]


def only(rows: list[Row], parameters: Parameters | None = None) -> Detection:
    (found,) = detect(DETECTOR, parameters or Parameters(), rows)
    return found


@pytest.mark.parametrize(
    ("count", "severity"),
    [(9, Severity.LOW), (29, Severity.LOW), (30, Severity.MEDIUM), (90, Severity.HIGH),
     (300, Severity.CRITICAL)],
)  # fmt: skip
def test_bands(count: int, severity: Severity) -> None:
    assert Severity.of(only(guesses(count)).score) is severity


def test_fewer_than_slips_takes_are_nothing() -> None:
    assert said(guesses(8)) == []


def test_what_is_said() -> None:
    found = only(guesses(60))
    assert found.message == (
        "203.0.113.5 made 60 ssh logins alike to 10.0.0.9:22 within 5.93 min that got no further"
    )
    assert (found.source, found.destination, found.port, found.proto, found.technique) == (
        OUTSIDE,
        TARGET,
        22,
        "tcp",
        "T1110.001",
    )
    assert (found.first, found.connections) == (START, 60)
    assert found.score == pytest.approx(0.85)
    (logins, share, every, seconds, sent, received) = found.evidence
    assert (logins.observed, logins.threshold) == (60, 30)
    assert (share.observed, every.observed) == (1.0, 60)
    assert (seconds.observed, sent.observed, received.observed) == (356.7 - 0.9, 1924, 2300)


@pytest.mark.parametrize(
    ("port", "service", "sent", "received"),
    [(21, "ftp", 24, 137), (3389, "rdp", 900, 1500), (23, None, 40, 180), (5985, "http", 900, 400),
     (5900, "rfb", 28, 40)],
)  # fmt: skip
def test_other_services(port: int, service: str | None, sent: int, received: int) -> None:
    rows = guesses(40, port=port, service=service, orig_bytes=sent, resp_bytes=received)
    assert Severity.of(only(rows).score) is Severity.MEDIUM


@pytest.mark.parametrize("inside", [True, False])
def test_a_local_host_attacks(inside: bool) -> None:  # noqa: FBT001 - a case
    target = TARGET if inside else "198.51.100.7"
    found = only(guesses(40, source="10.0.0.5", target=target))
    assert (found.source, found.destination) == ("10.0.0.5", target)
    assert Severity.of(found.score) is Severity.MEDIUM


SESSIONS: dict[str, dict[str, Any]] = {
    "sessions that move data": {"resp_bytes": 43_000},
    "looks at the banner": {"orig_bytes": 20, "resp_bytes": 41},
    "closed ports": {"answered": False, "orig_bytes": 0, "resp_bytes": 0},
    "nobody knows how much": {"orig_bytes": None, "resp_bytes": None},
    "no login": {"port": 443, "service": "ssl"},
}


@pytest.mark.parametrize("name", SESSIONS)
def test_what_is_no_guess(name: str) -> None:
    columns = SESSIONS[name]
    if columns.get("orig_bytes", 0) is None:
        rows = [row | {"orig_bytes": None, "resp_bytes": None} for row in guesses(60)]
    else:
        rows = guesses(60, **columns)
    assert said(rows) == []


def test_sessions_of_all_sizes_are_not_alike() -> None:
    rng = np.random.default_rng(1)
    rows = [
        row | {"orig_bytes": int(sent), "resp_bytes": int(received)}
        for row, sent, received in zip(
            guesses(60), rng.uniform(500, 5400, 60), rng.uniform(500, 5400, 60), strict=True
        )
    ]
    assert [score for _, score in said(rows) if score >= Severity.LOW.bound] == []


def test_a_mailbox_takes_three_times_as_many() -> None:
    mail: dict[str, Any] = {"port": 993, "service": "ssl", "orig_bytes": 900, "resp_bytes": 4000}
    assert said(guesses(26, **mail)) == []
    assert Severity.of(only(guesses(60, **mail)).score) is Severity.LOW
    assert Severity.of(only(guesses(100, **mail)).score) is Severity.MEDIUM


def test_a_longer_session_followed() -> None:
    login = connection(
        400.0, OUTSIDE, TARGET, 22, service="ssh", duration=600.0, orig_bytes=9000,
        resp_bytes=50_000,
    )  # fmt: skip
    found = only([*guesses(60), login])
    assert found.score == pytest.approx(0.95)
    assert found.message.endswith("that got no further, then a longer session followed")
    assert evidence(found)["a longer session followed"] == "10 min, 59 kB with 10.0.0.9:22"


@pytest.mark.parametrize("second", [-500.0, 5.0, 2 * HOUR])
def test_a_session_before_or_much_later_says_nothing(second: float) -> None:
    login = connection(
        second, OUTSIDE, TARGET, 22, service="ssh", duration=600.0, orig_bytes=9000,
        resp_bytes=50_000,
    )  # fmt: skip
    found = only([*guesses(60), login])
    assert found.score == pytest.approx(0.85)
    assert "a longer session followed" not in evidence(found)


def clock(second: float) -> Row:
    return connection(second, "10.0.0.1", "10.0.0.2", 123, proto="udp")


def paced(count: int, every: float, **columns: Any) -> list[Row]:  # noqa: ANN401
    """By the clock to the millisecond."""
    rows = guesses(count, every=every, **columns)
    return [row | {"ts": START + every * k} for k, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("source", "score"), [("10.0.0.5", 0.5), (OUTSIDE, 0.75)], ids=["inside", "outside"]
)
def test_a_check_by_the_clock(source: str, score: float) -> None:
    found = only(paced(1440, 60.0, source=source))
    assert found.score == score
    assert evidence(found)["may be routine"] == "by the clock"


def test_a_clock_that_starts_and_stops_is_none() -> None:
    rows = [*paced(120, 30.0, source="10.0.0.5"), clock(0.0), clock(DAY)]
    assert only(rows).score > 0.8


def test_a_pace_kept_for_hours() -> None:
    slow = guesses(960, every=30.0, source="10.0.0.5")
    rng = np.random.default_rng(3)
    slow = [row | {"ts": row["ts"] + float(rng.uniform(0, 25))} for row in slow]
    assert evidence(only(slow))["may be routine"] == "at the same pace for hours"
    fast = guesses(6000, every=4.8, source="10.0.0.5")
    assert only(fast).score >= 0.95


def test_a_nightly_job() -> None:
    rows = [
        row
        for day in range(3)
        for row in guesses(60, source="10.0.0.5", begin=day * DAY + 100.0 * day)
    ]
    assert {each.score for each in detect(DETECTOR, Parameters(), rows)} == {0.5}


def test_what_the_others_do_as_well() -> None:
    rows = [row for k in range(6) for row in guesses(40, source=f"10.0.1.{k}")]
    assert {score for _, score in said(rows)} == {0.5}
    apart = guesses(40 * 6, source="10.0.1.9", begin=9.0)
    loud = [each for each in detect(DETECTOR, Parameters(), rows + apart) if each.score > 0.5]
    assert [each.source for each in loud] == ["10.0.1.9"]
    assert evidence(loud[0])["connections to it in half a day"] == 240


def test_slow_guesses_add_up() -> None:
    """Twelve in half an hour are little; a hundred in four hours are as much as the limit."""
    rng = np.random.default_rng(2)
    rows = guesses(300, every=150.0)
    rows = [row | {"ts": row["ts"] + float(rng.uniform(0, 140))} for row in rows]
    assert Severity.of(only([*rows, clock(0.0), clock(DAY)]).score) is Severity.MEDIUM


def wide(hosts: int, each: int) -> list[Row]:
    return [
        row
        for k in range(hosts)
        for row in guesses(
            each, source="10.0.0.5", target=f"10.0.1.{k}", begin=10.0 * k, resp_bytes=1500 + 200 * k
        )
    ]


def test_a_spray() -> None:
    found = only(wide(12, 4), SPRAY)
    assert found.message == (
        "10.0.0.5 made 48 ssh logins alike to 12 hosts within 2.13 min that got no further"
    )
    assert (found.destination, found.port, found.technique) == (None, 22, "T1110.003")
    assert evidence(found)["targets"] == 12
    assert said(wide(12, 4)) == []


def test_guessing_at_each_of_several() -> None:
    assert only(wide(3, 60), SPRAY).technique == "T1110.001"
    assert said(wide(3, 60)) == []


def test_no_spray() -> None:
    assert said(wide(40, 1), SPRAY) == []
    assert said(wide(2, 60), SPRAY) == []
    assert len(said(wide(2, 60))) == 2


def bots(count: int, each: int, **columns: Any) -> list[Row]:  # noqa: ANN401
    return [
        row
        for k in range(count)
        for row in guesses(
            each, source=f"203.0.113.{k + 1}", begin=40.0 * k, every=600.0, **columns
        )
    ]


def test_many_together() -> None:
    found = only(bots(30, 3), TOGETHER)
    assert found.message == (
        "203.0.113.1 and 29 other outside hosts made 90 ssh logins alike to 10.0.0.9:22 within "
        "39.4 min that got no further"
    )
    assert evidence(found)["sources"] == 30
    assert Severity.of(found.score) is Severity.MEDIUM
    assert said(bots(30, 3)) == []


def test_not_together() -> None:
    assert said(bots(9, 10), TOGETHER) == []
    assert said(bots(30, 3, target="198.51.100.7"), TOGETHER) == []
    mail: dict[str, Any] = {"port": 993, "service": "ssl", "orig_bytes": 900, "resp_bytes": 4000}
    assert said(bots(100, 6, **mail), TOGETHER) == []


def test_most_of_a_service_must_be_guesses() -> None:
    people = [
        connection(
            20.0 * k, f"198.51.100.{k % 50}", TARGET, 22, service="ssh", duration=60.0,
            orig_bytes=9000, resp_bytes=60_000,
        )
        for k in range(100)
    ]  # fmt: skip
    assert said(bots(30, 3) + people, TOGETHER) == []


@pytest.mark.parametrize("by", ["pair", "source", "target"])
def test_nothing_comes_of_nothing(by: Any) -> None:  # noqa: ANN401
    assert detect(DETECTOR, Parameters(by=by)) == []


def test_order_of_rows_does_not_matter() -> None:
    rows = guesses(60) + wide(12, 4)
    for parameters in (Parameters(), SPRAY):
        assert said(rows, parameters) == said(rows[::-1], parameters)
