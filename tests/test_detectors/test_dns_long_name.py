"""Long DNS names: from where on a name is long, and what speaks for a service."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.dns_long_name import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, detect, evidence, lookup


def ordinary(count: int = 400, source: str = "10.0.0.9") -> list[Row]:
    """Names of 15 to 30 characters."""
    return [
        lookup(7 * k, source, f"{'w' * (k % 16 + 1)}.site{k:04d}.com", answers=["198.51.100.1"])
        for k in range(count)
    ]


def name_below(length: int, domain: str = "example.net", fill: str = "a") -> str:
    """Return a name with so many characters below a domain."""
    labels = [fill * 60] * (length // 61)
    rest = length - 61 * len(labels)
    return ".".join([*labels, fill * rest, domain] if rest else [*labels[:-1], fill * 59, domain])


def long_name(length: int = 180, second: float = 3000, **columns: Any) -> Row:  # noqa: ANN401
    source = columns.pop("source", "10.0.0.5")
    domain = columns.pop("domain", "example.net")
    return lookup(second, source, name_below(length, domain), **columns)


def found_in(dns: list[Row], conn: list[Row] | None = None, **changes: object) -> list[Detection]:
    return detect(DETECTOR, Parameters(**changes), conn or [], dns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("length", "score"),
    [(90, 0.7), (130, 0.7 + 0.1 * (130 / 90 - 1) / 0.9), (171, 0.8), (225, 0.85), (240, 0.85)],
)
def test_scores_by_length(length: int, score: float) -> None:
    (found,) = found_in([*ordinary(), long_name(length)])
    assert found.score == pytest.approx(score)


def test_what_is_said() -> None:
    (found,) = found_in([*ordinary(), long_name(180), long_name(100, 3100)])
    assert found.message == ("10.0.0.5 asked for 2 names of up to 180 characters below example.net")
    assert (found.source, found.subject, found.best) == ("10.0.0.5", "example.net", "query")
    assert (found.first, found.last, found.connections) == (START + 3000, START + 3100, 2)
    assert Severity.of(found.score) is Severity.MEDIUM
    said = evidence(found)
    assert float(said.pop("tail probability of the length")) < 1e-4
    assert said == {
        "characters below the domain": 180,
        "hosts asking below the domain": 1,
        "domain known before for": 0,
        "answers contacted": "no",
        "domains with such names": 1,
    }


def test_shorter_names_are_nothing() -> None:
    assert found_in([*ordinary(), long_name(89)]) == []


def test_a_long_registered_domain_is_no_long_name() -> None:
    assert found_in([*ordinary(), lookup(9, "10.0.0.5", "a" * 63 + "." + "b" * 63 + ".com")]) == []


def test_where_names_are_long_one_more_is_ordinary() -> None:
    usual = [long_name(60 + k % 90, 7 * k, domain=f"example{k}.com", source="10.0.0.9")
             for k in range(3000)]  # fmt: skip
    assert [f.source for f in found_in([*usual, long_name(150)]) if f.source != "10.0.0.9"] == []


@pytest.mark.parametrize("zone", ["d1.cloudfront.net", "elb.amazonaws.com", "avqs.mcafee.com"])
def test_known_zones_are_left_out(zone: str) -> None:
    assert found_in([*ordinary(), long_name(domain=zone)]) == []


def test_a_domain_that_several_hosts_ask_is_a_service() -> None:
    two = [lookup(3000, f"10.0.0.{k}", "www.example.net") for k in (6,)]
    three = [*two, lookup(3000, "10.0.0.7", "www.example.net")]
    assert [f.score for f in found_in([*ordinary(), long_name(171), *two])] == pytest.approx([0.8])
    assert [f.score for f in found_in([*ordinary(), long_name(171), *three])] == pytest.approx(
        [0.5]
    )


@pytest.mark.parametrize(("earlier", "score"), [(3600, 0.8), (3601, 0.5)])
def test_a_domain_that_was_known_before(earlier: float, score: float) -> None:
    before = lookup(4000 - earlier, "10.0.0.5", "www.example.net")
    (found,) = found_in([*ordinary(), before, long_name(171, 4000)])
    assert found.score == pytest.approx(score)


def test_answers_that_are_contacted() -> None:
    rows = [*ordinary(), long_name(171, answers=["c.example.net", "198.51.100.7"])]
    (followed,) = found_in(rows, [connection(3001, "10.0.0.5", "198.51.100.7", 443)])
    (by_another,) = found_in(rows, [connection(3001, "10.0.0.6", "198.51.100.7", 443)])
    assert (followed.score, by_another.score) == pytest.approx((0.5, 0.8))


def test_a_host_that_asks_long_names_everywhere() -> None:
    rows = [long_name(171, 3000 + k, domain=f"example{k}.com") for k in range(5)]
    assert [f.score for f in found_in([*ordinary(), *rows[:4]])] == pytest.approx([0.8] * 4)
    assert [f.score for f in found_in([*ordinary(), *rows])] == pytest.approx([0.5] * 5)


def test_many_of_them_are_left_to_the_tunnels() -> None:
    rows = [lookup(3000 + k, "10.0.0.5", name_below(171, fill=chr(97 + k))) for k in range(22)]
    assert len(found_in([*ordinary(), *rows[:21]])) == 1
    assert found_in([*ordinary(), *rows]) == []


def test_outside_hosts_are_not_ours() -> None:
    assert found_in([*ordinary(), long_name(source="198.51.100.9")]) == []


def test_a_public_suffix_is_no_domain() -> None:
    suffix = ".".join(["a" * 60] * 3) + ".co.uk"
    (found,) = found_in([lookup(1, "10.0.0.5", suffix)], length=60)
    assert found.subject == "a" * 60 + ".co.uk"


def test_nothing_comes_of_nothing() -> None:
    assert found_in([]) == []
    assert found_in([lookup(0, "10.0.0.5", "x") | {"query": None}]) == []
    (alone,) = found_in([long_name(qtype_name=None, rcode_name=None, resp_p=None)])
    assert alone.score > 0.8
