"""Places that a host has met for days: what polls them is less likely to be an implant."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.api import load_rules
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.tables import LAYOUTS
from analyzer.detectors import Detection, Shared
from analyzer.engine import Engine
from analyzer.familiarity import KNOWN_SINCE, familiar

DAY = 20_000
TIME = (DAY + 4) * 86_400.0
RULES = {rule.id: rule for rule in load_rules()}


def known(first: int, last: int, peer: str = "198.51.100.7") -> Baseline:
    """A baseline of four days; a host met a peer from one of them to another."""
    days = pd.DataFrame(
        {
            "day": [DAY + n for n in range(4)],
            "connections": 1.0,
            "questions": 0.0,
            "left_out": 0.0,
            "first": 0.0,
            "last": 0.0,
        }
    )
    peers = pd.DataFrame(
        {
            "source": ["10.0.0.5"],
            "peer": [peer],
            "outside": [True],
            "first_day": [DAY + first],
            "last_day": [DAY + last],
        }
    )
    tables = {"days": LAYOUTS["days"].joined(days), "peers": LAYOUTS["peers"].joined(peers)}
    return Baseline().joined(tables)


def score(baseline: Baseline | None, rule: str = "beacon", value: float = 0.92) -> float:
    detection = Detection(
        source="10.0.0.5",
        destination="198.51.100.7",
        port=443,
        proto="tcp",
        first=TIME,
        last=TIME + 9.0,
        score=value,
        message="calls",
        connections=9,
    )
    row = {
        "ts": TIME,
        "orig_h": "10.0.0.5",
        "orig_p": 50000,
        "resp_h": "198.51.100.7",
        "resp_p": 443,
        "proto": "tcp",
    }
    with Engine() as engine:
        engine.insert("conn", [row])
        ((_, after),) = familiar([(RULES[rule], detection)], engine.records(), Shared(baseline))
    if after.score < value:
        assert (after.evidence[-1].name, after.evidence[-1].observed) == (KNOWN_SINCE, "2024-10-04")
    else:
        assert after.evidence == ()
    return after.score


def test_what_was_met_for_half_of_the_days_is_familiar() -> None:
    assert score(known(0, 1)) == pytest.approx(0.77)
    assert score(known(0, 3), "strobe", 0.97) == pytest.approx(0.82)


@pytest.mark.parametrize("baseline", [None, known(0, 0), known(1, 3, "198.51.100.8")])
def test_what_was_not_is_not(baseline: Baseline | None) -> None:
    assert score(baseline) == 0.92


def test_other_rules_and_hints_are_as_they_were() -> None:
    assert score(known(0, 3), "exfiltration") == 0.92
    assert score(known(0, 3), "beacon", 0.69) == 0.69
