"""What the stages of reading a capture hand on."""

from __future__ import annotations

import pytest

from analyzer.parsers.pcap import batches
from analyzer.parsers.pcap.batches import FlowBatch, PacketBatch, SegmentBatch


@pytest.mark.parametrize("kind", [PacketBatch, SegmentBatch, FlowBatch])
def test_every_column_is_described(kind: type) -> None:
    described = kind.__doc__ or ""
    for name in kind.__annotations__:
        assert f"        {name}: " in described


def test_kinds_of_events_differ() -> None:
    assert len({batches.PAYLOAD, batches.ENDED, batches.GAP}) == 3
