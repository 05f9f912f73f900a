"""Outward contacts: which count, what ports say, and how they are named."""

from __future__ import annotations

import pytest

from analyzer.detectors import Shared
from analyzer.detectors.outward import (
    HELD_OPEN,
    is_ordinary,
    is_reachable,
    outward,
    port_of,
    service,
    technique,
)

from . import connection, holding


def test_only_local_hosts_that_go_out_are_kept() -> None:
    rows = [
        connection(0, "10.0.0.5", "198.51.100.1", 443),
        connection(1, "10.0.0.5", "198.51.100.2", 53, proto="udp"),
        connection(2, "10.0.0.5", "198.51.100.3", 123, proto="udp"),
        connection(3, "10.0.0.5", "198.51.100.4", 853),
        connection(4, "10.0.0.5", "10.0.0.6", 443),
        connection(5, "203.0.113.5", "10.0.0.6", 443),
        connection(6, "203.0.113.5", "198.51.100.1", 443),
        connection(7, "10.0.0.5", "239.1.2.3", 443, proto="udp"),
        connection(8, "fd00::5", "2001:db8::1", 8443),
    ]
    with holding(rows) as records:
        kept = outward(records, Shared()).to_pandas()
    assert sorted(zip(kept.orig_h, kept.resp_h, strict=True)) == [
        ("10.0.0.5", "198.51.100.1"),
        ("fd00::5", "2001:db8::1"),
    ]


@pytest.mark.parametrize(
    ("port", "proto", "expected"),
    [
        (443, "tcp", "T1071.001"),
        (8080, "tcp", "T1071.001"),
        (443, "udp", "T1071.001"),
        (993, "tcp", "T1071.003"),
        (22, "tcp", "T1071"),
        (5223, "tcp", "T1071"),
        (1177, "tcp", "T1571"),
        (4444, "udp", "T1571"),
        (0, "icmp", "T1095"),
        (47, "unknown_transport", "T1095"),
        (443, "sctp", "T1571"),
    ],
)
def test_technique(port: int, proto: str, expected: str) -> None:
    assert technique(port, proto) == expected
    assert is_ordinary(port, proto) is expected.startswith("T1071")


@pytest.mark.parametrize(
    ("port", "proto", "text", "number"),
    [
        (443, "tcp", "on 443/tcp", 443),
        (4444, "udp", "on 4444/udp", 4444),
        (0, "icmp", "with ICMP requests", None),
        (47, "unknown_transport", "over IP protocol 47", None),
    ],
)
def test_service(port: int, proto: str, text: str, number: int | None) -> None:
    assert service(port, proto) == text
    assert port_of(port, proto) == number


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("198.51.100.7", True),
        ("2001:db8::1", True),
        ("192.168.178.1", False),
        ("100.64.3.4", False),
        ("fe80::1", False),
        ("no address", True),
    ],
)
def test_reachable(address: str, *, reachable: bool) -> None:
    assert is_reachable(address) is reachable


def test_what_is_held_open_is_ordinary() -> None:
    assert all(is_ordinary(port, "tcp") for port in HELD_OPEN)
