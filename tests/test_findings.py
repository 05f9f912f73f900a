"""Findings: severity, the words for numbers, identity, order, and their plain form."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.findings import Evidence, Finding, Severity, duration, few_of, quantity
from analyzer.mitre import technique

SCAN = Finding(
    rule="address_scan",
    note="ZeekAnalyzer::Address_Scan",
    source="10.0.0.5",
    port=22,
    proto="tcp",
    first=1_700_000_000.0,
    last=1_700_000_400.0,
    score=0.93,
    techniques=(technique("T1046"), technique("T1018")),
    message="10.0.0.5 tried 20 hosts",
    evidence=(Evidence("failed hosts", 20, expected=1.2, threshold=7),),
    connections=20,
    uids=("C1", "C2"),
)


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        (0.0, Severity.NONE),
        (math.nextafter(0.7, 0), Severity.NONE),
        (0.7, Severity.LOW),
        (math.nextafter(0.8, 0), Severity.LOW),
        (0.8, Severity.MEDIUM),
        (math.nextafter(0.9, 0), Severity.MEDIUM),
        (0.9, Severity.HIGH),
        (math.nextafter(0.95, 0), Severity.HIGH),
        (0.95, Severity.CRITICAL),
        (1.0, Severity.CRITICAL),
    ],
)
def test_bands(score: float, severity: Severity) -> None:
    assert Severity.of(score) is severity
    assert dataclasses.replace(SCAN, score=score).severity is severity
    assert Severity.of(severity.highest) is severity


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_is_never_less_severe(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert Severity.of(low) <= Severity.of(high)
    assert Severity.of(low).bound <= low


def test_severities_have_words() -> None:
    assert [str(severity) for severity in Severity] == ["none", "low", "medium", "high", "critical"]
    assert f"{Severity.HIGH:>6}|{Severity.LOW}" == "  high|low"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "", "0"),
        (7, "", "7"),
        (7.0, "", "7"),
        (0.3123, "", "0.312"),
        (12.34, "", "12.3"),
        (999, "", "999"),
        (1000, "", "1,000"),
        (1234.5, "", "1,234"),
        (1_234_567, "", "1,234,567"),
        (-0.5, "", "-0.5"),
        (3, "Hz", "3 Hz"),
        ("slow", "", "slow"),
        ("slow", "s", "slow"),
        (0, "B", "0 B"),
        (999, "B", "999 B"),
        (1000, "B", "1 kB"),
        (1234, "B", "1.23 kB"),
        (4_200_000, "B", "4.2 MB"),
        (2.5e9, "B", "2.5 GB"),
        (7e15, "B", "7 PB"),
        (90, "s", "90 s"),
        (720, "s", "12 min"),
    ],
)
def test_quantities(value: float | str, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0521, "0.0521 s"),
        (1, "1 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3600, "60 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (86_400, "24 h"),
        (172_800, "2 d"),
        (864_000, "10 d"),
        (-7200, "-2 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (999.6, "", "1,000"),
        (999.6, "B", "1 kB"),
        (999_999, "B", "1 MB"),
        (999_700_000, "B", "1 GB"),
        (1e18, "B", "1,000 PB"),
        (1000 * 86_400, "s", "1,000 d"),
    ],
)
def test_numbers_that_round_up_to_four_digits(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@given(st.floats(1e-3, 1e15), st.sampled_from(["", "B", "s"]))
def test_no_number_is_written_with_an_exponent(value: float, unit: str) -> None:
    assert not re.search(r"e[+-]", quantity(value, unit))


def test_evidence_in_words() -> None:
    assert str(Evidence("failed hosts", 20)) == "failed hosts 20"
    assert str(Evidence("failed hosts", 20, expected=1.2)) == "failed hosts 20 (expected 1.2)"
    assert (
        str(Evidence("sent", 4.2e6, expected=1000, threshold=1e6, unit="B"))
        == "sent 4.2 MB (expected 1 kB, threshold 1 MB)"
    )
    assert str(Evidence("pace", "fast", threshold=3600, unit="s")) == "pace fast (threshold 60 min)"


def test_the_identifier_is_that_of_what_it_is_about_and_the_hour() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", SCAN.identifier)
    hour = 1_700_000_000 // 3600 * 3600
    same = dataclasses.replace(SCAN, first=hour + 3599.9, last=hour + 9999, score=0.1, message="")
    assert same.identifier == SCAN.identifier
    assert same.entities == SCAN.entities == ("address_scan", "10.0.0.5", "", 22, "tcp", "")
    others = [
        dataclasses.replace(SCAN, first=hour + 3600.0),
        dataclasses.replace(SCAN, rule="port_scan"),
        dataclasses.replace(SCAN, source="10.0.0.6"),
        dataclasses.replace(SCAN, destination="10.0.0.7"),
        dataclasses.replace(SCAN, port=None),
        dataclasses.replace(SCAN, proto="udp"),
        dataclasses.replace(SCAN, subject="example.com"),
    ]
    identifiers = {finding.identifier for finding in others}
    assert len(identifiers) == len(others)
    assert SCAN.identifier not in identifiers


def test_the_identifier_of_odd_text() -> None:
    assert len(dataclasses.replace(SCAN, subject="\udc80").identifier) == 16


def test_the_identifier_never_changes() -> None:
    """Others keep it: it may not depend on the run, the platform or the version."""
    assert SCAN.identifier == "eb40c4d6985c2dba"


@given(st.randoms(use_true_random=False))
def test_findings_have_one_order(shuffler: Random) -> None:
    ordered = [
        dataclasses.replace(SCAN, score=0.99, first=9.0),
        dataclasses.replace(SCAN, first=1.0, source="10.0.0.9"),
        dataclasses.replace(SCAN, first=2.0, source="10.0.0.1"),
        dataclasses.replace(SCAN, first=2.0, source="10.0.0.2", port=None),
        dataclasses.replace(SCAN, first=2.0, source="10.0.0.2", port=1),
        dataclasses.replace(SCAN, first=2.0, source="10.0.0.2", port=1, rule="port_scan"),
        dataclasses.replace(SCAN, first=2.0, source="10.0.0.2", destination="10.0.0.3", port=1),
        dataclasses.replace(SCAN, score=0.2, first=0.0),
    ]
    shuffled = list(ordered)
    shuffler.shuffle(shuffled)
    assert sorted(shuffled, key=lambda finding: finding.sort_key) == ordered


def test_as_plain_values() -> None:
    assert SCAN.as_dict() == {
        "id": SCAN.identifier,
        "rule": "address_scan",
        "note": "ZeekAnalyzer::Address_Scan",
        "severity": "high",
        "score": 0.93,
        "source": "10.0.0.5",
        "destination": None,
        "port": 22,
        "proto": "tcp",
        "subject": None,
        "first": 1_700_000_000.0,
        "last": 1_700_000_400.0,
        "techniques": ["T1046", "T1018"],
        "technique_names": ["Network Service Discovery", "Remote System Discovery"],
        "tactics": ["TA0007"],
        "message": "10.0.0.5 tried 20 hosts",
        "evidence": [
            {
                "name": "failed hosts",
                "observed": 20,
                "expected": 1.2,
                "threshold": 7,
                "unit": None,
            }
        ],
        "connections": 20,
        "uids": ["C1", "C2"],
        "server_names": [],
        "looked_up_as": [],
    }
    assert json.loads(json.dumps(SCAN.as_dict())) == SCAN.as_dict()


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, ""),
        (1, "n0"),
        (3, "n0, n1, n2"),
        (4, "n0, n1, n2 and 1 more"),
        (2003, "n0, n1, n2 and 2,000 more"),
    ],
)
def test_a_few_of_many(number: int, told: str) -> None:
    assert few_of([f"n{k}" for k in range(number)]) == told
