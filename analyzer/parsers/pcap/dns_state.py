"""The arrays in which DNS transactions are kept, and their growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import Bytes, Counts
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.dns_queues import CELLS, ROWS, SLOT, TRANSACTION, UNUSED, State
from analyzer.parsers.pcap.dns_records import Records

_WORDS = TRANSACTION.itemsize // 8

_SPARE = 1 << 20
"""Bytes of messages that nobody waits for which are not worth the trouble of moving the others."""


class DnsState:
    """State between batches: slots, transactions, and the messages that they are made of.

    Attributes:
        slots: what is known of each slot, :data:`~.dns_queues.SLOT`.
        messages: bytes of messages.
    """

    def __init__(self) -> None:
        self.slots: Records = np.zeros(0, SLOT)
        self.messages: Bytes = np.empty(0, np.uint8)
        self._used = 0
        self._kept = 0
        self._transactions: Records = np.zeros(1, TRANSACTION)
        self._cells: Counts = np.zeros(CELLS, np.int64)
        self._cells[UNUSED] = 1
        # The first transaction is what new ones are like.
        self._transactions["round_trip"] = np.nan
        for name in ("response_code", "type", "query_name", "response_name"):
            self._transactions[name] = -1

    def reserve(self, slots: int) -> None:
        """See to it that there are that many slots."""
        if slots > len(self.slots):
            self.slots = _grown(self.slots, len(self.slots), slots)

    def keep(self, data: Bytes, starts: Counts, sizes: Counts) -> Counts:
        """Keep messages; returns where each of them begins.

        Args:
            data: the bytes that hold them.
            starts: where each begins there.
            sizes: how long each is.
        """
        ends = np.cumsum(sizes) + self._used
        if not len(ends):
            return ends
        if ends[-1] > len(self.messages):
            self.messages = _grown(self.messages, self._used, int(ends[-1]))
        # One type for all data, whether it can be written to or not, is compiled only once.
        readable = data.view()
        readable.flags.writeable = False
        _copy(readable, starts, sizes, self.messages, self._used)
        self._used = int(ends[-1])
        return ends - sizes

    def prepared(self, messages: int) -> State:
        """State with room for what so many messages can lead to.

        Every message begins one transaction at most and finishes one; what waits is logged once
        more at most.
        """
        unused = int(self._cells[UNUSED])
        if unused + messages > len(self._transactions):
            self._transactions = _grown(self._transactions, unused, unused + messages)
        self._cells[ROWS:] = 0
        return State(
            slots=self.slots,
            transactions=self._transactions,
            words=self._transactions.view(np.int64).reshape(-1, _WORDS),
            rows=np.empty((unused + 2 * messages, _WORDS), np.int64),
            confirmed=np.empty(messages, np.int64),
            withdrawn=np.empty(messages, np.int64),
            cells=self._cells,
        )

    def compact(self) -> None:
        """Forget the messages that nobody waits for, once they are most of what there is."""
        if self._used <= 2 * self._kept + _SPARE:
            return
        before, self.messages, self._used = self.messages, np.empty(_SPARE, np.uint8), 0
        transactions = self._transactions[: int(self._cells[UNUSED])]
        for kind in ("query", "response"):
            start, end, name = kind, f"{kind}_end", f"{kind}_name"
            which = np.flatnonzero((transactions["live"] == 1) & (transactions[name] >= 0))
            starts = transactions[start][which]
            moved = self.keep(before, starts, transactions[end][which] - starts) - starts
            for column in (start, end, name):
                transactions[column][which] += moved
        self._kept = self._used


def _grown(array: npt.NDArray[Any], used: int, needed: int) -> npt.NDArray[Any]:
    """An array with twice the room, or as much as is needed, that begins with what is in use."""
    grown = np.zeros(max(needed, 2 * len(array)), array.dtype)
    grown[:used] = array[:used]
    return grown


@compiled
def _copy(data: Bytes, starts: Counts, sizes: Counts, out: Bytes, at: int) -> None:
    """Copy runs of bytes, one after the other."""
    for run in range(starts.size):
        for index in range(starts[run], starts[run] + sizes[run]):
            out[at] = data[index]
            at += 1
