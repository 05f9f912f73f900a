"""Datagrams made by hand, and what a connection table makes of them.

A TCP connection is written as lines like ``0.5 > SA 0 1 100``: when, who (``>`` is the client),
flags, sequence number and acknowledgement counted from each side's first, bytes of payload, and
after that, where it matters, ``w0`` for the window or ``c20`` for bytes captured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from analyzer.parsers.pcap.batches import FlowBatch, SegmentBatch, Times
from analyzer.parsers.pcap.connections import ConnectionTable

CLIENT, SERVER, OTHER = (0xFFFF_0A00_0000 + host for host in (1, 2, 3))
"""IPv4 addresses."""

CLIENT_PORT, SERVER_PORT = 40_000, 8_765
"""Ports that no protocol is known for."""

CLIENT_START, SERVER_START = 1_000, 9_000
"""Sequence numbers of the SYNs."""

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58

_BITS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}
_WORD = 0xFFFFFFFF


class Segment(NamedTuple):
    """One datagram; of what is not said the headers' decoder would find the same."""

    time: float
    source: int = CLIENT
    destination: int = SERVER
    source_port: int = CLIENT_PORT
    destination_port: int = SERVER_PORT
    protocol: int = TCP
    flags: int = 0
    sequence: int = 0
    acknowledgement: int = 0
    window: int = 1_000
    payload: bytes = b""
    captured: int | None = None
    ip_length: int | None = None
    claimed: int | None = None
    carrier: int = -1
    is_carrier: int = 0


def back(
    segment: Segment,
    time: float | None = None,
    payload: bytes | None = None,
    ports: tuple[int, int] | None = None,
) -> Segment:
    """A datagram the other way; ports are as before if none are given."""
    ports = ports or (segment.destination_port, segment.source_port)
    return segment._replace(
        time=segment.time if time is None else time,
        source=segment.destination,
        destination=segment.source,
        source_port=ports[0],
        destination_port=ports[1],
        payload=segment.payload if payload is None else payload,
    )


def tcp(
    lines: str,
    ports: tuple[int, int] = (CLIENT_PORT, SERVER_PORT),
    starts: tuple[int, int] = (CLIENT_START, SERVER_START),
) -> list[Segment]:
    """Segments between CLIENT and SERVER, one a line."""
    segments = []
    for line in filter(str.strip, lines.splitlines()):
        time, direction, flags, sequence, acknowledgement, *rest = line.split()
        options = {word[0]: int(word[1:]) for word in rest if not word.isdigit()}
        length = next((int(word) for word in rest if word.isdigit()), 0)
        mine, theirs = starts if direction == ">" else starts[::-1]
        sent = Segment(
            float(time),
            source_port=ports[0],
            destination_port=ports[1],
            flags=sum(_BITS[letter] for letter in flags.replace("-", "")),
            window=options.get("w", 1_000),
            payload=bytes(length),
            captured=options.get("c"),
        )
        sent = sent._replace(
            sequence=(mine + int(sequence)) & _WORD,
            acknowledgement=(theirs + int(acknowledgement)) & _WORD if "A" in flags else 0,
        )
        segments.append(sent if direction == ">" else back(sent))
    return segments


def batch(segments: Sequence[Segment]) -> SegmentBatch:
    """The segments as the headers' decoder would hand them on."""
    data = bytearray()
    starts, captured, lengths, ip_lengths = [], [], [], []
    for segment in segments:
        length = len(segment.payload)
        claimed = length + 8 if segment.claimed is None else segment.claimed
        data += bytes(4) + claimed.to_bytes(2) + bytes(2)  # where UDP's header is
        starts.append(len(data))
        data += segment.payload
        captured.append(length if segment.captured is None else segment.captured)
        lengths.append(length)
        header = {TCP: 20, UDP: 8, ICMP: 8, ICMP6: 8}.get(segment.protocol, 0)
        ip_lengths.append(20 + header + length if segment.ip_length is None else segment.ip_length)
    count = len(segments)

    def column(values: Iterable[int | float], kind: type[np.generic]) -> np.ndarray[Any, Any]:
        return np.fromiter(values, kind, count)

    return SegmentBatch(
        data=np.frombuffer(bytes(data), np.uint8),
        times=column((s.time for s in segments), np.float64),
        source_high=column((s.source >> 64 for s in segments), np.uint64),
        source_low=column((s.source & (1 << 64) - 1 for s in segments), np.uint64),
        destination_high=column((s.destination >> 64 for s in segments), np.uint64),
        destination_low=column((s.destination & (1 << 64) - 1 for s in segments), np.uint64),
        protocols=column((s.protocol for s in segments), np.uint8),
        source_ports=column((s.source_port for s in segments), np.uint16),
        destination_ports=column((s.destination_port for s in segments), np.uint16),
        ip_lengths=column(ip_lengths, np.int64),
        payload_starts=column(starts, np.int64),
        payload_captured=column(captured, np.int64),
        payload_lengths=column(lengths, np.int64),
        sequences=column((s.sequence for s in segments), np.uint32),
        acknowledgements=column((s.acknowledgement for s in segments), np.uint32),
        tcp_flags=column((s.flags for s in segments), np.uint16),
        windows=column((s.window for s in segments), np.uint16),
        carriers=column((s.carrier for s in segments), np.int64),
        is_carrier=column((s.is_carrier for s in segments), np.uint8),
    )


class Row(NamedTuple):
    """What conn.log would say of a connection."""

    start: float
    orig: tuple[int, int]
    resp: tuple[int, int]
    protocol: int
    duration: float | None
    orig_bytes: int | None
    resp_bytes: int | None
    conn_state: str
    history: str
    missed_bytes: int
    packets: tuple[int, int]
    ip_bytes: tuple[int, int]


class Event(NamedTuple):
    """A flow event."""

    kind: int
    from_originator: int
    time: float
    payload: bytes
    length: int
    stream_offset: int


def rows_of(table: ConnectionTable, flow: FlowBatch) -> list[Row]:
    """The connections that ended in a batch."""
    slots = flow.ended
    said = table.columns(slots)
    ends = [
        (int(high) << 64 | int(low), int(port))
        for role in ("originator", "responder")
        for high, low, port in zip(
            *(table.field(f"{role}_{part}")[slots] for part in ("high", "low", "port")),
            strict=True,
        )
    ]
    found = []
    for place, slot in enumerate(slots.tolist()):
        known = bool(said.has_duration[place])
        found.append(
            Row(
                float(table.field("first_time")[slot]),
                ends[place],
                ends[len(slots) + place],
                int(table.field("protocol")[slot]),
                round(float(said.durations[place]), 6) if known else None,
                int(said.orig_bytes[place]) if known else None,
                int(said.resp_bytes[place]) if known else None,
                said.conn_states[place].decode(),
                said.histories[place].decode(),
                int(said.missed_bytes[place]),
                (int(said.orig_pkts[place]), int(said.resp_pkts[place])),
                (int(said.orig_ip_bytes[place]), int(said.resp_ip_bytes[place])),
            )
        )
    return found


def events_of(flow: FlowBatch) -> list[Event]:
    """The events of a batch."""
    return [
        Event(
            int(flow.kinds[k]),
            int(flow.from_originator[k]),
            float(flow.times[k]),
            flow.data[flow.starts[k] : flow.starts[k] + flow.captured[k]].tobytes(),
            int(flow.lengths[k]),
            int(flow.stream_offsets[k]),
        )
        for k in range(flow.kinds.size)
    ]


def rows(
    segments: Sequence[Segment], cut: int | None = None, packet_times: Times | None = None
) -> list[Row]:
    """All connections of a capture in the order in which they ended.

    Args:
        segments: its datagrams.
        cut: how many there are in each batch; all in one by default.
        packet_times: when packets came, if there are more of them; then there is one batch.
    """
    table = ConnectionTable(16)
    found = []
    size = cut or max(len(segments), 1)
    for begin in range(0, len(segments), size):
        found += rows_of(table, table.add(batch(segments[begin : begin + size]), packet_times))
    return found + rows_of(table, table.finish())


def only_row(segments: Sequence[Segment]) -> Row:
    """The one connection of a capture."""
    (row,) = rows(segments)
    return row


def events(segments: Sequence[Segment]) -> list[Event]:
    """What happened in a capture before it ended."""
    return events_of(ConnectionTable(16).add(batch(segments)))
