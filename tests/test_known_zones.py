"""Zones whose names are made by machines for honest reasons."""

from __future__ import annotations

import re

import ibis
import pytest

from analyzer.known_zones import KINDS, _zones, below_zones, known_zones, zones_version
from tests.test_detectors import holding, lookup


def test_every_kind_has_zones_and_every_zone_one_kind() -> None:
    by_kind = [known_zones(kind) for kind in KINDS]
    assert all(by_kind)
    assert sum(map(len, by_kind)) == len(known_zones())


def test_a_kind_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="dnsb"):
        known_zones("dnsb")


def test_zones_are_names_in_lower_case() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", zone) for zone in known_zones())
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", zones_version())


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("d1.cloudfront.net", True),
        ("cloudfront.net", True),
        ("xcloudfront.net", False),
        ("cloudfront.net.example.com", False),
        ("a.b.c.zen.spamhaus.org", True),
        ("spamhaus", False),
        ("", False),
    ],
)
def test_names_below_zones(name: str, below: bool) -> None:  # noqa: FBT001 - a table of cases
    zones = frozenset({"cloudfront.net", "zen.spamhaus.org"})
    with holding(dns=[lookup(0, "10.0.0.1", name)]) as records:
        column = below_zones(records.dns["query"], zones)
        assert records.dns.select(below=column).to_pyarrow().to_pylist() == [{"below": below}]


def test_no_zones_no_names() -> None:
    with holding(dns=[lookup(0, "10.0.0.1", "a.example.com")]) as records:
        column = below_zones(records.dns["query"], frozenset())
        found = records.dns.select(below=column).filter(ibis._.below)
        assert found.to_pyarrow().to_pylist() == []


def test_zones_are_sorted_by_kind_and_none_is_below_another() -> None:
    for kind in KINDS:
        listed = [zone for zone, own in _zones().items() if own == kind]
        assert listed == sorted(listed)
    assert [*_zones().values()] == sorted(_zones().values(), key=KINDS.index)
    for zone in known_zones():
        above = [".".join(zone.split(".")[k:]) for k in range(1, zone.count("."))]
        assert not set(above) & known_zones(), zone


@pytest.mark.parametrize(
    ("zone", "kind"),
    [
        ("akamaiedge.net", "cdn"),
        ("amazonaws.com", "cdn"),
        ("spamhaus.org", "dnsbl"),
        ("sophosxl.net", "reputation"),
        ("footprintdns.com", "telemetry"),
    ],
)
def test_zones_everybody_knows(zone: str, kind: str) -> None:
    assert zone in known_zones(kind)
    assert 300 <= len(known_zones()) <= 600
