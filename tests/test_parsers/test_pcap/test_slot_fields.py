"""What a connection table holds, slot by slot."""

from __future__ import annotations

import io
import ipaddress

from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.container import Capture
from analyzer.parsers.pcap.headers import HeaderDecoder
from analyzer.parsers.pcap.slot_fields import SlotFields

from .scenes import CLIENT, SERVER, START, Timed, capture, ping, web


def followed(scene: list[Timed]) -> ConnectionTable:
    """A table in which the connections of a scene are open."""
    table, decoder = ConnectionTable(), HeaderDecoder()
    for packets in Capture("", ByteStream(io.BytesIO(capture(scene)))):
        table.add(decoder.decode(packets), packets.times)
    return table


def test_fields_by_slot() -> None:
    table = followed([*web(START, b"a", b"b"), *ping(START + 1)])
    fields = SlotFields(table)
    (slot,) = (k for k in range(fields.protocol.size) if fields.protocol[k] == 6)
    assert (fields.originator_port[slot], fields.responder_port[slot]) == (40_000, 80)
    assert (fields.originator_high[slot], fields.responder_high[slot]) == (0, 0)
    low = [0xFFFF << 32 | int(ipaddress.ip_address(text)) for text in (CLIENT, SERVER)]
    assert [fields.originator_low[slot], fields.responder_low[slot]] == low
    assert fields.first_time[slot] == START
    assert fields.is_partial[slot] == 0


def test_connections_seen_from_their_middle() -> None:
    table = followed(web(START, b"a", b"b")[2:6])
    fields = SlotFields(table)
    (slot,) = (k for k in range(fields.protocol.size) if fields.protocol[k] == 6)
    assert fields.is_partial[slot] == 1
