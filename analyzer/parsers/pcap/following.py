"""Events that the loop in :mod:`openings` left over, and the connections whose readers get them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from analyzer.parsers.pcap.batches import GAP, Counts, Flags, FlowBatch
from analyzer.parsers.pcap.openings import SETTLED
from analyzer.parsers.pcap.ordered_streams import OrderedStream
from analyzer.parsers.pcap.protocols.findings import Findings
from analyzer.parsers.pcap.protocols.session import Reader, Session
from analyzer.parsers.pcap.protocols.web import Http
from analyzer.parsers.pcap.signatures import (
    TCP_READERS,
    TCP_SIGNATURES,
    UDP_READERS,
    UDP_SIGNATURES,
)


class Event(NamedTuple):
    """One event.

    Attributes:
        slot: its connection.
        kind: as in :class:`~.batches.FlowBatch`; so are the next four.
        is_originator: 1 for what the originator sent.
        time: when.
        offset: where it stands in its direction's stream.
        length: bytes of it by the headers.
        data: what is present of it.
    """

    slot: int
    kind: int
    is_originator: int
    time: float
    offset: int
    length: int
    data: bytes

    @property
    def missing(self) -> int:
        """Bytes that the capture cut off."""
        return max(0, self.length - len(self.data))


def events(flow: FlowBatch, indices: Counts, stages: Flags) -> Iterator[Event]:
    """Some events of a batch, those left out whose connection is settled by the time they come.

    Args:
        flow: the batch.
        indices: which events.
        stages: the stage of each connection.
    """
    data = flow.data.data
    columns = (
        flow.slots, flow.kinds, flow.from_originator, flow.times, flow.stream_offsets,
        flow.lengths, flow.starts, flow.captured,
    )  # fmt: skip
    rows = zip(*(column[indices].tolist() for column in columns), strict=True)
    for slot, kind, is_originator, time, offset, length, start, captured in rows:
        if stages[slot] != SETTLED:
            payload = bytes(data[start : start + captured])
            yield Event(slot, kind, is_originator, time, offset, length, payload)


class Followed:
    """A connection that readers follow, and its streams; datagrams have none.

    Attributes:
        session: its readers.
    """

    __slots__ = ("_streams", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self._streams = None if session.has_datagrams else (OrderedStream(), OrderedStream())

    @classmethod
    def stream(cls, port: int, *, is_partial: bool) -> Followed:
        """A TCP connection from its first byte on.

        Args:
            port: the responder's.
            is_partial: whether it was seen from its middle.
        """
        findings = Findings(is_unreliable=is_partial, is_partial=is_partial)
        return cls(Session(TCP_SIGNATURES, TCP_READERS.get(port, ()), findings=findings))

    @classmethod
    def requested(cls) -> Followed:
        """A TCP connection from the answer to an HTTP request on."""
        session = Session(TCP_SIGNATURES, findings=Findings([Http.service]))
        session.continue_with(Http.requested(session))
        followed = cls(session)
        if followed._streams is not None:
            followed._streams[1].begin_anywhere()
        return followed

    @classmethod
    def datagrams(cls, port: int) -> Followed:
        """A flow over UDP.

        Args:
            port: the responder's.
        """
        readers: tuple[type[Reader], ...] = UDP_READERS.get(port, ())
        return cls(Session(UDP_SIGNATURES, readers, has_datagrams=True))

    def take(self, event: Event) -> None:
        """Hand an event to the readers."""
        is_originator = bool(event.is_originator)
        if self._streams is None:
            if event.kind != GAP:
                self.session.deliver(event.data, is_originator=is_originator)
            return
        stream = self._streams[is_originator]
        if (
            event.kind != GAP
            and len(event.data) == event.length
            and stream.goes_on(event.offset, event.length)
        ):
            self.session.deliver(event.data, is_originator=is_originator)
            return
        if event.kind == GAP:
            pieces = stream.skip_to(event.offset + event.length)
        else:
            pieces = stream.add(event.offset, event.data, event.missing)
        for piece in pieces:
            if piece is None:
                self.session.gap(is_originator=is_originator)
            else:
                self.session.deliver(piece, is_originator=is_originator)
