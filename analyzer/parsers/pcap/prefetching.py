"""One stage of the work ahead of the next, on a core of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetched(items: Generator[T]) -> Generator[T]:
    """The same items, the next of which is worked out while the last is dealt with.

    What the generator raises is raised here, in its turn; it is closed with this one.
    """
    end = object()
    with (
        contextlib.closing(items),
        ThreadPoolExecutor(1, "prefetching") as executor,
        contextlib.ExitStack() as stack,
    ):
        due = executor.submit(next, items, end)
        stack.callback(due.cancel)
        while (item := due.result()) is not end:
            due = executor.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not the end, so it is one of the items
