"""Which connection a datagram belongs to: a hash table from tuples to slots.

Open addressing with linear probing; taking an entry out moves those behind it forward, so there
are no tombstones. An entry is 31 bits of the tuple's hash above the slot's number plus one; 0 is
free. The hash is keyed at random, so that nobody can prepare packets that collide; what it is does
not show in anything that comes out.
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Counts
from analyzer.parsers.pcap.connection_state import Record, Records
from analyzer.parsers.pcap.parts import expanded, inlined, loop, part, wide

FORWARD, BACKWARD = 0, 1
"""Directions of a datagram: from the originator, from the responder."""


# Constants of their type from the start: converting them where they stand costs compile time.
_FIRST_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_MULTIPLIER = np.uint64(0x94D049BB133111EB)
_FIRST_SHIFT, _SECOND_SHIFT, _THIRD_SHIFT = np.uint64(30), np.uint64(27), np.uint64(31)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_HASH_SHIFT = np.uint64(33)

_SLOT_BITS = 32
_SLOT = (1 << _SLOT_BITS) - 1


@part
def mixed(value: np.uint64) -> np.uint64:
    """All bits of a number spread over 64 (the finalizer of SplitMix64, Steele et al. 2014)."""
    value = (value ^ (value >> _FIRST_SHIFT)) * _FIRST_MULTIPLIER
    value = (value ^ (value >> _SECOND_SHIFT)) * _SECOND_MULTIPLIER
    return value ^ (value >> _THIRD_SHIFT)


@expanded
def end_hash(high: np.uint64, low: np.uint64, port: int, key: np.uint64) -> np.uint64:
    """Hash of one end of a connection, 64 bits."""
    return mixed(mixed(high ^ key) + low * _SPREAD + np.uint64(port))


@inlined
def tuple_hash(
    source_high: np.uint64,
    source_low: np.uint64,
    source_port: int,
    destination_high: np.uint64,
    destination_low: np.uint64,
    destination_port: int,
    protocol: int,
    key: np.uint64,
) -> int:
    """Hash of a tuple, 31 bits; the same for both directions."""
    ends = end_hash(source_high, source_low, source_port, key) + end_hash(
        destination_high, destination_low, destination_port, key
    )
    return wide(mixed(ends + np.uint64(protocol)) >> _HASH_SHIFT)


@part
def record_hash(connection: Record, key: np.uint64) -> int:
    """The hash under which a connection stands in the table."""
    return tuple_hash(
        connection.originator_high,
        connection.originator_low,
        wide(connection.originator_port),
        connection.responder_high,
        connection.responder_low,
        wide(connection.responder_port),
        wide(connection.protocol),
        key,
    )


@part
def find(
    buckets: Counts,
    connections: Records,
    hashed: int,
    source_high: np.uint64,
    source_low: np.uint64,
    source_port: int,
    destination_high: np.uint64,
    destination_low: np.uint64,
    destination_port: int,
    protocol: int,
    one_way: bool,
) -> int:
    """The connection of a tuple.

    Returns:
        Twice its slot, plus :data:`BACKWARD` where the tuple's source is the responder; -1 if there
        is none. A tuple with the same two ends is from the originator (Zeek IPBasedAnalyzer.cc).
    """
    mask = buckets.size - 1
    at = hashed & mask
    while True:
        entry = buckets[at]
        if entry == 0:
            return -1
        if entry >> _SLOT_BITS == hashed:
            slot: int = (entry & _SLOT) - 1
            connection = connections[slot]
            if (
                connection.originator_low == source_low
                and connection.responder_low == destination_low
                and connection.originator_port == source_port
                and connection.responder_port == destination_port
                and connection.originator_high == source_high
                and connection.responder_high == destination_high
                and connection.protocol == protocol
            ):
                return 2 * slot + FORWARD
            if (
                not one_way
                and connection.originator_low == destination_low
                and connection.responder_low == source_low
                and connection.originator_port == destination_port
                and connection.responder_port == source_port
                and connection.originator_high == destination_high
                and connection.responder_high == source_high
                and connection.protocol == protocol
            ):
                return 2 * slot + BACKWARD
        at = (at + 1) & mask


@part
def insert(buckets: Counts, hashed: int, slot: int) -> None:
    """Enter a slot under its hash; the table has to have room, and it not to be there."""
    mask = buckets.size - 1
    at = hashed & mask
    while buckets[at] != 0:
        at = (at + 1) & mask
    buckets[at] = (hashed << _SLOT_BITS) | (slot + 1)


@part
def remove(buckets: Counts, hashed: int, slot: int) -> None:
    """Take a slot out that was entered under that hash."""
    mask = buckets.size - 1
    at = hashed & mask
    wanted = (hashed << _SLOT_BITS) | (slot + 1)
    while buckets[at] != wanted:
        if buckets[at] == 0:
            return
        at = (at + 1) & mask
    hole = at
    while True:
        at = (at + 1) & mask
        entry = buckets[at]
        if entry == 0:
            break
        home = (entry >> _SLOT_BITS) & mask
        if (at - home) & mask >= (at - hole) & mask:
            buckets[hole] = entry
            hole = at
    buckets[hole] = 0


@loop
def rehash(buckets: Counts, larger: Counts) -> None:
    """Enter all that stands in one table into another, which is empty and has room."""
    for at in range(buckets.size):
        entry = buckets[at]
        if entry != 0:
            insert(larger, entry >> _SLOT_BITS, (entry & _SLOT) - 1)
