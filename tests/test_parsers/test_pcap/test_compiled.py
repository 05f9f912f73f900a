"""The loops over packets, compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
import pytest

from analyzer.parsers.pcap import compiled as compiled_module
from analyzer.parsers.pcap.compiled import compiled, source_stamp, stamped


@compiled
def _total(values: np.typing.NDArray[np.int64]) -> int:
    total = 0
    for value in values:
        total += value
    return total


def test_what_is_compiled_does_what_it_says() -> None:
    assert _total(np.arange(5)) == 10
    assert _total.__name__ == "_total"


def test_it_is_compiled_anew_when_any_file_has_changed() -> None:
    files = list(Path(compiled_module.__file__).parent.rglob("*.py"))
    latest, size = source_stamp()
    assert latest == max(path.stat().st_mtime for path in files)
    assert size == sum(path.stat().st_size for path in files)
    kept: Any = cast("Any", _total)._cache._cache_file
    assert kept._source_stamp == (latest, size)


def test_what_numba_does_not_keep_is_left_alone() -> None:
    nothing = object()
    assert stamped(nothing) is nothing


def test_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def refusing(**options: Any) -> Any:  # noqa: ANN401
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    def double(value: int) -> int:
        return 2 * value

    monkeypatch.setattr(numba, "njit", refusing)
    assert compiled(double)(4) == 8
