"""TCP connections, packet by packet, as the office's side of them is seen."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from tests.traffic.captures_wire import ACK, FIN, PSH, RST, SYN, Host, Wire

SEGMENT = 1460
"""Payload bytes of a full segment on Ethernet."""
WINDOW = 10
"""Segments that are sent before any of them is acknowledged."""

# Seconds from a packet to the next of the same host, and from one that arrives to its answer.
_SPACING = 0.00013
_REACTION = 0.00006
_DELAYED_ACK = 0.04
_LISTENING, _WINDOW = 64240, 1026
# Maximum segment size, window scale 8, SACK permitted, as Windows orders them.
_OPTIONS = struct.pack("!BBHBBBBBBBB", 2, 4, SEGMENT, 1, 3, 3, 8, 1, 1, 4, 2)


class Path(NamedTuple):
    """How far a server is: seconds there and back, and how many messages lose a segment."""

    round_trip: float
    loss: float = 0.0


LOCAL = Path(0.0005)
"""Within the office."""


class Connection:
    """One connection; every method goes on where the one before has ended.

    Args:
        wire: where to put it.
        rng: what to draw from.
        time: when the client begins.
        client: who it is. The sensor is at its end of the path.
        server: whom it means.
        port: the server's.
        path: the way between them.
        segment: most payload bytes in a segment; more than Ethernet carries where the sensor is
            the client itself, as it hands its network card large segments to cut.
    """

    def __init__(
        self,
        wire: Wire,
        rng: np.random.Generator,
        time: float,
        client: Host,
        server: Host,
        *,
        port: int,
        path: Path = LOCAL,
        segment: int = SEGMENT,
    ) -> None:
        self._wire = wire
        self._rng = rng
        self._path = path
        self._segment = segment
        # Each for the server and for the client, in this order.
        self._hosts = (server, client)
        self._ports = (port, wire.ephemeral_port(client))
        self._next = [int(number) for number in rng.integers(0, 2**32, 2)]
        # When a packet would be seen that answers all that has been seen.
        self._ready = [time, time]
        # Until when an acknowledgement waits for something to travel with.
        self._owed: list[float | None] = [None, None]

    @property
    def time(self) -> float:
        """When the client has seen all there was."""
        return self._ready[True]

    def unanswered(self, retries: int = 2) -> None:
        """Try in vain, and again after one second, two more, four more."""
        first, begin = self._next[True], self.time
        for attempt in range(retries + 1):
            self._next[True] = first
            self._put(begin + 2.0**attempt - 1.0, SYN, by_client=True)

    def refused(self) -> None:
        """Try in vain, and be told so."""
        self._put(self.time, SYN, by_client=True)
        self._next[False] = 0
        self._put(self._ready[False], RST | ACK, by_client=False)

    def open(self) -> Connection:
        """Shake hands."""
        self._put(self.time, SYN, by_client=True)
        self._put(self._ready[False], SYN | ACK, by_client=False)
        self._put(self.time, ACK, by_client=True)
        return self

    def say(self, data: bytes, *, by_client: bool, wait: float = 0.0) -> Connection:
        """Send `data` after `wait` seconds of thought, and have it acknowledged.

        Every second segment is acknowledged at once, the last with what is said next or 40 ms
        later. A segment may be lost behind the sensor, which then sees it sent again.
        """
        time = self._ready[by_client] + wait
        pieces = [data[at : at + self._segment] for at in range(0, len(data), self._segment)]
        lost = -1
        if self._rng.random() < self._path.loss:
            lost = int(self._rng.integers(len(pieces)))
        for number, piece in enumerate(pieces):
            flags = PSH | ACK if number == len(pieces) - 1 else ACK
            self._put(time, flags, by_client=by_client, payload=piece)
            if number == lost:
                time += max(0.2, 2 * self._path.round_trip) + 0.01 * self._rng.random()
                self._next[by_client] -= len(piece)
                self._put(time, flags, by_client=by_client, payload=piece)
            answer = self._ready[not by_client]
            if number % 2:
                self._put(answer, ACK, by_client=not by_client)
            else:
                self._owed[not by_client] = answer + _DELAYED_ACK
            time += _SPACING * (0.5 + self._rng.random())
            if number % WINDOW == WINDOW - 1:
                time = max(time, self._ready[by_client])
        return self

    def close(self, *, by_client: bool = True, wait: float = 0.0) -> float:
        """Take leave of each other.

        Returns:
            When that was done.
        """
        self._put(self._ready[by_client] + wait, FIN | ACK, by_client=by_client)
        if self._rng.random() < 0.5:
            self._put(self._ready[not by_client], ACK, by_client=not by_client)
        self._put(self._ready[not by_client], FIN | ACK, by_client=not by_client)
        self._put(self._ready[by_client], ACK, by_client=by_client)
        return max(self._ready)

    def reset(self, *, by_client: bool = True, wait: float = 0.0) -> float:
        """Hang up.

        Returns:
            When that was done.
        """
        self._put(self._ready[by_client] + wait, RST | ACK, by_client=by_client)
        return max(self._ready)

    def leave(self) -> float:
        """Stay connected beyond what is captured.

        Returns:
            When the last packet was seen.
        """
        for by_client in (False, True):
            self._pay(by_client=by_client)
        return max(self._ready)

    def _put(self, time: float, flags: int, *, by_client: bool, payload: bytes = b"") -> None:
        for side in (False, True):
            due = self._owed[side]
            if due is not None and due < time:
                self._pay(by_client=side)
        self._owed[by_client] = None
        self._wire.tcp(
            time,
            self._hosts[by_client],
            self._hosts[not by_client],
            (self._ports[by_client], self._ports[not by_client]),
            (self._next[by_client], self._next[not by_client] if flags & ACK else 0),
            flags=flags,
            payload=payload,
            window=_LISTENING if flags & SYN else 0 if flags & RST else _WINDOW,
            options=_OPTIONS if flags & SYN else b"",
        )
        self._next[by_client] += len(payload) + bool(flags & (SYN | FIN))
        self._ready[by_client] = max(self._ready[by_client], time + _SPACING)
        arrived = time + _REACTION
        if by_client:
            arrived += self._path.round_trip * (1.0 + 0.1 * abs(self._rng.normal()))
        self._ready[not by_client] = max(self._ready[not by_client], arrived)

    def _pay(self, *, by_client: bool) -> None:
        """Put down the acknowledgement that is owed, as nothing came to carry it."""
        due, self._owed[by_client] = self._owed[by_client], None
        if due is not None:
            self._put(due, ACK, by_client=by_client)
