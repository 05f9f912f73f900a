"""Who stands behind addresses, and who else goes there."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.detectors import Shared
from analyzer.detectors.upload_destinations import (
    destination_domains,
    lookup_habits,
    network_of,
    visitors,
)

from . import DAY, connection, holding, lookup

PAIRS = pd.DataFrame({"orig_h": ["10.0.0.5"] * 2, "resp_h": ["203.0.113.9", "203.0.113.10"]})
CONN = [
    connection(k, "10.0.0.5", address, 443, uid=f"C{k}") | {"orig_bytes": 100}
    for k, address in enumerate(["203.0.113.9", "203.0.113.10", "198.51.100.1"])
]


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.9", "203.0.113.0/24"), ("2001:db8:1:2::9", "2001:db8:1::/48")],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


def test_names_from_answers_and_from_clients() -> None:
    dns = [
        lookup(0, "10.0.0.7", "b.Example.co.uk", answers=["x.cdn.net", "203.0.113.9"]),
        lookup(0, "10.0.0.7", "a.example.co.uk", answers=["203.0.113.9"]),
        lookup(0, "10.0.0.7", "other.example.org", answers=["198.51.100.1"]),
        lookup(0, "10.0.0.7", "nobody.example.org"),
    ]
    ssl = [{"uid": "C1", "server_name": "up.example.net"}, {"uid": "C0", "server_name": "host"}]
    with holding(CONN, dns, ssl=ssl) as records:
        names = destination_domains(records, PAIRS, Shared())
        assert destination_domains(records, PAIRS[:0], Shared()) == {}
    assert names == {
        "203.0.113.9": ("a.example.co.uk", "example.co.uk"),
        "203.0.113.10": ("up.example.net", "example.net"),
    }


def test_without_names() -> None:
    with holding(CONN) as records:
        assert destination_domains(records, PAIRS, Shared()) == {}
        assert lookup_habits(records, ["10.0.0.5"], Shared()) == {"10.0.0.5": 0.0}


def test_habits() -> None:
    dns = [lookup(0, "10.0.0.7", "a.example.org", answers=["203.0.113.9", "198.51.100.1"])]
    with holding(CONN, dns) as records:
        habits = lookup_habits(records, ["10.0.0.5", "10.0.0.6"], Shared())
    assert habits == {"10.0.0.5": pytest.approx(2 / 3), "10.0.0.6": 0.0}


def test_visitors_of_every_address_of_a_domain() -> None:
    dns = [lookup(0, "10.0.0.7", "cdn.example.org", answers=["192.0.2.44"])]
    conn = [
        *CONN,
        connection(0, "10.0.0.8", "192.0.2.44", 443, orig_bytes=70),
        connection(9, "10.0.0.8", "192.0.2.44", 443, orig_bytes=80),
        connection(DAY, "10.0.0.8", "192.0.2.44", 443, orig_bytes=90),
    ]
    places = {"203.0.113.9": "example.org", "203.0.113.10": "203.0.113.0/24"}
    with holding(conn, dns) as records:
        assert visitors(records, places, Shared()) == {
            "example.org": {"10.0.0.5": 100.0, "10.0.0.8": 150.0},
            "203.0.113.0/24": {"10.0.0.5": 100.0},
        }
        assert visitors(records, {}, Shared()) == {}
