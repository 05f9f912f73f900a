"""DNS tunnels: information in names, which names count, and what speaks for a service."""

from __future__ import annotations

import math
import random
import string
from collections import Counter
from typing import Any

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.dns_tunnel import DETECTOR, Parameters
from analyzer.findings import Severity

from . import START, Row, connection, detect, evidence, lookup

BASE32 = string.ascii_lowercase + "234567"
HEAVY = "information in an hour's names"


def labels(count: int, seed: int = 1) -> list[str]:
    """Different labels of exactly 20 bytes of information each."""
    shuffler = random.Random(seed)  # noqa: S311 - test data
    return ["".join(shuffler.sample(BASE32, 32)) for _ in range(count)]


def tunnel(
    count: int,
    *,
    source: str = "10.0.0.5",
    domain: str = "example.com",
    gap: float = 1.0,
    **columns: Any,  # noqa: ANN401 - whatever dns holds
) -> list[Row]:
    return [
        lookup(gap * k, source, f"{label}.{domain}", **columns)
        for k, label in enumerate(labels(count))
    ]


def found_in(dns: list[Row], conn: list[Row] | None = None, **changes: object) -> list[Detection]:
    chosen: dict[str, Any] = {"information": 2000.0} | changes
    return detect(DETECTOR, Parameters(**chosen), conn or [], dns)


def test_scores_at_the_edges_of_the_bands() -> None:
    bands = {
        50: (0.35, Severity.NONE),
        99: (0.693, Severity.NONE),
        100: (0.7, Severity.LOW),
        200: (0.8, Severity.MEDIUM),
        800: (0.9, Severity.HIGH),
        3600: (0.9 + 0.05 * 28 / 42, Severity.HIGH),
    }
    rows = [row for names in bands for row in tunnel(names, domain=f"example{names}.com", gap=0.5)]
    found = {each.connections: each.score for each in found_in(rows)}
    assert found == pytest.approx({names: score for names, (score, _) in bands.items()})
    for names, (_, severity) in bands.items():
        assert Severity.of(found[names] + 1e-12) is severity


def test_less_than_half_is_nothing() -> None:
    assert found_in(tunnel(49)) == []


def test_what_is_said() -> None:
    (found,) = found_in(tunnel(100, qtype_name="TXT"))
    assert found.message == (
        "10.0.0.5 asked for 100 names below example.com that can carry 2 kB within an hour"
    )
    assert (found.source, found.subject, found.proto, found.port) == (
        "10.0.0.5",
        "example.com",
        "udp",
        53,
    )
    assert (found.first, found.last, found.connections) == (START, START + 99, 100)
    assert (found.best, found.technique) == ("query", None)
    assert evidence(found) == {
        HEAVY: 2000,
        "share of names not asked again later": 1.0,
        "mean length below the domain": 32.0,
        "share of TXT, NULL, CNAME and the like": 1.0,
        "sources asking as much": 1,
        "answered addresses contacted": 0.0,
    }


def test_the_names_below_the_domain_are_weighed_and_no_more() -> None:
    (found,) = found_in(tunnel(100, domain="t1.x.example.co.uk"))
    assert found.subject == "example.co.uk"
    # Of the labels t1 and x the first ones are new, the others a choice among 102.
    octets = Counter("".join(labels(100)) + "t1x")
    bits = sum(n / 3203 * math.log2(3203 / n) for n in octets.values())
    bits += (len(octets) - 1) / (2 * 3203 * math.log(2))
    carried = (3203 * bits + 99 * (math.log2(102) + bits)) / 8
    assert evidence(found)[HEAVY] == round(carried)
    assert evidence(found)["mean length below the domain"] == 37.0


def test_a_customer_of_a_private_suffix_is_a_domain() -> None:
    (found,) = found_in(tunnel(100, domain="someone.github.io"))
    assert found.subject == "someone.github.io"


def test_the_heaviest_hour_slides() -> None:
    (found,) = found_in(tunnel(100, gap=72.0))  # 50 in any hour, 100 in all
    assert evidence(found)[HEAVY] == 1000
    around_the_hour = [row | {"ts": row["ts"] + 3500} for row in tunnel(100, gap=2.0)]
    (found,) = found_in(around_the_hour)
    assert evidence(found)[HEAVY] == 2000


def test_another_window() -> None:
    (found,) = found_in(tunnel(200, gap=60.0), window=6000.0)
    assert evidence(found)[HEAVY] == 2000


def test_few_long_names_are_nothing() -> None:
    long = [".".join(labels(5, seed)) for seed in range(40)]
    rows = [lookup(k, "10.0.0.5", f"{text}.example.com") for k, text in enumerate(long)]
    assert found_in(rows[:7], information=500.0) == []
    (found,) = found_in(rows[:8], information=500.0)
    assert evidence(found)[HEAVY] == 800


@pytest.mark.parametrize(("later", "score"), [(0.0, 0.8), (60.0, 0.8), (60.5, 0.5), (300.0, 0.5)])
def test_names_that_come_back_are_doubted(later: float, score: float) -> None:
    rows = [row | {"ts": row["ts"] + later * part} for part in (0, 0.5, 1) for row in tunnel(200)]
    (found,) = found_in(rows)
    assert evidence(found)[HEAVY] == 4000
    assert evidence(found)["share of names not asked again later"] == float(later <= 60)
    assert found.connections == 600
    assert found.score == pytest.approx(score)


def test_half_of_the_names_may_come_back() -> None:
    rows = tunnel(200)
    again = [row | {"ts": row["ts"] + 300} for row in rows]
    (half,) = found_in(rows + again[:100])
    (more,) = found_in(rows + again[:101])
    assert (half.score, more.score) == pytest.approx((0.8, 0.5))


def short_names(count: int, **columns: Any) -> list[Row]:  # noqa: ANN401 - whatever dns holds
    """Ask for names of 11 characters of 5 bits."""
    shuffler = random.Random(2)  # noqa: S311 - test data
    return [
        lookup(k, "10.0.0.5", "".join(shuffler.sample(BASE32, 11)) + ".example.com", **columns)
        for k in range(count)
    ]


def test_short_names_are_doubted_unless_data_is_asked_for() -> None:
    (address,) = found_in(short_names(800))
    (text,) = found_in(short_names(800, qtype_name="TXT"))
    assert evidence(address)[HEAVY] == evidence(text)[HEAVY]
    assert evidence(text)[HEAVY] == pytest.approx(800 * 11 * 5 / 8, rel=1e-3)
    assert address.score == pytest.approx(text.score - 0.3)
    assert Severity.of(text.score) is Severity.MEDIUM


def test_types_that_carry_data() -> None:
    types = ["TXT", "NULL", "CNAME", "MX", "SRV", "KEY", "PRIVATE", "A", "AAAA", "PTR", "HTTPS"]
    rows = [
        row
        for qtype in types
        for row in tunnel(100, domain=f"{qtype.lower()}-example.com", qtype_name=qtype)
    ]
    share = "share of TXT, NULL, CNAME and the like"
    found = {each.subject.split("-")[0].upper(): evidence(each)[share] for each in found_in(rows)}
    assert found == {qtype: float(types.index(qtype) < 7) for qtype in types}


def test_many_sources_make_a_service() -> None:
    four = [row for host in range(4) for row in tunnel(200, source=f"10.0.0.{host}")]
    five = [*four, *tunnel(200, source="10.0.0.9")]
    assert [found.score for found in found_in(four)] == pytest.approx([0.8] * 4)
    assert [found.score for found in found_in(five)] == pytest.approx([0.5] * 5)


def test_answers_that_are_contacted_are_doubted() -> None:
    rows = tunnel(200, answers=["cdn.example.net", "198.51.100.7"])
    (alone,) = found_in(rows)
    (followed,) = found_in(rows, [connection(500, "10.0.0.5", "198.51.100.7", 443)])
    (by_another,) = found_in(rows, [connection(500, "10.0.0.6", "198.51.100.7", 443)])
    assert alone.score == by_another.score == pytest.approx(0.8)
    assert followed.score == pytest.approx(0.5)
    assert evidence(followed)["answered addresses contacted"] == 1.0
    assert evidence(by_another)["answered addresses contacted"] == 0.0


def test_the_share_of_answers_contacted() -> None:
    rows = [row | {"answers": [f"2001:db8::{k % 4}"]} for k, row in enumerate(tunnel(200))]
    (found,) = found_in(rows, [connection(500, "10.0.0.5", "2001:db8::1", 443)])
    assert evidence(found)["answered addresses contacted"] == 0.25


def test_lookup_zones_are_left_out() -> None:
    rows = tunnel(200) + tunnel(200, domain="example.net")
    assert [found.subject for found in found_in(rows)] == ["example.com", "example.net"]
    kept = found_in(rows, lookup_zones=("example.com",))
    assert [found.subject for found in kept] == ["example.net"]


@pytest.mark.parametrize("zone", ["zen.spamhaus.org", "footprintdns.com", "avqs.mcafee.com"])
def test_known_zones_are_left_out(zone: str) -> None:
    assert found_in(tunnel(200, domain=zone)) == []


def test_a_content_network_is_no_known_lookup() -> None:
    (found,) = found_in(tunnel(200, domain="d1.cloudfront.net"))
    assert found.score == pytest.approx(0.8, abs=0.01)


def test_octets_that_are_no_text_are_unescaped() -> None:
    shuffler = random.Random(5)  # noqa: S311 - test data
    names = [
        "".join(f"\\x{shuffler.randrange(128, 256):02x}" for _ in range(40)) for _ in range(99)
    ]
    (found,) = found_in([lookup(k, "10.0.0.5", f"{n}.example.com") for k, n in enumerate(names)])
    assert evidence(found)["mean length below the domain"] == 40.0
    assert evidence(found)[HEAVY] == pytest.approx(99 * 40 * 7 / 8, rel=1e-3)


def reversed_addresses(count: int, *, version: int, zone: str) -> list[Row]:
    shuffler = random.Random(3)  # noqa: S311 - test data
    rows = []
    for k in range(count):
        if version == 4:
            address = ".".join(str(shuffler.randrange(256)) for _ in range(4))
        else:
            address = ".".join(shuffler.choice("0123456789abcdef") for _ in range(32))
        rows.append(lookup(k, "10.0.0.25", f"{address}.{zone}", rcode_name="NXDOMAIN"))
    return rows


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("zone", ["example.org", "bl.example.org", "zen.dnsbl.example.org"])
def test_addresses_written_backwards_are_no_tunnel(version: int, zone: str) -> None:
    found = found_in(reversed_addresses(1500, version=version, zone=zone))
    assert [detection for detection in found if detection.score >= 0.7] == []


@pytest.mark.parametrize("front", ["1.2.3.4", ".".join("20010db8" * 4)])
def test_an_address_in_front_hides_no_tunnel(front: str) -> None:
    rows = [row | {"query": f"{front}.{row['query']}"} for row in tunnel(800)]
    (found,) = found_in(rows)
    assert found.score >= 0.9


def test_reverse_lookups_and_site_names_are_no_tunnel() -> None:
    rows = reversed_addresses(500, version=6, zone="ip6.arpa")
    for suffix in ("local", "lan", "corp", "internal", "test"):
        rows += tunnel(200, domain=f"example.{suffix}")
    assert found_in(rows) == []


def test_questions_to_the_neighbours_are_no_tunnel() -> None:
    rows = [row for port in (137, 5353, 5355) for row in tunnel(200, resp_p=port)]
    assert found_in(rows) == []


def test_names_below_different_domains_do_not_add_up() -> None:
    rows = [
        lookup(k, "10.0.0.5", f"{label}.example{k % 10}.com") for k, label in enumerate(labels(300))
    ]
    assert found_in(rows) == []


def test_names_below_a_public_suffix_do_not_add_up() -> None:
    rows = [lookup(k, "10.0.0.5", f"{label}.co.uk") for k, label in enumerate(labels(300))]
    assert found_in(rows) == []


def test_case_and_trailing_dots_make_no_difference() -> None:
    rows = tunnel(200)
    changed = [row | {"query": row["query"].upper() + "."} for row in rows]
    (found,) = found_in(changed)
    (same,) = found_in(rows)
    assert (found.message, found.score) == (same.message, same.score)
    (both,) = found_in(rows + changed)
    assert evidence(both)[HEAVY] == 4000
    assert both.connections == 400


def test_missing_values() -> None:
    rows = tunnel(100, qtype_name=None, rcode_name=None, answers=None)
    (found,) = found_in([*rows, lookup(5, "10.0.0.5", "x") | {"query": None}])
    assert found.score == pytest.approx(0.7)


def test_nothing_comes_of_nothing() -> None:
    assert found_in([]) == []
    assert found_in([], [connection(0, "10.0.0.5", "10.0.0.6", 22)]) == []
