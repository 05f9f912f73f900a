"""The arrays that the loop works on are those that there are."""

from __future__ import annotations

from analyzer.parsers.pcap.batches import SegmentBatch
from analyzer.parsers.pcap.connection_state import EVENT, LEDGER
from analyzer.parsers.pcap.connection_storage import new_state
from analyzer.parsers.pcap.tracking_arrays import State

from .segments import batch


def test_rows_are_the_columns_of_a_batch() -> None:
    empty = batch([])
    assert all(getattr(empty, name).size == 0 for name in SegmentBatch._fields)


def test_a_state_is_replaced_part_by_part() -> None:
    state = new_state(4)
    other = state._replace(events=new_state(4).events)
    assert isinstance(other, State)
    assert other.ledger is state.ledger
    assert (state.events.dtype, state.ledger.dtype) == (EVENT, LEDGER)
