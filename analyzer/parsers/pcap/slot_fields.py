"""What a connection table holds, as arrays with a value for every slot."""

from __future__ import annotations

from functools import cached_property
from typing import cast

import numpy as np

from analyzer.parsers.pcap.batches import Counts, Flags, Halves, Ports, Times
from analyzer.parsers.pcap.connection_state import PARTIAL
from analyzer.parsers.pcap.connections import ConnectionTable


class SlotFields:
    """Views of a connection table as it is when each is first asked for.

    Slots that nobody uses hold anything.

    Args:
        connections: the table.
    """

    def __init__(self, connections: ConnectionTable) -> None:
        self._connections = connections

    @cached_property
    def protocol(self) -> Flags:
        """IP protocol numbers."""
        return cast("Flags", self._connections.field("protocol"))

    @cached_property
    def originator_port(self) -> Ports:
        """Ports of the originators."""
        return cast("Ports", self._connections.field("originator_port"))

    @cached_property
    def responder_port(self) -> Ports:
        """Ports of the responders."""
        return cast("Ports", self._connections.field("responder_port"))

    @cached_property
    def originator_high(self) -> Halves:
        """Upper 64 bits of the originators' addresses."""
        return cast("Halves", self._connections.field("originator_high"))

    @cached_property
    def originator_low(self) -> Halves:
        """Lower 64 bits of them."""
        return cast("Halves", self._connections.field("originator_low"))

    @cached_property
    def responder_high(self) -> Halves:
        """Upper 64 bits of the responders' addresses."""
        return cast("Halves", self._connections.field("responder_high"))

    @cached_property
    def responder_low(self) -> Halves:
        """Lower 64 bits of them."""
        return cast("Halves", self._connections.field("responder_low"))

    @cached_property
    def first_time(self) -> Times:
        """When the connections began."""
        return cast("Times", self._connections.field("first_time"))

    @cached_property
    def is_partial(self) -> Flags:
        """1 for TCP connections seen from their middle."""
        flags = cast("Counts", self._connections.field("flags"))
        partial: Flags = ((flags & PARTIAL) != 0).astype(np.uint8)
        return partial
