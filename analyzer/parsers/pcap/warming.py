"""Compiling on two cores: the first run ever compiles half of the loops in a process of its own.

numba compiles one function at a time in a process. What it has compiled is in its cache for any
other; so while the first run follows connections, a helper gets ready what looks into them.
"""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from analyzer.parsers.pcap.batches import ENDED, PAYLOAD, FlowBatch

_PATIENCE = 60.0
"""Seconds after which whoever needs the loops compiles them himself."""


class Warming:
    """A helper process that fills numba's cache, if that is empty.

    To be used as a context; what is left of the helper ends with it.

    Args:
        loop: a compiled function that the helper gets ready, too: if numba has kept it from an
            earlier run, there is nothing to do.
    """

    def __init__(self, loop: object) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if sys.executable and not _is_kept(loop):
            with contextlib.suppress(OSError):
                # Our own interpreter, and nothing that comes from an input.
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", __name__],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait(self) -> None:
        """Wait until the helper is done, or nearly as long as doing without it would take."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)


def _is_kept(loop: Any) -> bool:  # noqa: ANN401 - numba has no types
    """Whether numba's cache has a compiled function, of whatever version of it."""
    if not loop.stats.cache_path:
        # Nothing can be kept here, so nobody can help.
        return True
    directory = Path(loop.stats.cache_path)
    name = f"{loop.py_func.__module__.rpartition('.')[2]}.{loop.py_func.__qualname__}"
    return any(directory.glob(f"{name}-*.nbi"))


class _Fields:
    """One connection, as a table of them has it."""

    def __init__(self, protocol: int) -> None:
        self.protocol = np.array([protocol], np.uint8)
        self.originator_port = np.array([40_000], np.uint16)
        self.responder_port = np.array([53], np.uint16)
        self.originator_high = self.responder_high = np.zeros(1, np.uint64)
        self.originator_low = self.responder_low = np.zeros(1, np.uint64)
        self.first_time = np.zeros(1)
        self.is_partial = np.zeros(1, np.uint8)

    def field(self, name: str) -> Any:  # noqa: ANN401 - arrays of several types
        """A field for every slot."""
        return getattr(self, name)


def _events(messages: list[bytes]) -> FlowBatch:
    """Messages in turns on one connection, and its end."""
    data = np.frombuffer(b"".join(messages), np.uint8).copy()
    sizes = np.array([*map(len, messages), 0])
    count = len(sizes)
    kinds = np.full(count, PAYLOAD, np.uint8)
    kinds[-1] = ENDED
    return FlowBatch(
        data=data,
        kinds=kinds,
        slots=np.zeros(count, np.int64),
        from_originator=np.arange(1, count + 1, dtype=np.uint8) % 2,
        times=np.arange(count, dtype=np.float64),
        starts=np.cumsum(sizes) - sizes,
        captured=sizes,
        lengths=sizes,
        stream_offsets=np.zeros(count, np.int64),
        ended=np.zeros(1, np.int64),
    )


def warm() -> None:
    """Have compiled what looks into connections."""
    from analyzer.parsers.pcap.dns_transactions import DnsTransactions  # noqa: PLC0415
    from analyzer.parsers.pcap.services import ServiceIdentifier  # noqa: PLC0415

    name = b"\1a\7example\0" + struct.pack(">HH", 1, 1)
    query = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + name
    address = b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 60, 4, b"\xc0\0\2\1")
    response = struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0) + name + address
    events = _events([query, response])
    DnsTransactions().observe(events, _Fields(17))
    ServiceIdentifier().observe(events, _Fields(17))


if __name__ == "__main__":
    warm()
