"""Charts of plain ASCII, character by character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.writers.bars import SHADES, bar, columns, shades

VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1e300)), max_size=30)


def test_columns() -> None:
    assert columns([10.0, 5.0, 0.1, 0.0, None], ["00", "01", "02", "03", "04"]) == [
        "##",
        "##",
        "##",
        "## ##",
        "## ## ..    ??",
        "00 01 02 03 04",
    ]


def test_columns_of_nothing() -> None:
    assert columns([0.0, None], ["a", "b"]) == ["", "", "", "", "   ??", "a  b"]
    assert columns([], []) == [""] * 6


def test_bar() -> None:
    assert bar(1.0, 1.0, 10) == "#" * 10
    assert bar(0.25, 1.0, 10) == "##"
    assert bar(1e-9, 1.0, 10) == "."
    assert bar(0.0, 1.0, 10) == bar(1.0, 0.0, 10) == ""
    assert bar(5.0, 1.0, 10) == "#" * 10


def test_shades_are_by_the_square_root() -> None:
    assert shades([0.0, 1e-9, 1.0, 25.0, 49.0, 81.0, 100.0, None], 100.0) == " ..=*%@?"
    assert shades([0.0, 1.0], 0.0) == "  "


@given(VALUES)
def test_whatever_comes_is_ascii_of_its_length(values: list[float | None]) -> None:
    greatest = max((value for value in values if value is not None), default=0.0)
    told = shades(values, greatest)
    assert len(told) == len(values)
    assert set(told) <= {*SHADES, "?"}
    lines = columns(values, ["00"] * len(values))
    assert all(line.isascii() and line == line.rstrip() for line in lines)
    assert all(len(line) <= max(3 * len(values) - 1, 0) for line in lines)
