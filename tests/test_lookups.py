"""Which names led where, and the registered domain of every name."""

from __future__ import annotations

from analyzer.detectors import Shared
from analyzer.detectors.detection import shared_answers, shared_domains
from analyzer.lookups import answers
from tests.test_detectors import holding, lookup


def test_a_row_per_query_and_answer() -> None:
    dns = [
        lookup(0, "10.0.0.1", "www.example.com", answers=["cdn.example.net", "198.51.100.7"]),
        lookup(1, "10.0.0.2", "www.example.com", answers=["198.51.100.7"]),
        lookup(2, "10.0.0.1", "WWW.example.com.", answers=["198.51.100.7"]),
        lookup(3, "10.0.0.1", "none.example.com"),
        lookup(4, "10.0.0.1", "empty.example.com", answers=[]),
        lookup(5, "10.0.0.1", "", answers=["2001:db8::1"]) | {"query": None},
    ]
    with holding(dns=dns) as records:
        rows = answers(records).order_by("query", "address").to_pyarrow().to_pylist()
    assert [(row["query"], row["name"], row["address"], row["times"]) for row in rows] == [
        ("WWW.example.com.", "www.example.com", "198.51.100.7", 1),
        ("www.example.com", "www.example.com", "198.51.100.7", 2),
        ("www.example.com", "www.example.com", "cdn.example.net", 1),
        (None, None, "2001:db8::1", 1),
    ]


def test_a_text_too_long_for_an_address_is_none() -> None:
    longest = "0000:0000:0000:0000:0000:ffff:255.255.255.255"
    dns = [lookup(0, "10.0.0.1", "a.example.com", answers=[longest, longest + "0"])]
    with holding(dns=dns) as records:
        assert answers(records).to_pandas().address.tolist() == [longest]


def test_the_domain_of_every_name_asked_for_or_answered() -> None:
    dns = [
        lookup(0, "10.0.0.1", "a.example.co.uk"),
        lookup(1, "10.0.0.2", "A.example.co.uk"),
        lookup(2, "10.0.0.1", "co.uk"),
        # Asked of the neighbours, so that nobody was asked, but answered.
        lookup(3, "10.0.0.1", "printer.example.org", resp_p=5353, answers=["10.0.0.9"]),
        lookup(4, "10.0.0.1", "", answers=["10.0.0.9"]) | {"query": None},
    ]
    with holding(dns=dns) as records:
        shared = Shared()
        rows = shared_domains(records, shared).order_by("name").to_pyarrow().to_pylist()
        assert shared_answers(records, shared) is shared_answers(records, shared)
    assert [(row["name"], row["domain"]) for row in rows] == [
        ("a.example.co.uk", "example.co.uk"),
        ("co.uk", None),
        ("printer.example.org", "example.org"),
    ]
