"""How what happens on connections is noted, for :class:`~.batches.FlowBatch`."""

from __future__ import annotations

from analyzer.parsers.pcap import batches
from analyzer.parsers.pcap.connection_state import Record, Records
from analyzer.parsers.pcap.parts import number, part

PAYLOAD, ENDED, GAP = map(number, (batches.PAYLOAD, batches.ENDED, batches.GAP))
"""Kinds of events, as compiled code passes them on."""


@part
def note_event(
    kind: int, slot: int, connection: Record, endpoint: Record, time: float,
    start: int, captured: int, length: int, stream_offset: int, events: Records, ledger: Record,
) -> None:  # fmt: skip
    """Note an event; there has to be room for it."""
    event = events[ledger.events]
    ledger.events += 1
    event.kind = kind
    event.slot = slot
    event.from_originator = endpoint.side == connection.originator_side
    event.time = time
    event.start = start
    event.captured = captured
    event.length = length
    event.stream_offset = stream_offset
