"""Who opened a connection, where its ports tell."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from analyzer.parsers.pcap import roles
from analyzer.parsers.pcap.roles import (
    DNS_SERVER,
    DNS_TCP_SERVER,
    LONG_LIVED,
    NTP_SERVER,
    TCP_SERVER,
    UDP_SERVER,
    port_table,
)
from analyzer.parsers.pcap.tcp_sequences import ACK, SYN

from .segments import CLIENT, SERVER, TCP, UDP, Segment, only_row

is_reversed = cast("Any", roles.is_reversed).py_func
is_broadcast = cast("Any", roles.is_broadcast).py_func
is_multicast = cast("Any", roles.is_multicast).py_func

MAPPED = 0xFFFF << 32


def test_ports() -> None:
    table = port_table()
    assert table.size == 1 << 16
    assert table[53] == TCP_SERVER | UDP_SERVER | DNS_SERVER | DNS_TCP_SERVER
    assert table[123] == UDP_SERVER | NTP_SERVER
    assert table[22] == TCP_SERVER | LONG_LIVED
    assert table[23] == LONG_LIVED
    assert table[80] == TCP_SERVER
    assert (table[514], table[0], table[65_535]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("protocol", "ports", "flags", "expected"),
    [
        (UDP, (53, 40_000), 0, True),
        (UDP, (40_000, 53), 0, False),
        (UDP, (53, 53), 0, False),
        (UDP, (40_000, 40_001), 0, False),
        (TCP, (80, 40_000), SYN | ACK, True),
        (TCP, (80, 40_000), ACK, True),
        (TCP, (80, 40_000), SYN, False),
        (TCP, (40_000, 80), SYN | ACK, False),
        (TCP, (80, 443), ACK, True),
        (TCP, (443, 80), ACK, False),
        (TCP, (80, 443), SYN | ACK, False),
        (132, (80, 40_000), 0, False),
    ],
)
def test_which_port_is_the_servers(
    protocol: int,
    ports: tuple[int, int],
    flags: int,
    expected: bool,  # noqa: FBT001
) -> None:
    assert bool(is_reversed(protocol, *ports, flags & SYN, flags & ACK, port_table())) == expected
    row = only_row([Segment(1, CLIENT, SERVER, *ports, protocol, flags)])
    assert (row.orig, row.history[:1]) == (
        ((SERVER, ports[1]), "^") if expected else ((CLIENT, ports[0]), row.history[:1])
    )
    assert row.packets == ((0, 1) if expected else (1, 0))


def test_an_answer_to_all_is_none() -> None:
    everyone = MAPPED | 0xFFFFFFFF
    row = only_row([Segment(1, CLIENT, everyone, 67, 40_000, UDP)])
    assert (row.orig, row.history) == ((CLIENT, 67), "D")


@pytest.mark.parametrize(
    ("address", "broadcast", "multicast"),
    [
        (MAPPED | 0xFFFFFFFF, True, False),
        (MAPPED | 0xE0000001, False, True),
        (MAPPED | 0xEFFFFFFF, False, True),
        (MAPPED | 0xF0000000, False, False),
        (MAPPED | 0xDFFFFFFF, False, False),
        (0xFF02 << 112 | 0xFB, False, True),
        (0xFE80 << 112 | 0xE0000001, False, False),
        (0xFFFFFFFFFFFF | 1 << 64, False, False),
    ],
)
def test_addresses_of_many(address: int, broadcast: bool, multicast: bool) -> None:  # noqa: FBT001
    halves = np.uint64(address >> 64), np.uint64(address & (1 << 64) - 1)
    assert (is_broadcast(*halves), is_multicast(*halves)) == (broadcast, multicast)
