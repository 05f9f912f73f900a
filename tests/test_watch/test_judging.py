"""Judging segments."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.allowlist import read_allowlists
from analyzer.api import load_rules
from analyzer.findings import Finding, Severity
from analyzer.watch.following import Follower
from analyzer.watch.judging import (
    FAST,
    Background,
    InterruptedJudgementError,
    Judge,
    Judgement,
    Knowledge,
    together,
)
from analyzer.watch.segments import Segments
from analyzer.watch.state import Segment

KNOWLEDGE = Knowledge(rules=load_rules())


@pytest.fixture(scope="module")
def held(
    morning: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Segments, Segment]]:
    segments = Segments(tmp_path_factory.mktemp("window"), memory_limit="200MB", threads=None)
    follower = Follower([morning])
    follower.look(1e10)
    for portion in follower.portions(1e10):
        segments.load(portion)
    segment = segments.write(1, 1e10, 0.0)
    assert segment is not None
    yield segments, segment
    follower.close()
    segments.close()


@pytest.fixture
def judge(held: tuple[Segments, Segment]) -> Judge:
    return Judge(held[0], memory_limit="500MB", threads=None)


def test_it_finds_what_a_batch_run_finds(
    judge: Judge, held: tuple[Segments, Segment], morning: Path
) -> None:
    judgement = judge.judge([held[1]], KNOWLEDGE)
    assert judgement.findings == analyzer.analyze(morning).findings
    assert judgement.rows == held[1].rows
    assert 0 < judgement.cost <= judgement.seconds
    assert "scan" in judgement.stages


def test_what_is_allowed_is_not_said(
    judge: Judge, held: tuple[Segments, Segment], tmp_path: Path
) -> None:
    (tmp_path / "allow.txt").write_text("10.20.1.0/24\n10.20.0.0/24\n")
    allowlist = read_allowlists([tmp_path / "allow.txt"])
    rules = tuple(rule for rule in KNOWLEDGE.rules if rule.detector == "scan")
    judgement = judge.judge([held[1]], Knowledge(rules=rules, allowlist=allowlist))
    assert judgement.findings == ()


def test_the_fast_rules_judge_suspects_by_all_of_the_window(
    judge: Judge, held: tuple[Segments, Segment]
) -> None:
    judgement = judge.judge_fast([held[1]], [held[1], held[1]], KNOWLEDGE)
    assert {finding.source for finding in judgement.findings} == {
        "10.20.1.8",
        "10.20.1.10",
        "10.20.1.12",
    }
    assert all(finding.severity >= Severity.HIGH for finding in judgement.findings)
    assert {rule.detector for rule in KNOWLEDGE.fast.rules} == FAST


def test_rows_of_some_hosts_alone(judge: Judge, held: tuple[Segments, Segment]) -> None:
    judgement = judge.judge([held[1]], KNOWLEDGE.fast, hosts={"10.20.1.10"})
    assert {finding.source for finding in judgement.findings} == {"10.20.1.10"}
    assert judge.judge([held[1]], KNOWLEDGE.fast, hosts=()).findings == ()


def finding(score: float, destination: str, message: str) -> Finding:
    return Finding(
        rule="beacon",
        note="ZeekAnalyzer::Beacon",
        source="10.0.0.1",
        destination=destination,
        first=0.0,
        last=1.0,
        score=score,
        techniques=(),
        message=message,
    )


def test_the_days_before_add_up_and_say_louder_things_themselves() -> None:
    quiet, loud = finding(0.8, "a", "window"), finding(0.9, "b", "window")
    louder, quieter = finding(0.9, "a", "week"), finding(0.8, "b", "week")
    other = finding(0.7, "c", "week")
    assert together([quiet, loud], [louder, quieter, other]) == (loud, louder, other)
    assert together([quiet], [quiet]) == (quiet,)
    # What was over hours before is another thing.
    over = replace(louder, first=-9000.0, last=-8000.0)
    assert together([quiet], [over]) == (quiet, over)


def called(score: float, destination: str) -> Finding:
    return replace(finding(score, "a", ""), destination=destination, server_names=("c2.example",))


def test_of_things_that_are_called_the_same_none_is_lost() -> None:
    one, two, three = called(0.92, "1"), called(0.75, "2"), called(0.85, "3")
    assert together([one], [three]) == (one,)
    assert together([two], [three]) == (three,)
    # It is one of two that were found at once, the louder, and not both.
    assert together([two, one], [three]) == (two, one)
    assert together([two, called(0.8, "1")], [three]) == (two, three)
    # What was found by its own address is nothing else.
    assert together([one, two], [called(0.93, "1")]) == (two, called(0.93, "1"))
    assert together([three], [one, two]) == (one, two)


def test_what_is_neither_louder_nor_said_outdoes_nothing() -> None:
    begun, later = (replace(finding(0.9, "a", "window"), first=at, last=at) for at in (0, 9000))
    later = replace(later, score=0.7)
    long = replace(finding(0.8, "a", "week"), first=0.0, last=9000.0)
    assert together([begun, later], [long]) == (begun, later)


def test_what_was_found_before_is_part_of_a_judgement(
    judge: Judge, held: tuple[Segments, Segment]
) -> None:
    known = Knowledge(rules=tuple(each for each in load_rules() if each.detector == "scan"))
    found = judge.judge([held[1]], known).findings
    before = replace(found[0], source="10.99.0.1")
    judgement = judge.judge([held[1]], known, others=[before])
    assert set(judgement.findings) == {*found, before}


def test_nothing_is_judged_after_an_interruption(
    judge: Judge, held: tuple[Segments, Segment]
) -> None:
    judge.interrupt()
    with pytest.raises(InterruptedJudgementError):
        judge.judge([held[1]], KNOWLEDGE)


def test_an_interruption_in_the_middle(judge: Judge, held: tuple[Segments, Segment]) -> None:
    background = Background[Judgement](lambda: None)
    background.begin(lambda: judge.judge([held[1]], KNOWLEDGE))
    background.wait(0.5)
    judge.interrupt()
    with pytest.raises(InterruptedJudgementError):
        background.take(timeout=20.0)
    assert background.is_idle


def test_one_call_in_the_background() -> None:
    ended, go = threading.Event(), threading.Event()
    judgement = Judgement((), {}, 0.0, 0)

    def call() -> Judgement:
        go.wait()
        return judgement

    background = Background[Judgement](ended.set)
    assert (background.is_idle, background.has_ended, background.take()) == (True, False, None)
    background.begin(call)
    assert (background.is_idle, background.has_ended) == (False, False)
    assert background.take(timeout=0.01) is None
    go.set()
    assert ended.wait(10)
    assert background.has_ended
    assert background.take() is judgement
    assert background.is_idle


def test_what_the_call_raises_is_raised_once() -> None:
    background = Background[Judgement](lambda: None)
    background.begin(lambda: Judgement((), {}, 1 / 0, 0))
    background.wait(10)
    with pytest.raises(ZeroDivisionError):
        background.take()
    assert background.take() is None
