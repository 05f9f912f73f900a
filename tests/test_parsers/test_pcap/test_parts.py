"""Compiled loops and their parts do what they say, as Python does."""

from __future__ import annotations

import sys
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
import pytest

from analyzer.parsers.pcap import parts
from analyzer.parsers.pcap.connection_state import Record
from analyzer.parsers.pcap.parts import expanded, inlined, loop, number, part, wide

_TEN = number(10)


@part
def _sum(record: Record, much: int) -> int:
    record.total += much
    total: int = record.total
    return total


@inlined
def _larger(one: int, other: int) -> int:
    if other > one:
        return other
    return one


@expanded
def _twice(value: int) -> int:
    return 2 * value


@loop
def _run(values: npt.NDArray[np.uint8], records: npt.NDArray[Any]) -> int:
    largest = wide(0)
    record = records[0]
    for at in range(values.size):
        largest = _larger(largest, _sum(record, wide(values[at]) + _TEN))
    return _twice(largest)


def test_a_loop_of_parts() -> None:
    records = np.zeros(1, np.dtype([("total", "i8")]))
    assert _run(np.array([1, 2, 250], np.uint8), records) == 2 * 283
    assert records["total"][0] == 283
    assert _run(np.empty(0, np.uint8), records) == 0


def test_a_loop_is_kept_with_its_parts() -> None:
    test_a_loop_of_parts()
    # None at all where the loop came from numba's cache.
    assert len(cast("Any", _sum).signatures) <= 1
    assert cast("Any", _run).nopython_signatures[0].return_type == numba.types.int64
    kept = cast("Any", _run).stats
    assert len(kept.cache_hits) + len(kept.cache_misses) == 1


def test_numbers_are_wide() -> None:
    assert isinstance(number(3), np.int64)
    assert wide(np.uint8(200)) + 100 == 300


def test_a_numba_that_has_changed_inside_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(parts._options()) == {"_nrt", "pipeline_class"}
    monkeypatch.setitem(sys.modules, "numba.core.typed_passes", None)
    assert parts._options() == {}
