"""Ports, protocols, peers, services and names, from rows of a baseline."""

from __future__ import annotations

from analyzer.baseline.contacts import (
    Domain,
    Peer,
    PortUse,
    Service,
    Share,
    names_of,
    peers_of,
    ports_of,
    services_of,
    shares_of,
)

from . import FIRST, frame

PORTS = frame(
    "ports",
    ("a", "tcp", 443, "ssl", True, FIRST, 30.0, 300.0),
    ("a", "tcp", 443, "ssl", False, FIRST, 10.0, 100.0),
    ("a", "tcp", 443, "ssl", True, FIRST + 1, 20.0, 200.0),
    ("a", "tcp", 443, "", True, FIRST, 20.0, 0.0),
    ("a", "udp", 53, "dns", False, FIRST, 20.0, 40.0),
)


def test_ports() -> None:
    assert ports_of(PORTS) == (
        PortUse("tcp", 443, "ssl", 60.0, 0.6, 50 / 60, 600.0, 2),
        PortUse("tcp", 443, "", 20.0, 0.2, 1.0, 0.0, 1),
        PortUse("udp", 53, "dns", 20.0, 0.2, 0.0, 40.0, 1),
    )
    assert ports_of(frame("ports")) == ()


def test_shares() -> None:
    assert shares_of(PORTS, "proto") == (Share("tcp", 80.0, 0.8), Share("udp", 20.0, 0.2))
    spoken = shares_of(PORTS, "application")
    assert [share.name for share in spoken] == ["ssl", "", "dns"]
    nothing = frame("ports", ("a", "tcp", 1, "", True, FIRST, 0.0, 0.0))
    assert shares_of(nothing, "proto") == (Share("tcp", 0.0, 0.0),)


def test_peers_first_seen_last_come_first() -> None:
    rows = frame(
        "peers",
        ("a", "10.0.0.1", False, FIRST, FIRST + 2),
        ("a", "10.0.0.2", False, FIRST, FIRST + 3),
        ("a", "198.51.100.1", True, FIRST + 1, FIRST + 1),
    )
    assert peers_of(rows) == (
        Peer("198.51.100.1", outside=True, first="2026-01-20", last="2026-01-20"),
        Peer("10.0.0.2", outside=False, first="2026-01-19", last="2026-01-22"),
        Peer("10.0.0.1", outside=False, first="2026-01-19", last="2026-01-21"),
    )


def test_services_with_most_clients_come_first() -> None:
    rows = frame(
        "offered",
        ("a", "tcp", 80, FIRST, FIRST, 1.0),
        ("b", "tcp", 443, FIRST, FIRST + 1, 7.0),
        ("a", "tcp", 22, FIRST, FIRST, 1.0),
    )
    assert services_of(rows) == (
        Service("b", "tcp", 443, "2026-01-19", "2026-01-20", 7),
        Service("a", "tcp", 22, "2026-01-19", "2026-01-19", 1),
        Service("a", "tcp", 80, "2026-01-19", "2026-01-19", 1),
    )


def test_names_of_several_hosts_add_up() -> None:
    lookups = frame(
        "lookups",
        ("a", FIRST, 10.0, 4.0, 3.0, 1.0, 60.0, 30.0),
        ("b", FIRST, 10.0, 2.0, 1.0, 0.0, 20.0, 50.0),
        ("a", FIRST + 1, 1.0, 1.0, 1.0, 1.0, 10.0, 10.0),
        ("a", FIRST + 2, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0),  # without names
    )
    names = frame(
        "names",
        ("a", "one.example", FIRST, 3.0),
        ("b", "one.example", FIRST, 3.0),
        ("a", "two.example", FIRST, 6.0),
    )
    found = names_of(lookups, names)
    assert found.unique is not None
    assert (found.unique.samples, found.unique.quantiles["99"]) == (2.0, 6.0)
    assert found.domains is not None
    assert found.domains.quantiles["99"] == 4.0
    assert found.refused is not None
    assert found.refused.quantiles["99"] == 1.0
    assert found.length is not None
    assert (found.length.quantiles["5"], found.length.quantiles["99"]) == (10.0, 80 / 6)
    assert found.longest is not None
    assert found.longest.quantiles["99"] == 50.0
    assert found.top == (Domain("one.example", 6.0), Domain("two.example", 6.0))


def test_no_names() -> None:
    found = names_of(frame("lookups"), frame("names"))
    assert (found.unique, found.length, found.top) == (None, None, ())
