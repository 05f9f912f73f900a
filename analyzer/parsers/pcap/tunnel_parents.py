"""Which tunnels carried a connection.

Zeek src/Conn.cc (CheckEncapsulation) and src/TunnelEncapsulation.cc.
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Halves, Numbers
from analyzer.parsers.pcap.connection_keys import mixed
from analyzer.parsers.pcap.connection_state import CARRIED, Record
from analyzer.parsers.pcap.parts import part

CARRIER_CHANGES = 5
"""Further tunnels noted of a connection: tunnel_max_changes_per_connection."""

_SALT, _ONE, _HALF_SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(1), np.uint64(32)


@part
def identify_carrier(
    row: int, source_high: np.uint64, source_low: np.uint64,
    destination_high: np.uint64, destination_low: np.uint64,
    identity_high: Numbers, identity_low: Halves,
) -> None:  # fmt: skip
    """Give a tunnel between two addresses that is no connection an identity."""
    pair = mixed(mixed(source_high + _SALT) + source_low) + mixed(
        mixed(destination_high + _SALT) + destination_low
    )
    identity_low[row] = mixed(pair)
    identity_high[row] = mixed(pair + _ONE) >> _HALF_SHIFT


@part
def note_carrier(connection: Record, high: int, low: np.uint64, ledger: Record) -> None:
    """Note the tunnel that carried a datagram of a connection (CheckEncapsulation)."""
    if not connection.flags & CARRIED:
        connection.flags |= CARRIED
        connection.parent_high = high
        connection.parent_low = low
        connection.carrier_low = low
    elif connection.carrier_low != low and connection.carrier_changes < CARRIER_CHANGES:
        connection.carrier_changes += 1
        connection.carrier_low = low
        ledger.parent_serials[ledger.parents] = connection.serial
        ledger.parent_highs[ledger.parents] = high
        ledger.parent_lows[ledger.parents] = low
        ledger.parents += 1
