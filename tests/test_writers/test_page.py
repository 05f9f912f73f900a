"""Text fitted to a console."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.text import Text

from analyzer.writers.page import SHOWN, Page, counted, printable


def _printed(write: Callable[[Page], None], width: int = 40, *, verbose: bool = False) -> str:
    stream = io.StringIO()
    write(Page(Console(file=stream, width=width), verbose=verbose))
    return stream.getvalue()


def _cells(*rows: str) -> list[list[Text]]:
    return [[Text(cell) for cell in row.split("|")] for row in rows]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [bold]text[/] :smile: 東", "plain [bold]text[/] :smile: 東"),
        ("\x1b[2J\x00\x7f\x9b", "\\x1b[2J\\x00\\x7f\\x9b"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\u202eright\u2028next", "\\u202eright\\u2028next"),
        ("\udcff", "\\xff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert _printed(lambda page: page.line(text), width=80) == f"{shown}\n"


def test_counted() -> None:
    assert [counted(n, "line") for n in (0, 1, 2, 12345)] == [
        "0 lines",
        "1 line",
        "2 lines",
        "12,345 lines",
    ]


def test_a_long_line_wraps_between_words_and_hangs() -> None:
    text = "one two three four five six"
    assert _printed(lambda page: page.line(text, indent=2), width=16) == (
        "  one two\n    three four\n    five six\n"
    )


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = _cells("name|9|last", "longer name||the end", "東京|1,234|x")
    assert _printed(lambda page: page.table(rows, right=(1,))) == (
        "  name             9  last\n  longer name         the end\n  東京         1,234  x\n"
    )


def test_empty_columns_are_left_out() -> None:
    rows = _cells("a||c|", "b||d|")
    assert _printed(lambda page: page.table(rows, indent=0)) == "a  c\nb  d\n"


def test_the_last_column_wraps_within_itself() -> None:
    rows = _cells("name|one two three four five six seven")
    assert _printed(lambda page: page.table(rows), width=30) == (
        "  name  one two three four\n        five six seven\n"
    )


def test_a_last_column_without_room_goes_below() -> None:
    rows = _cells("a long name|one two three")
    assert _printed(lambda page: page.table(rows), width=20) == (
        "  a long name  one\n    two three\n"
    )


def test_fits() -> None:
    def fits(width: int, *rows: str) -> bool:
        page = Page(Console(file=io.StringIO(), width=width), verbose=False)
        return page.fits(_cells(*rows), indent=2)

    assert fits(8, "ab|cd")
    assert not fits(7, "ab|cd")
    assert fits(8, "ab||cd")
    assert not fits(80)
    assert not fits(80, "|")


def test_more() -> None:
    assert SHOWN == 20
    assert _printed(lambda page: page.more(20, "host")) == ""
    assert _printed(lambda page: page.more(21, "host")) == (
        "  Not shown: 1 more host; -v shows all.\n"
    )
    assert _printed(lambda page: page.more(22, "host"), verbose=True) == ""


def test_heading() -> None:
    assert _printed(lambda page: page.heading("Hosts")) == "\nHosts\n"
