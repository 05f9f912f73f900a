"""What all detectors share: scores on curves, results computed once, the table of detectors."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detectors import ACCUMULATORS, DETECTORS, PARAMETERS, Detection, Shared
from analyzer.detectors.detection import (
    prevalence_modifier,
    score_on,
    shared_local_askers,
    shared_name_servers,
    shared_names,
    shared_questions,
)

from . import connection, holding, lookup

CURVE = ((0.0, 0.0), (1.0, 0.7), (2.0, 0.8), (8.0, 0.9))


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (-1.0, 0.0),
        (0.0, 0.0),
        (0.5, 0.35),
        (1.0, 0.7),
        (1.5, 0.75),
        (2.0, 0.8),
        (5.0, 0.85),
        (8.0, 0.9),
        (1e9, 0.9),
    ],
)
def test_a_score_lies_on_straight_lines_between_the_points(value: float, score: float) -> None:
    assert math.isclose(score_on(value, CURVE), score, abs_tol=1e-12)


@given(st.floats(-10, 20), st.floats(-10, 20))
def test_a_larger_value_never_scores_lower(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= score_on(low, CURVE) <= score_on(high, CURVE) <= 0.9


def test_a_shared_result_is_computed_once() -> None:
    computed: list[int] = []

    def compute() -> int:
        computed.append(1)
        return 42

    shared = Shared()
    assert [shared.get("key", compute), shared.get("key", compute)] == [42, 42]
    assert computed == [1]
    assert Shared().get("key", compute) == 42
    assert computed == [1, 1]


def test_a_shared_result_may_be_none() -> None:
    shared = Shared()
    assert shared.get("key", lambda: None) is None
    assert shared.get("key", lambda: 1) is None


def test_a_detection_names_no_more_than_it_knows() -> None:
    detection = Detection(
        source="10.0.0.1", first=1.0, last=2.0, score=0.5, message="", connections=3
    )
    assert (detection.destination, detection.port, detection.proto) == (None, None, None)
    assert (detection.subject, detection.evidence, detection.technique) == ("", (), None)
    assert detection.best == "first"


def test_the_detectors_stand_under_their_names() -> None:
    assert {"scan", "dga", "beacon", "exfiltration"} <= DETECTORS.keys()
    assert [detector.name for detector in DETECTORS.values()] == list(DETECTORS)


def test_what_judges_findings_is_named_unlike_any_detector() -> None:
    assert list(ACCUMULATORS) == ["compromised_host"]
    assert [each.name for each in ACCUMULATORS.values()] == list(ACCUMULATORS)
    assert list(PARAMETERS) == [*DETECTORS, *ACCUMULATORS]


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_has_a_default_and_a_meaning(name: str) -> None:
    declared = PARAMETERS[name]
    fields = dataclasses.fields(declared)
    assert fields
    for field in fields:
        assert field.default is not dataclasses.MISSING
        assert field.metadata["meaning"]
    assert declared() == declared()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(declared(), fields[0].name, None)


@pytest.mark.parametrize(
    ("sources", "hosts", "modifier"),
    [(1, 9, 0.0), (1, 50, 0.05), (2, 50, 0.0), (24, 50, 0.0), (25, 50, -0.15), (50, 50, -0.15)],
)
def test_what_prevalence_does_to_a_score(sources: int, hosts: int, modifier: float) -> None:
    assert prevalence_modifier(sources, hosts) == modifier


def test_who_asks_and_who_answers() -> None:
    dns = [
        lookup(0, "10.0.0.1", "a.com"),
        lookup(1, "198.51.100.1", "a.com", resp_h="10.0.0.1"),
        lookup(2, "198.51.100.2", "a.com", resp_h="10.0.0.1", rcode_name="REFUSED"),
    ]
    flagged = connection(5, "198.51.100.1", "192.0.2.1", 443, local_orig=True)
    with holding(dns=dns) as records:
        shared = Shared()
        assert shared_local_askers(records, shared) == {"10.0.0.1"}
        assert shared_name_servers(records, shared) == {"10.0.0.53": 1, "10.0.0.1": 1}
        assert shared_questions(records, shared) is shared_questions(records, shared)
        assert shared_names(records, shared).count().execute() == 3
    with holding([flagged], dns) as records:
        assert shared_local_askers(records, Shared()) == {"10.0.0.1", "198.51.100.1"}
    with holding(dns=dns, local_networks=["198.51.100.0/24"]) as records:
        assert shared_local_askers(records, Shared()) == {"198.51.100.1", "198.51.100.2"}
