"""Which series are judged, and in which windows."""

from __future__ import annotations

import numpy as np

from analyzer.detectors import Shared
from analyzer.detectors.beacon_series import WINDOWS, Series, connections, judged, series
from analyzer.records import Records

from . import DAY, Row, connection, holding


def chosen(records: Records, shared: Shared) -> Series:
    return series(records, shared, fewest=8, shortest=60.0)


def every(seconds: float, count: int, begin: float = 0.0) -> list[Row]:
    return [
        connection(begin + k * seconds, "10.0.0.5", "198.51.100.7", 443, orig_p=k)
        for k in range(count)
    ]


def test_pairs_are_numbered_in_order() -> None:
    rows = [
        connection(60.0 * k, f"10.0.0.{host}", "198.51.100.7", port)
        for k in range(8)
        for host, port in ((6, 443), (5, 80), (5, 443))
    ]
    with holding(rows) as records:
        kept = chosen(records, Shared()).by_address.order_by("pair").to_pandas()
    assert kept.pair.tolist() == [0, 1, 2]
    assert list(zip(kept.orig_h, kept.resp_p, strict=True)) == [
        ("10.0.0.5", 80),
        ("10.0.0.5", 443),
        ("10.0.0.6", 443),
    ]


def test_floods_and_moments_are_left_out() -> None:
    rows = every(0.1, 2000) + [
        connection(5.0 * k, "10.0.0.6", "198.51.100.8", 80) for k in range(9)
    ]
    with holding(rows) as records:
        assert chosen(records, Shared()).by_address.count().execute() == 0


def judge(rows: list[Row]) -> list[dict[str, object]]:
    with holding(rows) as records:
        shared = Shared()
        found = judged(records, connections(records, chosen(records, shared), shared), fewest=7)
    return [{str(key): value for key, value in row.items()} for row in found.to_dict("records")]


def test_a_beacon_of_an_afternoon_among_browsing() -> None:
    rng = np.random.default_rng(1)
    browsing = [
        connection(second, "10.0.0.5", "198.51.100.7", 443)
        for second in np.sort(rng.uniform(0, DAY / 2, 40)).tolist()
    ]
    (row,) = judge(browsing + every(60, 300, DAY * 0.75) + [*every(1, 1, DAY * 1.2)])
    assert row["false_alarm"] <= 1e-3  # type: ignore[operator]
    assert row["median"] == 60.0


def test_the_larger_window_wins_where_both_are_as_good() -> None:
    (row,) = judge(every(300, 280))
    assert row["window"] == "24 h"
    assert row["holds"] == "24 h: 1 of 1, 6 h: 4 of 4"
    assert list(WINDOWS) == ["6 h", "24 h", "7 d"]


def test_a_week() -> None:
    (row,) = judge(every(7200, 80))
    assert row["window"] == "7 d"
    assert row["intervals"] == 79


def test_nothing_to_judge() -> None:
    assert judge([]) == []
    assert judge(every(60, 5)) == []
