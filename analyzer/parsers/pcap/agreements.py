"""Connections that were agreed upon in others: FTP's and IRC's transfers of data.

Sources: Zeek's ``Analyzer::schedule_analyzer`` and ``scripts/base/protocols/ftp/main.zeek``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from analyzer.parsers.pcap.batches import Ports
from analyzer.parsers.pcap.protocols.findings import Expectation, Opener

Address: TypeAlias = tuple[int, int]
"""Upper and lower 64 bits."""

BEGUN_WITHIN = 300.0
"""Seconds within which such a connection begins: ``FTP::add_expected_data_channel``."""

REMEMBERED = 86400.0
"""Seconds for which an agreement is remembered, as connections are named when they end."""

MOST_REMEMBERED = 65536
"""Places of connections that are remembered at a time; the oldest are forgotten first."""

_MOST_AT_A_PLACE = 8


@dataclass(frozen=True, slots=True)
class _Agreement:
    service: str
    opener: Address | None
    time: float


class Agreements:
    """What was agreed upon, by address and port of the responder to be."""

    def __init__(self) -> None:
        self._places: dict[tuple[Address, int], deque[_Agreement]] = {}
        self._is_port = np.zeros(1 << 16, np.bool_)

    def __bool__(self) -> bool:
        return bool(self._places)

    def note(
        self, expectation: Expectation, originator: Address, responder: Address, time: float
    ) -> None:
        """Remember what was agreed upon in a connection.

        Args:
            expectation: what was.
            originator: the connection's originator.
            responder: its responder.
            time: when.
        """
        ends = {Opener.ORIGINATOR: originator, Opener.RESPONDER: responder}
        place = (expectation.address or responder, expectation.port)
        agreed = self._places.pop(place, deque(maxlen=_MOST_AT_A_PLACE))
        agreed.append(_Agreement(expectation.service, ends.get(expectation.opener), time))
        self._places[place] = agreed
        self._is_port[expectation.port] = True
        while self._places:
            oldest = next(iter(self._places))
            is_new = self._places[oldest][-1].time + REMEMBERED > time
            if is_new and len(self._places) <= MOST_REMEMBERED:
                break
            del self._places[oldest]

    def are_ports(self, ports: Ports) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which ports anything was agreed upon for."""
        return self._is_port[ports]

    def service(
        self, responder: Address, port: int, originator: Address, begun: float
    ) -> str | None:
        """What a connection is called by what was agreed upon, None if it was not.

        Args:
            responder: the connection's responder.
            port: its port.
            originator: the connection's originator.
            begun: when it began.
        """
        for agreed in reversed(self._places.get((responder, port), ())):
            if agreed.time <= begun < agreed.time + BEGUN_WITHIN and agreed.opener in (
                None,
                originator,
            ):
                return agreed.service
        return None
