"""The loops over packets, compiled."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.compiled import compiled


@compiled
def _total(values: np.typing.NDArray[np.int64]) -> int:
    total = 0
    for value in values:
        total += value
    return total


def test_what_is_compiled_does_what_it_says() -> None:
    assert _total(np.arange(5)) == 10
    assert _total.__name__ == "_total"
