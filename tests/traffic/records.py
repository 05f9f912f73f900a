"""What the generator records: connections and lookups as columns of numbers.

Texts are kept as codes into a `Vocabulary`, so that millions of rows stay small
until a table of Zeek's columns is made of them.
"""

from __future__ import annotations

import ipaddress
import string
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

Array = npt.NDArray[Any]
Values = Array | float
Batch = dict[str, Array]

UNSET = -1
"""Stands for an unset count or code in a column of integers."""

CONNECTION_COLUMNS = {
    "ts": "f8",
    "uid": "S18",
    "orig_h": "i4",
    "orig_p": "u2",
    "resp_h": "i4",
    "resp_p": "u2",
    "proto": "i4",
    "service": "i4",
    "duration": "f8",
    "orig_bytes": "i8",
    "resp_bytes": "i8",
    "conn_state": "i4",
    "history": "i4",
    "orig_pkts": "i4",
    "orig_ip_bytes": "i8",
    "resp_pkts": "i4",
    "resp_ip_bytes": "i8",
}
LOOKUP_COLUMNS = {
    "ts": "f8",
    "uid": "S18",
    "orig_h": "i4",
    "orig_p": "u2",
    "resp_h": "i4",
    "resp_p": "u2",
    "trans_id": "u2",
    "rtt": "f8",
    "query": "i4",
    "qtype": "i4",
    "rcode": "i4",
    "authoritative": "?",
    "recursion_desired": "?",
    "answers": "i4",
    "rejected": "?",
}
HANDSHAKE_COLUMNS = {
    "ts": "f8",
    "uid": "S18",
    "orig_h": "i4",
    "orig_p": "u2",
    "resp_h": "i4",
    "resp_p": "u2",
    "server_name": "i4",
    "resumed": "?",
}

_BASE62 = np.frombuffer(
    (string.digits + string.ascii_uppercase + string.ascii_lowercase).encode(), dtype="u1"
)


class Outcome(IntEnum):
    """How a TCP connection went; Zeek's conn_state follows from it."""

    CLOSED = 0
    """Opened and closed by both sides: SF."""
    NO_ANSWER = 1
    """A SYN nobody answers: S0."""
    REFUSED = 2
    """A SYN answered by a RST: REJ."""
    ORIGINATOR_RESET = 3
    """Opened, then reset by its originator: RSTO."""
    RESPONDER_RESET = 4
    """Opened, then reset by its responder: RSTR."""
    LEFT_OPEN = 5
    """Opened and never closed while seen: S1."""
    HALF_OPEN_PROBE = 6
    """A SYN scanner's RST to the SYN/ACK of an open port: RSTO."""


class Vocabulary:
    """Texts numbered in the order they are first met."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        """The number of `text`, given a new one if it has none."""
        found = self._codes.get(text)
        if found is None:
            found = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return found

    def codes(self, texts: Iterable[str]) -> Array:
        """The numbers of `texts`."""
        return np.array([self.code(text) for text in texts], dtype="i4")


class Addresses(Vocabulary):
    """IP addresses, with what is known of each as arrays indexed by its code."""

    def __init__(self, local: Iterable[str]) -> None:
        super().__init__()
        self._networks = [ipaddress.ip_network(net) for net in local]
        self._local: list[bool] = []
        self._ipv6: list[bool] = []
        self._arrays: tuple[Array, Array] | None = None

    def _known(self) -> tuple[Array, Array]:
        for text in self.texts[len(self._local) :]:
            address = ipaddress.ip_address(text)
            self._ipv6.append(address.version == 6)
            self._local.append(any(address in net for net in self._networks))
            self._arrays = None
        if self._arrays is None:
            self._arrays = np.array(self._local, dtype="?"), np.array(self._ipv6, dtype="?")
        return self._arrays

    @property
    def local(self) -> Array:
        """Whether each address lies in a local network."""
        return self._known()[0]

    @property
    def ipv6(self) -> Array:
        """Whether each address is an IPv6 address."""
        return self._known()[1]


class Answers:
    """DNS answer sections: the answers as Zeek logs them, their TTLs in seconds, their bytes."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, ...]] = []
        self.ttls: list[tuple[float, ...]] = []
        self._sizes: list[int] = []
        self._size_array = np.empty(0, dtype="i4")

    def add(self, texts: tuple[str, ...], ttls: tuple[float, ...], size: int) -> int:
        """The number of a new answer section of `size` bytes."""
        self.texts.append(texts)
        self.ttls.append(ttls)
        self._sizes.append(size)
        return len(self._sizes) - 1

    @property
    def sizes(self) -> Array:
        """Bytes of each answer section on the wire."""
        if len(self._size_array) != len(self._sizes):
            self._size_array = np.array(self._sizes, dtype="i4")
        return self._size_array


def uids(rng: np.random.Generator, count: int) -> Array:
    """`count` connection identifiers: `C` and 17 random base-62 digits."""
    text = np.empty((count, 18), dtype="u1")
    text[:, 0] = ord("C")
    text[:, 1:] = _BASE62[rng.integers(0, 62, size=(count, 17), dtype="u1")]
    return text.reshape(-1).view("S18")


def batch(columns: dict[str, str], values: dict[str, Values], rows: int) -> Batch:
    """`values` as arrays of `rows` rows and the types of `columns`."""
    return {
        name: np.broadcast_to(np.asarray(values[name], dtype=kind), (rows,))
        for name, kind in columns.items()
    }


def concatenate(columns: dict[str, str], batches: list[Batch]) -> Batch:
    """One batch of all rows of `batches`, in their order; empties `batches` to save memory."""
    joined: Batch = {}
    for name, kind in columns.items():
        parts = [part.pop(name) for part in batches]
        joined[name] = np.concatenate(parts) if parts else np.empty(0, dtype=kind)
    batches.clear()
    return joined
