"""Bursts: exact scores over steady hosts, and everything that keeps a rise from being one."""

from __future__ import annotations

import itertools
import math

import pytest

from analyzer.detectors.burst import DETECTOR, Parameters

from . import DAY, START, Row, connection, detect, evidence

HOST = "10.0.0.3"
OTHER = "10.0.1.1"
BUCKET = 300.0
AT = 134 * BUCKET  # 11:10, a bucket's beginning
STEADY_SCALE = 0.3


def steady(
    host: str,
    *,
    days: float = 1.0,
    per_bucket: int = 2,
    begin: float = 0.0,
    to: str = OTHER,
    size: int = 1000,
) -> list[Row]:
    """Connect as often in every five minutes."""
    gap = BUCKET / per_bucket
    return [
        connection(begin + k * gap, host, to, 443, orig_bytes=size, resp_bytes=0)
        for k in range(round(days * DAY / gap))
    ]


def flood(count: int, *, at: float = AT, host: str = HOST, to: str = OTHER) -> list[Row]:
    """Connect `count` times within less than five minutes."""
    return [connection(at + 299 * k / count, host, to, 443) for k in range(count)]


def transfer(size: int, *, at: float = AT, to: str = OTHER) -> Row:
    return connection(at + 1, HOST, to, 443, orig_bytes=size // 4, resp_bytes=size - size // 4)


def crowd(days: float = 1.0) -> list[Row]:
    """Eight steady hosts: 2,304 buckets a day, enough to be sure."""
    return [row for number in range(8) for row in steady(f"10.0.0.{number + 1}", days=days)]


def score(count: float, usual: float) -> float:
    """The score of a burst above steady traffic, whose own tail is the prior: 10% above 0."""
    deviation = (math.log1p(count) - math.log1p(usual)) / STEADY_SCALE
    times = math.log10(1e-4 / (0.1 * math.exp(-deviation)))
    points = [(0.0, 0.7), (2.0, 0.8), (5.0, 0.9), (9.0, 0.95), (300.0, 0.99)]
    for (low, low_score), (high, high_score) in itertools.pairwise(points):
        if times <= high:
            return low_score + (high_score - low_score) * (times - low) / (high - low)
    return 0.99


@pytest.mark.parametrize("count", [300, 2000])
def test_a_burst_of_a_steady_host(count: int) -> None:
    (found,) = detect(DETECTOR, Parameters(), crowd() + flood(count - 2))
    assert found.message == f"10.0.0.3 made {count:,} connections within 5 min, usually 2"
    assert found.score == pytest.approx(score(count, 2))
    deviation = (math.log1p(count) - math.log1p(2)) / STEADY_SCALE
    assert evidence(found) == {
        "connections in 5 min": count,
        "above its busy tenth, in its own tail scales": round(deviation, 2),
        "tail probability": f"{0.1 * math.exp(-deviation):.1g}",
        "buckets it is judged against": 2304,
        "most in any other hour's buckets": 2,
        "days of data": 1.0,
        "other days with the like at that time": 0,
    }
    assert (found.source, found.destination, found.port, found.proto) == (HOST, None, None, None)
    assert (found.first, found.connections, found.best) == (START + AT, count, "first")


def test_too_few_buckets_are_no_ground_for_certainty() -> None:
    (found,) = detect(DETECTOR, Parameters(), steady(HOST) + flood(1998))
    assert evidence(found)["buckets it is judged against"] == 288
    assert score(2000, 2) > 0.9
    assert found.score == 0.79


def test_a_constant_host_has_no_burst() -> None:
    rows = steady(HOST, per_bucket=400)
    assert detect(DETECTOR, Parameters(), rows) == []
    assert detect(DETECTOR, Parameters(of="bytes"), steady(HOST, size=200_000_000)) == []


@pytest.mark.parametrize(("count", "found"), [(299, 0), (300, 1)])
def test_the_floor_of_connections(count: int, found: int) -> None:
    assert len(detect(DETECTOR, Parameters(), steady(HOST) + flood(count - 2))) == found


@pytest.mark.parametrize(("size", "found"), [(99_997_999, 0), (99_998_000, 1)])
def test_the_floor_of_bytes(size: int, found: int) -> None:
    rows = [*steady(HOST), transfer(size)]  # beside 2,000 B of every day
    assert len(detect(DETECTOR, Parameters(of="bytes"), rows)) == found


@pytest.mark.parametrize(("count", "found"), [(319, 0), (321, 1)])
def test_the_least_factor(count: int, found: int) -> None:
    rows = steady(HOST, per_bucket=40) + flood(count - 40)
    assert len(detect(DETECTOR, Parameters(false_alarm=0.01), rows)) == found


@pytest.mark.parametrize(("earlier", "found"), [(1000, 1), (1001, 0)])
def test_the_own_record(earlier: int, found: int) -> None:
    """Three times the most of any other hour, or it is no news."""
    rows = steady(HOST) + flood(2998) + flood(earlier - 2, at=AT + 12_000)
    told = detect(DETECTOR, Parameters(), rows)
    assert len(told) == found
    assert {evidence(each)["most in any other hour's buckets"] for each in told} <= {1000}


def test_the_hour_around_sets_no_record() -> None:
    rows = steady(HOST) + flood(2998) + flood(2998, at=AT + BUCKET)
    assert len(detect(DETECTOR, Parameters(), rows)) == 2


def test_what_happens_on_other_days_is_a_routine() -> None:
    rows = crowd(days=3) + flood(1998, at=DAY + AT)
    (once,) = detect(DETECTOR, Parameters(), rows)
    assert once.score == pytest.approx(score(2000, 2))
    for like, days in ((500, 1), (499, 0)):
        (found,) = detect(DETECTOR, Parameters(), rows + flood(like - 2, at=AT + 3000))
        assert evidence(found)["other days with the like at that time"] == days
        assert found.score == pytest.approx(0.5 if days else score(2000, 2))
    both = rows + flood(498) + flood(498, at=2 * DAY + AT)
    (found,) = detect(DETECTOR, Parameters(), both)
    assert evidence(found)["other days with the like at that time"] == 2


def test_the_like_at_another_time_of_day_is_no_routine() -> None:
    rows = crowd(days=3) + flood(1998, at=DAY + AT) + flood(498, at=AT + 7200)
    (found,) = detect(DETECTOR, Parameters(), rows)
    assert evidence(found)["other days with the like at that time"] == 0


def test_bytes_of_a_single_day_are_not_worth_a_line() -> None:
    (one_day,) = detect(DETECTOR, Parameters(of="bytes"), [*crowd(1), transfer(4_000_000_000)])
    assert one_day.message == "10.0.0.3 exchanged 4 GB within 5 min, usually 2 kB"
    assert one_day.score == pytest.approx(0.69)
    (days,) = detect(DETECTOR, Parameters(of="bytes"), [*crowd(2.1), transfer(4_000_000_000)])
    assert days.score == pytest.approx(score(4_000_002_000, 2000))
    assert evidence(days)["bytes in 5 min"] == 4_000_002_000
    assert evidence(days)["days of data"] == 2.1
    assert (days.best, days.connections) == ("bytes", 3)


def test_missing_byte_counts_are_none() -> None:
    rows = [*steady(HOST), connection(AT, HOST, OTHER, 443, orig_bytes=None, resp_bytes=500000000)]
    (found,) = detect(DETECTOR, Parameters(of="bytes"), rows)
    assert evidence(found)["bytes in 5 min"] == 500_002_000


def test_a_pair_has_a_profile_of_its_own() -> None:
    """A source busy elsewhere does not hide a burst between two."""
    busy = steady(HOST, per_bucket=100, to="10.0.1.2")
    rows = busy + steady(HOST) + flood(598)
    assert detect(DETECTOR, Parameters(), rows) == []
    (found,) = detect(DETECTOR, Parameters(per="pair"), rows)
    assert (found.source, found.destination) == (HOST, OTHER)
    assert found.message == ("10.0.0.3 made 600 connections with 10.0.1.1 within 5 min, usually 2")
    assert evidence(found)["buckets it is judged against"] == 288


def test_bytes_of_a_pair() -> None:
    (found,) = detect(
        DETECTOR, Parameters(of="bytes", per="pair"), [*crowd(), transfer(4_000_000_000)]
    )
    assert found.message == ("10.0.0.3 exchanged 4 GB with 10.0.1.1 within 5 min, usually 2 kB")


def test_a_group_is_no_partner() -> None:
    rows = steady(HOST, to="239.1.1.1") + flood(1998, to="239.1.1.1")
    assert detect(DETECTOR, Parameters(per="pair"), rows) == []
    assert len(detect(DETECTOR, Parameters(), rows)) == 1


def test_without_a_loud_pair_there_is_nothing_to_judge() -> None:
    assert detect(DETECTOR, Parameters(per="pair"), steady(HOST)) == []
    assert detect(DETECTOR, Parameters()) == []
    assert detect(DETECTOR, Parameters(per="pair")) == []


def test_a_host_of_few_samples_is_drawn_towards_the_others() -> None:
    """One bucket of its own weighs 1, the others' middle weighs 10."""
    (found,) = detect(DETECTOR, Parameters(), crowd() + flood(2000, host="10.0.0.77"))
    usual = math.expm1((math.log1p(2000) + 10 * math.log1p(2)) / 11)
    assert evidence(found)["connections in 5 min"] == 2000
    assert found.evidence[0].expected == round(usual, 1)


def test_the_hour_of_the_day_has_its_own_middle_once_it_has_samples() -> None:
    """A host with a busy noon every day is not bursting at noon."""
    busy_noon = [
        row
        for day in range(3)
        for bucket in range(12)
        for row in flood(400, at=day * DAY + 12 * 3600 + bucket * BUCKET)
    ]
    rows = steady(HOST, days=3) + busy_noon
    assert detect(DETECTOR, Parameters(), rows) == []
    assert detect(DETECTOR, Parameters(record=0.0), rows) == []


def test_another_bucket() -> None:
    rows = steady(HOST) + flood(598, at=AT) + flood(600, at=AT + BUCKET)
    (found,) = detect(DETECTOR, Parameters(bucket=600.0), rows)
    assert found.message == "10.0.0.3 made 1,202 connections within 10 min, usually 4"


def test_a_stricter_bound_reports_less() -> None:
    rows = crowd() + flood(298)
    deviation = (math.log1p(300) - math.log1p(2)) / STEADY_SCALE
    chance = 0.1 * math.exp(-deviation)
    assert len(detect(DETECTOR, Parameters(false_alarm=chance * 1.01), rows)) == 1
    assert detect(DETECTOR, Parameters(false_alarm=chance * 0.99), rows) == []
