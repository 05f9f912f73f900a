"""Batches scored and learned beside a sensor."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.online import Online, learn
from analyzer.baseline.scoring import Scoring, TooLittleLearnedError

from .rows import DAY, HOSTS, SERVER, STEADY, batch, connection, learned, steady, work

LARGE = connection(
    5 * DAY + 40_000,
    resp_h="203.0.113.7",
    orig_bytes=10_000_000_000,
    orig_pkts=7_000_000,
    duration=900.0,
)


@pytest.fixture(scope="module")
def online() -> Online:
    return Online(learned(), Scoring(rate=3e-5))


def test_ten_gigabytes_by_a_host_that_always_sends_the_same_are_critical(online: Online) -> None:
    scores = online.score(batch([LARGE]))
    assert scores.score[0] >= 0.95
    (first, *_) = online.factors(batch([LARGE]), scores, 0)
    assert first.observed == 1e10
    assert first.text.startswith("sent 10 GB, ")


@pytest.mark.parametrize("host", HOSTS)
def test_and_by_any_other(online: Online, host: str) -> None:
    assert online.score(batch([LARGE | {"orig_h": host}])).score[0] >= 0.95


def test_what_is_usual_is_not_reported(online: Online) -> None:
    scores = online.score(batch(steady(1, 4) + work(1, 4)))
    assert (scores.score >= 0.7).sum() == 0


def test_a_constant_host_that_changes_scores_more_than_one_that_varies(online: Online) -> None:
    small = connection(4 * DAY + 40_000, orig_bytes=3_000, orig_pkts=7)
    varied = small | {"orig_h": HOSTS[0], "resp_h": "198.51.100.11"}
    one, other = online.score(batch([small, varied])).surprise
    assert one > other + 1.0


def test_only_requests_of_local_hosts_are_scored(online: Online) -> None:
    rows = [
        connection(0, orig_h="203.0.113.5"),
        connection(0, resp_h="224.0.0.251", proto="udp", resp_p=5353),
        connection(0, proto="udp", orig_p=53, resp_p=40_000),
        connection(0),
    ]
    assert online.rows(batch(rows)).index.tolist() == [3]
    assert len(online.score(batch(rows)).score) == 1


def test_arrow_and_data_frames_are_alike(online: Online) -> None:
    frame = batch([LARGE, connection(4 * DAY)])
    one, other = online.score(frame), online.score(pa.Table.from_pandas(frame))
    assert one.score.tolist() == other.score.tolist()


def test_a_batch_scores_as_its_rows_do(online: Online) -> None:
    rows = [*work(1, 4)[:20], LARGE]
    together = online.score(batch(rows)).surprise.tolist()
    assert together == [online.score(batch([row])).surprise[0] for row in rows]


def test_one_connection_takes_less_than_five_milliseconds(online: Online) -> None:
    frame = batch([LARGE])
    times = []
    for _ in range(30):
        begun = time.process_time()
        online.score(frame)
        times.append(time.process_time() - begun)
    assert sorted(times)[5] < 0.005


def test_what_is_kept_is_learned_when_it_is_asked_for() -> None:
    beside = Online(learned())
    beside.learn(batch(steady(1, 4)))
    before = beside.score(batch([LARGE])).score[0]
    beside.learn(batch([LARGE]))
    after = beside.baseline(learned=1.0)
    assert after.days == [*learned().days, learned().days[-1] + 1]
    assert after.learned == 1.0
    # What would be reported is not learned, and scores stay those of the baseline before.
    assert "203.0.113.7" not in set(after["peers"].peer)
    assert beside.score(batch([LARGE])).score[0] == before
    assert beside.baseline() is after


def test_what_is_flagged_is_learned_if_told_so() -> None:
    beside = Online(learned())
    beside.learn(batch([LARGE]), protect=False)
    assert "203.0.113.7" in set(beside.baseline()["peers"].peer)


def test_learning_batches_is_learning_them_together() -> None:
    rows = steady(2)
    apart = learn(learn(Baseline(), batch(rows[:300])), batch(rows[300:]))
    together = learn(Baseline(), batch(rows))
    for table in ("hours", "ports", "peers"):
        assert apart[table].to_dict("list") == together[table].to_dict("list")
    assert set(together["peers"].peer) == {SERVER}


def test_too_little_to_score_by() -> None:
    with pytest.raises(TooLittleLearnedError, match="1 days are too few"):
        Online(learned(1))


def test_a_baseline_scores_and_learns_by_itself() -> None:
    baseline = learned()
    assert baseline.score(batch([LARGE])).score[0] >= 0.95
    more = baseline.learn(batch([connection(4 * DAY, resp_h="203.0.113.8")]))
    assert more.days[-1] == baseline.days[-1] + 1
    assert set(more["peers"].peer) - set(baseline["peers"].peer) == {"203.0.113.8"}
    assert STEADY in set(more["peers"].source)
