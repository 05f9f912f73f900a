"""Context of findings: what bears them out, who else goes there, since when, under which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import analyzer
from analyzer.context import LISTED, NAMES_KEPT, corroborated, in_context
from analyzer.detectors import Detection, Shared
from analyzer.findings import Evidence, Finding
from tests.test_detectors import DAY, START, Row, connection, holding, lookup
from tests.test_findings import SCAN

RULES = {rule.id: rule for rule in analyzer.load_rules()}
HOST = "10.0.0.5"
THERE = "198.51.100.7"


def detection(score: float = 0.7, **changes: Any) -> Detection:  # noqa: ANN401
    given: dict[str, Any] = {"source": HOST, "first": START, "last": START, "message": ""}
    return Detection(score=score, connections=1, **(given | changes))


def match(score: float = 0.92, **changes: Any) -> Detection:  # noqa: ANN401
    listed = (Evidence("listed by", "a feed"),)
    return detection(score, **({"destination": THERE, "evidence": listed} | changes))


def raised(other: Detection, of: Detection) -> Detection:
    """What becomes of a detection beside a match."""
    found = corroborated([(RULES["port_scan"], other), (RULES["threat_intelligence"], of)])
    assert found[1] == (RULES["threat_intelligence"], of)
    return found[0][1]


@pytest.mark.parametrize(
    ("other", "of"),
    [
        ({"destination": THERE}, {}),
        ({"destination": THERE, "port": 443}, {"port": 80}),
        ({"source": THERE, "destination": HOST}, {}),
        ({"subject": "bad.example"}, {"subject": "bad.example", "destination": None}),
        ({"subject": "x.Bad.example"}, {"subject": "bad.example"}),
    ],
)
def test_what_is_listed_raises_what_else_is_found_there(
    other: dict[str, Any], of: dict[str, Any]
) -> None:
    found = raised(detection(0.7, **other), match(**of))
    assert found.score == pytest.approx(0.85)
    assert found.evidence == (Evidence(LISTED, "a feed"),)


@pytest.mark.parametrize(
    ("other", "of"),
    [
        ({"destination": "198.51.100.8"}, {}),
        ({}, {}),
        ({"source": "10.0.0.6", "destination": THERE}, {}),
        ({"subject": "example"}, {"subject": "bad.example", "destination": None}),
        ({"destination": THERE}, {"score": 0.69}),
    ],
)
def test_what_is_elsewhere_stays(other: dict[str, Any], of: dict[str, Any]) -> None:
    assert raised(detection(0.7, **other), match(**of)) == detection(0.7, **other)


def finding(destination: str | None = THERE, **changes: Any) -> Finding:  # noqa: ANN401
    return replace(SCAN, source=HOST, destination=destination, evidence=(), **changes)


def told(
    found: Finding,
    conn: Sequence[Row] = (),
    dns: Sequence[Row] = (),
    **options: Any,  # noqa: ANN401
) -> Finding:
    with holding(conn, dns, **options) as records:
        (one,) = in_context([found], records, Shared())
    return one


CONN = [
    connection(0, "10.0.0.9", "203.0.113.1", 443),
    connection(7200, HOST, THERE, 443),
    connection(7300, "10.0.0.6", THERE, 80),
    connection(100, "203.0.113.7", THERE, 80),
]
DNS = [
    lookup(7100, HOST, "cdn.example.net", answers=["x.example.net", THERE]),
    lookup(7200, HOST, "WWW.example.com", answers=[THERE]),
    lookup(7300, HOST, "www.example.com", answers=[THERE]),
    lookup(7400, HOST, "www.example.org", answers=["203.0.113.9"]),
]


def test_all_there_is_to_say() -> None:
    found = told(finding(), CONN, DNS)
    assert found.evidence == (
        Evidence("local hosts that met it", 2),
        Evidence("local hosts in all", 3),
        Evidence("first met", "2023-11-15 02:00:00 UTC, 2 h into the records"),
        Evidence("looked up as", "www.example.com, cdn.example.net"),
    )
    assert found.looked_up_as == ("www.example.com", "cdn.example.net")


def test_an_answer_whose_question_was_not_seen_is_no_name() -> None:
    unasked = lookup(7050, HOST, None, answers=[THERE])
    assert told(finding(), CONN, [unasked]).looked_up_as == ()
    assert told(finding(), CONN, [unasked, *DNS]) == told(finding(), CONN, DNS)


def test_what_is_said_already_is_not_said_again() -> None:
    said = Evidence("local hosts that met it", 1)
    found = told(replace(finding(), evidence=(said,)), CONN, DNS)
    assert [item.name for item in found.evidence] == [
        "local hosts that met it",
        "local hosts in all",
        "first met",
        "looked up as",
    ]
    assert found.evidence[0] is said


@pytest.mark.parametrize(
    ("found", "conn"),
    [
        (finding(None), CONN),
        (finding("10.0.0.9"), [connection(0, HOST, "10.0.0.9", 22)]),
        (finding("239.255.255.250"), [connection(0, HOST, "239.255.255.250", 1900, proto="udp")]),
        (finding(score=0.69), CONN),
        (finding(), []),
    ],
    ids=["none", "local", "multicast", "quiet", "no records"],
)
def test_nothing_to_say(found: Finding, conn: list[Row]) -> None:
    assert told(found, conn) == found


def test_names_without_connections() -> None:
    found = told(finding(), dns=DNS)
    assert [item.name for item in found.evidence] == ["looked up as"]
    ours = told(finding(), dns=DNS, local_networks=["198.51.100.0/24"])
    assert ours.evidence == ()


def test_many_names() -> None:
    rows = [lookup(k, HOST, f"n{k:03}.example.com", answers=[THERE]) for k in range(150)]
    found = told(finding(), CONN, [*rows, *rows[149:]])
    assert found.looked_up_as == (
        "n149.example.com",
        *(f"n{k:03}.example.com" for k in range(NAMES_KEPT - 1)),
    )
    shown = "n149.example.com, n000.example.com, n001.example.com and 147 more"
    assert found.evidence[-1] == Evidence("looked up as", shown)


def test_order_does_not_matter() -> None:
    rows = [connection(k * DAY / 50, f"10.0.0.{k}", THERE, 443) for k in range(50)]
    assert told(finding(), rows, DNS) == told(finding(), rows[::-1], DNS[::-1])
