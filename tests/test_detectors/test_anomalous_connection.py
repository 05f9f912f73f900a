"""Anomalous connections and five minutes as findings: what is one, how loud, in which words."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.batches import batch_records
from analyzer.detectors import Detection, Shared
from analyzer.detectors.anomalous_connection import DETECTOR, Parameters

from ..test_baseline.rows import DAY, HOSTS, STEADY, batch, connection, learned, steady, work
from . import evidence

NOON = 4 * DAY + 43_200.0
LARGE = connection(
    NOON, resp_h="203.0.113.7", orig_bytes=10**10, orig_pkts=7 * 10**6, duration=900.0
)


def found(
    rows: list[dict[str, Any]],
    parameters: Parameters | None = None,
    baseline: Baseline | None = None,
) -> list[Detection]:
    records = batch_records(batch(rows))
    return list(DETECTOR.find(records, parameters or Parameters(), Shared(baseline)))


def test_ten_gigabytes_are_critical_and_said_in_words() -> None:
    (detection,) = found([*steady(1, 4), LARGE], baseline=learned())
    assert (detection.source, detection.destination, detection.port) == (STEADY, "203.0.113.7", 443)
    assert detection.score >= 0.95
    assert (detection.technique, detection.best) == ("T1048", "bytes")
    assert "sent 10 GB, " in detection.message
    seen = evidence(detection)
    assert seen["bytes sent"] == 1e10
    assert seen["judged by"] == "4 days"
    assert seen["combined score"] == pytest.approx(
        0.6 * float(seen["of it by statistics"]) + 0.4 * float(seen["of it by models"]), abs=2e-3
    )


def test_a_thousand_odd_connections_are_one_finding() -> None:
    rows = [
        connection(
            NOON + number,
            resp_h=f"203.0.113.{number % 250}",
            resp_p=4444,
            service=None,
            orig_pkts=9,
            orig_bytes=3000 + number,
            duration=60.0,
        )
        for number in range(1000)
    ]
    (detection,) = found(rows, baseline=learned())
    assert detection.connections == 1000
    assert (detection.destination, detection.port) == (None, 4444)
    assert detection.technique == "T1571"
    assert (detection.first, detection.last) == (rows[0]["ts"], rows[-1]["ts"])


def test_many_ports_within_an_hour_are_one_finding() -> None:
    rows = [
        connection(
            NOON + port,
            resp_h="10.0.0.77",
            resp_p=port,
            service=None,
            conn_state="S0",
            history="S",
            orig_bytes=0,
            resp_bytes=0,
            duration=0.0,
            orig_pkts=1,
            resp_pkts=0,
        )
        for port in range(9000, 9060)
    ]
    (detection,) = found(rows, baseline=learned())
    assert (detection.destination, detection.port) == ("10.0.0.77", None)
    assert detection.best == "failed"


def test_another_day_like_those_before_says_nothing() -> None:
    assert found([*steady(1, 4), *work(1, 4)], baseline=learned()) == []


def test_without_a_baseline_the_other_days_judge_at_most_as_medium() -> None:
    rows = [*steady(5), *work(5), LARGE]
    (detection,) = [each for each in found(rows) if each.destination == "203.0.113.7"]
    assert 0.8 <= detection.score < 0.9
    assert evidence(detection)["judged by"] == "4 other days of the same records"


@pytest.mark.parametrize("days", [1, 2])
def test_of_a_day_or_two_nothing_is_said(days: int) -> None:
    assert found([*steady(days), LARGE | {"ts": steady(1)[50]["ts"]}]) == []


def test_what_was_learned_does_not_judge_itself() -> None:
    day = [*steady(4), *work(4), LARGE]
    assert found([LARGE], baseline=learned().learn(batch([LARGE])))[0].score >= 0.95
    assert found(day[:10], baseline=learned()) == []


def test_a_flood_within_five_minutes() -> None:
    rows = [connection(NOON + number / 20.0, orig_bytes=300, orig_pkts=5) for number in range(3000)]
    (detection,) = found(rows, Parameters(of="windows", false_alarm=1e-4), learned())
    assert (detection.source, detection.destination, detection.port) == (STEADY, None, None)
    assert detection.message.startswith(f"Five minutes of {STEADY}: 3,000 connections, ")
    assert detection.connections == 3000
    assert detection.score >= 0.8


def test_weights_are_shares_of_their_sum() -> None:
    assert Parameters(statistical=0.3, model=0.1).scoring.statistical == pytest.approx(0.75)
    assert Parameters(statistical=0.0, model=0.0).scoring.statistical == 0.5
    assert len(HOSTS) == 12
