"""Sections, lines and columns of text for a person, fitted to a console.

Everything from a log, a path or a rule may be under an attacker's control: it is shown with every
unprintable character escaped and is never read as markup, so it cannot move the cursor, change
colours, or forge a line.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.zeek_format import replace_undecodable

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20
"""How many findings, hosts or files a section shows unless all are asked for."""

_Rows = Sequence[Sequence[Text]]

_GAP = "  "
_INDENT = 2
_NARROWEST = 16  # columns that the last cell of a row needs to be worth a column of its own


def printable(text: str) -> str:
    """The text with everything escaped that a terminal would act on rather than show."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in replace_undecodable(text)
    )


def counted(number: int, noun: str) -> str:
    """So many of something, in words."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class Page:
    """Prints sections and rows so that they fit the console, with nothing at the end of a line."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self.verbose = verbose
        self.limit = None if verbose else SHOWN

    def more(self, total: int, noun: str) -> None:
        """Print how many of all things the limit kept out, if any."""
        if self.limit is not None and total > self.limit:
            more = counted(total - self.limit, f"more {noun}")
            self.line(f"Not shown: {more}; -v shows all.", indent=2)

    def heading(self, text: str) -> None:
        """Print the heading of a section."""
        self._console.print()
        self.line(text, style="bold")

    def text(self, text: str) -> Text:
        """Text that a terminal shows as it is and that the console's encoding has."""
        shown = printable(text)
        encoding = self._console.encoding
        return Text(shown.encode(encoding, "backslashreplace").decode(encoding))

    def line(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """Print a line of any text, wrapped between words where it is too long."""
        line = self.text(text)
        line.stylize(style)
        self._print(Text(" " * indent), line, indent + _INDENT)

    def table(self, rows: _Rows, *, right: Container[int] = (), indent: int = 2) -> None:
        """Print rows in columns; empty columns are left out, and the last wraps within itself."""
        widths = _widths(rows)
        *columns, last = [column for column, width in enumerate(widths) if width]
        for row in rows:
            lead = Text(" " * indent)
            for column in columns:
                lead += _padded(row[column], widths[column], right=column in right) + Text(_GAP)
            cell = row[last]
            shown = _padded(cell, widths[last], right=True) if last in right else cell
            self._print(lead, shown, lead.cell_len)

    def fits(self, rows: _Rows, indent: int) -> bool:
        """Whether there are rows and each fits on a line."""
        widths = [width + len(_GAP) for width in _widths(rows) if width]
        return bool(widths) and indent + sum(widths) - len(_GAP) <= self._console.width

    def _print(self, lead: Text, text: Text, hanging: int) -> None:
        """Print text after a lead, its further lines indented by `hanging` columns."""
        room = self._console.width - lead.cell_len
        if text.cell_len > room and room < _NARROWEST:
            text, hanging = Text.assemble(lead, text), _INDENT * 2
            lead = Text(" " * _INDENT)
            text = text[len(text.plain) - len(text.plain.lstrip()) :]
        room = self._console.width - lead.cell_len
        if text.cell_len > room:
            room = max(self._console.width - max(lead.cell_len, hanging), 1)
        for line in text.wrap(self._console, room):
            whole = Text.assemble(lead, line)
            whole.rstrip()
            self._console.print(whole, soft_wrap=True)
            lead = Text(" " * hanging)


def _widths(rows: _Rows) -> list[int]:
    return [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]


def _padded(cell: Text, width: int, *, right: bool) -> Text:
    padding = Text(" " * (width - cell.cell_len))
    return padding + cell if right else cell + padding
