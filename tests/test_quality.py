"""The figures: rates of a confusion, and their plain form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from analyzer.quality import Attack, Confusion, FalseAlarm, MissedHost, Quality, RuleQuality

CONFUSION = Confusion(30, 10, 20, 40)
QUALITY = Quality(
    attack=50,
    benign=50,
    unknown=7,
    unlabelled=3,
    connections=CONFUSION,
    host_days=Confusion(1, 0, 1, 4),
    reported_unknown=2,
    rules=(
        RuleQuality("address_scan", 4, CONFUSION, Confusion(1, 0, 1, 4), 2),
        RuleQuality("compromised_host", 1, None, Confusion(1, 0, 1, 4), 0),
    ),
    attacks=(
        Attack("CC", 40, 30, 2, 1, 100.0, 200.0, ("C1",)),
        Attack("DDoS", 10, 0, 1, 0, 150.0, 160.0, ("C2", "C3")),
    ),
    missed=(
        MissedHost("10.0.0.5", "CC", 10, ("C1",)),
        MissedHost("10.0.0.6", "DDoS", 10, ("C2", "C3")),
    ),
    false_alarms=(FalseAlarm("address_scan", "Dropbox", 10, 1),),
)


def test_rates() -> None:
    assert CONFUSION.recall == pytest.approx(0.6)
    assert CONFUSION.false_alarm_rate == pytest.approx(0.2)
    assert CONFUSION.precision == pytest.approx(0.75)
    assert CONFUSION.f1 == pytest.approx(2 / 3)


def test_rates_of_nothing_are_none() -> None:
    nothing = Confusion(0, 0, 0, 0)
    rates = (nothing.recall, nothing.false_alarm_rate, nothing.precision, nothing.f1)
    assert rates == (None,) * 4
    silent = Confusion(0, 0, 5, 5)
    assert (silent.recall, silent.precision, silent.f1) == (0.0, None, 0.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_rates_are_those_of_scikit_learn(answers: list[tuple[bool, bool]]) -> None:
    true, said = zip(*answers, strict=True)
    (silent, false), (missed, found) = confusion_matrix(true, said, labels=[False, True])
    confusion = Confusion(int(found), int(false), int(missed), int(silent))
    for ours, theirs in (
        (confusion.recall, recall_score),
        (confusion.precision, precision_score),
        (confusion.f1, f1_score),
    ):
        assert (ours or 0.0) == pytest.approx(theirs(true, said, zero_division=0))


def test_the_plain_form() -> None:
    plain = json.loads(json.dumps(QUALITY.as_dict()))
    assert plain["labels"] == {"attack": 50, "benign": 50, "unknown": 7, "unlabelled": 3}
    assert plain["connections"]["detection_rate"] == plain["connections"]["recall"] == 0.6
    assert plain["connections"]["reported_unknown"] == 2
    assert (plain["attacks"]["all"], plain["attacks"]["detected"]) == (2, 1)
    assert plain["attacks"]["by_label"][1]["missed_uids"] == ["C2", "C3"]
    assert [rule["connections"] is None for rule in plain["rules"]] == [False, True]
    assert plain["missed"][0]["host"] == "10.0.0.5"
    assert plain["false_alarms"] == [
        {"rule": "address_scan", "label": "Dropbox", "connections": 10, "sources": 1}
    ]
