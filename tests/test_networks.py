"""Which addresses are local, and which stand for many hosts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from analyzer.engine import Engine
from analyzer.errors import OptionError
from analyzer.networks import NOT_ROUTED, PRIVATE, LocalNetworks, is_group, parse_networks


def test_networks_are_parsed() -> None:
    parsed = parse_networks(["10.0.0.0/8", " 192.0.2.1 ", "192.0.2.77/24", "2001:db8::/32"])
    assert [str(network) for network in parsed] == [
        "10.0.0.0/8",
        "192.0.2.1/32",
        "192.0.2.0/24",
        "2001:db8::/32",
    ]
    assert parse_networks([]) == ()


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "office", "10.0.0", "10.0.0.0/8/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_networks(["10.0.0.0/8", text])
    assert str(caught.value) == f"{text!r} is no network: expected CIDR such as 10.0.0.0/8"


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("10.0.0.1", True),
        ("11.0.0.1", False),
        ("172.15.255.255", False),
        ("172.16.0.0", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.168.1.1", True),
        ("192.169.0.1", False),
        ("100.64.0.1", True),
        ("100.128.0.1", False),
        ("127.0.0.1", True),
        ("169.254.7.7", True),
        ("8.8.8.8", False),
        ("::1", True),
        ("::2", False),
        ("fc00::1", True),
        ("fd12:3456::1", True),
        ("fe80::1", True),
        ("fec0::1", False),
        ("2001:db8::1", False),
        ("no address", False),
        ("", False),
    ],
)
def test_private_space_is_local(address: str, local: bool) -> None:  # noqa: FBT001
    networks = LocalNetworks()
    assert networks.is_local(address) is local
    assert networks.is_local(address) is local  # remembered


def test_private_space_is_that_of_zeek() -> None:
    assert len(PRIVATE) == 9


def test_given_networks_decide_alone() -> None:
    networks = LocalNetworks(parse_networks(["203.0.113.0/24", "2001:db8::/32"]), flagged=True)
    assert networks.is_local("203.0.113.9")
    assert networks.is_local("2001:db8::9")
    assert not networks.is_local("10.0.0.1")
    assert not networks.is_local("::1")
    addresses = pd.Series(["203.0.113.9", "10.0.0.1"])
    flags = pd.Series([False, True])
    assert networks.are_local(addresses, flags).tolist() == [True, False]


@pytest.mark.parametrize("dtype", ["object", "boolean"])
def test_what_zeek_said_decides_where_it_knew(dtype: Any) -> None:  # noqa: ANN401
    addresses = pd.Series(["10.0.0.1", "10.0.0.1", "10.0.0.1", "8.8.8.8", "8.8.8.8", "8.8.8.8"])
    flags: Any = pd.Series([True, False, None, True, False, None], dtype=dtype)
    flagged = LocalNetworks(flagged=True)
    assert flagged.are_local(addresses, flags).tolist() == [True, False, True, True, False, False]
    unflagged = LocalNetworks()
    assert unflagged.are_local(addresses, flags).tolist() == [True] * 3 + [False] * 3
    assert flagged.are_local(addresses).tolist() == [True] * 3 + [False] * 3


def test_no_addresses_are_none() -> None:
    none: Any = pd.Series([], dtype=bool)
    assert LocalNetworks(flagged=True).are_local(none.astype("str"), none).tolist() == []


GROUPS = [
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "10.0.0.255",
    "0.0.0.0",  # noqa: S104 - compared, not bound
    "ff02::fb",
    "FF05::1",
]
HOSTS = ["223.0.0.1", "240.0.0.1", "10.0.255.0", "10.255.255.254", "10.0.0.25", "fe80::1",
         "2001:ff::1", "22.4.0.1", "::"]  # fmt: skip


def test_groups_are_told_from_hosts() -> None:
    with Engine() as engine:
        table = engine.keep(pa.table({"address": GROUPS + HOSTS}), "addresses")
        rows = table.filter(is_group(table.address)).to_pyarrow().to_pylist()
    assert sorted(row["address"] for row in rows) == sorted(GROUPS)


def test_what_zeek_takes_for_local() -> None:
    local = LocalNetworks(NOT_ROUTED)
    for address in ("10.1.2.3", "192.0.2.1", "239.255.255.250", "2002:a01::1", "fec0::1", "::"):
        assert local.is_local(address), address
    for address in ("8.8.8.8", "224.0.1.1", "2002:808:808::1", "2600::1", "::ffff:8.8.8.8"):
        assert not local.is_local(address), address
