"""DNS transactions: the rows of dns.log, out of what happens on connections.

Zeek takes for DNS what has a responder's port of :data:`~.batches.DNS_PORTS` over UDP, or of 53
over TCP. Source: Zeek 8.2's ``base/protocols/dns/main.zeek``.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import DNS_PORTS, GAP, PAYLOAD, Bytes, Counts, FlowBatch, Times
from analyzer.parsers.pcap.batches import ENDED as ENDED_EVENT
from analyzer.parsers.pcap.dns_messages import HEADER, ON_NETBIOS, TO_NETBIOS, Messages, find
from analyzer.parsers.pcap.dns_pairing import ENDED, pair
from analyzer.parsers.pcap.dns_queues import (
    CONFIRMED,
    DATAGRAMS,
    OTHER,
    ROWS,
    STREAM,
    TRANSACTION,
    UNDECIDED,
    WITHDRAWN,
)
from analyzer.parsers.pcap.dns_rows import DnsRows, table_of
from analyzer.parsers.pcap.dns_state import DnsState
from analyzer.parsers.pcap.dns_streams import DnsStream

STREAM_PORT = 53

CLOSED = 3
"""A kind of event beside those of :mod:`~.batches`: one end of a TCP connection closed. Zeek then
reads what there is of unfinished messages (``Contents_DNS::Flush``), each time anew."""

_TCP, _UDP = 6, 17
_NETBIOS_PORT = 137
_RESPONSE = 0x80  # in the third byte of a message


class Connections(Protocol):
    """What is asked of a connection table."""

    def field(self, name: str) -> npt.NDArray[np.generic]:
        """A field with a value for every slot: protocol, originator_port, responder_port."""


class DnsTransactions:
    """Follows the DNS transactions of a capture, batch by batch.

    What is kept from one batch to the next is the messages of open connections that wait for their
    other half, as far as Zeek lets them wait, and the unfinished ends of TCP streams.
    """

    def __init__(self) -> None:
        self._state = DnsState()
        self._streams: dict[tuple[int, bool], DnsStream] = {}
        self._steps = 1
        self._time = -np.inf

    def observe(self, flow: FlowBatch, table: Connections) -> DnsRows:
        """The transactions that a batch finishes.

        Args:
            flow: what happened on connections.
            table: the connections, as the batch leaves them.
        """
        if len(flow.slots):
            self._state.reserve(int(flow.slots.max()) + 1)
        self._analyze(flow, table)
        times = self._times(flow)
        events, places, sizes = self._messages(flow)
        slots = np.ascontiguousarray(flow.slots[events])
        messages = Messages(
            data=self._state.messages,
            starts=places,
            ends=places + np.maximum(sizes, 0),
            netbios=self._state.slots["netbios"][slots].astype(np.uint8),
        )
        ended = sizes == ENDED
        taken = Messages(
            messages.data,
            *(np.ascontiguousarray(column[~ended]) for column in messages[1:]),
        )
        found = find(taken)
        duties = np.where(ended, ENDED, np.cumsum(~ended) - 1)
        steps = self._steps + events
        self._steps += len(flow.slots)
        state = self._state.prepared(len(found))
        pair(taken, found, duties, steps, slots, times[events], state)
        rows = state.rows[: state.cells[ROWS]].view(TRANSACTION).reshape(-1)
        columns = table_of(self._state.messages, rows)
        self._state.compact()
        return DnsRows(
            slots=rows["slot"].copy(),
            columns=columns,
            confirmed=state.confirmed[: state.cells[CONFIRMED]].copy(),
            withdrawn=state.withdrawn[: state.cells[WITHDRAWN]].copy(),
        )

    def _times(self, flow: FlowBatch) -> Times:
        """Zeek's network time at each event, which does not go back when packets do."""
        times = np.maximum.accumulate(np.append(self._time, flow.times))[1:]
        self._time = float(times[-1]) if len(times) else self._time
        return times

    def _analyze(self, flow: FlowBatch, table: Connections) -> None:
        """Decide about connections by their first payload whether Zeek takes them for DNS."""
        known = self._state.slots
        first = (flow.kinds == PAYLOAD) & (known["analyzed"][flow.slots] == UNDECIDED)
        slots, places = np.unique(flow.slots[first], return_index=True)
        if not len(slots):
            return
        events = np.flatnonzero(first)[places]
        protocol, originator, responder = (
            table.field(name)[slots] for name in ("protocol", "originator_port", "responder_port")
        )
        # Where the first message is a response to the port of a server, DNS itself has made its
        # sender the responder, after Zeek had chosen how to analyze the connection by that port.
        turned = (flow.from_originator[events] == 0) & (flow.captured[events] >= HEADER)
        turned[turned] = flow.data[flow.starts[events[turned]] + 2] & _RESPONSE != 0
        datagrams = (protocol == _UDP) & (
            np.isin(responder, DNS_PORTS) | (turned & np.isin(originator, DNS_PORTS))
        )
        stream = (protocol == _TCP) & (responder == STREAM_PORT)
        known["analyzed"][slots] = np.select([datagrams, stream], [DATAGRAMS, STREAM], OTHER)
        to_netbios = responder == _NETBIOS_PORT
        on_netbios = to_netbios | (originator == _NETBIOS_PORT)
        known["netbios"][slots] = ON_NETBIOS * on_netbios + TO_NETBIOS * to_netbios

    def _messages(self, flow: FlowBatch) -> tuple[Counts, Counts, Counts]:
        """Messages and ends of connections in order: event, place where kept, size or ENDED."""
        analyzed = self._state.slots["analyzed"][flow.slots]
        payload, ended = flow.kinds == PAYLOAD, flow.kinds == ENDED_EVENT
        datagrams = payload & (analyzed == DATAGRAMS) & (flow.captured >= HEADER)
        in_stream = analyzed == STREAM
        events = np.flatnonzero(datagrams | (ended & (analyzed != UNDECIDED)))
        sizes = np.where(ended[events], ENDED, flow.captured[events])
        kept = np.maximum(sizes, 0)
        places = self._state.keep(flow.data, np.where(kept, flow.starts[events], 0), kept)
        if not in_stream.any():
            return events, places, sizes
        found = [
            (event, message)
            for event in np.flatnonzero(in_stream).tolist()
            for message in self._stream_messages(flow, event)
            if len(message) >= HEADER
        ]
        contents = np.frombuffer(b"".join(message for _, message in found), np.uint8)
        more = np.array([len(message) for _, message in found], np.int64)
        events = np.append(events, np.array([event for event, _ in found], np.int64))
        places = np.append(places, self._state.keep(contents, np.cumsum(more) - more, more))
        sizes = np.append(sizes, more)
        order = np.lexsort((sizes == ENDED, events))
        return events[order], places[order], sizes[order]

    def _stream_messages(self, flow: FlowBatch, event: int) -> list[bytes]:
        """The messages that an event completes in a stream."""
        slot = int(flow.slots[event])
        if flow.kinds[event] == ENDED_EVENT:
            for side in (True, False):
                self._streams.pop((slot, side), None)
            return []
        if flow.kinds[event] == CLOSED:
            streams = (self._streams.get((slot, side)) for side in (True, False))
            return [stream.unfinished for stream in streams if stream]
        side = bool(flow.from_originator[event])
        stream = self._streams.setdefault((slot, side), DnsStream())
        offset, length = int(flow.stream_offsets[event]), int(flow.lengths[event])
        if flow.kinds[event] == GAP:
            return stream.skip(offset, length)
        start = int(flow.starts[event])
        return stream.add(offset, length, _content(flow.data, start, int(flow.captured[event])))


def _content(data: Bytes, start: int, size: int) -> bytes:
    return data[start : start + size].tobytes()
