"""DNS messages made by hand, and flow batches that carry them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import ENDED, GAP, PAYLOAD, FlowBatch
from analyzer.parsers.pcap.dns_messages import Messages
from analyzer.parsers.pcap.dns_transactions import CLOSED, DnsTransactions

POINTER = b"\xc0\x0c"
"""To the name of the first question."""


def name(text: str) -> bytes:
    """A name in full."""
    labels = text.encode().split(b".") if text else []
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(of: bytes, kind: int = 1, family: int = 1) -> bytes:
    return of + struct.pack(">HH", kind, family)


def record(
    kind: int, data: bytes, *, of: bytes = POINTER, family: int = 1, lifetime: int = 60
) -> bytes:
    return of + struct.pack(">HHIH", kind, family, lifetime, len(data)) + data


def message(
    identity: int,
    *parts: bytes,
    flags: int = 0,
    counts: tuple[int, ...] = (1, 0, 0, 0),
) -> bytes:
    return struct.pack(">HHHHHH", identity, flags, *counts) + b"".join(parts)


def query(identity: int, of: str = "example.com", kind: int = 1, flags: int = 0x0100) -> bytes:
    return message(identity, question(name(of), kind), flags=flags)


def response(
    identity: int,
    *records: bytes,
    of: str = "example.com",
    kind: int = 1,
    flags: int = 0x8180,
    more: tuple[int, int] = (0, 0),
) -> bytes:
    asked = question(name(of), kind)
    return message(identity, asked, *records, flags=flags, counts=(1, len(records), *more))


def address(text: str = "192.0.2.1") -> bytes:
    return record(1, bytes(map(int, text.split("."))))


def messages(*contents: bytes, netbios: int = 0) -> Messages:
    """Messages to be read, with bytes between them that belong to none."""
    data = b"\xff" + b"\xff".join(contents) + b"\xff"
    sizes = np.array([len(content) for content in contents], np.int64)
    starts = np.cumsum(sizes + 1) - sizes
    return Messages(
        data=np.frombuffer(bytearray(data), np.uint8),
        starts=starts,
        ends=starts + sizes,
        netbios=np.full(len(contents), netbios, np.uint8),
    )


@dataclass
class Connections:
    """A connection table: protocol and ports of originator and responder of each slot."""

    slots: list[tuple[int, int, int]]

    def field(self, name: str) -> npt.NDArray[np.generic]:
        place = ("protocol", "originator_port", "responder_port").index(name)
        return np.array([slot[place] for slot in self.slots], np.uint16)


UDP, TCP, NETBIOS, MDNS = (17, 40000, 53), (6, 40000, 53), (17, 137, 137), (17, 5353, 5353)


@dataclass
class Talk:
    """What happens on connections, in order."""

    slots: list[tuple[int, int, int]] = field(default_factory=lambda: [UDP])
    events: list[tuple[int, int, bool, float, bytes, int, int]] = field(default_factory=list)

    def say(
        self, content: bytes, *, at: float = 0.0, to: bool = True, slot: int = 0, offset: int = 0
    ) -> Talk:
        self.events.append((PAYLOAD, slot, to, at, content, len(content), offset))
        return self

    def miss(self, length: int, *, offset: int, at: float = 0.0, to: bool = True) -> Talk:
        self.events.append((GAP, 0, to, at, b"", length, offset))
        return self

    def close(self, *, at: float = 0.0, slot: int = 0) -> Talk:
        self.events.append((CLOSED, slot, True, at, b"", 0, 0))
        return self

    def end(self, *, slot: int = 0, at: float = 0.0) -> Talk:
        self.events.append((ENDED, slot, True, at, b"", 0, 0))
        return self

    def batch(self, start: int = 0, stop: int | None = None) -> FlowBatch:
        events = self.events[start:stop]
        kinds, slots, sides, times, contents, lengths, offsets = (
            zip(*events, strict=True) if events else ((),) * 7
        )
        sizes = np.array([len(content) for content in contents], np.int64)
        return FlowBatch(
            data=np.frombuffer(b"\xee" + b"".join(contents), np.uint8),
            kinds=np.array(kinds, np.uint8),
            slots=np.array(slots, np.int64),
            from_originator=np.array(sides, np.uint8),
            times=np.array(times, np.float64),
            starts=np.cumsum(sizes) - sizes + 1,
            captured=sizes,
            lengths=np.array(lengths, np.int64),
            stream_offsets=np.array(offsets, np.int64),
            ended=np.array([event[1] for event in events if event[0] == ENDED], np.int64),
        )

    def rows(self, size: int | None = None) -> list[dict[str, Any]]:
        """The rows that it makes, with their slots, when batches are of so many events."""
        transactions = DnsTransactions()
        table = Connections(self.slots)
        step = size or max(len(self.events), 1)
        rows = []
        for start in range(0, len(self.events), step):
            found = transactions.observe(self.batch(start, start + step), table)
            for slot, row in zip(found.slots.tolist(), found.columns.to_pylist(), strict=True):
                rows.append({"slot": slot, **row})
        return rows


def brief(row: dict[str, Any]) -> tuple[Any, ...]:
    """The columns that say which query and response a row is made of."""
    return row["trans_id"], row["ts"], row["query"], row["rcode_name"], row["answers"]
