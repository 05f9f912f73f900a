"""Days side by side: which lie so, how one tells the next, and that nothing is lost."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.baseline.sequences import DAYS, Sequences
from analyzer.baseline.tables import LAYOUTS

from . import FIRST, frame

LAYOUT = LAYOUTS["names"]
NAMES = Sequences(LAYOUT)


def names(*rows: tuple[str, int, float]) -> pd.DataFrame:
    made = frame("names", *(("10.0.0.1", name, FIRST + day, count) for name, day, count in rows))
    return made.sort_values(LAYOUT.keys).reset_index(drop=True)


def test_each_day_is_a_rank_among_what_followed_the_day_before() -> None:
    table = names(("a", 0, 4.0), ("a", 1, 6.0), ("b", 0, 4.0), ("b", 1, 6.0), ("c", 0, 4.0))
    stored, counts, days, rest = NAMES.packed(table)
    assert days.to_pydict() == {"day": [FIRST, FIRST + 1]}
    assert counts.to_pydict() == {"before": [0.0, 4.0, 4.0], "queries": [4.0, 6.0, 0.0]}
    assert stored["domain"].to_pylist() == ["a", "b", "c"]
    assert stored["day.0.rank"].to_pylist() == [0, 0, 0]
    assert stored["day.1.rank"].to_pylist() == [0, 0, 1]
    assert rest.empty


def test_days_with_a_count_that_is_not_on_the_grid_or_none_are_left() -> None:
    # 17 has five binary digits.
    table = names(("a", 0, 15.0), ("a", 1, 17.0), ("b", 1, 4.0), ("a", 2, 0.0))
    _, _, days, rest = NAMES.packed(table)
    assert days["day"].to_pylist() == [FIRST]
    assert list(rest.day - FIRST) == [1, 2, 1]


def test_more_days_than_lie_side_by_side() -> None:
    table = names(*(("a", day, 4.0) for day in range(DAYS + 2)))
    *_, days, rest = NAMES.packed(table)
    assert days["day"].to_pylist() == list(range(FIRST, FIRST + DAYS))
    assert list(rest.day - FIRST) == [DAYS, DAYS + 1]


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.integers(0, DAYS + 2)), st.floats(0, 20), max_size=30
    )
)
def test_there_and_back(counts: dict[tuple[str, int], float]) -> None:
    table = names(*((*key, count) for key, count in counts.items()))
    stored, listed, days, rest = NAMES.packed(table)
    assert stored.schema == NAMES.schema
    back = NAMES.unpacked(stored, listed, days).to_pandas()
    whole = pd.concat([back.astype(table.dtypes.to_dict()), rest])
    whole = whole.sort_values(LAYOUT.keys).reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, table)


def test_more_days_than_can_be() -> None:
    stored, listed, _, _ = NAMES.packed(names(("a", 0, 4.0)))
    days = pa.table({"day": pa.array(range(DAYS + 1), pa.int32())})
    with pytest.raises(ValueError, match="table names has more than 8 days side by side"):
        NAMES.unpacked(stored, listed, days)
