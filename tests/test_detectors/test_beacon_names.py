"""Names: carried, looked up, and how many hosts meet their domain."""

from __future__ import annotations

from analyzer.detectors import Shared
from analyzer.detectors.beacon_names import looked_up, met_domains, server_names

from . import connection, holding, lookup


def test_server_names_are_in_lower_case() -> None:
    rows = [connection(0, "10.0.0.5", "198.51.100.7", 443)]
    with holding(rows, ssl=[{"uid": rows[0]["uid"], "server_name": "A.Example.COM"}]) as records:
        shared = Shared()
        assert server_names(records, shared).to_pandas().server_name.tolist() == ["a.example.com"]
        assert server_names(records, shared) is server_names(records, shared)


def test_the_name_asked_for_last() -> None:
    dns = [
        lookup(0, "10.0.0.5", "old.example.com", answers=["198.51.100.7"]),
        lookup(9, "10.0.0.5", "New.example.com.", answers=["cdn.example.net", "198.51.100.7"]),
        lookup(9, "10.0.0.6", "www.example.org", answers=["203.0.113.1"]),
        lookup(9, "10.0.0.7", "none.example.org"),
    ]
    with holding(dns=dns) as records:
        sources = {"10.0.0.5", "10.0.0.6", "10.0.0.7"}
        told, askers = looked_up(records, sources, {"198.51.100.7"}, Shared())
    assert told == {("10.0.0.5", "198.51.100.7"): "new.example.com"}
    assert askers == {"10.0.0.5", "10.0.0.6"}


def test_an_answer_without_its_question_is_an_answer() -> None:
    dns = [lookup(0, "10.0.0.5", "", answers=["198.51.100.7"]) | {"query": None}]
    with holding(dns=dns) as records:
        told, askers = looked_up(records, {"10.0.0.5"}, {"198.51.100.7"}, Shared())
    assert told == {("10.0.0.5", "198.51.100.7"): ""}
    assert askers == {"10.0.0.5"}


def test_hosts_of_a_domain() -> None:
    dns = [lookup(k, f"10.0.0.{k}", f"s{k}.example.co.uk") for k in range(4)]
    dns += [lookup(k, f"10.0.0.{k}", "www.other.co.uk") for k in range(9)]
    with holding(dns=dns) as records:
        domains, hosts = met_domains(records, {"s1.example.co.uk"}, None, Shared())
        assert met_domains(records, set(), None, Shared()) == ({}, {})
    assert domains == {"s1.example.co.uk": "example.co.uk"}
    assert hosts == {"example.co.uk": 4}


def test_without_dns() -> None:
    with holding() as records:
        assert looked_up(records, {"10.0.0.5"}, {"198.51.100.7"}, Shared()) == ({}, set())
        assert met_domains(records, {"a.example.com"}, None, Shared()) == ({}, {})
