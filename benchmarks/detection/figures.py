"""A figure that a detector should reach, beside what it reached, and what others reach."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

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
        notes: what else there is to say of it, a line each.
    """

    name: str
    goal: float | None
    reached: float
    at_most: bool = False
    peers: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached; true where there is none."""
        if self.goal is None:
            return True
        return self.reached <= self.goal if self.at_most else self.reached >= self.goal


def averaged(figures: Iterable[Figure]) -> list[Figure]:
    """Figures of the same name as one with their means, in the order they first appear."""
    named: dict[str, list[Figure]] = {}
    for figure in figures:
        named.setdefault(figure.name, []).append(figure)
    return [
        replace(
            same[0],
            reached=sum(each.reached for each in same) / len(same),
            peers={
                peer: sum(each.peers[peer] for each in same) / len(same) for peer in same[0].peers
            },
        )
        for same in named.values()
    ]


def table(figures: Sequence[Figure]) -> str:
    """Figures as lines of text, each with its goal, its peers and its notes."""
    lines = [_line("", "goal", "reached", "")]
    for figure in figures:
        sign = "<=" if figure.at_most else ">="
        goal = "" if figure.goal is None else f"{sign} {figure.goal:g}"
        mark = "" if figure.goal is None else "met" if figure.is_met else "MISSED"
        lines.append(_line(figure.name, goal, f"{figure.reached:.4g}", mark))
        lines += [
            _line(f"    {name}", "", f"{value:.4g}", "") for name, value in figure.peers.items()
        ]
        lines += [f"    {note}" for note in figure.notes]
    return "\n".join(lines)


def _line(*cells: str) -> str:
    texts = zip(cells, _WIDTHS, strict=True)
    return "  ".join(f"{text:<{width}}" for text, width in texts).rstrip()


def print_measured(measure: Callable[[int], list[Figure]], description: str | None) -> None:
    """Measure with as many seeds as the command line says, and print the figures."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1, help="seeds to measure with")
    print(table(measure(parser.parse_args().seeds)))
