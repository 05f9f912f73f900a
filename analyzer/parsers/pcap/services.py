"""conn.log's ``service``: which protocols connections carry, and which servers were asked for.

Source: Zeek's ``scripts/base/frameworks/analyzer/dpd.zeek`` and ``scripts/base/protocols/conn``;
names are in the order in which analyzers confirmed them. A port alone names nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.agreements import Agreements
from analyzer.parsers.pcap.batches import (
    DNS_PORTS,
    PAYLOAD,
    Bytes,
    Counts,
    Flags,
    FlowBatch,
    Halves,
    Ports,
    Times,
)
from analyzer.parsers.pcap.following import Event, Followed, events
from analyzer.parsers.pcap.openings import (
    DNS_PORT,
    FOLLOWED,
    FOLLOWED_COUNT,
    HTTP_PORT,
    LEFT_TO_READERS,
    LONGEST_NAME,
    NAMED_COUNT,
    NEW,
    NTP_PORT,
    SETTLED,
    TLS,
    TLS_GREETED,
    TLS_GREETING,
    TLS_PORT,
    look,
)
from analyzer.parsers.pcap.protocols.datagrams import Ntp
from analyzer.parsers.pcap.protocols.tls import Tls, hello_of_record, is_record
from analyzer.parsers.pcap.protocols.web import Http
from analyzer.parsers.pcap.server_names import (
    client_hello_name,
    host_name,
    is_client_hello,
    without_port,
)
from analyzer.parsers.pcap.service_names import (
    NUMBERS,
    add_first,
    add_last,
    packed,
    remove,
    texts,
)
from analyzer.parsers.pcap.signatures import TCP_READERS, UDP_READERS, Readers

MOST_FOLLOWED = 16384
"""Connections that are followed at a time. The one followed longest is let go for a further one,
with what is known of it."""

_MOST_TEXTS = 65536
"""Spellings of servers' names that are remembered, so that each is looked at once."""

_TCP = 6


class Connections(Protocol):
    """What is needed of the connection table: arrays by slot."""

    @property
    def protocol(self) -> Flags:
        """IP protocol number."""

    @property
    def responder_port(self) -> Ports:
        """Port of the responder."""

    @property
    def originator_high(self) -> Halves:
        """Upper 64 bits of the originator's address."""

    @property
    def originator_low(self) -> Halves:
        """Lower 64 bits."""

    @property
    def responder_high(self) -> Halves:
        """Upper 64 bits of the responder's address."""

    @property
    def responder_low(self) -> Halves:
        """Lower 64 bits."""

    @property
    def first_time(self) -> Times:
        """When the connection began."""

    @property
    def is_partial(self) -> Flags:
        """1 for TCP connections seen from their middle."""


class ServiceIdentifier:
    """Finds out, batch by batch, what connections carry.

    What is asked of a connection that ended in a batch can be asked until the next one is observed.

    Attributes:
        let_go: connections that were not followed to their end because too many others were.
    """

    def __init__(self) -> None:
        self.let_go = 0
        self._stages = np.zeros(0, np.uint8)
        self._services = np.zeros(0, np.uint64)
        self._names: dict[int, str] = {}
        self._is_named = np.zeros(0, np.bool_)
        self._followed: dict[int, Followed] = {}
        self._greetings: dict[int, bytearray] = {}
        self._texts: dict[bytes, str | None] = {}
        self._agreements = Agreements()
        self._ended = np.zeros(0, np.int64)
        self._tcp_ports = _port_table(TCP_READERS, {HTTP_PORT: (Http,), TLS_PORT: (Tls,)})
        self._udp_ports = _port_table(UDP_READERS, {NTP_PORT: (Ntp,)})
        self._udp_ports[list(DNS_PORTS)] = DNS_PORT

    def observe(self, flow: FlowBatch, table: Connections) -> None:
        """Look at what happened on connections.

        Args:
            flow: the events.
            table: the connections they belong to.
        """
        self._make_room(table.protocol.size)
        size = flow.kinds.size
        followed, named = np.empty(size, np.int64), np.empty(3 * size, np.int64)
        counts = np.zeros(4, np.int64)
        look(
            flow.data, flow.kinds, flow.slots, flow.from_originator, flow.starts, flow.captured,
            flow.lengths, flow.stream_offsets, np.ascontiguousarray(table.protocol),
            np.ascontiguousarray(table.responder_port), np.ascontiguousarray(table.is_partial),
            self._tcp_ports, self._udp_ports, self._stages, self._services,
            followed, named, counts,
        )  # fmt: skip
        self._note_names(flow.data, named[: 3 * counts[NAMED_COUNT]].reshape(-1, 3))
        for event in events(flow, followed[: counts[FOLLOWED_COUNT]], self._stages):
            self._take(event, table)
        self._ended = flow.ended
        self._end(flow.ended, table)

    def confirm(self, slots: Counts, service: str) -> None:
        """Let connections have one more service, which somebody else found out.

        Args:
            slots: the connections.
            service: one of :data:`~.service_names.SERVICES`.

        Raises:
            KeyError: there is no such service.
        """
        chosen = np.unique(slots)
        add_last(self._services, chosen, service)
        for slot in chosen[self._stages[chosen] == FOLLOWED].tolist():
            if followed := self._followed.get(slot):
                followed.session.findings.confirm(service)

    def withdraw(self, slots: Counts, service: str) -> None:
        """Take back what was confirmed: Zeek has given up on the analyzer.

        Args:
            slots: the connections.
            service: the service that they do not have after all.
        """
        remove(self._services, slots, service)
        for slot in slots.tolist():
            if followed := self._followed.get(slot):
                followed.session.findings.withdraw(service)

    def services(self, slots: Counts) -> npt.NDArray[np.object_]:
        """The services of connections as in conn.log: names with commas, None where there are none.

        Args:
            slots: the connections.
        """
        return texts(self._services[slots])

    def server_names(self, slots: Counts) -> list[str | None]:
        """The host names that clients asked for in TLS or HTTP, None where there are none.

        Args:
            slots: the connections.
        """
        return [self._names.get(slot) for slot in slots.tolist()]

    def _make_room(self, capacity: int) -> None:
        """Forget connections that have ended, and have room for all there are."""
        self._stages[self._ended] = NEW
        self._services[self._ended] = 0
        for slot in self._ended[self._is_named[self._ended]].tolist():
            self._names.pop(slot, None)
        self._is_named[self._ended] = False
        added = capacity - self._stages.size
        if added > 0:
            self._stages = np.concatenate((self._stages, np.zeros(added, np.uint8)))
            self._services = np.concatenate((self._services, np.zeros(added, np.uint64)))
            self._is_named = np.concatenate((self._is_named, np.zeros(added, np.bool_)))

    def _note_names(self, data: Bytes, named: Counts) -> None:
        """Note where servers' names stand: connection, begin, length."""
        lengths = named[:, 2]
        ends = np.cumsum(lengths)
        # All of them one after another, as slices of bytes cost less than those of arrays.
        places = np.arange(lengths.sum()) + np.repeat(named[:, 1] - ends + lengths, lengths)
        joined, begin = data[places].tobytes(), 0
        for slot, end in zip(named[:, 0].tolist(), ends.tolist(), strict=True):
            self._note_name(slot, joined[begin:end])
            begin = end

    def _note_name(self, slot: int, text: bytes) -> None:
        if len(text) > LONGEST_NAME:
            return
        name = self._texts[text] if text in self._texts else self._host(text)
        if name is not None and slot not in self._names:
            self._names[slot] = name
            self._is_named[slot] = True

    def _host(self, text: bytes) -> str | None:
        if len(self._texts) >= _MOST_TEXTS:
            self._texts.clear()
        return self._texts.setdefault(text, host_name(without_port(text)))

    def _take(self, event: Event, table: Connections) -> None:
        """Have an event read that was left over, according to where its connection is by now."""
        stage = self._stages[event.slot]
        if stage == FOLLOWED:
            followed = self._followed.get(event.slot) or self._follow(event.slot, table)
            followed.take(event)
            self._conclude(event, followed, table)
        elif stage == TLS_GREETING:
            self._greet(event, table)
        elif stage == TLS_GREETED and event.kind == PAYLOAD and event.data:
            # What came in the same batch as the rest of the ClientHello: see openings.look.
            if not event.is_originator and event.offset == 0:
                self._stages[event.slot] = SETTLED
                if not is_record(event.data):
                    self._services[event.slot] = 0

    def _follow(self, slot: int, table: Connections) -> Followed:
        """Begin to follow a connection."""
        while len(self._followed) >= MOST_FOLLOWED:
            self._let_go(next(iter(self._followed)))
        port = int(table.responder_port[slot])
        if table.protocol[slot] != _TCP:
            followed = Followed.datagrams(port)
        elif self._services[slot]:
            followed = Followed.requested()
        else:
            followed = Followed.stream(port, is_partial=bool(table.is_partial[slot]))
        self._followed[slot] = followed
        self._stages[slot] = FOLLOWED
        return followed

    def _let_go(self, slot: int) -> None:
        self._followed.pop(slot, None)
        self._greetings.pop(slot, None)
        self._stages[slot] = SETTLED
        self.let_go += 1

    def _greet(self, event: Event, table: Connections) -> None:
        """Put a ClientHello together that comes in several segments."""
        slot = event.slot
        if slot not in self._greetings and len(self._greetings) >= MOST_FOLLOWED:
            self._let_go(next(iter(self._greetings)))
        greeting = self._greetings.setdefault(slot, bytearray())
        is_next = event.is_originator and event.offset == len(greeting) and not event.missing
        if is_next and event.kind == PAYLOAD:
            greeting += event.data
            message = hello_of_record(greeting)
            if message is None:
                return
            if is_client_hello(message):
                del self._greetings[slot]
                self._stages[slot] = TLS_GREETED
                self._services[slot] = TLS
                self._note_name(slot, client_hello_name(message))
                return
        # It is not as simple as that: readers take it from here.
        del self._greetings[slot]
        followed = self._follow(slot, table)
        followed.take(Event(slot, PAYLOAD, 1, event.time, 0, len(greeting), bytes(greeting)))
        if not is_next or event.kind != PAYLOAD:
            followed.take(event)
        self._conclude(event, followed, table)

    def _conclude(self, event: Event, followed: Followed, table: Connections) -> None:
        """Note what readers have found out."""
        slot, findings = event.slot, followed.session.findings
        if findings.is_changed:
            findings.is_changed = False
            self._services[slot] = packed(findings.services)
        if findings.server_name:
            self._note_name(slot, findings.server_name)
        if findings.expected:
            originator, responder = _ends(slot, table)
            for expectation in findings.expected:
                self._agreements.note(expectation, originator, responder, event.time)
            findings.expected.clear()
        if followed.session.is_finished:
            del self._followed[slot]
            self._stages[slot] = SETTLED

    def _end(self, ended: Counts, table: Connections) -> None:
        """Let connections that ended go, and name those that were agreed upon in others."""
        stages = self._stages[ended]
        for slot in ended[(stages == FOLLOWED) | (stages == TLS_GREETING)].tolist():
            self._followed.pop(slot, None)
            self._greetings.pop(slot, None)
        if not self._agreements:
            return
        ports = table.responder_port[ended]
        is_possible = (table.protocol[ended] == _TCP) & self._agreements.are_ports(ports)
        for slot in ended[is_possible].tolist():
            originator, responder = _ends(slot, table)
            port, begun = int(table.responder_port[slot]), float(table.first_time[slot])
            service = self._agreements.service(responder, port, originator, begun)
            if service is not None:
                self._services[slot] = add_first(int(self._services[slot]), NUMBERS[service])


def _ends(slot: int, table: Connections) -> tuple[tuple[int, int], tuple[int, int]]:
    """Addresses of a connection's originator and responder."""
    return (
        (int(table.originator_high[slot]), int(table.originator_low[slot])),
        (int(table.responder_high[slot]), int(table.responder_low[slot])),
    )


def _port_table(readers: Mapping[int, Readers], known: Mapping[int, Readers]) -> Flags:
    """What :mod:`openings` is to know of ports: those whose readers are just some known ones."""
    table = np.zeros(1 << 16, np.uint8)
    table[list(readers)] = LEFT_TO_READERS
    for port, tried in readers.items():
        for mark, kinds in known.items():
            if tried == kinds:
                table[port] = mark
    return table
