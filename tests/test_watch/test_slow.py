"""A week is judged as a batch run judges it, on what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.api import load_rules
from analyzer.features import DAY
from analyzer.findings import Finding, Severity
from analyzer.watch.folding import SLOW
from analyzer.watch.judging import InterruptedJudgementError, Knowledge
from analyzer.watch.past import Past, PastFiles
from analyzer.watch.segments import Segments
from analyzer.watch.slow import Rows, SlowJudge
from tests.traffic import Attack, office

from .week import pieces, segment

KNOWLEDGE = Knowledge(rules=load_rules())
NOTHING = Knowledge(rules=())
BEACONS = ("10.20.1.10", "10.20.1.12", "10.20.1.13", "10.20.1.14")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    attacks = [
        Attack("beacon", source=BEACONS[0], interval=7200.0, jitter=0.2, server_name="a.brook.net"),
        Attack("beacon", source=BEACONS[1], interval=21_600.0, jitter=0.2, server_name="fjord.org"),
        Attack("failed_beacon", source=BEACONS[2], interval=14_400.0, jitter=0.2),
        Attack(
            "beacon", source=BEACONS[3], interval=36_000.0, jitter=0.1, server_name="far.example"
        ),
    ]
    directory = tmp_path_factory.mktemp("week")
    office(11, hosts=16, days=7.0, scale=0.2, attacks=attacks).write(directory)
    return directory


@pytest.fixture(scope="module")
def batch(week: Path) -> dict[tuple[object, ...], Finding]:
    """What a batch run over the week finds."""
    rules = {rule.id for rule in KNOWLEDGE.rules if rule.detector in SLOW}
    findings = analyzer.analyze(week, select_rules=rules).findings
    return {finding.entities: finding for finding in findings}


@pytest.fixture(scope="module")
def parts(
    week: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Segments, list[Rows]]]:
    """The week as it leaves a window of a day, half a day at a time."""
    segments = Segments(tmp_path_factory.mktemp("window"), memory_limit="300MB", threads=None)
    found = pieces(week, tmp_path_factory.mktemp("pieces"))
    every = [segment(segments, piece, number) for number, piece in enumerate(found, 1)]
    steps = []
    for number in range(3, len(every) + 1):
        summed, left = every[max(0, number - 4) : number - 3], every[number - 3 : number - 2]
        steps.append(Rows(tuple(summed), tuple(left), tuple(every[number - 2 : number])))
    yield segments, steps
    segments.close()


def judge_of(segments: Segments, directory: Path, most: int = 1_000_000) -> SlowJudge:
    files = PastFiles(directory)
    return SlowJudge(segments, files, span=7 * DAY, most=most, memory_limit="500MB", threads=None)


def test_what_a_batch_run_finds_of_slow_beacons(
    parts: tuple[Segments, list[Rows]], batch: dict[tuple[object, ...], Finding], tmp_path: Path
) -> None:
    segments, steps = parts
    judge = judge_of(segments, tmp_path)
    past = Past()
    for rows in steps[:-1]:
        past = judge.judge(past, rows, NOTHING).past
        PastFiles(tmp_path).remove_others(past)
    judged = judge.judge(past, steps[-1], KNOWLEDGE)
    found = {finding.entities: finding for finding in judged.judgement.findings}
    expected = [each for each in batch.values() if each.source in BEACONS and not each.subject]
    slow = [each for each in expected if each.best is not None and each.last - each.first > 6 * DAY]
    assert {each.source for each in slow} == set(BEACONS)
    for finding in slow:
        ours = found[finding.entities]
        assert ours.score == pytest.approx(finding.score, abs=1e-9)
        assert (ours.first, ours.last, ours.message) == (
            finding.first,
            finding.last,
            finding.message,
        )
        assert (ours.uids, ours.best, ours.server_names) == (
            finding.uids,
            finding.best,
            finding.server_names,
        )
    # Nothing is said that a batch run does not say.
    loud = {each.entities for each in found.values() if each.severity >= Severity.MEDIUM}
    assert loud <= batch.keys()
    assert judged.past.judged == steps[-1].last
    assert judged.past.dropped == 0
    assert judged.past.size < 40 * sum(judged.past.counts.values())


def test_it_knows_no_more_than_there_is_room_for(
    parts: tuple[Segments, list[Rows]], tmp_path: Path
) -> None:
    segments, steps = parts
    judge = judge_of(segments, tmp_path, most=500)
    past = Past()
    for rows in steps[:4]:
        past = judge.judge(past, rows, NOTHING).past
    assert past.number == 4
    assert max(past.counts.values()) == 500
    assert past.counts["calls"] <= 500
    assert past.dropped > 0


def test_nothing_has_left(parts: tuple[Segments, list[Rows]], tmp_path: Path) -> None:
    segments, steps = parts
    judged = judge_of(segments, tmp_path).judge(Past(), replace(steps[0], left=()), KNOWLEDGE)
    assert judged.judgement.findings == ()
    assert judged.past == Past(judged=steps[0].last)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_judged_after_an_interruption(
    parts: tuple[Segments, list[Rows]], tmp_path: Path
) -> None:
    segments, steps = parts
    judge = judge_of(segments, tmp_path)
    judge.interrupt()
    with pytest.raises(InterruptedJudgementError):
        judge.judge(Past(), steps[0], KNOWLEDGE)
