"""DNS types: which ones nobody needs, who is at home with them, and TXT by the hundred."""

from __future__ import annotations

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.dns_type import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, detect, evidence, lookup


def asking(
    count: int, qtype: str | None, *, source: str = "10.0.0.5", gap: float = 1.0
) -> list[Row]:
    return [lookup(gap * k, source, "a.example.com", qtype_name=qtype) for k in range(count)]


def rare(dns: list[Row], **changes: object) -> list[Detection]:
    return detect(DETECTOR, Parameters(**changes), [], dns)  # type: ignore[arg-type]


def text(dns: list[Row], **changes: object) -> list[Detection]:
    return rare(dns, **{"of": "text", "queries": 100} | changes)


@pytest.mark.parametrize(
    ("qtype", "count", "score"),
    [
        ("WKS", 5, 0.7),
        ("WKS", 100, 0.75),
        ("KEY", 1000, 0.78),
        ("query-4711", 5, 0.7),
        ("NULL", 5, 0.7),
        ("NULL", 100, 0.8),
        ("query-65399", 1000, 0.85),
        ("*", 99, 0.693),
        ("*", 100, 0.7),
        ("WKS", 3, 0.42),
    ],
)
def test_scores(qtype: str, count: int, score: float) -> None:
    (found,) = rare(asking(count, qtype))
    assert found.score == pytest.approx(score)
    assert found.technique == ("T1498.002" if qtype == "*" else None)


def test_what_is_said() -> None:
    (found,) = rare([*asking(6, "HINFO"), lookup(9, "10.0.0.5", "a", qtype_name="HINFO")])
    assert found.message == "10.0.0.5 asked 7 times for DNS records of type HINFO"
    assert (found.first, found.last, found.connections) == (START, START + 9, 7)
    assert (found.subject, found.port) == ("type HINFO", 53)
    assert evidence(found) == {
        "questions of type HINFO": 7,
        "local hosts asking for the type": 1,
        "servers asked": 1,
    }


@pytest.mark.parametrize(("names", "score"), [(499, 0.85), (500, 0.79)])
def test_names_that_carry_data_are_left_to_the_tunnels(names: int, score: float) -> None:
    rows = [row | {"query": f"{k % names}.a.com"} for k, row in enumerate(asking(1000, "NULL"))]
    (found,) = rare(rows)
    assert found.score == pytest.approx(score)
    assert evidence(found)["distinct names"] == names


@pytest.mark.parametrize(
    "qtype", ["A", "AAAA", "HTTPS", "TXT", "MX", "PTR", "DNSKEY", "NBSTAT", "AXFR", None]
)
def test_everyday_types(qtype: str | None) -> None:
    assert rare(asking(500, qtype)) == []


def test_a_type_that_several_hosts_ask_for_is_at_home() -> None:
    two = [row for k in (5, 6) for row in asking(10, "A6", source=f"10.0.0.{k}")]
    three = [*two, *asking(10, "A6", source="10.0.0.7")]
    assert [each.score for each in rare(two)] == pytest.approx([0.7 + 0.05 / 19] * 2)
    assert [each.score for each in rare(three)] == pytest.approx([0.5] * 3)


def test_a_host_that_others_ask_passes_their_questions_on() -> None:
    clients = [lookup(k, f"10.0.0.{k}", "a.com", resp_h="10.0.0.5") for k in (6, 7, 8)]
    assert [each.score for each in rare([*asking(100, "NULL"), *clients])] == [0.5]


def test_outside_hosts_are_not_ours() -> None:
    assert rare(asking(100, "NULL", source="198.51.100.9")) == []


@pytest.mark.parametrize(("count", "score"), [(50, 0.35), (99, 0.693), (100, 0.7), (3000, 0.76)])
def test_scores_of_text(count: int, score: float) -> None:
    (found,) = text(asking(count, "TXT"))
    assert found.score == pytest.approx(score, abs=0.01)
    assert Severity.of(found.score) <= Severity.LOW


def test_what_is_said_of_text() -> None:
    (found,) = text([*asking(200, "TXT"), *asking(50, "A")])
    assert found.message == "10.0.0.5 asked 200 times for TXT records within an hour"
    assert (found.first, found.last, found.connections) == (START, START + 199, 200)
    assert evidence(found) == {
        "TXT questions in an hour": 200,
        "share of the hour's questions": 0.8,
        "local hosts doing the like": 1,
    }


def test_text_among_other_questions() -> None:
    assert len(text([*asking(200, "TXT"), *asking(200, "A")])) == 1
    assert text([*asking(200, "TXT"), *asking(201, "A")]) == []


def test_hosts_that_route_mail_ask_for_text() -> None:
    assert text([*asking(200, "TXT"), lookup(50_000, "10.0.0.5", "b.com", qtype_name="MX")]) == []


def test_hosts_that_do_the_like() -> None:
    rows = [row for k in range(3) for row in asking(100, "TXT", source=f"10.0.0.{k}")]
    assert [each.score for each in text(rows)] == [0.5] * 3


def test_nothing_comes_of_nothing() -> None:
    assert rare([]) == text([]) == []
    assert text(asking(49, "TXT")) == []
