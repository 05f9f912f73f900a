"""What both formats' walks share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.records import SMALLEST_RECORD, Packets, number


@settings(deadline=None)
@given(value=st.integers(0, 2**32 - 1), before=st.integers(0, 5))
@pytest.mark.parametrize("order", ["little", "big"])
def test_number(order: str, value: int, before: int) -> None:
    data = bytes(before) + value.to_bytes(4, "little" if order == "little" else "big")
    assert number(np.frombuffer(data, np.uint8), before, order == "big") == value


def test_packets() -> None:
    data = np.arange(160, dtype=np.uint8)
    packets = Packets(data)
    assert {len(column) for column in packets.rows} == {160 // SMALLEST_RECORD}
    packets.rows.starts[0] = 3
    packets.rows.captured[0] = 4
    packets.rows.wire[0] = 5
    packets.rows.times[0] = 6.5
    packets.rows.links[0] = 7
    packets.count = 1
    batch = packets.batch()
    assert batch.data is data
    assert batch.starts.tolist() == [3]
    assert batch.captured.tolist() == [4]
    assert batch.wire.tolist() == [5]
    assert batch.times.tolist() == [6.5]
    assert batch.links.tolist() == [7]
    lengths = (batch.starts, batch.captured, batch.wire)
    assert [str(column.dtype) for column in lengths] == ["int64"] * 3
    assert (str(batch.times.dtype), str(batch.links.dtype)) == ("float64", "uint16")
