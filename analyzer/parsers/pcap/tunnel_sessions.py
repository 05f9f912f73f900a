"""What Zeek keeps of the UDP connections that tunnels go through, where it changes what it reads.

Who responds decides, by its port, what the payload is; and once a payload was no tunnel of the kind
that it had to be, Zeek never looks for that kind in the connection again. Source: Zeek's
``src/packet_analysis/protocol/udp/UDP.cc`` and ``src/packet_analysis/Analyzer.cc``.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeAlias

from analyzer.parsers.pcap.decoding_state import Rows
from analyzer.parsers.pcap.tunnel_entries import TUNNEL_PORTS, udp_ports
from analyzer.parsers.pcap.tunnels import detect

TIMEOUT = 60.0
"""Seconds without a packet after which a UDP connection is over (Zeek: udp_inactivity_timeout)."""

_End: TypeAlias = tuple[int, int, int]
_Key: TypeAlias = tuple[_End, _End]

_BROADCAST = (0, 0xFFFFFFFFFFFF)
_SERVERS = frozenset(udp_ports().nonzero()[0].tolist())


@dataclass(slots=True)
class _Session:
    responder_port: int
    last_time: float
    broken: set[int] = field(default_factory=set)


class TunnelSessions:
    """The connections of which something has to be remembered.

    Most need nothing: their ports say who responds, and their tunnels are what they should be.

    Attributes:
        broken: how many have had a tunnel that was none.
    """

    def __init__(self) -> None:
        self.broken = 0
        self._sessions: OrderedDict[_Key, _Session] = OrderedDict()

    def tunnel(self, rows: Rows, row: int, payload: memoryview) -> int:
        """The kind of tunnel that a UDP datagram has to be; 0 if none or if it was broken before.

        Args:
            rows: what is known of datagrams.
            row: of the datagram.
            payload: what was captured of it.
        """
        now = float(rows.times[row])
        self._expire(now)
        port, session = self._responder_port(rows, row, now)
        kind = TUNNEL_PORTS.get(port) or detect(payload, 0, len(payload))
        return 0 if session and kind in session.broken else kind

    def give_up(self, rows: Rows, row: int, kind: int) -> None:
        """Remember that a datagram was no tunnel of the kind that it had to be."""
        port, session = self._responder_port(rows, row, float(rows.times[row]))
        if session is None:
            session = self._remember(rows, row, port)
        self.broken += not session.broken
        session.broken.add(kind)

    def _responder_port(self, rows: Rows, row: int, now: float) -> tuple[int, _Session | None]:
        session = self._sessions.get(_key(rows, row))
        if session:
            session.last_time = now
            self._sessions.move_to_end(_key(rows, row))
            return session.responder_port, session
        source, destination = int(rows.source_ports[row]), int(rows.destination_ports[row])
        if source == destination or source not in _SERVERS:
            return destination, None
        if destination in _SERVERS:  # Whoever was first; the answers must not be taken for it.
            return destination, self._remember(rows, row, destination)
        to = int(rows.destination_high[row]), int(rows.destination_low[row])
        return (destination if to == _BROADCAST else source), None

    def _remember(self, rows: Rows, row: int, port: int) -> _Session:
        session = _Session(port, float(rows.times[row]))
        self._sessions[_key(rows, row)] = session
        return session

    def _expire(self, now: float) -> None:
        while self._sessions:
            key, oldest = next(iter(self._sessions.items()))
            if now - oldest.last_time < TIMEOUT:
                return
            del self._sessions[key]
            self.broken -= bool(oldest.broken)


def _key(rows: Rows, row: int) -> _Key:
    source = (
        int(rows.source_high[row]),
        int(rows.source_low[row]),
        int(rows.source_ports[row]),
    )
    destination = (
        int(rows.destination_high[row]),
        int(rows.destination_low[row]),
        int(rows.destination_ports[row]),
    )
    return min(source, destination), max(source, destination)
