"""The arrays that :mod:`tracking` works on: how they begin, and how they grow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import Counts
from analyzer.parsers.pcap.connection_keys import rehash
from analyzer.parsers.pcap.connection_state import (
    BLOCK,
    CONNECTION,
    ENDPOINT,
    EVENT,
    GROUP,
    LEDGER,
    QUEUES,
    TIMER,
    Records,
)
from analyzer.parsers.pcap.expiry_chains import NEVER, queued_places
from analyzer.parsers.pcap.roles import port_table
from analyzer.parsers.pcap.tracking_arrays import State

SWEEP_INTERVAL = 1 << 15
"""Fewest datagrams between two searches for connections that are over."""

_FIRST_GROUPS = 4096
_FIRST_BLOCKS = 1024


def _whole(records: Records) -> npt.NDArray[np.void]:
    """The same records as runs of bytes: numpy copies others a field at a time."""
    return records.view(np.dtype((np.void, records.itemsize)))


def taken(records: Records, places: Counts) -> Records:
    """The records at some places."""
    return _whole(records)[places].view(records.dtype)


def _enlarged(records: Records, pattern: Records, times: int) -> Records:
    """Records, and so many times a few more."""
    larger: Records = np.empty(records.size + times * pattern.size, records.dtype)
    _whole(larger)[: records.size] = _whole(records)
    _whole(larger)[records.size :].reshape(times, pattern.size)[:] = _whole(pattern)
    return larger


def new_records(count: int, kind: np.dtype[np.void]) -> Records:
    """So many records of zeros."""
    return np.zeros(count, kind)


def clear_slots(state: State, slots: Counts) -> None:
    """Make slots as they are before a connection begins."""
    _whole(state.connections)[slots] = _whole(_CONNECTION)
    endpoints = _whole(state.endpoints)
    endpoints[2 * slots], endpoints[2 * slots + 1] = _whole(_ENDPOINTS)


def new_state(slots: int) -> State:
    """Room for so many connections, none of which is open."""
    ledger = new_records(1, LEDGER)
    ledger["network_time"] = -np.inf
    ledger["next_due"] = np.inf
    ledger["free_slots"] = slots
    ledger["free_blocks"] = _FIRST_BLOCKS
    ledger["until_sweep"] = SWEEP_INTERVAL
    return State(
        connections=_enlarged(new_records(0, CONNECTION), _CONNECTION, slots),
        endpoints=_enlarged(new_records(0, ENDPOINT), _ENDPOINTS, slots),
        buckets=np.zeros(1 << (2 * slots - 1).bit_length(), np.int64),
        free_slots=np.arange(slots - 1, -1, -1, dtype=np.int64),
        blocks=_free_blocks(0, _FIRST_BLOCKS),
        groups=new_records(_FIRST_GROUPS, GROUP),
        timers=new_records(QUEUES * _FIRST_GROUPS, TIMER),
        ports=port_table(),
        events=new_records(0, EVENT),
        ledger=ledger,
    )


def with_slots(state: State) -> State:
    """Twice the room for connections; no slot was free."""
    before = state.connections.size
    free_slots: Counts = np.zeros(2 * before, np.int64)
    free_slots[:before] = np.arange(2 * before - 1, before - 1, -1)
    state.ledger["free_slots"] = before
    buckets = np.zeros(2 * state.buckets.size, np.int64)
    rehash(state.buckets, buckets)
    return state._replace(
        connections=_enlarged(state.connections, _CONNECTION, before),
        endpoints=_enlarged(state.endpoints, _ENDPOINTS, before),
        free_slots=free_slots,
        buckets=buckets,
    )


def with_events(state: State, more: int) -> State:
    """At least so much more room for events."""
    filled = int(state.ledger["events"][0])
    events = np.empty(2 * filled + more, EVENT)
    _whole(events)[:filled] = _whole(state.events)[:filled]
    return state._replace(events=events)


def with_blocks(state: State) -> State:
    """Twice the room for bytes that came too early."""
    before = state.blocks.size
    blocks = np.concatenate([state.blocks, _free_blocks(before, before)])
    blocks["next"][-1] = state.ledger["free_block"][0]
    state.ledger["free_block"] = before
    state.ledger["free_blocks"] += before
    return state._replace(blocks=blocks)


def with_groups(state: State) -> State:
    """Twice the room for groups of timers, and for timers in each queue."""
    before = state.groups.size
    places = queued_places(state.timers, state.ledger)
    waiting = state.ledger["tails"][0] - state.ledger["heads"][0]
    timers = new_records(2 * state.timers.size, TIMER)
    state.ledger["heads"] = 0
    state.ledger["tails"] = waiting
    timers[queued_places(timers, state.ledger)] = state.timers[places]
    groups = new_records(2 * before, GROUP)
    groups[:before] = state.groups
    return state._replace(groups=groups, timers=timers)


def _free_blocks(first: int, count: int) -> npt.NDArray[np.record]:
    """Blocks in a list of free ones."""
    blocks = new_records(count, BLOCK)
    blocks["next"] = np.arange(first + 1, first + count + 1)
    blocks["next"][-1] = -1
    return blocks


def _new_connection() -> Records:
    connection = new_records(1, CONNECTION)
    connection["attempt_due"] = connection["delete_due"] = NEVER
    connection["expiry_group"] = connection["closing_group"] = -1
    return connection


def _new_endpoints() -> Records:
    endpoints = new_records(2, ENDPOINT)
    endpoints["side"] = (0, 1)
    endpoints["payload_bytes"] = -1
    endpoints["delivered"] = endpoints["trimmed"] = 1
    endpoints["first_block"] = endpoints["last_block"] = -1
    return endpoints


_CONNECTION = _new_connection()
_ENDPOINTS = _new_endpoints()
