"""Threat intelligence: how much each kind of match weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from analyzer.detectors import Detection, Shared
from analyzer.detectors.intelligence import DETECTOR, Doing, Parameters
from analyzer.findings import Severity
from analyzer.indicators import Indicator
from tests.test_detectors import Row, connection, evidence, holding, lookup

HOST = "10.0.0.5"
BAD = "198.51.100.7"
ADDRESS = Indicator("address", BAD, ("a feed", "b feed"), ("stealer",), ("https://a.example",))
DOMAIN = Indicator("domain", "bad.example", ("a feed",))


def find(
    indicators: Sequence[Indicator],
    conn: Sequence[Row] = (),
    dns: Sequence[Row] = (),
    *,
    doing: Doing = "contact",
    **parameters: Any,  # noqa: ANN401 - those of the detector
) -> list[Detection]:
    with holding(conn, dns) as records:
        listed = replace(records, indicators=tuple(indicators))
        return list(DETECTOR.find(listed, Parameters(doing, **parameters), Shared()))


def test_nothing_listed_nothing_found() -> None:
    assert find([], [connection(0, HOST, BAD, 443)]) == []


def test_all_there_is_to_a_contact() -> None:
    rows = [connection(60 * k, HOST, BAD, 443, orig_bytes=100, resp_bytes=900) for k in range(3)]
    (found,) = find([ADDRESS], rows)
    assert (found.source, found.destination, found.port, found.proto) == (HOST, BAD, 443, "tcp")
    assert (found.subject, found.score, found.connections, found.best) == ("", 0.92, 3, "bytes")
    assert found.message == f"{HOST} exchanged 3 kB with {BAD}, which is listed by a feed, b feed"
    assert evidence(found) == {
        "listed address": BAD,
        "listed by": "a feed, b feed",
        "described as": "stealer",
        "see": "https://a.example",
        "connections to it": 3,
        "bytes sent over connections to it": 300,
        "bytes returned over connections to it": 2700,
        "local hosts that met it": 1,
        "local hosts in all": 1,
    }


@pytest.mark.parametrize(
    ("indicator", "columns", "score"),
    [
        (ADDRESS, {"orig_bytes": 1, "resp_bytes": 0}, 0.92),
        (ADDRESS, {}, 0.88),
        (ADDRESS, {"answered": False}, 0.83),
        (Indicator("subnet", "198.51.100.0/24"), {"orig_bytes": 1, "resp_bytes": 0}, 0.89),
        (Indicator("subnet", "198.51.100.0/24"), {"answered": False}, 0.8),
    ],
)
def test_contacts_weigh_by_what_came_of_them(
    indicator: Indicator, columns: dict[str, Any], score: float
) -> None:
    (found,) = find([indicator], [connection(0, HOST, BAD, 443, **columns)])
    assert found.score == score
    assert found.subject == ("" if indicator is ADDRESS else indicator.value)


@pytest.mark.parametrize(
    ("row", "score"),
    [
        (lookup(0, HOST, "www.bad.example", answers=["203.0.113.1"]), 0.8),
        (lookup(0, HOST, "www.bad.example", rcode_name="NXDOMAIN"), 0.72),
        (lookup(0, HOST, "example.com", answers=["x.bad.example"]), 0.72),
    ],
)
def test_lookups(row: Row, score: float) -> None:
    assert find([DOMAIN], dns=[row]) == []
    (found,) = find([DOMAIN], dns=[row], doing="lookup")
    assert (found.source, found.destination, found.subject) == (HOST, None, "bad.example")
    assert (found.score, found.best) == (score, "query")


def test_a_lookup_and_a_contact_are_one_contact() -> None:
    dns = [lookup(0, HOST, "www.bad.example", answers=[BAD])]
    conn = [connection(1, HOST, BAD, 443, orig_bytes=10, resp_bytes=10)]
    assert find([DOMAIN], conn, dns, doing="lookup") == []
    (found,) = find([DOMAIN], conn, dns)
    assert (found.destination, found.subject, found.score) == (BAD, "bad.example", 0.92)
    assert evidence(found)["lookups"] == 1
    assert evidence(found)["names"] == "www.bad.example"


def test_the_host_of_a_url_is_low_at_most() -> None:
    shared_host = replace(DOMAIN, of_url=True)
    dns = [lookup(0, HOST, "bad.example", answers=[BAD])]
    conn = [connection(1, HOST, BAD, 443, orig_bytes=10, resp_bytes=10)]
    (found,) = find([shared_host], conn, dns)
    assert Severity.of(found.score) is Severity.LOW
    assert evidence(found)["host of listed URLs"] == "bad.example"
    (found,) = find([shared_host], dns=dns, doing="lookup")
    assert Severity.of(found.score) is Severity.NONE


def test_visits() -> None:
    (found,) = find([ADDRESS], [connection(0, BAD, HOST, 22)], doing="visit")
    assert (found.source, found.destination, found.port, found.score) == (BAD, HOST, 22, 0.75)
    assert found.message == f"{BAD}, listed by a feed, b feed, was answered by {HOST}"
    (found,) = find([ADDRESS], [connection(0, BAD, HOST, 22, answered=False)], doing="visit")
    assert found.score == 0.4
    assert find([ADDRESS], [connection(0, BAD, HOST, 22)]) == []


@pytest.mark.parametrize(("visitors", "loud"), [(9, 9), (10, 0)])
def test_a_public_service_is_visited_by_everyone(visitors: int, loud: int) -> None:
    listed = [Indicator("address", f"198.51.100.{k}") for k in range(1, visitors + 1)]
    rows = [connection(k, one.value, HOST, 443) for k, one in enumerate(listed)]
    found = find(listed, rows, doing="visit")
    assert len(found) == visitors
    assert sum(each.score >= Severity.LOW.bound for each in found) == loud


def test_where_half_of_all_go_the_list_is_doubted() -> None:
    rows = [connection(k, f"10.0.0.{k}", "203.0.113.1", 443) for k in range(1, 21)]
    rows += [
        connection(k, f"10.0.0.{k}", BAD, 443, orig_bytes=1, resp_bytes=1) for k in range(1, 10)
    ]
    assert {each.score for each in find([ADDRESS], rows)} == {0.92}
    rows.append(connection(10, "10.0.0.10", BAD, 443, orig_bytes=1, resp_bytes=1))
    assert {each.score for each in find([ADDRESS], rows)} == {0.77}


def test_a_resolver_asks_for_others() -> None:
    rows = [
        lookup(0, HOST, "bad.example", answers=[BAD]),
        lookup(1, "10.0.0.53", "bad.example", answers=[BAD], resp_h="203.0.113.53"),
        lookup(2, "10.0.0.53", "worse.example", answers=[BAD], resp_h="203.0.113.53"),
    ]
    found = find([DOMAIN, Indicator("domain", "worse.example")], dns=rows, doing="lookup")
    scores = {(each.source, each.subject): each.score for each in found}
    assert scores == {
        (HOST, "bad.example"): 0.8,
        ("10.0.0.53", "bad.example"): 0.5,
        ("10.0.0.53", "worse.example"): 0.8,
    }


def test_order_and_threads_do_not_matter() -> None:
    dns = [lookup(k, f"10.0.0.{k % 7}", f"{k % 3}.bad.example", answers=[BAD]) for k in range(40)]
    conn = [connection(k, f"10.0.0.{k % 9}", BAD, 443, orig_bytes=k) for k in range(60)]
    one = find([ADDRESS, DOMAIN], conn, dns)
    assert len(one) == 16
    assert find([ADDRESS, DOMAIN], conn[::-1], dns[::-1]) == one
