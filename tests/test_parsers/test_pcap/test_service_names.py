"""Services of a connection in one number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap import openings
from analyzer.parsers.pcap.service_names import (
    MOST_SERVICES,
    NUMBERS,
    SERVICES,
    add_first,
    add_last,
    packed,
    remove,
    texts,
    unpacked,
)
from analyzer.parsers.pcap.signatures import TCP_READERS, UDP_READERS


def test_names_are_lower_case_and_different() -> None:
    assert all(name == name.lower() and "," not in name for name in SERVICES)
    assert len(set(SERVICES)) == len(SERVICES) < 256


def test_numbers_of_those_that_are_named_at_once() -> None:
    assert (NUMBERS["http"], NUMBERS["ssl"], NUMBERS["ntp"]) == (
        openings.HTTP,
        openings.TLS,
        openings.NTP,
    )


def test_every_reader_has_a_number() -> None:
    kinds = {kind for kinds in (*TCP_READERS.values(), *UDP_READERS.values()) for kind in kinds}
    assert {kind.service for kind in kinds} <= set(SERVICES)


@given(st.lists(st.sampled_from(SERVICES), unique=True, max_size=MOST_SERVICES + 2))
def test_there_and_back(names: list[str]) -> None:
    assert unpacked(packed(names)) == names[:MOST_SERVICES]


@given(st.lists(st.sampled_from(SERVICES), unique=True, max_size=MOST_SERVICES))
def test_one_more(names: list[str]) -> None:
    number = packed(names)
    assert unpacked(add_first(number, NUMBERS["dns"]))[:1] == ["dns"]
    numbers = np.array([packed(["ftp"]), number, 0], np.uint64)
    add_last(numbers, np.array([1, 2]), "dns")
    expected = names if "dns" in names else [*names, "dns"][:MOST_SERVICES]
    assert [unpacked(int(number)) for number in numbers] == [["ftp"], expected, ["dns"]]


def test_none_for_none() -> None:
    numbers = np.array([0, packed(["smtp", "ssl"]), 0, packed(["http"])], np.uint64)
    assert list(texts(numbers)) == [None, "smtp,ssl", None, "http"]
    assert list(texts(np.zeros(0, np.uint64))) == []


def test_no_such_service() -> None:
    with pytest.raises(KeyError):
        add_last(np.zeros(1, np.uint64), np.array([0]), "gopher")


def test_taking_a_service_away() -> None:
    numbers = np.array(
        [packed(["dns", "ssl"]), packed(["ssl", "dns"]), packed(["ssl"]), 0], np.uint64
    )
    remove(numbers, np.array([0, 1, 2, 3]), "dns")
    assert texts(numbers).tolist() == ["ssl", "ssl", "ssl", None]
