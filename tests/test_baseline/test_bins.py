"""The scales of a baseline: bins of histograms, and the grid of past days."""

from __future__ import annotations

import ibis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN, bin_of, coarse, shape_bin, value_of
from analyzer.engine import Engine


def test_grid() -> None:
    values = [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 1000]
    assert coarse(values).tolist() == [0, 1, 2, 3, 4, 4, 6, 8, 8, 12, 12, 1024]
    assert coarse([5, 9, 11, 1000], 3).tolist() == [5, 8, 12, 1024]


@given(st.floats(0, 1e15))
def test_grid_is_near_and_stays(value: float) -> None:
    rounded = float(coarse([value])[0])
    assert coarse([rounded])[0] == rounded
    assert abs(rounded - value) <= 0.2 * value
    assert rounded == value or value != int(value) or value >= 4


def test_bins_and_values() -> None:
    assert bin_of([0.0, 1.0, 3.0, np.nan], "bytes_out").tolist() == [0, 2, 4, UNKNOWN_BIN]
    assert value_of([0, 2, 4], "bytes_out").tolist() == [0.0, 1.0, 3.0]
    assert np.isnan(value_of([UNKNOWN_BIN], "duration")[0])
    assert value_of(bin_of([1.0], "duration"), "duration")[0] == pytest.approx(1.0, rel=0.2)


@given(st.sampled_from(sorted(SHAPES)), st.integers(0, UNKNOWN_BIN - 1))
def test_the_middle_of_a_bin_is_in_it(metric: str, number: int) -> None:
    assert bin_of(value_of([number], metric), metric)[0] == number


def test_columns_have_the_same_bins() -> None:
    counts = [0, 1, 5, 1000, 2**40, None]
    rows = [
        {
            "ts": 1.0,
            "orig_h": "10.0.0.1",
            "resp_h": "10.0.0.2",
            "proto": "tcp",
            "orig_bytes": count,
            "resp_bytes": count,
            "orig_pkts": None if count is None else min(count, 2**31),
            "duration": None if count is None else count / 8,
        }
        for count in counts
    ]
    with Engine() as engine:
        engine.insert("conn", rows)
        conn = engine.records().conn
        bins = conn.select(**{metric: shape_bin(conn, metric) for metric in SHAPES})
        values = conn.select(
            bytes_out="orig_bytes",
            bytes_in="resp_bytes",
            duration="duration",
            packets_out="orig_pkts",
        )
        both = bins.rename("{name}_bin").mutate(row=ibis.row_number())
        frame = both.join(values.mutate(row=ibis.row_number()), "row").to_pandas()
    for metric in SHAPES:
        expected = bin_of(frame[metric].to_numpy(float), metric)
        assert frame[f"{metric}_bin"].tolist() == expected.tolist()
