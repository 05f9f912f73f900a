"""What hosts had to do with what is listed, row by row."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detectors import Shared
from analyzer.detectors.listed import Match, Matches, Traffic, longest_prefixes
from analyzer.indicators import Indicator, domain_and_parents
from tests.test_detectors import START, Row, connection, holding, lookup

HOST = "10.0.0.5"
BAD = "198.51.100.7"
ADDRESS = Indicator("address", BAD)
SUBNET = Indicator("subnet", "198.51.100.0/24")
DOMAIN = Indicator("domain", "bad.example")


def matches(
    indicators: Sequence[Indicator],
    conn: Sequence[Row] = (),
    dns: Sequence[Row] = (),
    **logs: Sequence[Row],
) -> dict[tuple[str, str], Match]:
    """Match rows; by host and the indicator's value."""
    with holding(conn, dns, local_networks=(), threads=None, **logs) as records:
        listed = replace(records, indicators=tuple(indicators))
        found = Matches(listed, Shared()).found
    return {(host, indicators[place].value): match for (host, place), match in found.items()}


def test_contacts_both_ways() -> None:
    rows = [
        connection(0, HOST, BAD, 443, orig_bytes=100, resp_bytes=2000),
        connection(60, HOST, BAD, 443, orig_bytes=50, resp_bytes=None),
        connection(90, BAD, HOST, 22, answered=False),
        connection(99, "10.0.0.6", "198.51.100.8", 443),
    ]
    found = matches([ADDRESS], rows)
    assert list(found) == [(HOST, BAD)]
    match = found[HOST, BAD]
    assert match.reached == [Traffic(BAD, 2, True, 150.0, 2000.0, 443, "tcp")]
    assert match.visits == [Traffic(BAD, 1, False, 0.0, 0.0, 22, "tcp")]
    assert (match.first, match.last) == (START, START + 90)


def test_several_ports_are_no_port() -> None:
    rows = [connection(0, HOST, BAD, 443), connection(1, HOST, BAD, 80)]
    (traffic,) = matches([ADDRESS], rows)[HOST, BAD].reached
    assert (traffic.port, traffic.proto) == (None, "tcp")
    rows[1] |= {"proto": "udp", "resp_p": 443}
    (traffic,) = matches([ADDRESS], rows)[HOST, BAD].reached
    assert (traffic.port, traffic.proto) == (None, None)


def test_an_address_outweighs_its_network() -> None:
    rows = [connection(0, HOST, BAD, 443), connection(1, HOST, "198.51.100.8", 443)]
    found = matches([ADDRESS, SUBNET], rows)
    assert {key: [t.address for t in match.reached] for key, match in found.items()} == {
        (HOST, BAD): [BAD],
        (HOST, SUBNET.value): ["198.51.100.8"],
    }


def test_an_address_that_ends_like_a_broadcast() -> None:
    found = matches(
        [Indicator("address", "198.51.100.255")], [connection(0, HOST, "198.51.100.255", 443)]
    )
    assert len(found) == 1


def test_a_listed_host_of_ours_has_no_outside_victims() -> None:
    ours = Indicator("address", "10.0.0.9")
    rows = [
        connection(0, "10.0.0.9", "203.0.113.1", 443),
        connection(1, "10.0.0.9", HOST, 445),
        connection(2, "203.0.113.2", "10.0.0.9", 443),
    ]
    assert [host for host, _ in matches([ours], rows)] == [HOST]


def test_lookups_of_a_domain_and_below_it() -> None:
    rows = [
        lookup(0, HOST, "bad.example"),
        lookup(5, HOST, "A.Bad.Example", rcode_name="NXDOMAIN"),
        lookup(6, HOST, "notbad.example"),
        lookup(7, HOST, "bad.example.com"),
        lookup(8, HOST, "example"),
    ]
    match = matches([DOMAIN], dns=rows)[HOST, "bad.example"]
    assert (match.queries, match.refused) == (2, 1)
    assert match.asked == {"bad.example", "a.bad.example"}
    assert (match.first, match.last) == (START, START + 5)


def test_the_longest_domain_counts() -> None:
    deeper = Indicator("domain", "a.bad.example")
    rows = [lookup(0, HOST, "x.a.bad.example"), lookup(1, HOST, "b.bad.example")]
    found = matches([DOMAIN, deeper], dns=rows)
    assert {value: match.asked for (_, value), match in found.items()} == {
        "a.bad.example": {"x.a.bad.example"},
        "bad.example": {"b.bad.example"},
    }


def test_answers_that_hold_an_address_or_lead_to_a_domain() -> None:
    rows = [
        lookup(0, HOST, "www.example.com", answers=["cdn.example.net", BAD]),
        lookup(1, HOST, "www.example.org", answers=["x.bad.example", "203.0.113.9"]),
    ]
    found = matches([ADDRESS, DOMAIN, SUBNET], dns=rows)
    assert {value: match.pointers for (_, value), match in found.items()} == {
        BAD: {"www.example.com"},
        "bad.example": {"www.example.org"},
    }


@pytest.mark.parametrize(
    ("name", "answers"),
    [("bad.example", [BAD]), ("www.example.com", ["x.bad.example", BAD])],
    ids=["lookup", "alias"],
)
def test_where_a_domain_led(name: str, answers: list[str]) -> None:
    dns = [lookup(10, HOST, name, answers=answers)]
    rows = [
        connection(11, HOST, BAD, 443, orig_bytes=10, resp_bytes=20),
        connection(12, HOST, "203.0.113.1", 443),
        # Whoever did not ask may have gone there for another name.
        connection(13, "10.0.0.6", BAD, 443),
    ]
    found = matches([DOMAIN], rows, dns)
    assert list(found) == [(HOST, "bad.example")]
    assert found[HOST, "bad.example"].reached == [Traffic(BAD, 1, True, 10.0, 20.0, 443, "tcp")]


def test_what_was_over_before_the_lookup_did_not_come_of_it() -> None:
    dns = [lookup(10, HOST, "bad.example", answers=[BAD])]
    found = matches([DOMAIN], [connection(5, HOST, BAD, 443)], dns)
    assert found[HOST, "bad.example"].reached == []


@pytest.mark.parametrize(
    "name", ["bad.example", "www.BAD.example", "bad.example:8443", "bad.example."]
)
def test_server_names(name: str) -> None:
    rows = [connection(0, HOST, BAD, 443, uid="C1", orig_bytes=1, resp_bytes=2)]
    for logs in (
        {"ssl": [{"uid": "C1", "server_name": name}]},
        {"http": [{"uid": "C1", "host": name}]},
    ):
        match = matches([DOMAIN], rows, **logs)[HOST, "bad.example"]
        assert (match.named, len(match.names)) == (1, 1)
        assert match.reached == [Traffic(BAD, 1, True, 1.0, 2.0, 443, "tcp")]


def test_nothing_there() -> None:
    assert matches([ADDRESS, SUBNET, DOMAIN]) == {}
    odd = [connection(0, "not an address", "also none", 0, uid=None, local_orig=None)]
    assert matches([ADDRESS, SUBNET, DOMAIN], odd, [lookup(0, HOST, "", answers=[])]) == {}


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 32)), min_size=1, max_size=8),
    st.lists(st.integers(0, 2**32 - 1), max_size=8),
)
def test_longest_prefixes(pairs: list[tuple[int, int]], others: list[int]) -> None:
    networks = [ipaddress.ip_network((number, length), strict=False) for number, length in pairs]
    inside = [str(network.network_address) for network in networks]
    addresses = [*inside, *(str(ipaddress.IPv4Address(number)) for number in others)]
    found = longest_prefixes(addresses, [(str(net), i) for i, net in enumerate(networks)])
    for address in addresses:
        holding_it = [net for net in networks if ipaddress.ip_address(address) in net]
        assert (address in found) == bool(holding_it)
        if holding_it:
            longest = max(net.prefixlen for net in holding_it)
            assert networks[found[address]].prefixlen == longest


def test_longest_prefixes_of_ipv6() -> None:
    subnets = [("2001:db8::/32", 0), ("2001:db8:1::/48", 1)]
    addresses = ["2001:db8::1", "2001:db8:1::1", "2001:db9::1", "32.1.13.184", "nothing"]
    assert longest_prefixes(addresses, subnets) == {"2001:db8::1": 0, "2001:db8:1::1": 1}
    assert list(domain_and_parents("")) == []
