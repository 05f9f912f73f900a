"""Addresses as texts."""

from __future__ import annotations

import ipaddress

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.addresses import address_texts


def texts(*numbers: int) -> list[str]:
    high = np.array([number >> 64 for number in numbers], np.uint64)
    low = np.array([number & (2**64 - 1) for number in numbers], np.uint64)
    found: list[str] = address_texts(high, low).to_pylist()
    return found


def test_texts_are_those_of_zeek() -> None:
    given_ = {
        "10.0.0.1": 0xFFFF_0A00_0001,
        "255.255.255.255": 0xFFFF_FFFF_FFFF,
        "0.0.0.1": 0xFFFF_0000_0001,
        "::": 0,
        "::1": 1,
        "fe80::1:2": 0xFE80 << 112 | 0x1_0002,
        "2001:db8:0:1:1:1:1:1": int(ipaddress.ip_address("2001:db8:0:1:1:1:1:1")),
    }
    assert texts(*given_.values()) == list(given_)
    assert texts(*reversed(given_.values())) == list(reversed(given_))
    assert texts() == []


_V4 = st.integers(0, 2**32 - 1)
_V6 = st.integers(2**48, 2**128 - 1)


@given(st.lists(_V4.map(lambda n: n | 0xFFFF << 32) | _V6, max_size=20))
def test_each_address_keeps_its_place(numbers: list[int]) -> None:
    expected = [
        str(ipaddress.IPv4Address(number & (2**32 - 1)))
        if number >> 32 == 0xFFFF
        else str(ipaddress.IPv6Address(number))
        for number in numbers
    ]
    assert texts(*numbers) == expected
