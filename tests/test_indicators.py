"""What is an indicator, and what would match by accident."""

from __future__ import annotations

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.indicators import (
    OTHER_TYPES,
    USED_TYPES,
    Indicator,
    IndicatorError,
    canonical_address,
    domain_and_parents,
    domain_name,
    merged,
    parse_indicator,
)


@pytest.mark.parametrize(
    ("zeek_type", "text", "kind", "value", "of_url"),
    [
        ("Intel::ADDR", "198.51.100.7", "address", "198.51.100.7", False),
        ("Intel::ADDR", " 2001:DB8:0:0::1 ", "address", "2001:db8::1", False),
        ("Intel::ADDR", "::ffff:198.51.100.7", "address", "198.51.100.7", False),
        ("Intel::SUBNET", "198.51.100.0/24", "subnet", "198.51.100.0/24", False),
        ("Intel::SUBNET", "198.51.100.77/24", "subnet", "198.51.100.0/24", False),
        ("Intel::SUBNET", "198.51.100.7/32", "address", "198.51.100.7", False),
        ("Intel::SUBNET", "2001:DB8::/32", "subnet", "2001:db8::/32", False),
        ("Intel::DOMAIN", "Bad.Example.", "domain", "bad.example", False),
        ("Intel::DOMAIN", "*.bad.example", "domain", "bad.example", False),
        ("Intel::DOMAIN", "bücher.example", "domain", "xn--bcher-kva.example", False),
        ("Intel::DOMAIN", "_dmarc.bad-1.xn--p1ai", "domain", "_dmarc.bad-1.xn--p1ai", False),
        ("Intel::URL", "bad.example/a?b#c", "domain", "bad.example", True),
        ("Intel::URL", "HTTPS://u:p@Bad.example:8443/a@b", "domain", "bad.example", True),
        ("Intel::URL", "http://198.51.100.7:8080/x", "address", "198.51.100.7", False),
        ("Intel::URL", "http://[2001:db8::1]:80/x", "address", "2001:db8::1", False),
    ],
)
def test_indicators(zeek_type: str, text: str, kind: str, value: str, *, of_url: bool) -> None:
    found = parse_indicator(text, zeek_type)
    assert (found.kind, found.value, found.of_url) == (kind, value, of_url)


@pytest.mark.parametrize(
    ("zeek_type", "text", "complaint"),
    [
        ("Intel::ADDR", "bad.example", "not an IPv4 or IPv6 address"),
        ("Intel::ADDR", "198.51.100.0/24", "a network is Intel::SUBNET"),
        ("Intel::ADDR", "fe80::1%eth0", "not an IPv4 or IPv6 address"),
        ("Intel::ADDR", "127.0.0.1", "loopback"),
        ("Intel::ADDR", "0.0.0.0", "unspecified"),  # noqa: S104 - a sinkhole's answer
        ("Intel::ADDR", "224.0.0.251", "multicast"),
        ("Intel::ADDR", "", "not an IPv4"),
        ("Intel::SUBNET", "0.0.0.0/0", "larger than a /8"),
        ("Intel::SUBNET", "2000::/3", "larger than a /19"),
        ("Intel::SUBNET", "bad.example", "CIDR"),
        ("Intel::SUBNET", "127.0.0.0/8", "loopback"),
        ("Intel::DOMAIN", "com", "two labels"),
        ("Intel::DOMAIN", "198.51.100.7", "an address is Intel::ADDR"),
        ("Intel::DOMAIN", "bad.example/x", "a URL is Intel::URL"),
        ("Intel::DOMAIN", "a b.example", "two labels"),
        ("Intel::DOMAIN", "a" * 64 + ".example", "two labels"),
        ("Intel::DOMAIN", "a.*.example", "two labels"),
        ("Intel::URL", "", "not a URL"),
        ("Intel::URL", "http:///path", "not a URL"),
        ("Intel::EMAIL", "a@b.example", "type is none of"),
    ],
)
def test_what_is_none(zeek_type: str, text: str, complaint: str) -> None:
    with pytest.raises(IndicatorError, match=complaint):
        parse_indicator(text, zeek_type)


def test_types_are_told_apart() -> None:
    assert not set(USED_TYPES) & set(OTHER_TYPES)


@given(st.text(max_size=40), st.sampled_from(USED_TYPES))
def test_any_text_is_an_indicator_or_refused(text: str, zeek_type: str) -> None:
    kinds = {"address": "Intel::ADDR", "subnet": "Intel::SUBNET", "domain": "Intel::DOMAIN"}
    with contextlib.suppress(IndicatorError):
        found = parse_indicator(text, zeek_type)
        again = parse_indicator(found.value, kinds[found.kind])
        assert (again.kind, again.value) == (found.kind, found.value)


@given(st.ip_addresses())
def test_addresses_are_canonical(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    canonical = canonical_address(address.exploded.upper())
    assert canonical == canonical_address(canonical)
    if address.version == 4:
        assert canonical == str(address)


def test_values_are_merged() -> None:
    indicators = [
        Indicator("domain", "bad.example", ("b",), ("worse",), of_url=True),
        Indicator("address", "198.51.100.7", ("b",)),
        Indicator("domain", "bad.example", ("a",), ("bad",), ("https://a.example",)),
        Indicator("domain", "bad.example", ("b",), ("worse",), of_url=True),
    ]
    assert merged(indicators) == (
        Indicator("address", "198.51.100.7", ("b",)),
        Indicator("domain", "bad.example", ("a", "b"), ("bad", "worse"), ("https://a.example",)),
    )
    assert merged(reversed(indicators)) == merged(indicators)


def test_parents() -> None:
    assert list(domain_and_parents("a.b.example")) == ["a.b.example", "b.example"]
    assert list(domain_and_parents("example")) == []
    assert domain_name("a..example") is None
