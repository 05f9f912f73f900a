"""The arrays that the loop over datagrams in :mod:`tracking` works on."""

from __future__ import annotations

from typing import NamedTuple

from analyzer.parsers.pcap.batches import Counts, Flags
from analyzer.parsers.pcap.connection_state import Records


class State(NamedTuple):
    """All that is kept from one datagram to the next, and what comes out of them."""

    connections: Records
    endpoints: Records
    buckets: Counts
    free_slots: Counts
    blocks: Records
    groups: Records
    timers: Records
    ports: Flags
    events: Records
    ledger: Records
