"""Small charts of plain ASCII: what any terminal, log or mail shows the same, without colour."""

from __future__ import annotations

import math
from collections.abc import Sequence

UNKNOWN = "?"
"""Stands where nothing is known."""

SHADES = " .:-=+*#%@"
"""From nothing to the most, by the square root: a hundredth of the most is to be seen."""

HOURS_RULE = "0     6     12    18"
"""A line above shades of 24 hours."""

_HEIGHT = 5


def columns(values: Sequence[float | None], labels: Sequence[str]) -> list[str]:
    """Values as columns of two characters beside each other, each with its label below.

    What is too small for a line but not nothing is a dotted one.

    Args:
        values: 0 or more each; None where nothing is known.
        labels: of two characters at most.
    """
    greatest = max((value for value in values if value), default=0.0)
    heights = [
        None if value is None else _HEIGHT * value / greatest if greatest else 0.0
        for value in values
    ]
    lines = []
    for level in range(_HEIGHT, 0, -1):
        cells = [_cell(height, level) for height in heights]
        lines.append(" ".join(cells).rstrip())
    return [*lines, " ".join(f"{label:<2}" for label in labels).rstrip()]


def _cell(height: float | None, level: int) -> str:
    if height is None:
        return UNKNOWN * 2 if level == 1 else "  "
    if round(height) >= level:
        return "##"
    return ".." if level == 1 and height > 0 else "  "


def bar(value: float, greatest: float, width: int) -> str:
    """A value as a bar beside the greatest of its kind, which is as wide as asked for."""
    if value <= 0 or greatest <= 0:
        return ""
    return "#" * round(width * min(value / greatest, 1.0)) or "."


def shades(values: Sequence[float | None], greatest: float) -> str:
    """A character for each value, by its size beside the greatest of its kind."""
    return "".join(UNKNOWN if value is None else _shade(value, greatest) for value in values)


def _shade(value: float, greatest: float) -> str:
    if value <= 0 or greatest <= 0:
        return SHADES[0]
    most = len(SHADES) - 1
    return SHADES[min(max(round(most * math.sqrt(value / greatest)), 1), most)]
