"""The arrays that the loop over datagrams in :mod:`tracking` works on."""

from __future__ import annotations

from typing import NamedTuple

from analyzer.parsers.pcap.batches import Bytes, Counts, Flags, Halves, Numbers, Ports, Times
from analyzer.parsers.pcap.connection_state import Records


class Rows(NamedTuple):
    """The columns of a :class:`~analyzer.parsers.pcap.batches.SegmentBatch`."""

    data: Bytes
    times: Times
    source_high: Halves
    source_low: Halves
    destination_high: Halves
    destination_low: Halves
    protocols: Flags
    source_ports: Ports
    destination_ports: Ports
    ip_lengths: Counts
    payload_starts: Counts
    payload_captured: Counts
    payload_lengths: Counts
    sequences: Numbers
    acknowledgements: Numbers
    tcp_flags: Ports
    windows: Ports
    carriers: Counts
    is_carrier: Flags


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
