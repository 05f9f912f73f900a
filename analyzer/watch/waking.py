"""Waking a thread from anywhere, signal handlers included."""

from __future__ import annotations

import contextlib
from queue import Empty, SimpleQueue


class Wake:
    """What :class:`threading.Event` is, for signal handlers too.

    An event holds a lock while it is set, cleared or waited for. A handler runs in the midst of
    that in the same thread, and would wait for the lock for ever; a simple queue may be put to at
    any moment (https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put).
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Have whoever waits, or will wait next, go on."""
        self._calls.put(None)

    def clear(self) -> None:
        """Forget that it was set."""
        with contextlib.suppress(Empty):
            while True:
                self._calls.get_nowait()

    def wait(self, timeout: float) -> None:
        """Wait until it is set, `timeout` seconds at most."""
        with contextlib.suppress(Empty):
            self._calls.get(timeout=timeout)
