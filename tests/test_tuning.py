"""Proposals: by labels from precision and recall, without from the tail."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.findings import Evidence, Finding, Severity
from analyzer.proposals import Cut, Threshold
from analyzer.tuning import ENOUGH, tune_by_labels, tune_by_tail
from tests.test_hosts import beacon, scan


def failing(score: float, hosts: int) -> Finding:
    return scan(score, evidence=(Evidence("failed hosts", hosts, threshold=7),))


# True from 0.85 on, but for one at 0.6 and a false one at 0.9.
FINDINGS = [
    failing(0.95, 90),
    failing(0.92, 50),
    failing(0.9, 40),
    failing(0.85, 30),
    failing(0.8, 20),
    failing(0.75, 10),
    failing(0.72, 8),
    failing(0.6, 7),
    failing(0.5, 7),
]
SHARES = {0: 1.0, 1: 0.5, 2: 0.49, 3: 0.7, 4: 0.0, 5: 0.0, 6: 0.0, 7: 1.0}


def test_labels_give_the_best_cut_and_the_lowest_precise_one() -> None:
    (proposal,) = tune_by_labels(FINDINGS, SHARES, precision=0.9)
    assert (proposal.rule, proposal.findings, proposal.judged, proposal.true) == (
        "address_scan",
        9,
        8,
        4,
    )
    assert proposal.now == Cut(0.7, 7, 3, 3 / 7, 0.75, 6 / 11)
    assert proposal.best == Cut(0.85, 4, 3, 0.75, 0.75, 0.75)
    assert proposal.precise == Cut(0.92, 2, 2, 1.0, 0.5, 2 / 3)
    assert proposal.thresholds == (Threshold("failed hosts", "", 7.0, 30.0, 4),)
    assert proposal.words == (
        "now, from 0.700: 3 of 7 true (precision 0.429, recall 0.75, F1 0.545)",
        "best F1, from 0.850: 3 of 4 true (precision 0.75, recall 0.75, F1 0.75); 3 false fewer",
        (
            "lowest for a precision of 0.9, from 0.920: 2 of 2 true (precision 1, recall 0.5, "
            "F1 0.667); 4 false fewer and 1 true fewer"
        ),
        "what that keeps has failed hosts: 30 instead of 7 keeps 4",
    )


def test_a_precision_may_be_out_of_reach() -> None:
    shares = {0: 0.0, 1: 1.0}
    (proposal,) = tune_by_labels(FINDINGS[:2], shares, precision=0.95)
    assert proposal.precise is None
    assert "no score reaches a precision of 0.95" in proposal.words


@pytest.mark.parametrize(
    ("shares", "minimum", "said"),
    [
        ({}, Severity.LOW, "no finding covers a labelled connection"),
        (
            {0: 1.0, 1: 1.0},
            Severity.LOW,
            "all 2 labelled findings are true, and all are reported: nothing to change",
        ),
        (
            {0: 1.0, 3: 1.0},
            Severity.HIGH,
            ("all 2 labelled findings are true: reporting from 0.850 would add 1 true ones"),
        ),
        (
            {0: 0.0, 4: 0.1},
            Severity.LOW,
            (
                "none of 2 labelled findings is true: only a score above 0.950 or --ignore "
                "would silence it"
            ),
        ),
        (
            {4: 0.0},
            Severity.HIGH,
            ("none of 1 labelled findings is true, and none is reported: nothing to change"),
        ),
    ],
)
def test_labels_may_not_tell_cuts_apart(
    shares: dict[int, float], minimum: Severity, said: str
) -> None:
    (proposal,) = tune_by_labels(FINDINGS, shares, minimum=minimum)
    assert proposal.words == (said,)
    assert proposal.best is None


def test_rules_are_tuned_apart() -> None:
    findings = [beacon(0.9), scan(0.9), beacon(0.8), scan(0.8)]
    proposals = tune_by_labels(findings, {0: 1.0, 1: 0.0, 2: 0.0, 3: 1.0})
    assert [proposal.rule for proposal in proposals] == ["address_scan", "beacon"]
    assert [proposal.best and proposal.best.score for proposal in proposals] == [0.8, 0.9]


def test_without_labels_the_tail_is_kept() -> None:
    findings = [failing(0.7 + k / 100, 8 + k % 3) for k in range(20)] + [failing(0.97, 4000)]
    (proposal,) = tune_by_tail(findings, tail=0.1)
    assert proposal.tail == pytest.approx(0.88)
    median, spread = math.log1p(9), math.log1p(9) - math.log1p(8)
    (threshold,) = proposal.thresholds
    assert (threshold.name, threshold.now, threshold.kept) == ("failed hosts", 7.0, 1)
    assert threshold.proposed == pytest.approx(
        math.expm1(median + 3.5 * 1.4826 * (math.log1p(10) - median)), rel=0.2
    )
    assert spread > 0
    assert proposal.words[0] == (
        "scores 0.700 to 0.970, median 0.800; from 0.880 it would report 3 instead of 21"
    )
    assert (proposal.best, proposal.now, proposal.judged) == (None, None, 0)


def test_too_few_findings_say_nothing() -> None:
    (proposal,) = tune_by_tail(FINDINGS[: ENOUGH - 1])
    assert proposal.words == ("7 findings are too few to tell what stands out (at least 8)",)
    assert proposal.tail is None
    assert tune_by_tail([]) == ()


def test_equal_values_have_no_outliers() -> None:
    (proposal,) = tune_by_tail([failing(0.8, 9)] * ENOUGH)
    assert proposal.thresholds == ()
    assert proposal.tail == 0.8


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20),
    st.floats(0.1, 1.0),
)
def test_cuts_say_what_reporting_from_them_gives(
    drawn: list[tuple[float, bool]], precision: float
) -> None:
    findings = [scan(score) for score, _ in drawn]
    (proposal,) = tune_by_labels(
        findings, {i: float(true) for i, (_, true) in enumerate(drawn)}, precision=precision
    )
    for cut in (proposal.now, proposal.best, proposal.precise):
        if cut is not None:
            kept = [true for score, true in drawn if score >= cut.score]
            assert (cut.reported, cut.true) == (len(kept), sum(kept))
    if proposal.best is not None:
        assert proposal.now is not None
        assert proposal.best.f1 >= proposal.now.f1 - 1e-9
    if proposal.precise is not None:
        assert proposal.precise.precision >= precision
