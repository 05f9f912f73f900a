"""How rows of one key become one."""

from __future__ import annotations

import pandas as pd

from analyzer.baseline.tables import LAYOUTS

from . import FIRST, frame


def test_rows_of_one_key_become_one() -> None:
    rows = frame(
        "offered",
        ("10.0.0.2", "tcp", 443, FIRST + 1, FIRST + 1, 3.0),
        ("10.0.0.1", "tcp", 443, FIRST, FIRST, 1.0),
        ("10.0.0.2", "tcp", 443, FIRST, FIRST, 2.0),
    )
    expected = frame(
        "offered",
        ("10.0.0.1", "tcp", 443, FIRST, FIRST, 1.0),
        ("10.0.0.2", "tcp", 443, FIRST, FIRST + 1, 3.0),
    )
    pd.testing.assert_frame_equal(LAYOUTS["offered"].joined(rows), expected)


def test_sums_add_up_and_rows_that_are_all_key_stay_once() -> None:
    twice = pd.concat([frame("names", ("10.0.0.1", "a.example", FIRST, 2.0))] * 2)
    assert LAYOUTS["names"].joined(twice).queries.tolist() == [4.0]
    verdict = frame("verdicts", (1.0, "a", "b", True, "c", "d", "", "", -1, "", 0.5))
    assert len(LAYOUTS["verdicts"].joined(pd.concat([verdict, verdict]))) == 1


def test_bits_of_either_are_set() -> None:
    rows = frame(
        "port_hours",
        ("10.0.0.1", "tcp", 443, FIRST, 0b0101),
        ("10.0.0.2", "tcp", 443, FIRST, 0b0001),
        ("10.0.0.1", "tcp", 443, FIRST, 0b1100),
    )
    assert LAYOUTS["port_hours"].joined(rows).hours.tolist() == [0b1101, 0b0001]


def test_rows_in_order_stay_as_they_are() -> None:
    rows = frame(
        "peers",
        ("10.0.0.1", "192.0.2.1", False, FIRST, FIRST),
        ("10.0.0.1", "192.0.2.1", True, FIRST, FIRST + 1),
        ("10.0.0.2", "10.0.0.1", False, FIRST, FIRST),
    )
    joined = LAYOUTS["peers"].joined
    pd.testing.assert_frame_equal(joined(rows), rows)
    for order in ([0, 2, 1], [2, 1, 0], [0, 1, 2, 1]):
        pd.testing.assert_frame_equal(joined(rows.iloc[order]), rows)
    pd.testing.assert_frame_equal(joined(rows.iloc[[1, 2]]), rows.iloc[1:].reset_index(drop=True))
