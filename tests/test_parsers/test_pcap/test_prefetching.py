"""One stage of the work ahead of the next."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from analyzer.parsers.pcap.prefetching import prefetched


def counted(end: int) -> Generator[int]:
    yield from range(end)


def test_items_come_in_order() -> None:
    assert list(prefetched(counted(100))) == list(range(100))
    assert list(prefetched(counted(0))) == []


def test_the_next_item_is_made_while_the_last_is_dealt_with() -> None:
    made = threading.Event()

    def items() -> Generator[int]:
        yield 1
        made.set()
        yield 2

    found = prefetched(items())
    assert next(found) == 1
    assert made.wait(10)
    assert list(found) == [2]


def test_what_goes_wrong_is_raised_in_its_turn() -> None:
    def items() -> Generator[int]:
        yield 1
        raise ValueError("broken")

    found = prefetched(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_whoever_stops_early_leaves_no_thread() -> None:
    before = threading.active_count()
    items = counted(10)
    found = prefetched(items)
    assert next(found) == 0
    found.close()
    assert threading.active_count() == before
    assert list(items) == []
