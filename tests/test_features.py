"""What several detectors measure: answers, requests, contacts, locality and names asked for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from analyzer.engine import Engine
from analyzer.features import (
    HALF_DAY,
    asked_below,
    asked_names,
    contacts,
    conversations,
    destinations,
    dns_questions,
    local_hosts,
    name_servers,
    plain_name,
    with_bucket_before,
)
from tests.test_detectors import START, Row, connection, holding, lookup


def test_an_icmp_type_that_is_missing_asks_nothing() -> None:
    rows = [connection(0, "10.0.0.1", "10.0.0.2", 0, proto="icmp", orig_p=None)]
    with holding(rows) as records:
        assert contacts(records, conversations(records)).to_pyarrow().to_pylist() == []


def kept(rows: list[Row]) -> list[dict[str, Any]]:
    with holding(rows) as records:
        table = contacts(records, conversations(records)).order_by(
            "orig_h", "half_day", "resp_h", "proto", "resp_p"
        )
        return list(table.to_pyarrow().to_pylist())


def test_contacts_of_a_half_day_are_one() -> None:
    rows = [
        connection(10, "10.0.0.1", "10.0.0.2", 80, answered=False, local_orig=True, orig_pkts=3),
        connection(
            20,
            "10.0.0.1",
            "10.0.0.2",
            80,
            local_orig=True,
            local_resp=False,
            duration=1.5,
            orig_bytes=100,
            resp_bytes=2000,
            orig_pkts=4,
        ),
        connection(30, "10.0.0.1", "10.0.0.2", 80, duration=0.5, orig_bytes=50),
        connection(HALF_DAY, "10.0.0.1", "10.0.0.2", 80, answered=False),
    ]
    first, second = kept(rows)
    half_day = int(START / HALF_DAY)
    assert first == {
        "orig_h": "10.0.0.1",
        "resp_h": "10.0.0.2",
        "proto": "tcp",
        "resp_p": 80,
        "half_day": half_day,
        "first": START + 10,
        "last": START + 30,
        "connections": 3,
        "answered": True,
        "failed": 1,
        "bytes_out": 150.0,
        "bytes_in": 2000.0,
        "packets_out": 7,
        "longest": 1.5,
        "lasted": 2.0,
        "login_service": 0,
        "local_orig": True,
        "source_is_local": True,
        "is_local": False,
    }
    assert (second["half_day"], second["answered"], second["connections"]) == (
        half_day + 1,
        False,
        1,
    )
    assert (second["local_orig"], second["is_local"]) == (None, False)


def test_contacts_leave_out_groups_and_answers() -> None:
    rows = [
        connection(0, "10.0.0.1", "239.0.0.1", 5000, proto="udp"),
        connection(1, "10.0.0.1", "10.0.0.255", 137, proto="udp"),
        connection(2, "10.0.0.1", "ff02::fb", 5353, proto="udp"),
        connection(3, "10.0.0.1", "10.0.0.2", 50_000, proto="udp", orig_p=53),
        connection(4, "10.0.0.1", "10.0.0.2", 137, proto="udp"),
    ]
    assert [(row["resp_h"], row["resp_p"]) for row in kept(rows)] == [("10.0.0.2", 137)]


def test_icmp_requests_of_any_kind_are_one_contact() -> None:
    rows = [
        connection(0, "10.0.0.1", "10.0.0.2", 0, proto="icmp"),
        connection(1, "10.0.0.1", "10.0.0.2", 14, proto="icmp", orig_p=13),
        connection(2, "fd00::1", "fd00::2", 129, proto="icmp", orig_p=128),
    ]
    assert [(row["orig_h"], row["resp_p"], row["connections"]) for row in kept(rows)] == [
        ("10.0.0.1", 0, 2),
        ("fd00::1", 0, 1),
    ]


def test_a_missing_port_is_zero() -> None:
    (row,) = kept([connection(0, "10.0.0.1", "10.0.0.2", 0) | {"resp_p": None}])
    assert row["resp_p"] == 0


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        ((), {"10.0.0.2": True, "8.8.8.8": True, "9.9.9.9": False, "fd00::2": True}),
        (("8.8.8.0/24",), {"10.0.0.2": False, "8.8.8.8": True, "9.9.9.9": False, "fd00::2": False}),
    ],
)
def test_every_contact_knows_whether_its_destination_is_local(
    networks: tuple[str, ...], expected: dict[str, bool]
) -> None:
    rows = [
        connection(k, "10.0.0.1", target, 80 + k % 2, local_resp=flag)
        for k, (target, flag) in enumerate(
            [("10.0.0.2", None), ("10.0.0.2", True), ("8.8.8.8", True), ("8.8.8.8", None),
             ("9.9.9.9", False), ("fd00::2", None)]
        )
    ]  # fmt: skip
    with holding(rows, local_networks=networks) as records:
        found = contacts(records, conversations(records)).to_pyarrow().to_pylist()
    assert len(found) == 6
    assert {row["resp_h"]: row["is_local"] for row in found} == expected


def test_names_are_plain() -> None:
    names = ["Example.COM.", "example.com", "a.b..", "", ".", "BÜCHER.de"]
    rows = [lookup(k, "10.0.0.1", name) for k, name in enumerate(names)]
    with holding(dns=rows) as records:
        table = records.dns.mutate(name=plain_name(records.dns)).order_by("ts")
        found = [row["name"] for row in table.to_pyarrow().to_pylist()]
    assert found == ["example.com", "example.com", "a.b.", "", "", "bücher.de"]


def test_names_asked_for() -> None:
    rows = [
        lookup(0, "10.0.0.1", "a.example.com"),
        lookup(1, "10.0.0.1", "A.example.com.", qtype_name="TXT"),
        lookup(2, "10.0.0.1", "a.example.com", qtype_name=None, rcode_name="NXDOMAIN"),
        lookup(3, "10.0.0.2", "a.example.com", rcode_name=None),
        lookup(4, "10.0.0.2", "b.example.com", resp_p=5353),
        lookup(5, "10.0.0.2", "4.3.2.1.in-addr.arpa"),
        lookup(6, "10.0.0.2", "printer.local"),
        lookup(7, "10.0.0.2", "wpad"),
        lookup(8, "10.0.0.2", "thelocal"),
        lookup(9, "10.0.0.2", "www.thelocal.com"),
        lookup(10, "10.0.0.2", "x") | {"query": None},
    ]
    with holding(dns=rows) as records:
        table = asked_names(records).order_by("orig_h", "name")
        found = table.to_pyarrow().to_pylist()
    assert found == [
        {
            "orig_h": "10.0.0.1",
            "name": "a.example.com",
            "first": START,
            "last": START + 2,
            "queries": 3,
            "data_queries": 1,
            "refused": 1,
        },
        {
            "orig_h": "10.0.0.2",
            "name": "a.example.com",
            "first": START + 3,
            "last": START + 3,
            "queries": 1,
            "data_queries": 0,
            "refused": 0,
        },
        {
            "orig_h": "10.0.0.2",
            "name": "www.thelocal.com",
            "first": START + 9,
            "last": START + 9,
            "queries": 1,
            "data_queries": 0,
            "refused": 0,
        },
    ]


def test_names_below_domains() -> None:
    names = ["a.example.com", "example.com", "b.a.example.co.uk", "notexample.com", "x.co.uk"]
    rows = [lookup(k, "10.0.0.1", name) for k, name in enumerate(names)]
    with holding(dns=rows) as records:
        asked = asked_names(records)
        table = asked_below(asked, {"example.com", "example.co.uk"}, records).order_by("first")
        found = [(row["name"], row["domain"]) for row in table.to_pyarrow().to_pylist()]
        assert asked_below(asked, set(), records).count().execute() == 0
    assert found == [
        ("a.example.com", "example.com"),
        ("example.com", "example.com"),
        ("b.a.example.co.uk", "example.co.uk"),
    ]


def test_questions_and_who_answers_them() -> None:
    rows = [
        lookup(0, "10.0.0.1", "a.com"),
        lookup(9, "10.0.0.1", "b.com", rcode_name="NXDOMAIN"),
        lookup(3600, "10.0.0.1", "a.com"),
        lookup(5, "10.0.0.2", "a.com", qtype_name="TXT", rcode_name=None),
        lookup(6, "10.0.0.2", "", qtype_name="NS", resp_h="10.0.0.54", resp_p=None),
        lookup(7, "10.0.0.2", "x.local", resp_p=5353),
        lookup(7, "10.0.0.2", "x", resp_h="224.0.0.252"),
        lookup(8, "10.0.0.2", "x") | {"query": None},
    ]
    with holding(dns=rows) as records:
        questions = dns_questions(records)
        table = questions.order_by("orig_h", "first").to_pyarrow().to_pylist()
        servers = name_servers(questions).order_by("orig_h").to_pyarrow().to_pylist()
    hour = int(START // 3600)
    columns = ("orig_h", "resp_h", "qtype_name", "hour", "queries", "accepted", "first", "last")
    assert [tuple(row[column] for column in columns) for row in table] == [
        ("10.0.0.1", "10.0.0.53", "A", hour, 2, 1, START, START + 9),
        ("10.0.0.1", "10.0.0.53", "A", hour + 1, 1, 1, START + 3600, START + 3600),
        ("10.0.0.2", "10.0.0.53", "TXT", hour, 1, 0, START + 5, START + 5),
        ("10.0.0.2", "10.0.0.54", "NS", hour, 1, 1, START + 6, START + 6),
    ]
    assert servers == [
        {"orig_h": "10.0.0.53", "clients": 1},
        {"orig_h": "10.0.0.54", "clients": 1},
    ]


def test_counts_with_those_of_the_bucket_before() -> None:
    # source, bucket, count, and the count with that of the bucket before
    buckets = [("a", 1, 2, 2), ("a", 2, 3, 5), ("a", 4, 7, 7), ("b", 5, 1, 1), ("b", 6, 4, 5)]
    rows = [{"orig_h": source, "bucket": at, "hosts": count} for source, at, count, _ in buckets]
    with Engine() as engine:
        kept = engine.keep(pa.Table.from_pylist(rows), "counted")
        found = with_bucket_before(kept, ("orig_h",), ("hosts",)).order_by("orig_h", "bucket")
        assert [tuple(row.values()) for row in found.to_pyarrow().to_pylist()] == [
            (source, at, both) for source, at, _, both in buckets
        ]


def test_how_common_destinations_are() -> None:
    rows = [
        connection(5, "10.0.0.1", "198.51.100.1", 80),
        connection(9, "10.0.0.2", "198.51.100.1", 443),
        connection(1, "203.0.113.9", "198.51.100.1", 80),
        connection(2, "10.0.0.2", "10.0.0.3", 22),
    ]
    with holding(rows) as records:
        tried = contacts(records, conversations(records))
        found = destinations(records, tried).order_by("resp_h").to_pyarrow().to_pylist()
        assert found == [
            {"resp_h": "10.0.0.3", "is_local": True, "sources": 1, "met_first": START + 2},
            {"resp_h": "198.51.100.1", "is_local": False, "sources": 2, "met_first": START + 5},
        ]
        assert local_hosts(tried) == 2
