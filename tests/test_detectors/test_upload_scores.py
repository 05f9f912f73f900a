"""How sure one is of an upload, by size, place and what explains it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.detectors.transfers import HOUR, Transfer
from analyzer.detectors.upload_context import Context
from analyzer.detectors.upload_scores import Case, score, technique, unremarkable
from analyzer.detectors.uploads import Usual

from .test_transfers import rows_of

FLOOR = 10e6
CONTEXT = Context(
    hosts=100,
    others=0,
    others_sent=(),
    lookups=1.0,
    collected=0.0,
    contributors=0.0,
    sent_in_all=1e9,
    swarm=False,
    met=0.0,
    seen=0.0,
    seen_last=9e4,
)


def case(
    sent: float = 1e9,
    *,
    name: str = "",
    port: int = 443,
    **around: Any,  # noqa: ANN401 - whatever a context holds
) -> Case:
    rows = rows_of((0.0, sent)).assign(resp_p=port)
    return Case(
        transfer=Transfer("10.0.0.5", "example.com", rows, likes=0, clock_likes=0),
        context=replace(CONTEXT, **around),
        name=name,
        usual=Usual(9.4, 0.8, 10),
        chance=1e-9,
        samples=100,
    )


@pytest.mark.parametrize(
    ("judged", "times"),
    [
        (case(), 1.0),
        (case(lookups=0.2), 9.0),
        (case(lookups=0.2, port=4444), 1.0),
        (case(name="a.example.com"), 24.0),
        (case(name="a.example.com", port=4444), 3.0),
        (case(name="a.example.com", others=10, others_sent=(5e8,)), 72.0),
        (case(name="a.example.com", others=10, others_sent=(5e6,)), 24.0),
        (case(name="a.example.com", hosts=9, others=8, others_sent=(5e8,)), 24.0),
    ],
)
def test_what_is_unremarkable(judged: Case, times: float) -> None:
    assert unremarkable(judged, FLOOR) == pytest.approx(times * FLOOR)


def test_rare_places_are_louder_and_common_ones_quieter() -> None:
    rare = score(case(20e6 * 24, name="a.example.com"), FLOOR)
    few = score(case(20e6 * 24, name="a.example.com", others=3), FLOOR)
    assert rare == few < 0.8
    loud = case(100e6 * 24, name="a.example.com")
    plain = score(replace(loud, context=replace(CONTEXT, hosts=9)), FLOOR)
    assert score(loud, FLOOR) == pytest.approx(plain + 0.05)
    everyone = case(300e6 * 24, name="a.example.com", others=60, others_sent=(9e8,))
    assert score(everyone, FLOOR) < 0.7


def test_only_a_place_with_a_name_is_synchronised() -> None:
    rows = rows_of(*((HOUR * k / 2, 7e6 + 3e6 * (k % 3)) for k in range(48)))
    transfer = Transfer("10.0.0.5", "example.com", rows, likes=0, clock_likes=0)
    steady = replace(case(name="a.example.com"), transfer=transfer)
    assert score(steady, FLOOR) == 0.5
    assert score(replace(steady, name=""), FLOOR) > 0.9
    late = replace(CONTEXT, seen=-6 * HOUR)
    assert score(replace(steady, context=late), FLOOR) > 0.7


def test_techniques() -> None:
    assert technique(case()) == "T1048"
    assert technique(case(met=-900.0)) == "T1041"
    assert technique(case(name="a.example.com")) == "T1567"
    chunks = rows_of(*((60.0 * k, 5e6) for k in range(9)))
    transfer = Transfer("10.0.0.5", "example.com", chunks, likes=0, clock_likes=0)
    assert technique(replace(case(), transfer=transfer)) == "T1030"
