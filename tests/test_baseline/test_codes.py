"""Names and numbers looked up, few at a time or many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.codes import Keys, Names, pair_keys, service_keys


@pytest.mark.parametrize("times", [1, 100])
def test_names_have_the_number_of_their_place(times: int) -> None:
    names = Names(pd.Series(["b", "a", "b"]))
    assert len(names) == 2
    values = np.array(["a", "c", "b"] * times, dtype=object)
    assert names.of(values).tolist() == [0, -1, 1] * times
    assert names.of(pd.Series(values)).tolist() == [0, -1, 1] * times
    assert names.number("b") == 1


def test_no_names_at_all() -> None:
    none = Names(pd.Series([], dtype="str"))
    assert none.of(np.array(["a"] * 100, dtype=object)).tolist() == [-1] * 100


@pytest.mark.parametrize("times", [1, 100])
def test_keys_have_their_place(times: int) -> None:
    keys = Keys(np.array([7, 3, 7, -1]))
    assert len(keys) == 2
    assert keys.of(np.array([7, 4, 3, -1] * times)).tolist() == [1, -1, 0, -1] * times


def test_a_pair_is_known_if_both_are() -> None:
    first, second = np.array([1, -1, 0]), np.array([2, 2, -1])
    assert pair_keys(first, second, 10).tolist() == [12, -1, -1]
    assert service_keys(np.array([0, 1, -1]), [53, 443, 80]).tolist() == [53, 65_536 + 443, -1]
