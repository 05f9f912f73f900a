"""A figure that a detector should reach, beside what it reached, and what others reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_WIDTHS = (58, 12, 12, 6)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        name: what was measured, on what.
        goal: what it should be; None for what stands there for comparison.
        reached: what it is.
        at_most: the goal is an upper bound, not a lower one.
        peers: the same figure of other ways (RITA's score, a plain rule), by name.
    """

    name: str
    goal: float | None
    reached: float
    at_most: bool = False
    peers: dict[str, float] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached; true where there is none."""
        if self.goal is None:
            return True
        return self.reached <= self.goal if self.at_most else self.reached >= self.goal


def table(figures: Sequence[Figure]) -> str:
    """Figures as lines of text, each with its goal and its peers."""
    lines = [_line("", "goal", "reached", "")]
    for figure in figures:
        sign = "<=" if figure.at_most else ">="
        goal = "" if figure.goal is None else f"{sign} {figure.goal:g}"
        mark = "" if figure.goal is None else "met" if figure.is_met else "MISSED"
        lines.append(_line(figure.name, goal, f"{figure.reached:.4g}", mark))
        lines += [
            _line(f"    {name}", "", f"{value:.4g}", "") for name, value in figure.peers.items()
        ]
    return "\n".join(lines)


def _line(*cells: str) -> str:
    texts = zip(cells, _WIDTHS, strict=True)
    return "  ".join(f"{text:<{width}}" for text, width in texts).rstrip()
